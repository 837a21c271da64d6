# SPDX-License-Identifier: Apache-2.0
"""Every documented status of address books, campaigns, contacts and deliveries, with its meaning and its class.

A code that is not documented is read as still in progress: a wait goes on until its deadline, and says so once.

Source: SendPulse email service manual, "Statuses".
"""

from __future__ import annotations

from enum import Enum
from typing import Self

from airflow_provider_sendpulse.api.statuses import StatusClass


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


class ContactClass(Enum):
    """What a contact's status means for a mailing."""

    NEW = "new"
    MAILABLE = "mailable"
    AWAITING_CONFIRMATION = "awaiting confirmation"
    OPTED_OUT = "opted out"
    BLOCKED = "blocked"
    UNDELIVERABLE = "undeliverable"
    UNAVAILABLE = "temporarily unavailable"
    DELETED = "deleted"


class ContactStatus(Enum):
    """Status of a contact in an address book: code, meaning, class."""

    NEW = 0, "New, just loaded; mailing is forbidden until the service activates it", ContactClass.NEW
    ACTIVE = 1, "Active", ContactClass.MAILABLE
    CONFIRMATION_REQUESTED = (
        2,
        "Activation requested: asked the owner of the address to confirm",
        ContactClass.AWAITING_CONFIRMATION,
    )
    ADMIN_CONFIRMATION = 3, "Activation requested through the service's administration", ContactClass.AWAITING_CONFIRMATION
    UNSUBSCRIBED = 4, "Unsubscribed from this sender", ContactClass.OPTED_OUT
    REJECTED = 5, "Rejected by the service", ContactClass.BLOCKED
    UNSUBSCRIBED_FROM_ALL = 6, "Unsubscribed from everything, or complained", ContactClass.OPTED_OUT
    ACTIVATION_SENT = 7, "Activation message sent", ContactClass.AWAITING_CONFIRMATION
    BLOCKED_BY_OWNER = 8, "Blocked by the account's owner", ContactClass.BLOCKED
    UNDELIVERABLE = 9, "Cannot be mailed: delivery error", ContactClass.UNDELIVERABLE
    BLOCKED_BY_HOST = 10, "Blocked by the list of hosts", ContactClass.BLOCKED
    BLOCKED_BY_SENDER = 11, "Blocked by sender or user name", ContactClass.BLOCKED
    BLOCKED_BY_ADDRESS = 12, "Blocked by a part of the address", ContactClass.BLOCKED
    DELETED = 13, "Deleted by the account's owner", ContactClass.DELETED
    UNAVAILABLE = 14, "Temporarily unavailable", ContactClass.UNAVAILABLE

    def __init__(self, code: int, meaning: str, contact_class: ContactClass) -> None:
        self.code = code
        self.meaning = meaning
        self.contact_class = contact_class

    @property
    def mailable(self) -> bool:
        """Whether a campaign reaches the contact."""
        return self.contact_class is ContactClass.MAILABLE


class DeliveryClass(Enum):
    """What a delivery status says about the message."""

    PENDING = "pending"
    REACHED = "reached"
    UNWANTED = "unwanted"
    FAILED = "failed"
    NOT_SENT = "not sent"


class DeliveryStatus(Enum):
    """What became of a message to one address: code, meaning, class. A later stage includes the earlier ones."""

    IN_QUEUE = 0, "In the queue", DeliveryClass.PENDING
    SENT = 1, "Sent, outcome unknown", DeliveryClass.PENDING
    DELIVERED = 2, "Delivered", DeliveryClass.REACHED
    OPENED = 3, "Opened", DeliveryClass.REACHED
    CLICKED = 4, "A link was followed", DeliveryClass.REACHED
    UNSUBSCRIBED = 5, "Unsubscribed through the link", DeliveryClass.UNWANTED
    NO_SUCH_ADDRESS = 6, "The address does not exist", DeliveryClass.FAILED
    TEMPORARILY_UNAVAILABLE = 7, "Temporarily unavailable", DeliveryClass.PENDING
    UNAVAILABLE = 8, "Unavailable", DeliveryClass.FAILED
    REJECTED_AS_SPAM = 9, "Rejected by the server as spam", DeliveryClass.FAILED
    MAILBOX_FULL = 10, "The mailbox is full", DeliveryClass.FAILED
    MARKED_AS_SPAM = 11, "The recipient marked it as spam", DeliveryClass.UNWANTED
    FAILED = 12, "Failed for other reasons", DeliveryClass.FAILED
    NOT_SENT = 13, "Not sent", DeliveryClass.NOT_SENT
    NO_SUCH_DOMAIN = 14, "The domain does not exist", DeliveryClass.FAILED
    UNSUBSCRIBED_EARLIER = 15, "Unsubscribed earlier", DeliveryClass.NOT_SENT
    INVALID_ADDRESS = 16, "The address is invalid", DeliveryClass.FAILED
    TEMPORARILY_FORBIDDEN = 17, "Sending is temporarily forbidden", DeliveryClass.PENDING
    DISABLED = 18, "Disabled by the administrator", DeliveryClass.NOT_SENT
    ALREADY_UNSUBSCRIBED = 20, "Unsubscribed already", DeliveryClass.NOT_SENT

    def __init__(self, code: int, meaning: str, delivery_class: DeliveryClass) -> None:
        self.code = code
        self.meaning = meaning
        self.delivery_class = delivery_class


__all__ = [
    "AddressBookStatus",
    "CampaignStatus",
    "ContactClass",
    "ContactStatus",
    "DeliveryClass",
    "DeliveryStatus",
    "StatusClass",
]
