# SPDX-License-Identifier: Apache-2.0
"""Operators for Automation 360 events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import optional_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.event_delivery import EventDelivery
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.operators.task_store import task_ledger
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, people
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, reading, source_of
from airflow_provider_sendpulse.sendpulse.events import RESERVED

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseSendEventOperator(SendPulseRowsOperator):
    """Send an Automation 360 event for many contacts, or for one, and return the counts.

    Every event starts or stops flows, and SendPulse does not recognise a repeat. So a row is sent at most once across
    the tries of the task, also when the task is cleared; a row whose fate is not known is not sent again. What a row *is*
    is said by ``event_key``; without it, by all its values, so that a row with a changed price is another one.

    (The one contact's parameters are not called ``email`` and ``phone``, because ``email`` is Airflow's own: where it mails
    its alerts to, which is often set in ``default_args``.)

    The event goes to the hash URL of that name in the connection's ``event_urls``, and by name where it has none.

    :param event_name: name of the event, or of a hash URL in the connection (templated)
    :param contacts: a row source or a list of mappings, one event each (templated; shows as a count in the UI)
    :param contact_email: address of the one contact, instead of ``contacts`` (templated; hidden in the UI)
    :param contact_phone: telephone number of the one contact (templated; hidden in the UI)
    :param variables: with ``contacts``, the columns that become variables, as in
        :class:`~airflow_provider_sendpulse.operators.contacts.SendPulseAddEmailsOperator`; for one contact, name to value
        (templated; shows as a count in the UI)
    :param automation_id: the one flow that the event is for; a column of that name wins for its row (templated)
    :param event_key: column, or columns, that say which row it is, such as ``cart_id`` (templated)
    :param email_column: column of the address (templated)
    :param phone_column: column of the telephone number (templated)
    :param automation_id_column: column of the flow's id (templated)
    :param form: send a form instead of JSON to a hash URL; every value becomes text
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (
        *SendPulseRowsOperator.template_fields,
        "event_name",
        "contacts",
        "contact_email",
        "contact_phone",
        "variables",
        "automation_id",
        "event_key",
        "email_column",
        "phone_column",
        "automation_id_column",
    )
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {
        "contacts": "contacts",
        "contact_email": "address",
        "contact_phone": "telephone number",
        "variables": "variables",
    }

    def __init__(
        self,
        *,
        event_name: str,
        contacts: RowSource | Sequence[Mapping[str, Any]] | None = None,
        contact_email: str | None = None,
        contact_phone: str | None = None,
        variables: Mapping[str, Any] | Sequence[str] | None = None,
        automation_id: int | str | None = None,
        event_key: str | Sequence[str] = (),
        email_column: str = "email",
        phone_column: str = "phone",
        automation_id_column: str = "automation_id",
        form: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.event_name = event_name
        self.contacts = contacts
        self.contact_email = contact_email
        self.contact_phone = contact_phone
        self.variables = variables
        self.automation_id = automation_id
        self.event_key = event_key
        self.email_column = email_column
        self.phone_column = phone_column
        self.automation_id_column = automation_id_column
        self.form = form

    def execute(self, context: Context) -> dict[str, int]:
        """Send the events."""
        name = str(self.event_name or "").strip()
        if not name:
            raise InvalidRequest("event_name is empty.")
        source, columns = self._rows()
        with self._accounted(f"Events {name}", source) as report, self.hook as hook:
            url = hook.settings.event_urls.get(name)
            if self.form and url is None:
                raise InvalidRequest(f"form=True sends to a hash URL, and the connection's event_urls has no {name!r}.")
            delivery = EventDelivery(name, url, self.form, optional_number(self.automation_id, "automation_id"))
            ledger = task_ledger(context, "events")
            with reading(source) as rows:
                delivery.run(hook, people(rows, columns), ledger, report, SystemClock())
        return report.counts.as_dict()

    def _rows(self) -> tuple[RowSource, Columns]:
        email, phone, variables = reveal(self.contact_email), reveal(self.contact_phone), reveal(self.variables)
        if self.contacts is None:
            if not email and not phone:
                raise InvalidRequest("Nobody to send the event for: give contacts, contact_email or contact_phone.")
            if variables is not None and not isinstance(variables, Mapping):
                raise InvalidRequest("variables is not a mapping of name to value.")
            if clashes := RESERVED & set(variables or {}):
                raise InvalidRequest(f"An event cannot have a variable named {', '.join(sorted(clashes))}.")
            return InlineRows([{"email": email, "phone": phone, "variables": variables or {}}]), Columns()
        if email or phone:
            raise InvalidRequest("Give either contacts, or contact_email and contact_phone.")
        columns = Columns(
            email=self.email_column,
            phone=self.phone_column,
            automation_id=self.automation_id_column,
            variables=variables,
            key=[self.event_key] if isinstance(self.event_key, str) and self.event_key else [*(self.event_key or ())],
        )
        return source_of(reveal(self.contacts), "contacts"), columns


__all__ = ["SendPulseSendEventOperator"]
