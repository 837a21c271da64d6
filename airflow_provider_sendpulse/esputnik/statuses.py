# SPDX-License-Identifier: Apache-2.0
"""Every documented status of import sessions, messages, orders, subscriptions and activity, with what it means.

A status that is not documented is read as still in progress: a wait goes on until its deadline.

Source: eSputnik API, the descriptions of the calls that answer with them.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Self

from airflow_provider_sendpulse.api.statuses import StatusClass


class ImportStatus(Enum):
    """Status of an import session: code, meaning, class."""

    STARTED = "STARTED", "Queued", StatusClass.IN_PROGRESS
    IMPORTING = "IMPORTING", "Running", StatusClass.IN_PROGRESS
    FINISHED = "FINISHED", "Done", StatusClass.SUCCESS
    ERROR = "ERROR", "Failed", StatusClass.FAILURE

    def __init__(self, code: str, meaning: str, status_class: StatusClass) -> None:
        self.code = code
        self.meaning = meaning
        self.status_class = status_class

    @classmethod
    def of(cls, code: str) -> Self | None:
        """Return the member with a code, or ``None`` for a code that is not documented."""
        return next((member for member in cls if member.code == code.upper()), None)


class Outcome(Enum):
    """What is known of one message to one recipient."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


class Channel(StrEnum):
    """A way to reach a contact that has message statuses of its own."""

    EMAIL = "email"
    SMS = "sms"
    VIBER = "viber"
    TELEGRAM = "telegram"


_ALL = frozenset({Channel.EMAIL, Channel.SMS, Channel.VIBER, Channel.TELEGRAM})


class MessageStatus(Enum):
    """Status of a message to one recipient: code, meaning, outcome, the channels that have it."""

    IN_QUEUE = "IN_QUEUE", "In the queue", Outcome.PENDING, _ALL - {Channel.TELEGRAM}
    PENDING = "PENDING", "On its way", Outcome.PENDING, frozenset({Channel.SMS, Channel.VIBER})
    DELIVERED = "DELIVERED", "Delivered", Outcome.SUCCESS, _ALL
    READ = "READ", "Read", Outcome.SUCCESS, frozenset({Channel.EMAIL, Channel.VIBER})
    CLICKED = "CLICKED", "A link was followed", Outcome.SUCCESS, _ALL - {Channel.SMS}
    UNDELIVERED = "UNDELIVERED", "Not delivered", Outcome.FAILURE, frozenset({Channel.EMAIL})
    BLACKLISTED = "BLACKLISTED", "The address is on the blacklist", Outcome.FAILURE, frozenset({Channel.EMAIL})
    NOT_CONFIRMED = (
        "NOT_CONFIRMED",
        "The contact has not confirmed the address",
        Outcome.FAILURE,
        frozenset({Channel.EMAIL}),
    )
    UNSUBSCRIBED = "UNSUBSCRIBED", "The contact has unsubscribed", Outcome.FAILURE, frozenset({Channel.EMAIL})
    SPAM = "SPAM", "Marked as spam", Outcome.FAILURE, frozenset({Channel.EMAIL})
    ERROR = "ERROR", "Failed", Outcome.FAILURE, frozenset({Channel.EMAIL})
    NO_MONEY = "NO_MONEY", "The balance is not sufficient", Outcome.FAILURE, _ALL - {Channel.TELEGRAM}
    SMS_UNDELIVERED = "SMS_UNDELIVERED_STATE", "The SMS was not delivered", Outcome.FAILURE, frozenset({Channel.SMS})
    EXPIRED = "EXPIRED", "Not delivered in time", Outcome.FAILURE, frozenset({Channel.SMS})
    VIBER_UNKNOWN_USER = "VIBER_UNKNOWN_USER", "The recipient has no Viber", Outcome.FAILURE, frozenset({Channel.VIBER})
    VIBER_UNDELIVERED = (
        "VIBER_UNDELIVERED_STATE",
        "The Viber message was not delivered",
        Outcome.FAILURE,
        frozenset({Channel.VIBER}),
    )
    VIBER_EXPIRED = "VIBER_EXPIRED_STATE", "Not delivered in time", Outcome.FAILURE, frozenset({Channel.VIBER})
    BOT_SEND_ERROR = "BOT_SEND_ERROR", "The bot could not send it", Outcome.FAILURE, frozenset({Channel.TELEGRAM})

    def __init__(self, code: str, meaning: str, outcome: Outcome, channels: frozenset[Channel]) -> None:
        self.code = code
        self.meaning = meaning
        self.outcome = outcome
        self.channels = channels

    @classmethod
    def of(cls, code: str) -> Self | None:
        """Return the member with a code, or ``None`` for a code that is not documented."""
        return next((member for member in cls if member.code == code.upper()), None)


class SubscriptionStatus(Enum):
    """What a subscription made of the contact's address: code, meaning."""

    NEED_CONFIRMATION = "NEED_CONFIRMATION", "The contact is asked to confirm the address"
    SUBSCRIBED = "SUBSCRIBED", "Subscribed"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED", "Was subscribed already"
    BLACKLISTED = "BLACKLISTED", "The address is on the blacklist"

    def __init__(self, code: str, meaning: str) -> None:
        self.code = code
        self.meaning = meaning


class PastEventStatus(Enum):
    """What became of one past event: code, meaning."""

    ACCEPTED = "ACCEPTED", "Accepted"
    DATE_REQUIRED = "OCCURRED_DATE_IS_REQUIRED", "It has no date"
    DATE_FORMAT = "INCORRECT_OCCURRED_DATE_FORMAT", "Its date cannot be read"
    TOO_LONG_AGO = "OCCURRED_TIME_TOO_DEPTH", "It is too long ago"
    IN_FUTURE = "OCCURRED_TIME_IN_FUTURE", "It is in the future"
    SEGMENTATION_DISABLED = "EVENT_SEGMENTATION_DISABLED", "Segmentation is not enabled for its event type"
    SERVER_ERROR = "SERVER_ERROR", "The service failed"

    def __init__(self, code: str, meaning: str) -> None:
        self.code = code
        self.meaning = meaning


class OrderStatus(StrEnum):
    """Status of an order; each that is accepted emits the event ``order<STATUS>``, and only DELIVERED counts as revenue."""

    INITIALIZED = "INITIALIZED"
    IN_PROGRESS = "IN_PROGRESS"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    ABANDONED_SHOPPING_CART = "ABANDONED_SHOPPING_CART"


class ActivityStatus(StrEnum):
    """What happened to a message. ``SUBSCRIPTION_CHANGED`` can be read but not asked for."""

    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    READ = "READ"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    SUBSCRIPTION_CHANGED = "SUBSCRIPTION_CHANGED"
    CLICKED = "CLICKED"
    SPAM = "SPAM"


__all__ = [
    "ActivityStatus",
    "Channel",
    "ImportStatus",
    "MessageStatus",
    "OrderStatus",
    "Outcome",
    "PastEventStatus",
    "SubscriptionStatus",
]
