# SPDX-License-Identifier: Apache-2.0
"""A message from a sender to address books, as operators take it; what is wrong with it is found before it is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.operators.content import ContentRenderer
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign

if TYPE_CHECKING:
    from airflow.sdk import Context


class CampaignMessageOperator(SendPulseOperator):
    """An operator that sends a message to address books.

    :param name: name of the campaign, before its marker (templated)
    :param sender_name: name of the sender (templated)
    :param sender_email: address of an activated sender (templated)
    :param subject: the subject (from text or XCom)
    :param body: HTML (from text or XCom); one of it, ``body_file`` and ``template_id``
    :param body_file: path of an HTML file, absolute or below the DAG's folder (templated)
    :param template_id: a template's ``real_id`` (templated)
    :param body_params: values for ``[[ … ]]`` (templated)
    :param attachments: file name to text or bytes, at most five (from text or XCom)
    :param body_amp: AMP version of the body (from text or XCom)
    :param stats: ``{"opens": bool, "clicks": bool, "utm_campaign": str}`` (templated)
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
        "attachments",
        "body_amp",
        "stats",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"body": "html", "body_amp": "html", "body_params": "json"}
    recipient_fields: ClassVar[frozenset[str]] = frozenset({"subject", "body", "body_amp", "attachments"})
    personal_fields: ClassVar[Mapping[str, str]] = {"attachments": "attachments"}

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
        attachments: Mapping[str, str | bytes] | None = None,
        body_amp: str | None = None,
        stats: Mapping[str, Any] | None = None,
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
        self.attachments = attachments
        self.body_amp = body_amp
        self.stats = stats

    def _campaign(self, context: Context, **more: Any) -> NewCampaign:
        """Return the campaign that is asked for, its name still without a marker.

        :param more: what else it has
        :raises InvalidRequest: for arguments that cannot be meant
        """
        if sum(value is not None for value in (self.body, self.body_file, self.template_id)) != 1:
            raise InvalidRequest("A campaign needs exactly one of body, body_file and template_id.")
        for field in ("name", "sender_name", "sender_email"):
            if not plain_text(getattr(self, field)).strip():
                raise InvalidRequest(f"{field} is empty.")
        content = CampaignText(self, context)
        return NewCampaign(
            name=plain_text(self.name),
            sender_name=plain_text(self.sender_name),
            sender_email=plain_text(self.sender_email),
            subject=content.subject(),
            body=content.body(),
            template_id=self.template_id,
            attachments=dict(reveal(self.attachments) or {}),
            body_amp=content.body_amp(self.body_amp),
            stats=self.stats,
            **more,
        )


class CampaignText:
    """The texts of an operator with ``subject``, ``body``, ``body_file`` and ``body_params``, rendered.

    :param operator: the task
    :param context: Airflow's context
    """

    def __init__(self, operator: Any, context: Context) -> None:
        self._operator = operator
        values = {**cast("Mapping[str, Any]", context), **(operator.body_params or {})}
        self._renderer = ContentRenderer(operator, values)

    def subject(self) -> str:
        """Return the subject.

        :raises InvalidRequest: when it is empty
        """
        subject = self._renderer.plain(plain_text(self._operator.subject), "subject").strip()
        if not subject:
            raise InvalidRequest("subject is empty.")
        return subject

    def body(self) -> str | None:
        """Return the body, or ``None`` where none is given.

        :raises InvalidRequest: when it is empty or no text, or its file cannot be read
        """
        body = self._renderer.html_or_file(self._operator.body, self._operator.body_file, "body")
        if body is not None and not body.strip():
            raise InvalidRequest("The body is empty.")
        return body

    def body_amp(self, text: Any) -> str | None:
        """Return the AMP version of a body, or ``None``.

        :raises InvalidRequest: when it is no text
        """
        return self._renderer.html_or_file(text, None, "body_amp")


__all__ = ["CampaignMessageOperator", "CampaignText"]
