# SPDX-License-Identifier: Apache-2.0
"""Creating a campaign, once, and waiting for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import one_of, optional_number, seconds, whole_numbers
from airflow_provider_sendpulse.exceptions import DeadlinePassed, FinalFailure, Refused, Throttled
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.intent import MailingRecord
from airflow_provider_sendpulse.jobs.mailing import (
    ENDED_BADLY,
    LOOK_AGAIN,
    VISIBILITY_WINDOW,
    Mailing,
    Outcome,
    create_once,
)
from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name
from airflow_provider_sendpulse.jobs.polling import POLL_ERROR_WINDOW, wait_until_over
from airflow_provider_sendpulse.jobs.schedule import account_time, require_on_time, require_same_date
from airflow_provider_sendpulse.jobs.waiting import SENT, Decision, History, judge_campaign, moment
from airflow_provider_sendpulse.links.sendpulse import SendPulseCampaignLink
from airflow_provider_sendpulse.operators.campaigns.killing import CancelsOnKill
from airflow_provider_sendpulse.operators.campaigns.message import CampaignMessageOperator
from airflow_provider_sendpulse.operators.campaigns.places import DEFERRAL_MARGIN, defer_until, next_place
from airflow_provider_sendpulse.operators.dates import has_passed, optional_date
from airflow_provider_sendpulse.operators.identity import earliest_creation, marker_of, task_identity
from airflow_provider_sendpulse.operators.task_store import mailing_record
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus, StatusClass
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger
from airflow_provider_sendpulse.triggers.events import ERROR, SEEN, WaitEvent
from airflow_provider_sendpulse.version_compat import default_deferrable

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

_KILL_GRACE = 300.0
"""Seconds after adopting what a try left behind deferred, within which a cancellation is taken for that try's trigger's.

