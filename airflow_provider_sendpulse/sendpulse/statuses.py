# SPDX-License-Identifier: Apache-2.0
"""Every documented status of address books, campaigns, contacts and deliveries, with its meaning and its class.

A code that is not documented is read as still in progress: a wait goes on until its deadline, and says so once.

Source: SendPulse email service manual, "Statuses".
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class StatusClass(Enum):
    """What a status means for somebody who waits."""

    IN_PROGRESS = "in progress"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    NEEDS_HUMAN = "needs a human"
    DRAFT = "draft"


class _Status(Enum):
    def __init__(self, code: int, meaning: str, status_class: StatusClass, advice: str = "") -> None:
        self.code = code
        self.meaning = meaning
        self.status_class = status_class
        self.advice = advice

    @classmethod
    def of(cls, code: int) -> Self | None:
        """Return the member with a code, or ``None`` for a code that is not documented."""
        return next((member for member in cls if member.code == code), None)


class AddressBookStatus(_Status):
    """Status of an address book: code, meaning, class, what to do."""

    ACTIVE = 0, "Active", StatusClass.SUCCESS
    DELETED = 1, "Marked as deleted", StatusClass.FAILURE, "Create a new address book."
    AWAITING_OWNER = (
        3,
        "Waiting for the owner's answer to a moderator's question",
        StatusClass.NEEDS_HUMAN,
        "Answer the question in the SendPulse dashboard; it is usually about where the contacts come from.",
    )
    LOADING = 4, "Locked by the service while addresses are being loaded into it", StatusClass.IN_PROGRESS
    COPYING = 5, "Locked while its addresses are being copied into a campaign", StatusClass.IN_PROGRESS


_ANSWER_MODERATOR = "Answer the moderator in the SendPulse dashboard."


class CampaignStatus(_Status):
    """Status of a campaign: code, meaning, class, what to do."""

    NEW = 0, "New task", StatusClass.IN_PROGRESS
    IN_MODERATION = 1, "Waiting to be sent, in moderation", StatusClass.IN_PROGRESS
    SENDING = 2, "Sending", StatusClass.IN_PROGRESS
    SENT = 3, "Sent", StatusClass.SUCCESS
    TEST_SENDING = 4, "A test is being sent to the owner's address", StatusClass.IN_PROGRESS
    BLOCKED = (
        5,
        "Blocked by the administration",
        StatusClass.FAILURE,
        "Ask SendPulse's support for the reason; an appeal is manual.",
    )
    MARKED_FOR_DELETION = 6, "Marked for deletion", StatusClass.FAILURE, "Somebody deleted it; find out who and why."
    REFRESHING = 7, "Statuses are being refreshed", StatusClass.IN_PROGRESS
    TEST_SENT = 8, "The test was sent", StatusClass.SUCCESS
    SENDING_UNDER_WAY = 9, "Sending is under way", StatusClass.IN_PROGRESS
    PREPARING = 10, "Being processed, preparing to send", StatusClass.IN_PROGRESS
    AWAITING_OWNER = (
        11,
        "Waiting for the owner's answer to a moderator",
        StatusClass.NEEDS_HUMAN,
        _ANSWER_MODERATOR,
    )
    NO_ACTIVE_ADDRESSES = (
        12,
        "No active addresses",
        StatusClass.FAILURE,
        "Check the address book: are its contacts unsubscribed, invalid, or not activated yet?",
    )
    COPYING = 13, "Being created: addresses are copied from the book to the campaign", StatusClass.IN_PROGRESS
    QUEUED = 14, "Created and queued", StatusClass.IN_PROGRESS
    AWAITING_AB_TEST = 15, "Waiting for the outcome of an A/B test", StatusClass.IN_PROGRESS
    CANCELLED = 16, "Cancelled by the user", StatusClass.CANCELLED, "Somebody cancelled it; find out who and why."
    SENDING_IN_PART = 22, "Being sent in part", StatusClass.IN_PROGRESS
    SENT_IN_PART = (
        23,
        "Sent in part",
        StatusClass.PARTIAL,
        "Some recipients got it. Set on_partial='success' if that is enough.",
    )
    BLOCKED_AFTER_PART = (
        25,
        "Blocked by the administration after a part was sent",
        StatusClass.FAILURE,
        "Some recipients got it already: do not send it again as it is. Ask SendPulse's support for the reason.",
    )
    DRAFT = 26, "Draft", StatusClass.DRAFT, "Only the SendPulse dashboard can launch a draft."
    NEEDS_EDITING = (
        27,
        "Needs editing",
        StatusClass.NEEDS_HUMAN,
        "Edit the message in the SendPulse dashboard as the moderator asked.",
    )
    RESENDING = 28, "Scheduled to be sent again to those who did not open it", StatusClass.IN_PROGRESS
    FLOW_BALANCE = (
        33,
        "Automation flow: the balance is not sufficient",
        StatusClass.NEEDS_HUMAN,
        "Top up the account's balance.",
    )
    FLOW_DRAFT = (
        36,
        "Draft of an automation flow",
        StatusClass.DRAFT,
        "This is not a campaign that can be waited for.",
    )


class ContactStatus(Enum):
    """Status of a contact in an address book: code, meaning, whether it can be mailed."""

    NEW = 0, "New, just loaded; mailing is forbidden until the service activates it", False
    ACTIVE = 1, "Active", True
    CONFIRMATION_REQUESTED = 2, "Activation requested: asked the owner of the address to confirm", False
    ADMIN_CONFIRMATION = 3, "Activation requested through the service's administration", False
    UNSUBSCRIBED = 4, "Unsubscribed from this sender", False
    REJECTED = 5, "Rejected by the service", False
    UNSUBSCRIBED_FROM_ALL = 6, "Unsubscribed from everything, or complained", False
    ACTIVATION_SENT = 7, "Activation message sent", False
    BLOCKED_BY_OWNER = 8, "Blocked by the account's owner", False
    UNDELIVERABLE = 9, "Cannot be mailed: delivery error", False
    BLOCKED_BY_HOST = 10, "Blocked by the list of hosts", False
    BLOCKED_BY_SENDER = 11, "Blocked by sender or user name", False
    BLOCKED_BY_ADDRESS = 12, "Blocked by a part of the address", False
    DELETED = 13, "Deleted by the account's owner", False
    UNAVAILABLE = 14, "Temporarily unavailable", False

    def __init__(self, code: int, meaning: str, mailable: bool) -> None:
        self.code = code
        self.meaning = meaning
        self.mailable = mailable


class DeliveryStatus(Enum):
    """What became of a message to one address: code, meaning. A later stage includes the earlier ones."""

    IN_QUEUE = 0, "In the queue"
    SENT = 1, "Sent, outcome unknown"
    DELIVERED = 2, "Delivered"
    OPENED = 3, "Opened"
    CLICKED = 4, "A link was followed"
    UNSUBSCRIBED = 5, "Unsubscribed through the link"
    NO_SUCH_ADDRESS = 6, "The address does not exist"
    TEMPORARILY_UNAVAILABLE = 7, "Temporarily unavailable"
    UNAVAILABLE = 8, "Unavailable"
    REJECTED_AS_SPAM = 9, "Rejected by the server as spam"
    MAILBOX_FULL = 10, "The mailbox is full"
    MARKED_AS_SPAM = 11, "The recipient marked it as spam"
    FAILED = 12, "Failed for other reasons"
    NOT_SENT = 13, "Not sent"
    NO_SUCH_DOMAIN = 14, "The domain does not exist"
    UNSUBSCRIBED_EARLIER = 15, "Unsubscribed earlier"
    INVALID_ADDRESS = 16, "The address is invalid"
    TEMPORARILY_FORBIDDEN = 17, "Sending is temporarily forbidden"
    DISABLED = 18, "Disabled by the administrator"
    ALREADY_UNSUBSCRIBED = 20, "Unsubscribed already"

    def __init__(self, code: int, meaning: str) -> None:
        self.code = code
        self.meaning = meaning


__all__ = [
    "AddressBookStatus",
    "CampaignStatus",
    "ContactStatus",
    "DeliveryStatus",
    "StatusClass",
]
