# SPDX-License-Identifier: Apache-2.0
"""What the end of a task does to the campaign that it has created and waits for."""

from __future__ import annotations

import threading
from typing import Any

from airflow_provider_sendpulse.exceptions import ServiceError
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.cancelling import cancel
from airflow_provider_sendpulse.jobs.intent import MailingRecord
from airflow_provider_sendpulse.jobs.mailing import went_out
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.sendpulse.campaigns import Campaign
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus
from airflow_provider_sendpulse.version_compat import AirflowException

_WRITING = 2.0
"""Seconds for which a killed task tries to write down that it has cancelled its campaign; Airflow leaves it five."""


class Killed(AirflowException):
    """The task was killed, and its process still runs for a moment: nothing more may be created."""


class CancelsOnKill(SendPulseOperator):
    """An operator whose end may cancel its campaign.

    :param cancel_on_kill: cancel the campaign, if it has not gone out, when the task is killed, cleared or marked while it
        waits, or times out. A worker that is shut down kills its tasks too.
    """

    def __init__(self, *, cancel_on_kill: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cancel_on_kill = cancel_on_kill
        self._killable: int | None = None
        self._killed = False
        self._record: MailingRecord | None = None

    def on_kill(self) -> None:
        """Cancel the campaign if that was asked for and it has not gone out."""
        # The process goes on for up to five seconds, and must not take what is cancelled here for somebody else's doing.
        self._killed = True
        campaign_id = self._killable
        if not self.cancel_on_kill or campaign_id is None:
            return
        try:
            # A hook of its own: this runs in a signal handler, in the middle of whatever the other one is doing.
            with SendPulseHook(self.sendpulse_conn_id) as hook:
                cancellation = cancel(hook, campaign_id)
        except Exception as error:
            self.log.warning("Campaign %s was not cancelled: %s", campaign_id, error)
            return
        self.log.warning("%s", cancellation)
        if cancellation.done and self._record is not None:
            # Not in this thread: what the signal interrupted may hold the lock that writing needs.
            writer = threading.Thread(target=self._keep_cancelled, args=(self._record, campaign_id), daemon=True)
            writer.start()
            writer.join(_WRITING)

    def _require_alive(self) -> None:
        if self._killed:
            raise Killed("The task was killed: nothing more is done.")

    def _keep_killable(self, record: MailingRecord, campaign_id: int) -> None:
        """From now on the end of the task may cancel a campaign."""
        if self.cancel_on_kill:
            record.keep_killable(campaign_id)
        self._killable = campaign_id

    def _forget_killable(self, record: MailingRecord) -> None:
        if self.cancel_on_kill and not self._killed:
            record.keep_killable(None)

    def _keep_cancelled(self, record: MailingRecord, campaign_id: int) -> None:
        try:
            record.keep_cancelled(campaign_id)
        except Exception as error:
            # Airflow may have given the task to another try; what was written ahead tells that one enough.
            self.log.warning("It was not written down that campaign %s is cancelled: %s", campaign_id, error)

    def _cancelled(self, hook: SendPulseHook, campaign_id: int) -> str:
        """Cancel a campaign whose deadline has passed; return what happened, as an end of a message."""
        if not self.cancel_on_kill or self._killed:
            return ""
        try:
            cancellation = cancel(hook, campaign_id)
        except ServiceError as error:
            return f" Campaign {campaign_id} was not cancelled: {error}"
        if cancellation.done and self._record is not None:
            self._keep_cancelled(self._record, campaign_id)
        if self._record is not None:
            self._forget_killable(self._record)
        return f" {cancellation}"

    def _may_be_recreated(self, seen: Campaign) -> bool:
        """Whether a campaign is cancelled, perhaps by the end of the try before, and certainly reached nobody."""
        cancelled = seen.status == CampaignStatus.CANCELLED.code
        return self.cancel_on_kill and cancelled and went_out(seen) is not True


__all__ = ["CancelsOnKill", "Killed"]