A trigger cannot write down what it has cancelled. Somebody who cancels the campaign in the dashboard just then is taken
for it too.
"""


class SendPulseCreateCampaignOperator(CancelsOnKill, CampaignMessageOperator):
    """Create a campaign once and return its id.

    The campaign's name ends in a marker made of the connection's ``deployment``, ``mailing_key`` and ``edition``. Before
    anything is created the operator looks for a campaign with that marker and adopts it. So a retry, a cleared task and a
    lost answer never mail twice; to mail again on purpose, give it another ``edition``.

    In ``subject``, ``body``, ``body_amp`` and the file of ``body_file``, ``{{ … }}`` is SendPulse's and reaches it
    untouched. Run-time values stand in ``[[ … ]]`` and ``[% … %]``; they come from Airflow's context and ``body_params``.

    :param address_book_id: one to ten address books: a number, its text, or a list (templated)
    :param segment_id: a segment of the one address book (templated)
    :param send_date: when to send: an aware date or its ISO text (templated). It needs the connection's
        ``account_timezone``. At once when left out.
    :param use_dynamic_list: whether contacts are mailed too that come into the book before the campaign is sent, which
        needs a paid plan; when left out, as SendPulse does it
    :param draft: create a draft, which only the dashboard can launch
    :param mailing_key: what makes this mailing this one; DAG, run, task and map index when left out (templated)
    :param edition: change it to mail again on purpose (templated)
    :param look_back: how long before this run a campaign with the same marker may have been created; when left out, any
        time with a ``mailing_key`` of your own, which joins runs, and a month without
    :param visibility_window: seconds within which SendPulse certainly lists a campaign it has created
    :param if_ended_badly: what to do about a campaign of ours that was blocked, cancelled, or had no active addresses:
        ``fail``, or ``recreate`` the next generation if its figures say that nothing of it went out
    :param past_send_date: what to do when ``send_date`` has passed before the campaign could be created: ``fail``,
        ``send_now`` or ``skip`` the task
    :param not_after: skip the task rather than create the campaign after this aware date (templated)
    :param wait_for_completion: wait until the campaign is sent (or, for a draft, is a draft)
    :param on_partial: ``success`` when having been sent in part (23) is enough
    :param deferrable: wait in the triggerer, without holding a worker
    :param poll_interval: seconds between two looks
    :param poll_error_window: seconds for which looks may fail before the wait is given up
    :param timeout: seconds, or a timedelta, that the wait may take; counted from ``send_date`` when there is one. With
        Airflow 3.3 the deadline is kept across tries, until the task is cleared.
    """

    template_fields: Collection[str] = (
        *CampaignMessageOperator.template_fields,
        "address_book_id",
        "segment_id",
        "send_date",
        "mailing_key",
        "edition",
        "not_after",
    )
    operator_extra_links = (SendPulseCampaignLink(),)

    def __init__(
        self,
        *,
        address_book_id: int | str | Sequence[int | str] | None = None,
        segment_id: int | str | None = None,
        send_date: datetime | str | None = None,
        use_dynamic_list: bool | None = None,
        draft: bool = False,
        mailing_key: str | None = None,
        edition: int | str = 1,
        look_back: timedelta | None = None,
        visibility_window: float = VISIBILITY_WINDOW,
        if_ended_badly: Literal["fail", "recreate"] = "fail",
        past_send_date: Literal["fail", "send_now", "skip"] = "fail",
        not_after: datetime | str | None = None,
        wait_for_completion: bool = False,
        on_partial: Literal["fail", "success"] = "fail",
        deferrable: bool = default_deferrable(),
        poll_interval: float = 60.0,
        poll_error_window: float = POLL_ERROR_WINDOW,
        timeout: float | timedelta = timedelta(days=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.segment_id = segment_id
        self.send_date = send_date
        self.use_dynamic_list = use_dynamic_list
        self.draft = draft
        self.mailing_key = mailing_key
        self.edition = edition
        self.look_back = look_back
        self.visibility_window = visibility_window
        self.if_ended_badly = if_ended_badly
        self.past_send_date = past_send_date
        self.not_after = not_after
        self.wait_for_completion = wait_for_completion
        self.on_partial = on_partial
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.poll_error_window = poll_error_window
        self.timeout = timeout

    def execute(self, context: Context) -> int:
        """Create or adopt the campaign, and wait for it if asked to.

        :return: the id of the campaign
        :raises InvalidRequest: for parameters that SendPulse does not take together, or a date that has passed; nothing was
            created
        :raises CampaignConflict: a campaign with this marker exists, and it is another one; nothing was created
        :raises CampaignNotSent: the campaign ended without being sent to all, or was deleted
        :raises CampaignStartedEarly: it goes out before its date
        :raises NeedsHuman: it waits for somebody in the dashboard
        :raises AmbiguousOutcome: whether it was created cannot be established, or one that may be it has lost the end of
            its name; it is not created again
        :raises DeadlinePassed: it is not sent in time, or SendPulse takes no more campaigns until then
        :raises AirflowSkipException: ``not_after`` has passed, or ``send_date`` with ``past_send_date="skip"``
        """
        return self._run(context)

    def _run(self, context: Context, *, again: bool = False, deadline: float | None = None) -> int:
        """Do all of it.

        :param again: an adopted campaign turned out to be cancelled by the try before; this happens once
        :param deadline: as decided before a deferral of this try
        """
        self._require_alive()
        one_of(self.on_partial, "on_partial", "fail", "success")
        one_of(self.if_ended_badly, "if_ended_badly", "fail", "recreate")
        one_of(self.past_send_date, "past_send_date", "fail", "send_now", "skip")
        seconds(self.poll_interval, "poll_interval")
        with self.hook as hook:
            campaign = self._wanted(context, hook.settings.account_timezone)
            marker = self._marker(context, hook)
            self._record = record = mailing_record(context, marker.digest)
            if deadline is None:
                deadline = self._deadline(context, record)
            left_behind = record.killable()
            outcome = self._create(
                context,
                hook,
                Mailing(
                    campaign=campaign,
                    marker=marker,
                    since=earliest_creation(context, self.look_back, self.mailing_key),
                    recreate=self._recreate,
                    recreate_killed=self.cancel_on_kill,
                    before_creating=self._last_look,
                    visibility_window=seconds(self.visibility_window, "visibility_window"),
                ),
                record,
                deadline,
            )
            campaign_id = outcome.campaign_id
            self._keep_killable(record, campaign_id)
            self._tell(context, outcome)
            # For the link, and to see what became of the date: a strict DMARC policy makes SendPulse ignore it.
            seen = self._read_back(hook, outcome)
            link = seen.permalink or hook.settings.campaign_link.replace("{id}", str(seen.id))
            SendPulseCampaignLink().push(context, link)
            adopted_at = _CLOCK.now() if outcome.adopted and left_behind == campaign_id and not again else None
            if adopted_at is not None and self._may_be_recreated(seen):
                return self._run_again(context, campaign_id, deadline)
            try:
                self._check(outcome, seen)
            except FinalFailure:
                self._forget_killable(record)
                raise
            begins = optional_date(self.send_date)
            if edit_in_name(seen.name) is not None:
                self.log.info("Campaign %s was edited by a task after it was created; it stays as it is.", seen.id)
            elif campaign.send_date is not None and begins is not None:
                require = require_same_date if outcome.adopted else require_on_time
                require(seen, campaign.send_date, begins.timestamp(), _CLOCK.now())
            if not self.wait_for_completion:
                self._forget_killable(record)
                return campaign_id
            history = History()
            decision = self._judge(campaign_id, seen.status)
            history.note(f"Campaign {campaign_id}", decision, _CLOCK.now(), deadline)
            if not decision.is_over and self.deferrable:
                self._defer(campaign_id, adopted_at, deadline, history)
            if not decision.is_over:
                decision = self._wait(hook, campaign_id, deadline, history)
            self._require_alive()
            self._forget_killable(record)
            context["ti"].xcom_push(key="status_history", value=history.seen)
        return self._conclude(context, campaign_id, decision, adopted_at, deadline)

    def execute_again(self, context: Context, event: Any = None, deadline: float | None = None) -> int:
        """Look again and create the campaign, now that a place may be free."""
        return self._run(context, deadline=deadline)

    def execute_complete(
        self,
        context: Context,
        event: Any,
        campaign_id: int,
        adopted_at: float | None = None,
        deadline: float | None = None,
    ) -> int:
        """Go on after the wait in the triggerer."""
        wait = WaitEvent.of(event)
        if self.cancel_on_kill:
            with self.hook as hook:
                marker = self._marker(context, hook)
            self._record = mailing_record(context, marker.digest)
            # The trigger ended by itself, so it was not the one that cancelled anything.
            self._forget_killable(self._record)
        context["ti"].xcom_push(key="status_history", value=wait.history)
        if wait.kind == ERROR:
            raise wait.failure()
        if wait.kind == SEEN and isinstance(wait.code, int):
            decision = self._judge(campaign_id, wait.code)
            return self._conclude(context, campaign_id, decision, adopted_at, deadline, wait.history)
        with self.hook as hook:
            said = self._cancelled(hook, campaign_id)
        raise DeadlinePassed(f"Campaign {campaign_id} is not sent; its last status was {wait.code}. {wait.message}{said}")

    def _wanted(self, context: Context, account_timezone: str | None) -> campaigns.NewCampaign:
        """Return the campaign to create, its name still without the marker."""
        send_date = optional_date(self.send_date)
        books = self.address_book_id
        return self._campaign(
            context,
            send_date=None if send_date is None else account_time(send_date, account_timezone),
            address_book_ids=[] if books is None else whole_numbers(books, "address_book_id"),
            segment_id=optional_number(self.segment_id, "segment_id"),
            use_dynamic_list=self.use_dynamic_list,
            draft=self.draft,
        )

    def _marker(self, context: Context, hook: SendPulseHook) -> Marker:
        return marker_of(context, hook.settings.deployment, self.mailing_key, self.edition, "mailing_key")

    def _create(
        self, context: Context, hook: SendPulseHook, mailing: Mailing, record: MailingRecord, deadline: float
    ) -> Outcome:
        """Create or adopt, waiting for a place where SendPulse takes no more campaigns at the moment."""
        lease = hook.lease(f"mailing-{mailing.marker.digest}", task_identity(context))
        while True:
            self._require_alive()
            try:
                return create_once(hook, mailing, record, _CLOCK, lease)
            except Throttled as error:
                free_at = next_place(error, _CLOCK.now(), optional_date(self.not_after, "not_after"), deadline)
                self.log.warning("%s Waiting for a place until %s.", error, moment(free_at))
                if self.deferrable:
                    defer_until(self, free_at, _CLOCK.now(), "execute_again", deadline)
                _CLOCK.sleep(max(free_at - _CLOCK.now(), 0.0))

    def _last_look(self, campaign: campaigns.NewCampaign) -> campaigns.NewCampaign:
        """Judge dates directly before the campaign is created, and only then: an existing one is adopted at any time."""
        self._require_alive()
        if has_passed("campaign", self.send_date, self.not_after, self.past_send_date, _CLOCK.now()):
            return replace(campaign, send_date=None)
        return campaign

    def _tell(self, context: Context, outcome: Outcome) -> None:
        details: dict[str, Any] = {"campaign_id": outcome.campaign_id, "adopted": outcome.adopted}
        if outcome.created is not None:
            details |= self._report(outcome.created)
        context["ti"].xcom_push(key="campaign", value=details)

    def _read_back(self, hook: SendPulseHook, outcome: Outcome) -> campaigns.Campaign:
        """Read the campaign; one that was just created may not be readable for a moment."""
        give_up_at = _CLOCK.now() + seconds(self.visibility_window, "visibility_window")
        while True:
            try:
                return hook.send(campaigns.read(outcome.campaign_id))
            except Refused as error:
                if outcome.adopted or _CLOCK.now() >= give_up_at:
                    raise
                self.log.warning("Campaign %s cannot be read yet: %s", outcome.campaign_id, error)
                _CLOCK.sleep(LOOK_AGAIN)

    def _check(self, outcome: Outcome, seen: campaigns.Campaign) -> None:
        """Look at what the service made of the campaign."""
        if not outcome.adopted and Marker.in_name(seen.name) is None:
            raise FinalFailure(
                f"Campaign {seen.id} was created, and SendPulse changed its name: the marker by which it would be found "
                f"again is lost. Give the campaign a shorter name. The campaign goes out; do not create it again."
            )
        status = CampaignStatus.of(seen.status)
        if outcome.adopted and status is not None and status.status_class in (StatusClass.FAILURE, StatusClass.CANCELLED):
            decision = self._judge(seen.id, seen.status)
            if decision.error is not None:
                raise decision.error

    def _deadline(self, context: Context, record: MailingRecord) -> float:
        """Return when to give up, in seconds since the epoch: decided once, and anew when the task's run is cleared."""
        begins = optional_date(self.send_date)
        starts = max(_CLOCK.now(), begins.timestamp() if begins else 0.0)
        clearing = context["dag_run"].clear_number or 0
        return record.deadline(starts + seconds(self.timeout, "timeout"), clearing)

    def _wait(self, hook: SendPulseHook, campaign_id: int, deadline: float, history: History) -> Decision:
        def look() -> Decision:
            self._require_alive()
            return self._judge(campaign_id, hook.send(campaigns.read(campaign_id)).status)

        try:
            return wait_until_over(
                f"Campaign {campaign_id}",
                look,
                poll_interval=seconds(self.poll_interval, "poll_interval"),
                poll_error_window=self.poll_error_window,
                deadline=deadline,
                clock=_CLOCK,
                history=history,
            )
        except DeadlinePassed as error:
            raise DeadlinePassed(f"{error}{self._cancelled(hook, campaign_id)}") from None

    def _defer(self, campaign_id: int, adopted_at: float | None, deadline: float, history: History) -> None:
        self.defer(
            trigger=SendPulseCampaignTrigger(
                campaign_id=campaign_id,
                sendpulse_conn_id=self.sendpulse_conn_id,
                poll_interval=seconds(self.poll_interval, "poll_interval"),
                poll_error_window=self.poll_error_window,
                deadline=deadline,
                history=history.seen,
                target_statuses=self._targets,
                on_partial=self.on_partial,
                cancel_on_kill=self.cancel_on_kill,
            ),
            method_name="execute_complete",
            kwargs={"campaign_id": campaign_id, "adopted_at": adopted_at, "deadline": deadline},
            # The trigger keeps the deadline itself; this is for a triggerer that does not run at all.
            timeout=timedelta(seconds=max(deadline - _CLOCK.now(), 0.0)) + DEFERRAL_MARGIN,
        )

    @property
    def _targets(self) -> frozenset[int]:
        return frozenset({CampaignStatus.DRAFT.code}) if self.draft else SENT

    @property
    def _recreate(self) -> frozenset[int]:
        if self.if_ended_badly == "recreate":
            return frozenset(status.code for status in ENDED_BADLY)
        return frozenset()

    def _judge(self, campaign_id: int, code: int) -> Decision:
        return judge_campaign(campaign_id, code, targets=self._targets, on_partial=self.on_partial)

    def _run_again(self, context: Context, campaign_id: int, deadline: float | None) -> int:
        self._require_alive()
        self.log.warning("Campaign %s was cancelled by the end of the try before this one.", campaign_id)
        if self._record is not None:
            self._record.keep_killable(campaign_id)
        return self._run(context, again=True, deadline=deadline)

    def _conclude(
        self,
        context: Context,
        campaign_id: int,
        decision: Decision,
        adopted_at: float | None,
        deadline: float | None,
        history: Sequence[Sequence[Any]] = (),
    ) -> int:
        self._require_alive()
        if adopted_at is not None and decision.code == CampaignStatus.CANCELLED.code:
            # Cleared while deferred: this try adopted the campaign before the trigger of the last one cancelled it.
            seen_at = _first_seen(decision.code, history)
            if (_CLOCK.now() if seen_at is None else seen_at) - adopted_at < _KILL_GRACE:
                with self.hook as hook:
                    seen = hook.send(campaigns.read(campaign_id))
                if self._may_be_recreated(seen):
                    return self._run_again(context, campaign_id, deadline)
        if decision.error is not None:
            raise decision.error
        if not decision.is_over:
            raise FinalFailure(
                f"The wait for campaign {campaign_id} ended at status {decision.code}, which is not its end."
            )
        self.log.info("Campaign %s: status %s (%s).", campaign_id, decision.code, decision.text)
        return campaign_id

    def _report(self, created: campaigns.CreatedCampaign) -> dict[str, Any]:
        cost = {
            "tariff_email_qty": created.tariff_email_qty,
            "paid_email_qty": created.paid_email_qty,
            "overdraft_price": created.overdraft_price,
            "overdraft_currency": created.overdraft_currency,
        }
        self.log.info(
            "Campaign %s: %s emails within the plan, %s paid, overdraft %s %s.",
            created.id,
            created.tariff_email_qty,
            created.paid_email_qty,
            created.overdraft_price,
            created.overdraft_currency,
        )
        return cost


def _first_seen(code: int | str | None, history: Sequence[Sequence[Any]]) -> float | None:
    return float(history[-1][1]) if history and history[-1][0] == code else None


__all__ = ["SendPulseCreateCampaignOperator"]
