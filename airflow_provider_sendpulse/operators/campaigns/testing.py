# SPDX-License-Identifier: Apache-2.0
"""Sending a campaign as a test, to a few people of one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.api.quota import Quota
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, ServiceError, Throttled
from airflow_provider_sendpulse.jobs.mailing import Mailing, create_once
from airflow_provider_sendpulse.operators.campaigns.message import CampaignMessageOperator
from airflow_provider_sendpulse.operators.identity import marker_of, task_identity
from airflow_provider_sendpulse.operators.task_store import mailing_record
from airflow_provider_sendpulse.rows.addresses import email_fault
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseSendTestOperator(CampaignMessageOperator):
    """Send a message as a test, to up to three addresses or to its sender, and return the id of the test.

    A test reaches people, so it is sent once: a retry and a cleared task find that it was sent, and where that is in doubt
    they fail rather than send it again. To send it again on purpose, give it another ``edition``.

    SendPulse sends 20 messages of tests to named addresses an hour. They are counted before they are sent, among all tasks
    that share the request budget: those of this host, or of all hosts with the same ``coordination_conn_id``.

    In ``subject``, ``body``, ``body_amp`` and the file of ``body_file``, ``{{ … }}`` is SendPulse's, as in
    ``SendPulseCreateCampaignOperator``.

    :param address_book_id: one address book, which SendPulse wants to know; nobody in it gets the test (templated)
    :param addresses: up to three addresses, or their text with commas in between (templated). When left out, the test goes
        to ``sender_email``, which SendPulse's newer documentation has instead.
    :param edition: change it to send the test again on purpose (templated)
    """

    template_fields: Collection[str] = (*CampaignMessageOperator.template_fields, "address_book_id", "addresses", "edition")
    personal_fields: ClassVar[Mapping[str, str]] = {**CampaignMessageOperator.personal_fields, "addresses": "addresses"}

    def __init__(
        self,
        *,
        address_book_id: int | str,
        addresses: Sequence[str] | str | None = None,
        edition: int | str = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.addresses = addresses
        self.edition = edition

    def execute(self, context: Context) -> int:
        """Send the test.

        :return: the id that SendPulse gave the test
        :raises InvalidRequest: for a fourth address, one that is none, or other arguments that cannot be meant
        :raises Throttled: when it would exceed 20 messages within an hour; nothing was sent, and a later try may do it
        :raises AmbiguousOutcome: when it may have been sent by this try or an earlier one; it is not sent again
        :raises CampaignConflict: when this task has sent a test with another subject already
        """
        addresses = self._addresses()
        campaign = self._campaign(
            context,
            address_book_ids=[whole_number(self.address_book_id, "address_book_id")],
            is_test=addresses is None,
        )
        call = campaigns.create if addresses is None else partial(campaigns.send_test, addresses=addresses)
        # What is wrong with it is found now.
        call(campaign)
        with self.hook as hook:
            # A marker of its own: the same task might create a campaign some day.
            key = f"test\0{task_identity(context)}"
            marker = marker_of(context, hook.settings.deployment, key, self.edition, "key")
            quota = hook.quota("test_messages", campaigns.TEST_MESSAGES)
            mailing = Mailing(
                campaign=campaign,
                marker=marker,
                since=context["dag_run"].run_after - timedelta(days=30),
                before_creating=lambda wanted: self._counted(wanted, quota, len(addresses or ())),
                call=call,
                # Nothing documents that lists show tests.
                listed=False,
            )
            record = mailing_record(context, marker.digest)
            lease = hook.lease(f"mailing-{marker.digest}", task_identity(context))
            try:
                outcome = create_once(hook, mailing, record, SystemClock(), lease)
            except AmbiguousOutcome:
                raise
            except ServiceError:
                quota.give_back()
                raise
        where = "the sender" if addresses is None else f"{len(addresses)} addresses"
        done = "was sent already" if outcome.adopted else "was sent"
        self.log.info("The test %s %s to %s.", outcome.campaign_id, done, where)
        return outcome.campaign_id

    def _addresses(self) -> list[str] | None:
        given = reveal(self.addresses)
        if given is None:
            return None
        items = given.split(",") if isinstance(given, str) else [*given]
        addresses = list(dict.fromkeys(str(item).strip() for item in items))
        for number, address in enumerate(addresses, start=1):
            if fault := email_fault(address):
                raise InvalidRequest(f"Number {number} of addresses: {fault}.")
        return addresses

    def _counted(self, wanted: NewCampaign, quota: Quota, messages: int) -> NewCampaign:
        # Whoever loses the right to create meanwhile comes here again.
        quota.give_back()
        free_in = quota.take(messages) if messages else 0.0
        if free_in > 0:
            limit = campaigns.TEST_MESSAGES
            raise Throttled(
                f"SendPulse sends {limit.requests:g} messages of tests an hour, and so many were sent already that "
                f"{messages} more are free in {free_in / 60:.0f} minutes. Nothing was sent. Let the task retry with a "
                "retry_delay that reaches there.",
                retry_after=free_in,
            )
        return wanted


__all__ = ["SendPulseSendTestOperator"]
