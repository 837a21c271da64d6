# SPDX-License-Identifier: Apache-2.0
"""Operators for broadcasts: prepared messages to segments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import one_of, optional_number, seconds, whole_number
from airflow_provider_sendpulse.esputnik import broadcasts
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused
from airflow_provider_sendpulse.jobs.esputnik.broadcasting import (
    NewBroadcast,
    OneBroadcast,
    broadcast_once,
    require_as_asked,
)
from airflow_provider_sendpulse.jobs.esputnik.segments import segment_references
from airflow_provider_sendpulse.jobs.schedule import account_time
from airflow_provider_sendpulse.jobs.visibility import VISIBILITY_WINDOW
from airflow_provider_sendpulse.operators.dates import has_passed, optional_date
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikOperator
from airflow_provider_sendpulse.operators.identity import earliest_creation, marker_of, task_identity
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.operators.task_store import mailing_record

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

Groups = int | str | Sequence[int | str]


class EsputnikCreateBroadcastOperator(EsputnikOperator):
    """Send a prepared message to segments once, now or on a date, and return the id of the broadcast.

    The broadcast's title ends in a marker made of the connection's ``deployment``, ``mailing_key`` and ``edition``. Before
    anything is created the operator looks for a broadcast with that marker and adopts it. So a retry, a cleared task and a
    lost answer never mail twice; to mail again on purpose, give it another ``edition``.

    eSputnik shows neither a status nor figures of a broadcast, so there is nothing to wait for here. What became of it is
    in the activity of contacts, where ``EsputnikActivityOperator`` counts it by ``broadcast_id``.

    :param title: title of the broadcast, before its marker (templated)
    :param message_id: the prepared message (templated)
    :param groups: the segments it goes to: ids or exact names, one or a list; digits are an id (templated). A contact of
        several gets it once.
    :param excluded_groups: segments whose contacts do not get it (templated)
    :param send_date: when to send: an aware date or its ISO text (templated). It needs the connection's
        ``account_timezone``, the time zone of the organisation. At once when left out.
    :param batch_size: how many contacts get it at a time; all when left out (templated)
    :param batch_interval_unit: how long to wait between two batches: ``MINUTE``, ``HOUR``, ``DAY`` or ``MONTH`` (templated)
    :param mailing_key: what makes this mailing this one; DAG, run, task and map index when left out (templated)
    :param edition: change it to mail again on purpose (templated)
    :param look_back: how long before this run a broadcast with the same marker may have been created; when left out, any
        time with a ``mailing_key`` of your own, which joins runs, and a month without
    :param visibility_window: seconds within which eSputnik certainly lists a broadcast it has created
    :param past_send_date: what to do when ``send_date`` has passed before the broadcast could be created: ``fail``,
        ``send_now`` or ``skip`` the task
    :param not_after: skip the task rather than create the broadcast after this aware date (templated)
    """

    template_fields: Collection[str] = (
        *EsputnikOperator.template_fields,
        "title",
        "message_id",
        "groups",
        "excluded_groups",
        "send_date",
        "batch_size",
        "batch_interval_unit",
        "mailing_key",
        "edition",
        "not_after",
    )

    def __init__(
        self,
        *,
        title: str,
        message_id: int | str,
        groups: Groups,
        excluded_groups: Groups | None = None,
        send_date: datetime | str | None = None,
        batch_size: int | str | None = None,
        batch_interval_unit: str | None = None,
        mailing_key: str | None = None,
        edition: int | str = 1,
        look_back: timedelta | None = None,
        visibility_window: float = VISIBILITY_WINDOW,
        past_send_date: Literal["fail", "send_now", "skip"] = "fail",
        not_after: datetime | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.title = title
        self.message_id = message_id
        self.groups = groups
        self.excluded_groups = excluded_groups
        self.send_date = send_date
        self.batch_size = batch_size
        self.batch_interval_unit = batch_interval_unit
        self.mailing_key = mailing_key
        self.edition = edition
        self.look_back = look_back
        self.visibility_window = visibility_window
        self.past_send_date = past_send_date
        self.not_after = not_after

    def execute(self, context: Context) -> int:
        """Create or adopt the broadcast.

        :return: the id of the broadcast. The XCom ``broadcast`` says in ``adopted`` whether it existed already.
        :raises InvalidRequest: when an argument cannot be meant, there is no segment with a name, or ``send_date`` has
            passed and ``past_send_date`` is ``fail``; nothing was created
        :raises AirflowSkipException: when it is too late for ``not_after`` or ``past_send_date``; nothing was created
        :raises BroadcastConflict: when the broadcast with this marker is another one: of another message, to other
            segments, or for another date; nothing was created
        :raises BroadcastNotSent: when the broadcast that an earlier try has created was deleted; nothing was created
        :raises BroadcastUnlike: when it was created just now, and eSputnik changed its title or its date
        :raises AmbiguousOutcome: when it may exist and is not found, cannot be looked for, or may be one whose title was
            cut; it is not created then
        :raises Refused: when eSputnik does not take the broadcast; nothing was created
        :raises ServiceUnavailable: when eSputnik could not be reached, or another task has been creating the same
            broadcast for too long; a retry goes on
        """
        one_of(self.past_send_date, "past_send_date", "fail", "send_now", "skip")
        window = seconds(self.visibility_window, "visibility_window")
        begins = optional_date(self.send_date)
        optional_date(self.not_after, "not_after")
        with self.hook as hook:
            settings = hook.settings
            marker = marker_of(context, settings.deployment, self.mailing_key, self.edition, "mailing_key")
            one = OneBroadcast(
                broadcast=self._broadcast(settings.account_timezone),
                marker=marker,
                since=earliest_creation(context, self.look_back, self.mailing_key),
                begins=None if begins is None else begins.timestamp(),
                before_creating=self._last_look,
                visibility_window=window,
            )
            record = mailing_record(context, marker.digest)
            lease = hook.lease(f"broadcast-{marker.digest}", task_identity(context))
            made = broadcast_once(hook, one, record, _CLOCK, lease)
        context["ti"].xcom_push(key="broadcast", value={"broadcast_id": made.id, "adopted": made.created is None})
        if made.created is not None:
            require_as_asked(made.created, one, _CLOCK.now())
        return made.id

    def _broadcast(self, account_timezone: str | None) -> NewBroadcast:
        title = plain_text(self.title).strip()
        if not title:
            raise InvalidRequest("title is empty.")
        message_id = whole_number(self.message_id, "message_id")
        size = optional_number(self.batch_size, "batch_size")
        unit = plain_text(self.batch_interval_unit).strip().upper()
        unit = "" if unit == "NONE" else unit
        if (size is None) != (not unit) or size == 0:
            raise InvalidRequest("batch_size, which is 1 or more, and batch_interval_unit belong together.")
        if unit:
            one_of(unit, "batch_interval_unit", *broadcasts.Unit)
        begins = optional_date(self.send_date)
        start_date = None if begins is None else account_time(begins, account_timezone)
        groups = segment_references(self.groups, "groups")
        if not groups:
            raise InvalidRequest("groups is empty: a broadcast needs a segment.")
        return NewBroadcast(
            title=title,
            message_id=message_id,
            groups=groups,
            excluded_groups=segment_references(self.excluded_groups, "excluded_groups"),
            start_date=start_date,
            batch_size=size,
            batch_interval_unit=broadcasts.Unit(unit) if unit else None,
        )

    def _last_look(self, broadcast: NewBroadcast) -> NewBroadcast:
        """Judge dates directly before the broadcast is created, and only then: an existing one is adopted at any time."""
        if has_passed("broadcast", self.send_date, self.not_after, self.past_send_date, _CLOCK.now()):
            return replace(broadcast, start_date=None)
        return broadcast


class EsputnikDeleteBroadcastOperator(EsputnikOperator):
    """Cancel a broadcast that is scheduled. One that is gone already is fine, so the task can be run again.

    Nothing documents what eSputnik makes of a broadcast that has begun: when it refuses, the task fails with its words.

    The operator that created it does not create it anew when it is cleared; give that one another ``edition``.

    :param broadcast_id: the broadcast, such as the result of ``EsputnikCreateBroadcastOperator`` (templated)
    """

    template_fields: Collection[str] = (*EsputnikOperator.template_fields, "broadcast_id")

    def __init__(self, *, broadcast_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.broadcast_id = broadcast_id

    def execute(self, context: Context) -> bool:
        """Delete the broadcast.

        :return: whether it was there; an earlier try may have deleted it
        :raises Refused: when eSputnik does not delete it, such as when it has begun
        """
        broadcast_id = whole_number(self.broadcast_id, "broadcast_id")
        with self.hook as hook:
            try:
                hook.send(broadcasts.delete(broadcast_id))
            except Refused as error:
                if error.status != NOT_FOUND:
                    raise
                self.log.warning("Broadcast %s is gone already: %s", broadcast_id, error)
                return False
        self.log.info("Broadcast %s is deleted.", broadcast_id)
        return True


__all__ = ["EsputnikCreateBroadcastOperator", "EsputnikDeleteBroadcastOperator"]
