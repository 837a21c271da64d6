# SPDX-License-Identifier: Apache-2.0
"""One broadcast and no second one.

What eSputnik shows of a broadcast holds neither a status nor its date of creation: one that exists counts as sent, and the
list is read back as far as dates of scheduled broadcasts tell its age.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.esputnik import broadcasts
from airflow_provider_sendpulse.exceptions import (
    BroadcastConflict,
    BroadcastNotSent,
    BroadcastUnlike,
    InvalidRequest,
)
from airflow_provider_sendpulse.jobs.esputnik.segments import resolved
from airflow_provider_sendpulse.jobs.intent import IntentRecord
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.namesakes import Namesakes
from airflow_provider_sendpulse.jobs.one_of_a_kind import One, OneOfAKind
from airflow_provider_sendpulse.jobs.sending import Sender, as_far_back
from airflow_provider_sendpulse.jobs.visibility import VISIBILITY_WINDOW, require_window

log = logging.getLogger(__name__)

# Dates of the list are in the time zone of the organisation.
_SLACK = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments that a broadcast goes to, and those that it leaves out, by their ids."""

    ids: tuple[int, ...]
    excluded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBroadcast:
    """What to create.

    :param title: still without the marker
    :param groups: the segments it goes to, by their ids or exact names
    :param start_date: in the time zone of the organisation, without one of its own; now when ``None``
    """

    title: str
    message_id: int
    groups: tuple[int | str, ...]
    excluded_groups: tuple[int | str, ...] = ()
    start_date: dt.datetime | None = None
    batch_size: int | None = None
    batch_interval_unit: broadcasts.Unit | None = None

    def call(self, marker: Marker, segments: Segments) -> Call[broadcasts.Broadcast]:
        """Return the call that creates it."""
        return broadcasts.create(
            self.message_id,
            segments.ids,
            excluded_groups=segments.excluded,
            title=marker.name(self.title),
            start_date=self.start_date,
            batch_size=self.batch_size,
            batch_interval_unit=self.batch_interval_unit,
        )


def _as_it_is(broadcast: NewBroadcast) -> NewBroadcast:
    return broadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class OneBroadcast:
    """A broadcast that is to exist once.

    :param marker: by what it is recognised
    :param since: no broadcast with this marker can be older than this
    :param begins: its start, in seconds since the epoch, where it has one
    :param before_creating: last look at the broadcast directly before it is created: may change it, or raise
    :param visibility_window: seconds after which a broadcast that exists is certainly listed
    :raises InvalidRequest: for a window that is not more than 0 or at most an hour
    """

    broadcast: NewBroadcast
    marker: Marker
    since: dt.datetime
    begins: float | None = None
    before_creating: Callable[[NewBroadcast], NewBroadcast] = field(default=_as_it_is)
    visibility_window: float = VISIBILITY_WINDOW

    def __post_init__(self) -> None:
        require_window(self.visibility_window)


def broadcast_once(
    sender: Sender, one: OneBroadcast, record: IntentRecord, clock: Clock, lease: Lease | None = None
) -> One[broadcasts.Broadcast]:
    """Make sure that a broadcast exists, and that there is no second one.

    :param lease: shared with all who might create the same one at the same time; its owner is the task, not the try
    :raises BroadcastConflict: one with this marker exists, of another message, to other segments or for another date
    :raises InvalidRequest: when there is no segment with a name, or several have it, or one is excluded too; nothing was
        created
    :raises BroadcastNotSent: the one that an earlier try has created was deleted
    :raises AmbiguousOutcome: it may exist and could not be found, or could not be looked for: it is not created then
    :raises ServiceUnavailable: another task has been creating it for too long; nothing was created
    :raises ServiceError: the service could not be asked, or refused; nothing was created
    """
    return _Broadcasting(sender, one, record, clock, lease).run()


