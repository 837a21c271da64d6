# SPDX-License-Identifier: Apache-2.0
"""SendPulse's application error codes: what they mean and what to do.

Codes such as 401 or 502 appear in bodies too and are unrelated to the HTTP status of the same number.

Source: SendPulse API, "Error codes".
"""

from __future__ import annotations

import re
from enum import Enum


class ErrorCode(Enum):
    """One documented code: number, meaning, and what a person can do (empty where the meaning says it)."""

    CLIENT_REJECTED = 1, "OAuth client rejected", ""
    NO_DATA = 8, "No data", ""
    SENDER_ADDRESS_MISSING = 10, "Sender address missing", ""
    RECIPIENTS_NOT_FOUND = 11, "Recipients not found", ""
    MESSAGE_SUBJECT_MISSING = 12, "Subject missing", ""
    CONTENT_EMPTY = 13, "Message content is empty", ""
    MESSAGE_NOT_FOUND = 14, "No message or address with that id", "A message may not be listed yet: look again later."
    ADDRESS_INVALID = 17, "Address not found or not valid", ""
    ADDRESS_EXISTS = 19, "Address exists already", ""
    FREE_MAILBOX = 20, "A free mailbox provider is not allowed as sender", "Send from an address of a domain you own."
    NOT_AWAITING_ACTIVATION = 21, "No such address awaits activation", ""
    TEMPLATE_TO_USE_NOT_FOUND = (
        31,
        "Template not found",
        "Use the template's real_id: its id changes with every edit.",
    )
    TEMPLATE_BODY_EMPTY = 32, "The template's body is empty", "Fill the template in the SendPulse dashboard."
    FREE_MAILBOX_TOO = (
        97,
        "A free mailbox provider is not allowed as sender",
        "Send from an address of a domain you own.",
    )
    BOOK_NAME_EMPTY = 201, "Name of the address book is empty", ""
    BOOK_NAME_TAKEN = 203, "Name of the address book is in use already", "Choose another name, or reuse the book."
    BOOK_EMPTY = 211, "The address book is empty", "Add contacts first, and wait until the book is unlocked."
    BOOK_NOT_FOUND = 213, "Address book not found", "Check the id; the book may have been deleted."
    TEMPLATE_NOT_FOUND = 290, "Template not found", "Use the template's real_id: its id changes with every edit."
    VARIABLE_NOT_FOUND = 299, "Variable not found", ""
    WRONG_PARAMETERS = 301, "Wrong parameters", ""
    NO_SUCH_ADDRESSES = 303, "No such addresses in the address book", ""
    SMTP_ACCOUNT_MISSING = (
        400,
        "There is no SMTP account",
        "Switch the SMTP service on in SendPulse; it is moderated before first use.",
    )
    ADDRESS_NOT_IN_BOOK = 502, "Address not found", "The contact is not in this address book (yet)."
    SMTP_USER_NOT_FOUND = (
        503,
        "There is no SMTP account",
        "Switch the SMTP service on in SendPulse; it is moderated before first use.",
    )
    TOO_MANY_RECIPIENTS = 550, "Too many recipients in one message", "Send several messages."
    TEMPLATE_NAME_TAKEN = 573, "Name of the template is in use already", "Edit the template, or choose another name."
    CAMPAIGN_GONE = 602, "Campaign not found, probably sent already", ""
    SENDER_MISSING = 701, "Sender name or address missing", ""
    CAMPAIGN_BOOK_NOT_FOUND = 703, "Address book not found", "Check the id; the book may have been deleted."
    SENDER_NOT_FOUND = 704, "Sender not found", "Add the sender in SendPulse and confirm the address."
    BALANCE_EXHAUSTED = 707, "The balance is exhausted", "Top up the account, or shorten the audience."
    PLAN_EXCEEDED = 708, "More recipients than the plan allows", "Change the plan, or shorten the audience."
    TOO_SOON = 711, "Too soon to mail this list again", "Wait a quarter of an hour."
    SUBJECT_EMPTY = 720, "The subject is empty", ""
    MESSAGE_EMPTY = 721, "The message is empty", ""
    BOOK_ID_MISSING = 722, "Id of the address book missing", ""
    TEMPLATE_VARIABLES_MALFORMED = 731, "The template's variables are malformed", ""
    CAMPAIGNS_PER_HOUR = (
        791,
        "Four campaigns an hour can be created through the API",
        "A place is free again within an hour; let the task retry with a retry_delay that reaches there.",
    )
    SEND_DATE_WRONG = (
        799,
        "The date is malformed or in the past",
        "Check send_date and the connection's account_timezone.",
    )
    INVALID_OPERATION = 800, "Invalid operation", ""
    CAMPAIGN_NOT_FOUND = 802, "Campaign not found", ""
    MESSAGE_IDS_WRONG = 832, "The list of message ids is empty or wrong", ""
    NEW_SENDER_NAME_MISSING = 901, "Name of the sender missing", ""
    SENDER_ADDRESS_USED = 902, "The sender's address is in use already", ""
    NEW_SENDER_ADDRESS_MISSING = 903, "Address of the sender missing", ""
    ADDRESS_BLACKLISTED = 904, "The address is on the blacklist", "Take it off the blacklist, or use another address."
    SENDERS_FULL = 905, "No more senders are allowed", "Delete a sender that is not needed, or change the plan."
    SENDER_ADDRESS_INVALID = 906, "The sender's address is malformed", ""
    MESSAGE_MALFORMED = 999, "The message is malformed", ""
    SENDER_UNKNOWN = 1003, "Sender does not exist", "Add the sender in SendPulse and confirm the address."
    CODE_SENT_ALREADY = 1004, "The activation code was sent already", "Wait a quarter of an hour."
    CONFIRMATION_NOT_SENT = 1005, "The confirmation could not be sent", "Try again later."
    ACTIVATION_ADDRESS_MISSING = 1101, "Address to activate missing", ""
    ACTIVATION_CODE_MISSING = 1104, "Activation code missing", ""
    TEMPLATE_NOT_EDITABLE = (
        2900,
        "The template belongs to the visual editor, or is still being processed",
        "Wait a minute and try again; a template of the visual editor can only be edited there.",
    )
    CONTACTS_MALFORMED = 21356, "The contacts are malformed", ""
    TOO_FAST = 2020202020, "More than ten requests in a second", ""
    TARIFF = 3030303030, "The tariff plan does not allow this", "Change the plan in the account settings."

    def __init__(self, code: int, meaning: str, advice: str) -> None:
        self.code = code
        self.meaning = meaning
        self.advice = advice


