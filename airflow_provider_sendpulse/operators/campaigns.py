# SPDX-License-Identifier: Apache-2.0
"""Operators for campaigns."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import (
    one_of,
    optional_number,
    seconds,
    whole_numbers,
)
from airflow_provider_sendpulse.exceptions import DeadlinePassed, FinalFailure, InvalidRequest
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.mailing import Mailing, create_once
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.polling import wait_until_over
from airflow_provider_sendpulse.jobs.schedule import account_time, parse_send_date, require_on_time
from airflow_provider_sendpulse.jobs.waiting import SENT, Decision, History, judge_campaign
from airflow_provider_sendpulse.links.sendpulse import SendPulseCampaignLink
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.operators.content import ContentRenderer
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger
from airflow_provider_sendpulse.triggers.events import ERROR, SEEN, WaitEvent
from airflow_provider_sendpulse.version_compat import default_deferrable

if TYPE_CHECKING:
    from airflow.sdk import Context

_DEFERRAL_MARGIN = timedelta(minutes=10)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


class SendPulseCreateCampaignOperator(SendPulseOperator):
    """Create a campaign once and return its id.

    The campaign's name ends in a marker made of the connection's ``deployment``, ``mailing_key`` and ``edition``. Before
    anything is created the operator looks for a campaign with that marker and adopts it. So a retry, a cleared task and a
    lost answer never mail twice; to mail again on purpose, give it another ``edition``.

    In ``subject``, ``body``, ``body_amp`` and the file of ``body_file``, ``{{ … }}`` is SendPulse's and reaches it
    untouched. Run-time values stand in ``[[ … ]]`` and ``[% … %]``; they come from Airflow's context and ``body_params``.

    :param name: name of the campaign, before its marker (templated)
    :param sender_name: name of the sender (templated)
    :param sender_email: address of an activated sender (templated)
    :param subject: the subject (from text or XCom)
    :param body: HTML (from text or XCom); one of it, ``body_file`` and ``template_id``
    :param body_file: path of an HTML file, absolute or below the DAG's folder (templated)
    :param template_id: a template's ``real_id`` (templated)
    :param body_params: values for ``[[ … ]]`` (templated)
    :param address_book_id: one to ten address books: a number, its text, or a list (templated)
    :param segment_id: a segment of the one address book (templated)
    :param send_date: when to send: an aware date or its ISO text (templated). It needs the connection's
        ``account_timezone``. At once when left out.
    :param attachments: file name to text or bytes, at most five
    :param body_amp: AMP version of the body (from text or XCom)
    :param draft: create a draft, which only the dashboard can launch
    :param stats: ``{"opens": bool, "clicks": bool, "utm_campaign": str}`` (templated)
    :param mailing_key: what makes this mailing this one; DAG, run, task and map index when left out (templated)
    :param edition: change it to mail again on purpose (templated)
    :param wait_for_completion: wait until the campaign is sent (or, for a draft, is a draft)
    :param on_partial: ``success`` when having been sent in part (23) is enough
    :param deferrable: wait in the triggerer, without holding a worker
    :param poll_interval: seconds between two looks
    :param timeout: seconds, or a timedelta, that the wait may take; counted from ``send_date`` when there is one
    """

    template_fields: Collection[str] = (
        *SendPulseOperator.template_fields,
        "name",
        "sender_name",
        "sender_email",
        "subject",
        "body",
        "body_file",
        "template_id",
        "body_params",
        "address_book_id",
        "segment_id",
        "send_date",
        "attachments",
        "body_amp",
        "stats",
        "mailing_key",
        "edition",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"body": "html", "body_amp": "html", "body_params": "json"}
    recipient_fields: ClassVar[frozenset[str]] = frozenset({"subject", "body", "body_amp", "attachments"})
    personal_fields: ClassVar[Mapping[str, str]] = {"attachments": "attachments"}
    operator_extra_links = (SendPulseCampaignLink(),)

    def __init__(
        self,
        *,
        name: str,
        sender_name: str,
        sender_email: str,
        subject: str,
        body: str | None = None,
        body_file: str | None = None,
        template_id: int | str | None = None,
        body_params: Mapping[str, Any] | None = None,
        address_book_id: int | str | Sequence[int | str] | None = None,
        segment_id: int | str | None = None,
        send_date: datetime | str | None = None,
        attachments: Mapping[str, str | bytes] | None = None,
        body_amp: str | None = None,
        draft: bool = False,
        stats: Mapping[str, Any] | None = None,
        mailing_key: str | None = None,
        edition: int | str = 1,
        wait_for_completion: bool = False,
        on_partial: Literal["fail", "success"] = "fail",
        deferrable: bool = default_deferrable(),
        poll_interval: float = 60.0,
        timeout: float | timedelta = timedelta(days=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.sender_name = sender_name
        self.sender_email = sender_email
        self.subject = subject
        self.body = body
        self.body_file = body_file
        self.template_id = template_id
        self.body_params = body_params
        self.address_book_id = address_book_id
        self.segment_id = segment_id
        self.send_date = send_date
        self.attachments = attachments
        self.body_amp = body_amp
        self.draft = draft
        self.stats = stats
        self.mailing_key = mailing_key
        self.edition = edition
        self.wait_for_completion = wait_for_completion
        self.on_partial = on_partial
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> int:
        """Create or adopt the campaign, and wait for it if asked to."""
        one_of(self.on_partial, "on_partial", "fail", "success")
        timeout = seconds(self.timeout, "timeout")
        poll_interval = seconds(self.poll_interval, "poll_interval")
        with self.hook as hook:
            campaign = self._campaign(context, hook)
            # A mailing_key joins runs, so its campaign may be older than this run: then the whole list is looked through.
            since = context["dag_run"].run_after if self.mailing_key is None else _EVER
            mailing = Mailing(campaign, self._marker(context, hook), since=since)
            outcome = create_once(hook, mailing, SystemClock())
            campaign_id = outcome.campaign_id
            details: dict[str, Any] = {"campaign_id": campaign_id, "adopted": outcome.adopted}
            if outcome.created is not None:
                details |= self._report(outcome.created)
            # For the link, and to see what became of the date: a strict DMARC policy makes SendPulse ignore it.
            seen = hook.send(campaigns.read(campaign_id))
            link = seen.permalink or hook.settings.campaign_link.replace("{id}", str(campaign_id))
            SendPulseCampaignLink().push(context, link)
            context["ti"].xcom_push(key="campaign", value=details)
            begins = self._begins()
            if campaign.send_date is not None and begins is not None:
                require_on_time(seen, campaign.send_date, begins, time.time())
            if not self.wait_for_completion:
                return campaign_id
            deadline = max(time.time(), begins or 0.0) + timeout
            decision, history = self._judge(campaign_id, seen.status), History()
            history.note(f"Campaign {campaign_id}", decision, time.time())
            if not decision.is_over and self.deferrable:
                self._defer(campaign_id, poll_interval, deadline, history)
            if not decision.is_over:
                decision = wait_until_over(
                    f"Campaign {campaign_id}",
                    lambda: self._judge(campaign_id, hook.send(campaigns.read(campaign_id)).status),
                    poll_interval=poll_interval,
                    deadline=deadline,
                    clock=SystemClock(),
                    history=history,
                )
            context["ti"].xcom_push(key="status_history", value=history.seen)
        return self._conclude(campaign_id, decision)

    def execute_complete(self, context: Context, event: Any, campaign_id: int) -> int:
        """Go on after the wait in the triggerer."""
        wait = WaitEvent.of(event)
        context["ti"].xcom_push(key="status_history", value=wait.history)
        if wait.kind == ERROR:
            raise wait.failure()
        if wait.kind == SEEN and wait.code is not None:
            return self._conclude(campaign_id, self._judge(campaign_id, wait.code))
        raise DeadlinePassed(f"Campaign {campaign_id} is not sent; its last status was {wait.code}. {wait.message}")

    def _defer(self, campaign_id: int, poll_interval: float, deadline: float, history: History) -> None:
        self.defer(
            trigger=SendPulseCampaignTrigger(
                campaign_id=campaign_id,
                sendpulse_conn_id=self.sendpulse_conn_id,
                poll_interval=poll_interval,
                deadline=deadline,
                history=history.seen,
                target_statuses=self._targets,
                on_partial=self.on_partial,
            ),
            method_name="execute_complete",
            kwargs={"campaign_id": campaign_id},
            # The trigger keeps the deadline itself; this is for a triggerer that does not run at all.
            timeout=timedelta(seconds=max(deadline - time.time(), 0.0)) + _DEFERRAL_MARGIN,
        )

    @property
    def _targets(self) -> frozenset[int]:
        return frozenset({CampaignStatus.DRAFT.code}) if self.draft else SENT

    def _judge(self, campaign_id: int, code: int) -> Decision:
        return judge_campaign(campaign_id, code, targets=self._targets, on_partial=self.on_partial)

    def _conclude(self, campaign_id: int, decision: Decision) -> int:
        if decision.error is not None:
            raise decision.error
        if not decision.is_over:
            raise FinalFailure(
                f"The wait for campaign {campaign_id} ended at status {decision.code}, which is not its end."
            )
        self.log.info("Campaign %s: status %s (%s).", campaign_id, decision.code, decision.text)
        return campaign_id

    def _campaign(self, context: Context, hook: SendPulseHook) -> campaigns.NewCampaign:
        """Return what to create; everything that can be found wrong here is found before anything is sent."""
        if sum(value is not None for value in (self.body, self.body_file, self.template_id)) != 1:
            raise InvalidRequest("A campaign needs exactly one of body, body_file and template_id.")
        for field in ("name", "sender_name", "sender_email", "subject"):
            if not plain_text(getattr(self, field)).strip():
                raise InvalidRequest(f"{field} is empty.")
        renderer = ContentRenderer(self, {**context, **(self.body_params or {})})
        for field in ("body", "body_amp"):
            if not isinstance(value := getattr(self, field), str | None):
                raise InvalidRequest(f"{field} is a {type(value).__name__}, not text.")
        body = self.body if self.body_file is None else renderer.read(plain_text(self.body_file), "body_file")
        subject = renderer.plain(plain_text(self.subject), "subject").strip()
        body = None if body is None else renderer.html(body, "body_file" if self.body_file else "body")
        if not subject:
            raise InvalidRequest("subject is empty.")
        if body is not None and not body.strip():
            raise InvalidRequest("The body is empty.")
        return campaigns.NewCampaign(
            name=plain_text(self.name),
            sender_name=plain_text(self.sender_name),
            sender_email=plain_text(self.sender_email),
            subject=subject,
            body=body,
            template_id=self.template_id,
            send_date=None
            if self.send_date in (None, "", "None")
            else account_time(self.send_date, hook.settings.account_timezone),
            address_book_ids=[] if self.address_book_id is None else whole_numbers(self.address_book_id, "address_book_id"),
            segment_id=optional_number(self.segment_id, "segment_id"),
            attachments=dict(reveal(self.attachments) or {}),
            body_amp=None if self.body_amp is None else renderer.html(self.body_amp, "body_amp"),
            draft=self.draft,
            stats=self.stats,
        )

    def _marker(self, context: Context, hook: SendPulseHook) -> Marker:
        ti = context["ti"]
        key = self.mailing_key
        if key is None:
            map_index = -1 if ti.map_index is None else ti.map_index
            key = "\0".join((ti.dag_id, ti.run_id, ti.task_id, str(map_index)))
        key = plain_text(key)
        if not key.strip():
            raise InvalidRequest("mailing_key is empty.")
        return Marker.of(deployment=hook.settings.deployment, mailing_key=key, edition=self.edition)

    def _begins(self) -> float | None:
        """Return when the campaign is to be sent, in seconds since the epoch."""
        if self.send_date is None or self.send_date in ("", "None"):
            return None
        return parse_send_date(self.send_date).timestamp()

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


__all__ = ["SendPulseCreateCampaignOperator"]
