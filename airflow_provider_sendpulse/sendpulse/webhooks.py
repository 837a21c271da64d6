# SPDX-License-Identifier: Apache-2.0
"""What the email service pushes to a subscribed URL. Source: email service manual, "Webhooks"; knowledge base, "Webhooks".

A push is a list of events of several kinds, sent once a minute or when a hundred have come together. It is not signed, an
event may come twice, events come in any order, and numbers may be text. So everything here is read tolerantly, and each
event has a :attr:`~Event.key` by which a repeat is recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire


class TaskStatus(Enum):
    """What a push says of a campaign's moderation: value and meaning. None says that it is sent: that must be polled."""

    APPROVE = "approve", "Approved and will be sent"
    APPROVE_PART = "approve_part", "Approved and will be sent in parts"
    ONLY_ACTIVE = "only_active", "Will be sent to active addresses only"
    CONFIRM_ADDRESSES = "confirm_addresses", "Rejected: the address book has to be confirmed"
    NEED_EDIT = "need_edit", "Rejected: the message has to be edited"
    REJECTED = "rejected", "Rejected"
    ON_MODERATION = "on_moderation", "In moderation"
    SENDING = "sending", "In the queue"

    def __init__(self, text: str, meaning: str) -> None:
        self.text = text
        self.meaning = meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. Personal data never shows in a ``repr``.

    :param timestamp: seconds since the epoch; ``None`` where the service names none
    :param email: the address, where the event has one
    :param key: the same for a repeat of the same event
    :param extra: what else it holds
    """

    action: ClassVar[str] = ""

    timestamp: int | None
    email: str = field(default="", repr=False)
    key: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event that is not documented; all it holds is in ``extra``."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignEvent(Event):
    """An event of one campaign's message to one address.

    :param task_id: id of the campaign; ``None`` where the service names none
    """

    task_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spam(CampaignEvent):
    """The recipient marked the message as spam."""

    action: ClassVar[str] = "spam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(CampaignEvent):
    """The message was delivered."""

    action: ClassVar[str] = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(CampaignEvent):
    """The message was opened."""

    action: ClassVar[str] = "open"

    open_device: str = ""
    open_platform: str = ""
    browser_name: str = ""
    browser_ver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Open):
    """A link was followed."""

    action: ClassVar[str] = "redirect"

    link_url: str = field(default="", repr=False)
    link_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe(CampaignEvent):
    """The recipient unsubscribed.

    :param from_all: from everything, not from this sender alone
    """

    action: ClassVar[str] = "unsubscribe"

    book_id: int | None = None
    from_all: bool = False
    reason: str = ""
    categories: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEmails(Event):
    """An address came into an address book."""

    action: ClassVar[str] = "new_emails"

    book_id: int | None
    source: str = ""
    variables: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Event):
    """An address was removed from an address book."""

    action: ClassVar[str] = "delete"

    book_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce(CampaignEvent):
    """The message was not delivered.

    :param smtp_server_response: the words of the recipient's server; they may hold the address
    """

    smtp_server_response_code: int | None = None
    smtp_server_response_subcode: str = ""
    smtp_server_response: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardBounce(Bounce):
    """The message cannot be delivered."""

    action: ClassVar[str] = "hard_bounces"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBounce(Bounce):
    """The message could not be delivered for now."""

    action: ClassVar[str] = "soft_bounces"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatusUpdate(CampaignEvent):
    """A campaign's moderation went on.

    :param status: ``None`` for a value that is not documented; its text is in ``status_text``
    """

    action: ClassVar[str] = "task_status_update"

    status: TaskStatus | None
    status_text: str = ""
    status_explain: str = ""
    book_id: int | None = None


_TOO_DEEP = "The push is nested too deeply."


def parse(payload: bytes | str | Sequence[Any] | Mapping[str, Any]) -> list[Event]:
    """Read a push.

    :param payload: the request's body, or its decoded JSON; a single event counts as a list of one
    :return: the events in the order of the push, a repeat of the same event within it only once
    :raises InvalidRequest: when it is not JSON, or no list of objects, or nested too deeply; the message
        holds nothing of it
    """
    if isinstance(payload, bytes | str):
        try:
            payload = json.loads(payload)
        except ValueError:
            raise InvalidRequest("The push is not JSON.") from None
        except RecursionError:
            raise InvalidRequest(_TOO_DEEP) from None
    items: Any = [payload] if isinstance(payload, Mapping) else payload
    if isinstance(items, str | bytes) or not isinstance(items, Sequence):
        raise InvalidRequest(f"The push is a {type(items).__name__}; it is a list of events.")
    if not all(isinstance(item, Mapping) for item in items):
        raise InvalidRequest("The push holds something that is no event.")
    found: dict[str, Event] = {}
    for item in items:
        try:
            event = _event(item)
        except RecursionError:
            raise InvalidRequest(_TOO_DEEP) from None
        found.setdefault(event.key, event)
    return [*found.values()]


_BY_ACTION: dict[str, Any] = {
    kind.action: kind
    for kind in (Spam, Delivered, Open, Redirect, Unsubscribe, NewEmails, Delete, HardBounce, SoftBounce, TaskStatusUpdate)
}
_STATUS = {status.text: status for status in TaskStatus}


def _number(value: Any) -> int | None:
    try:
        return wire.integer(value)
    except (TypeError, ValueError):
        return None


def _variables(value: Any) -> dict[str, Any]:
    try:
        return wire.variables(value)
    except (LookupError, TypeError):
        return {}


def _is_one(value: Any) -> bool:
    return value is True or _number(value) == 1


_READ: dict[str, Callable[[Any], Any]] = {
    "task_id": _number,
    "book_id": _number,
    "link_id": _number,
    "smtp_server_response_code": _number,
    "from_all": _is_one,
    "variables": _variables,
}
"""How fields are read that are not text."""


def _event(data: Mapping[str, Any]) -> Event:
    name = wire.text(data.get("event"))
    common: dict[str, Any] = {
        "timestamp": _number(data.get("timestamp")),
        "email": wire.text(data.get("email")),
        "key": _key(data),
    }
    kind = _BY_ACTION.get(name)
    if kind is None:
        return UnknownEvent(name=name, extra=wire.rest(data, "event", "timestamp", "email"), **common)
    own = {entry.name for entry in fields(kind)} - {*common, "extra"}
    values: dict[str, Any] = {}
    for field_name in own:
        read: Callable[[Any], Any] = _READ.get(field_name, wire.text)
        values[field_name] = read(data.get(field_name))
    if kind is TaskStatusUpdate:
        values["status_text"] = wire.text(data.get("status"))
        values["status"] = _STATUS.get(values["status_text"])
    event: Event = kind(**common, **values, extra=wire.rest(data, "event", "timestamp", "email", *own))
    return event


def _key(data: Mapping[str, Any]) -> str:
    """Return a digest of what an event says; numbers and the same numbers as text are one."""
    text = json.dumps(_as_text({**data}), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _as_text(value: Any) -> Any:
    """Return a value with everything in it that holds nothing else as text."""
    if isinstance(value, dict):
        return {str(name): _as_text(inner) for name, inner in value.items()}
    return [_as_text(inner) for inner in value] if isinstance(value, list) else wire.text(value)


__all__ = [
    "Bounce",
    "CampaignEvent",
    "Delete",
    "Delivered",
    "Event",
    "HardBounce",
    "NewEmails",
    "Open",
    "Redirect",
    "SoftBounce",
    "Spam",
    "TaskStatus",
    "TaskStatusUpdate",
    "UnknownEvent",
    "Unsubscribe",
    "parse",
]