_BY_CODE = {member.code: member for member in ErrorCode}

THROTTLED = frozenset({ErrorCode.TOO_FAST.code})
"""Codes that free themselves within a second or so."""

QUOTAS = {
    # Four an hour: on average a place is free again after a quarter of one.
    ErrorCode.CAMPAIGNS_PER_HOUR.code: 900.0,
    ErrorCode.TOO_SOON.code: 900.0,
    ErrorCode.CODE_SENT_ALREADY.code: 900.0,
}
"""Codes that free themselves after a long time: code to seconds."""

QUOTA_TEXTS = {
    "sending from your account is currently limited": (
        900.0,
        "SendPulse limits what this account sends for now: try later, or ask its support.",
    ),
    "sending quota or bandwidth exceeded": (
        3600.0,
        "The plan's messages are used up for now: try later, or change the plan.",
    ),
}
"""Refusals of the SMTP service that free themselves and that only their text tells: its beginning, in lower case, to
seconds and advice. Their code is 422, as that of any wrong argument."""


REFUSAL_TEXTS = {
    "message size limit exceeded": "Leave attachments out, or link to them.",
    "recipient email is invalid": "Check the addresses: to, cc and bcc.",
    "sender is not valid": "Add the sender in SendPulse and confirm the address.",
}
"""Other refusals that only their text tells: its beginning, in lower case, to advice."""


