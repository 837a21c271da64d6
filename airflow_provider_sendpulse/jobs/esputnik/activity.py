# SPDX-License-Identifier: Apache-2.0
"""The activity of a period, every row once.

Rows are told apart by what they say: the number that eSputnik pages by was seen to be unreliable. For the same reason a day
is asked for at a time, and a period with more rows than a page holds in halves, until each half fits on one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import PagedCall
from airflow_provider_sendpulse.esputnik import activity
from airflow_provider_sendpulse.esputnik.activity import Activity
from airflow_provider_sendpulse.exceptions import InvalidRequest, NeedsHuman, Refused, ServiceError
from airflow_provider_sendpulse.jobs.seen import Seen
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.output import Layout, Record

log = logging.getLogger(__name__)

LONGEST_PERIOD = dt.timedelta(days=93)
"""Three months: what eSputnik answers for."""

_LONGEST_WINDOW = dt.timedelta(days=1)
_SHORTEST_WINDOW = dt.timedelta(minutes=1)
_MOST_ROWS = activity.MOST_ROWS

_KEY = "activity_id"

_COLUMNS: dict[str, tuple[str, type]] = {
    "iid": ("iid", str),
    "activity_status": ("activityStatus", str),
    "activity_date_time": ("activityDateTime", str),
    "contact_id": ("contactId", int),
    "media_type": ("mediaType", str),
    "message_id": ("messageId", int),
    "message_name": ("messageName", str),
    "message_tag": ("messageTag", str),
    "message_language_code": ("messageLanguageCode", str),
    "broadcast_id": ("broadcastId", int),
    "workflow_id": ("workflowId", int),
    "workflow_block_id": ("workflowBlockId", str),
    "workflow_instance_id": ("workflowInstanceId", str),
    "message_instance_id": ("messageInstanceId", str),
    "source_event_type_key": ("sourceEventTypeKey", str),
    "email": ("email", str),
    "sms": ("sms", str),
    "web_push_token": ("webPushToken", str),
    "mob_push_token": ("mobPushToken", str),
    "external_customer_id": ("externalCustomerId", str),
    "external_request_id": ("externalRequestId", str),
    "source_event_key": ("sourceEventKey", str),
    "sender": ("from", str),
    "status_description": ("statusDescription", str),
    "status_data": ("statusData", dict),
    "view_message_link": ("viewMessageLink", str),
    "click_event_link": ("clickEventLink", str),
}
"""Column to the API's name of it and its kind."""

COLUMNS = tuple(_COLUMNS)
"""All columns that there can be."""

IMPERSONAL = COLUMNS[: COLUMNS.index("email")]
"""Columns that hold no address, and nothing that a person or a service may have written about one."""

# Members that say what a row is about. Not ``offset``, and no address: the contact stands for it. Rows that are alike in
# all of them are told apart by their place among the others of the same answer.
_IDENTITY = (
    "iid",
    "contactId",
    "activityStatus",
    "activityDateTime",
    "messageId",
    "messageInstanceId",
    "mediaType",
    "clickEventLink",
    "broadcastId",
    "workflowInstanceId",
    "statusDescription",
    "statusData",
)

Keyed = tuple[bytes, Activity]
"""A row, and what tells it from all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows are wanted.

    :param start: in the time zone of the organisation, without one of its own; as ``end``, which is not part of it
    :param statuses: all when empty
    :param channels: media types, such as ``email``; all when empty
    :raises InvalidRequest: for a period that is empty or longer than three months, or a status that there is not
    """

    start: dt.datetime
    end: dt.datetime
    statuses: Sequence[str] = ()
    channels: Sequence[str] = ()
    tag: str | None = None
    broadcast_id: int | None = None

    def __post_init__(self) -> None:
        if not dt.timedelta() < self.end - self.start <= LONGEST_PERIOD:
            raise InvalidRequest(
                f"The period from {self.start} to {self.end} cannot be asked for: it ends after it begins, and it is not "
                "longer than three months."
            )
        if unknown := {*self.statuses} - {*activity.ActivityStatus}:
            raise InvalidRequest(f"There is no activity {', '.join(sorted(unknown))}.")

    def has(self, row: Activity) -> bool:
        """Whether a row is one of them; its date is not looked at, as nothing says in which zone it is."""
        return (
            (not self.statuses or row.activity_status in self.statuses)
            and (not self.channels or row.media_type.lower() in self.channels)
            and (self.broadcast_id is None or row.broadcast_id == self.broadcast_id)
        )


def layout(columns: Sequence[str]) -> Layout:
    """Return what records with these columns look like; ``activity_id`` is always there, and says which row is which.

    :raises InvalidRequest: for a column that there is not
    """
    if unknown := [name for name in columns if name not in _COLUMNS]:
        raise InvalidRequest(f"Activity has no column {', '.join(unknown)}; it has {', '.join(COLUMNS)}.")
    return Layout("activity", {_KEY: str, **{name: _COLUMNS[name][1] for name in columns}}, (_KEY,))


