# SPDX-License-Identifier: Apache-2.0
"""Changing a campaign before it goes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.editing import Edit, edit_campaign
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.schedule import account_time
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.operators.campaigns.message import CampaignText
from airflow_provider_sendpulse.operators.dates import optional_date
from airflow_provider_sendpulse.operators.task_store import task_edit

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseEditCampaignOperator(SendPulseOperator):
    """Change a campaign that waits for its date, and return its id. What is left out stays as it is.

    The campaign is read first; when it is as wished already, nothing is sent. The marker in its name stays, and a note
    before it says that it was edited: the task that has created it still adopts it when it is cleared, whatever its subject
    and date are now. XCom ``changed`` holds the names of what was changed.

    A campaign that was made in the dashboard has no marker and gets no note. A retry still knows what it was changed to,
    from Airflow's task state store; below Airflow 3.3 it may send the same edit once more, which changes nothing.

    SendPulse wants all fields with every edit. Where its answers do not show a campaign's body, give it again.

    In ``subject``, ``body`` and the file of ``body_file``, ``{{ … }}`` is SendPulse's, as in
    ``SendPulseCreateCampaignOperator``.

    :param campaign_id: the campaign (templated)
    :param name: another name, without a marker (templated)
    :param sender_name: another name of the sender (templated)
    :param sender_email: another activated sender (templated)
    :param subject: another subject (from text or XCom)
    :param body: other HTML (from text or XCom); at most one of it, ``body_file`` and ``template_id``
    :param body_file: path of an HTML file, absolute or below the DAG's folder (templated)
    :param template_id: a template's ``real_id`` (templated)
    :param body_params: values for ``[[ … ]]`` (templated)
    :param send_date: another date: an aware one or its ISO text (templated). It needs the connection's
        ``account_timezone``.
    """

    template_fields: Collection[str] = (
        *SendPulseOperator.template_fields,
        "campaign_id",
        "name",
        "sender_name",
        "sender_email",
        "subject",
        "body",
        "body_file",
        "template_id",
        "body_params",
        "send_date",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"body": "html", "body_params": "json"}
    recipient_fields: ClassVar[frozenset[str]] = frozenset({"subject", "body"})

    def __init__(
        self,
        *,
        campaign_id: int | str,
        name: str | None = None,
        sender_name: str | None = None,
        sender_email: str | None = None,
        subject: str | None = None,
        body: str | None = None,
        body_file: str | None = None,
        template_id: int | str | None = None,
        body_params: Mapping[str, Any] | None = None,
        send_date: datetime | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.name = name
        self.sender_name = sender_name
        self.sender_email = sender_email
        self.subject = subject
        self.body = body
        self.body_file = body_file
        self.template_id = template_id
        self.body_params = body_params
        self.send_date = send_date

    def execute(self, context: Context) -> int:
        """Change the campaign.

        :return: the id of the campaign
        :raises TooLate: when it is going out, has gone out or has ended, and is not as wished
        :raises NeedsHuman: when only a person can edit it, such as a draft
        :raises InvalidRequest: for arguments that cannot be meant, or when the body has to be given too
        :raises CampaignStartedEarly: when SendPulse does not wait for the date any more, as with another sender whose
            domain has a strict DMARC policy
        """
        campaign_id = whole_number(self.campaign_id, "campaign_id")
        with self.hook as hook:
            zone = hook.settings.account_timezone
            edit = self._wanted(context, zone)
            changed = edit_campaign(hook, campaign_id, edit, SystemClock(), task_edit(context), zone)
        self.log.info("Campaign %s: %s.", campaign_id, f"changed {', '.join(changed)}" if changed else "as wished already")
        context["ti"].xcom_push(key="changed", value=changed)
        return campaign_id

    def _wanted(self, context: Context, account_timezone: str | None) -> Edit:
        if sum(value is not None for value in (self.body, self.body_file, self.template_id)) > 1:
            raise InvalidRequest("An edit takes at most one of body, body_file and template_id.")
        text = CampaignText(self, context)
        send_date = optional_date(self.send_date)
        edit = Edit(
            name=self._given("name"),
            sender_name=self._given("sender_name"),
            sender_email=self._given("sender_email"),
            subject=None if self.subject is None else text.subject(),
            body=text.body(),
            template_id=self.template_id,
            send_date=None if send_date is None else account_time(send_date, account_timezone),
        )
        if edit == Edit():
            raise InvalidRequest("Nothing to change: give at least one of name, sender, subject, body and send_date.")
        if edit.name is not None and Marker.in_name(edit.name) is not None:
            raise InvalidRequest("name ends in a marker: give it without, the campaign keeps its own.")
        return edit

    def _given(self, name: str) -> str | None:
        value = getattr(self, name)
        if value is None:
            return None
        if not (text := plain_text(value).strip()):
            raise InvalidRequest(f"{name} is empty.")
        return text


__all__ = ["SendPulseEditCampaignOperator"]