def quota_by_text(message: str) -> tuple[float, str] | None:
    """Return for how long, and why, a refusal with this text stands; ``None`` when it is not such a refusal."""
    said = message.strip().lower()
    return next((found for text, found in QUOTA_TEXTS.items() if said.startswith(text)), None)


def advice_by_text(message: str) -> str:
    """Return what a person can do about a refusal with this text, or nothing."""
    said = message.strip().lower()
    return next((advice for text, advice in REFUSAL_TEXTS.items() if said.startswith(text)), "")


ROW_LEVEL = frozenset(
    {
        ErrorCode.ADDRESS_INVALID.code,
        ErrorCode.ADDRESS_EXISTS.code,
        ErrorCode.ADDRESS_BLACKLISTED.code,
        ErrorCode.VARIABLE_NOT_FOUND.code,
        ErrorCode.WRONG_PARAMETERS.code,
        422,  # not in the table: the code of all validation that has none of its own
        ErrorCode.CONTACTS_MALFORMED.code,
    }
)
"""Codes that one row of many can be the reason for: an address, a variable, or the form of an entry."""

UNKNOWN_ADDRESS = frozenset(
    {
        ErrorCode.NO_DATA.code,
        ErrorCode.MESSAGE_NOT_FOUND.code,
        ErrorCode.NO_SUCH_ADDRESSES.code,
        ErrorCode.ADDRESS_NOT_IN_BOOK.code,
    }
)
"""Codes that a look-up of one address may answer with where the account does not know it; none is documented for it."""

_VALIDATION_STATUSES = frozenset({400, 422})
_TOO_LARGE = 413
_NONE_ACTIVE = "active emails not found"
_MOST = re.compile(r"(?i)may not have more than (\d{1,9}) items|max count:? *(\d{1,9})")


def due_to_a_row(status: int | None, code: int | None) -> bool:
    """Whether a refusal of many rows can be due to some of them, so that the others are worth sending without them.

    A documented code decides: all but :data:`ROW_LEVEL` speak of the book, the sender, the account, its plan or a limit,
    which are the same for every row. Without one that is known, the HTTP status has to be one of validation; a missing
    page, a missing right or a redirect has nothing to do with rows.
    """
    if code in ROW_LEVEL or code in _BY_CODE:
        return code in ROW_LEVEL
    return status in _VALIDATION_STATUSES


def is_done_already(code: int | None, message: str | None) -> bool:
    """Whether a refusal says that nothing was left to do.

    None of the contacts to remove is in the book, or none of those to unsubscribe is active; that has no code of its own.
    """
    return code == ErrorCode.NO_SUCH_ADDRESSES.code or (message or "").strip().lower().startswith(_NONE_ACTIVE)


def is_too_large(status: int | None, message: str | None) -> bool:
    """Whether a refusal says that one request held too much."""
    return status == _TOO_LARGE or most_items(message) is not None


def most_items(message: str | None) -> int | None:
    """Return how many items one request may hold, where a refusal says so.

    The two texts are documented for removing and unsubscribing contacts; none is for adding them.
    """
    found = _MOST.search(message or "")
    return int(found[1] or found[2]) if found else None


def meaning(code: int | None) -> str:
    """Return the documented meaning, or nothing for an unknown code."""
    return _BY_CODE[code].meaning if code in _BY_CODE else ""


def advice(code: int | None) -> str:
    """Return what a person can do, or nothing."""
    return _BY_CODE[code].advice if code in _BY_CODE else ""


__all__ = [
    "QUOTAS",
    "QUOTA_TEXTS",
    "REFUSAL_TEXTS",
    "ROW_LEVEL",
    "THROTTLED",
    "UNKNOWN_ADDRESS",
    "ErrorCode",
    "advice",
    "advice_by_text",
    "due_to_a_row",
    "is_done_already",
    "is_too_large",
    "meaning",
    "most_items",
    "quota_by_text",
]