def records(rows: Iterator[Keyed], columns: Sequence[str]) -> Iterator[Record]:
    """Yield rows as records with these columns."""
    for key, row in rows:
        values = {name: _value(row.row.get(_COLUMNS[name][0]), _COLUMNS[name][1]) for name in columns}
        yield {_KEY: key.hex(), **values}


def rows_of(sender: Sender, selection: Selection, by_status: Counter[str]) -> Iterator[Keyed]:
    """Yield the rows of a selection with their keys, each once.

    :param by_status: counts them
    :raises NeedsHuman: when the account keeps no activity
    :raises ServiceError: when not all rows could be listed
    """
    again = 0
    with contextlib.closing(Seen()) as seen:
        for start, end in _days(_floor(selection.start), _ceiling(selection.end)):
            for key, row in _window(sender, selection, start, end):
                if not selection.has(row):
                    continue
                if not seen.add(key):
                    again += 1
                    continue
                by_status[row.activity_status] += 1
                yield key, row
    if again:
        log.info("%s rows of activity were listed in two answers, as where two periods meet: left out.", f"{again:,}")


def _window(sender: Sender, selection: Selection, start: dt.datetime, end: dt.datetime) -> Iterator[Keyed]:
    """Yield what happened in a time of at most a day."""
    call = activity.contacts(start, end, message_tag=selection.tag, activity_status=_asked(selection), limit=_MOST_ROWS)
    first = _first_page(sender, call)
    is_short = end - start <= _SHORTEST_WINDOW
    if len(first) < _MOST_ROWS or is_short:
        # A service that gives fewer rows at a time than it is asked for must not hide any.
        behind = [*_behind(sender, call, first)] if is_short else [*itertools.islice(_behind(sender, call, first), 1)]
        if is_short or not behind:
            yield from _keyed(first)
            yield from behind
            return
    middle = _floor(start + (end - start) / 2)
    log.debug("There is too much activity from %s to %s for one page: asking for halves.", start, end)
    yield from _window(sender, selection, start, middle)
    yield from _window(sender, selection, middle, end)


def _first_page(sender: Sender, call: PagedCall[Activity]) -> list[Activity]:
    try:
        return sender.send(call)
    except Refused as error:
        if "ContactActivity" not in (error.service_message or str(error)):
            raise
        raise NeedsHuman(
            "eSputnik keeps no activity of contacts for this account, or does not show it. Ask its support to enable "
            f"ContactActivity. {error}",
            operation=error.operation,
            status=error.status,
            service_message=error.service_message,
        ) from None


def _behind(sender: Sender, call: PagedCall[Activity], page: list[Activity]) -> Iterator[Keyed]:
    """Yield the rows behind a page.

    :raises ServiceError: when paging leads nowhere new behind a page that was full
    """
    known = {key for key, _ in _keyed(page)}
    while page:
        is_full = len(page) >= call.limit
        try:
            following = call.after(page)
        except ServiceError:
            if is_full:
                raise
            return
        if following is None:
            return
        call, page = following, sender.send(following)
        new = [(key, row) for key, row in _keyed(page) if key not in known]
        if page and not new:
            if is_full:
                raise ServiceError(
                    f"{call.operation} does not advance: it repeats itself within a minute. What was listed may not be "
                    "everything.",
                    operation=call.operation,
                )
            return
        known.update(key for key, _ in new)
        yield from new


def _asked(selection: Selection) -> str | None:
    """Return the status to ask for, where there is one and eSputnik can be asked for it."""
    if len(selection.statuses) != 1 or selection.statuses[0] == activity.ActivityStatus.SUBSCRIPTION_CHANGED:
        return None
    return str(selection.statuses[0])


def _days(start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    while start < end:
        following = min(start + _LONGEST_WINDOW, end)
        yield start, following
        start = following


def _floor(date: dt.datetime) -> dt.datetime:
    return date.replace(second=0, microsecond=0)


def _ceiling(date: dt.datetime) -> dt.datetime:
    floor = _floor(date)
    return floor if floor == date else floor + _SHORTEST_WINDOW


def _keyed(answer: Sequence[Activity]) -> list[Keyed]:
    """Return the rows of one answer with what tells them apart: a message may be read twice in a second.

    Another answer that holds the same rows has the same keys. Of rows that are alike, and that two pages of one minute
    share, some are therefore taken for others.
    """
    places: Counter[str] = Counter()
    keyed = []
    for row in answer:
        identity = json.dumps([row.row.get(name) for name in _IDENTITY], default=str, sort_keys=True)
        places[identity] += 1
        text = identity if places[identity] == 1 else f"{identity} {places[identity]}"
        keyed.append((hashlib.sha256(text.encode()).digest()[:16], row))
    return keyed


def _value(value: Any, kind: type) -> Any:
    if value is None or value == "":
        return None
    if kind is int:
        return int(value)
    return value if kind is dict and isinstance(value, dict | list) else str(value)


__all__ = ["COLUMNS", "IMPERSONAL", "LONGEST_PERIOD", "Selection", "layout", "records", "rows_of"]