class _Broadcasting(OneOfAKind[broadcasts.Broadcast, broadcasts.Broadcast]):
    noun = "broadcast"
    likeness = "the message and the segments"
    dashboard = "eSputnik"
    gone = BroadcastNotSent

    def __init__(self, sender: Sender, one: OneBroadcast, record: IntentRecord, clock: Clock, lease: Lease | None) -> None:
        super().__init__(sender, record, clock, lease, marker=one.marker, window=one.visibility_window, log=log)
        self._one = one
        self._known_segments: Segments | None = None

    def find(self) -> list[broadcasts.Broadcast]:
        oldest = (self._one.since - _SLACK).strftime("%Y-%m-%dT%H:%M")
        listed = as_far_back(
            self._sender,
            broadcasts.list(),
            number=lambda broadcast: broadcast.id,
            date=lambda broadcast: broadcast.start_date or "",
            oldest=oldest,
        )
        namesakes = Namesakes(self._marker, self._one.broadcast.title)
        marked: list[broadcasts.Broadcast] = []
        alike: list[broadcasts.Broadcast] = []
        for broadcast in listed:
            namesakes.see(broadcast.title)
            date = broadcast.start_date or ""
            is_old = date[:2] == "20" and date < oldest
            if self._marker.marks(broadcast.title):
                marked.append(broadcast)
            elif not is_old and self._marker.is_cut_in(broadcast.title, self._one.broadcast.title):
                alike.append(broadcast)
        # The first that was created is the one that counts, should there ever be two.
        marked.sort(key=self.found_id)
        alike.sort(key=self.found_id)
        return marked + [broadcast for broadcast in alike if namesakes.may_be_cut(broadcast.title)]

    def reading(self, number: int) -> Call[broadcasts.Broadcast]:
        return broadcasts.read(number)

    def creating(self, marker: Marker) -> Call[broadcasts.Broadcast]:
        segments = self._segments()
        return self._one.before_creating(self._one.broadcast).call(marker, segments)

    @property
    def operation(self) -> str:
        return "POST /v1/broadcast"

    def found_id(self, found: broadcasts.Broadcast) -> int:
        return found.id

    def created_id(self, created: broadcasts.Broadcast) -> int:
        return created.id

    def generation(self, found: broadcasts.Broadcast) -> int:
        marker = Marker.in_name(found.title)
        return marker.generation if marker else 0

    def compare(self, found: broadcasts.Broadcast) -> None:
        wanted = self._one.broadcast
        differences = self._other_message(found) + self._other_segments(found)
        told, begins = _told_date(found), self._one.begins
        is_ahead = begins is not None and begins > self._clock.now()
        if is_ahead and wanted.start_date is not None and told is not None and not _is_same_minute(told, wanted.start_date):
            differences.append(("start", told.isoformat(" ", "minutes"), wanted.start_date.isoformat(" ", "minutes")))
        if differences:
            shown = "; ".join(f"{what}: {theirs!r} there, {ours!r} here" for what, theirs, ours in differences)
            raise BroadcastConflict(
                f"Broadcast {found.id} has this task's marker {self._marker}, but it is another one ({shown}). Nothing was "
                "created. To mail again on purpose, give the operator another edition or mailing_key. To replace one that "
                "has not begun, delete it first, and give another edition."
            )

    def is_like(self, found: broadcasts.Broadcast) -> bool:
        return not self._other_message(found) and not self._other_segments(found)

    def _other_message(self, found: broadcasts.Broadcast) -> list[tuple[str, Any, Any]]:
        wanted = str(self._one.broadcast.message_id)
        return [] if found.message_id in ("", wanted) else [("message", found.message_id, wanted)]

    def _other_segments(self, found: broadcasts.Broadcast) -> list[tuple[str, Any, Any]]:
        try:
            wanted = self._segments().ids
        except InvalidRequest as error:
            # Segments are renamed and deleted. The marker says which broadcast this is.
            log.warning("%s Whether broadcast %s goes to the segments of this task cannot be compared.", error, found.id)
            return []
        # Of several segments it may name only one.
        return [] if {*found.group_ids} <= {*wanted} else [("segments", [*found.group_ids], [*wanted])]

    def _segments(self) -> Segments:
        """Return the segments by their ids; they are looked up once, and not before they are needed."""
        if self._known_segments is None:
            wanted = self._one.broadcast
            ids = resolved(self._sender, wanted.groups, "groups")
            excluded = resolved(self._sender, wanted.excluded_groups, "excluded_groups")
            if both := {*ids} & {*excluded}:
                raise InvalidRequest(f"groups and excluded_groups both have {sorted(both)}: nobody of these would get it.")
            self._known_segments = Segments(tuple(ids), tuple(excluded))
        return self._known_segments


def require_as_asked(created: broadcasts.Broadcast, one: OneBroadcast, now: float) -> None:
    """Check what the service made of a broadcast that was just created.

    :param now: seconds since the epoch
    :raises BroadcastUnlike: when it cannot be found by its marker any more, or has another start
    """
    if not created.title:
        log.warning("Broadcast %s does not tell its title.", created.id)
    elif not one.marker.marks(created.title):
        raise BroadcastUnlike(
            f"Broadcast {created.id} was created, and eSputnik does not show the title that it was given: the marker "
            f"{one.marker}, by which it would be found again, is lost. Give it a shorter title. The broadcast goes out; do "
            "not create it again."
        )
    wanted = one.broadcast.start_date
    if wanted is None or one.begins is None or one.begins <= now:
        return
    told = _told_date(created)
    if told is None:
        log.warning("Broadcast %s does not tell its start; asked for was %s.", created.id, wanted)
    elif not _is_same_minute(told, wanted):
        raise BroadcastUnlike(
            f"Broadcast {created.id} was to begin at {wanted} (time of the organisation), and eSputnik says {told}. Delete "
            "it if that is not what you want. Is the connection's account_timezone the one of the organisation?"
        )


def _told_date(broadcast: broadcasts.Broadcast) -> dt.datetime | None:
    """Return a broadcast's start in the time zone of the organisation; ``None`` when it does not tell it."""
    try:
        return dt.datetime.fromisoformat(broadcast.start_date or "").replace(tzinfo=None)
    except ValueError:
        return None


def _is_same_minute(one: dt.datetime, other: dt.datetime) -> bool:
    # Seconds are not told, nor sent.
    return one.replace(second=0, microsecond=0) == other.replace(second=0, microsecond=0)


__all__ = ["NewBroadcast", "OneBroadcast", "Segments", "broadcast_once", "require_as_asked"]
