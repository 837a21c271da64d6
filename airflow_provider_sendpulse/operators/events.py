# SPDX-License-Identifier: Apache-2.0
"""Operators for Automation 360 events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_sendpulse.arguments import optional_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.event_delivery import KEY_VARIABLE, EventDelivery
from airflow_provider_sendpulse.operators.event_rows import EventsOperator
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, key_columns
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource
from airflow_provider_sendpulse.sendpulse.events import RESERVED


class SendPulseSendEventOperator(EventsOperator, SendPulseRowsOperator):
    """Send an Automation 360 event for many contacts, or for one, and return the counts.

    Every event starts or stops flows, and SendPulse does not recognise a repeat. So a row is sent at most once: across the
    tries of the task, also when it is cleared, and with ``ledger`` across all runs, also those at the same time. All rows
    are read before any is sent. A row whose fate is not known is listed, and not sent again unless ``if_in_doubt`` says so.

    What a row *is* is said by ``event_key``, together with the flow that it is for, where there is one. A list may do
    without: a row is then all its values, however its address or number is spelled, so values that change with every try
    (the time of day) make it another row. The one contact may too, unless ``ledger`` is given: it is then the contact,
    whatever the variables are.

    (The one contact's parameters are not called ``email`` and ``phone``, because ``email`` is Airflow's own: where it mails
    its alerts to, which is often set in ``default_args``.)

    The event goes to the hash URL of that name in the connection's ``event_urls``, and by name where it has none.

    :param event_name: name of the event, or of a hash URL in the connection (templated)
    :param variables: with ``contacts``, the columns that become variables, as in
        :class:`~airflow_provider_sendpulse.operators.contacts.SendPulseAddEmailsOperator`; for one contact, name to value
        (templated; shows as a count in the UI)
    :param automation_id: the one flow that the event is for; a column of that name wins for its row (templated)
    :param event_key: what says which row it is: a column, columns joined as in ``cart_id || step``, or a list of columns;
        a row source needs it. For the one contact, names of ``variables`` (templated)
    :param key_variable: variable in which the key goes along, so that a flow can tell duplicates; ``None`` leaves it out
        (templated)
    :param automation_id_column: column of the flow's id (templated)
    :param form: send a form instead of JSON to a hash URL; every value becomes text
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (
        *SendPulseRowsOperator.template_fields,
        *EventsOperator.template_fields,
        "event_name",
        "variables",
        "automation_id",
        "key_variable",
        "automation_id_column",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {**EventsOperator.personal_fields, "variables": "variables"}

    def __init__(
        self,
        *,
        event_name: str,
        variables: Mapping[str, Any] | Sequence[str] | None = None,
        automation_id: int | str | None = None,
        key_variable: str | None = KEY_VARIABLE,
        automation_id_column: str = "automation_id",
        form: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.event_name = event_name
        self.variables = variables
        self.automation_id = automation_id
        self.key_variable = key_variable
        self.automation_id_column = automation_id_column
        self.form = form

    def _subject(self) -> str:
        name = str(self.event_name or "").strip()
        if not name:
            raise InvalidRequest("event_name is empty.")
        return name

    def _delivery(self, hook: SendPulseHook, subject: str) -> EventDelivery:
        url = hook.settings.event_urls.get(subject)
        if self.form and url is None:
            raise InvalidRequest(f"form=True sends to a hash URL, and the connection's event_urls has no {subject!r}.")
        return EventDelivery(
            subject,
            url,
            self.form,
            optional_number(self.automation_id, "automation_id"),
            key_variable=str(self.key_variable).strip() if self.key_variable else None,
            max_age=self.max_event_age,
            by_contact=self.contacts is None,
        )

    def _rows(self) -> tuple[RowSource, Columns]:
        email, phone, variables = reveal(self.contact_email), reveal(self.contact_phone), reveal(self.variables)
        if self.contacts is None:
            if not email and not phone:
                raise InvalidRequest("Nobody to send the event for: give contacts, contact_email or contact_phone.")
            if variables is not None and not isinstance(variables, Mapping):
                raise InvalidRequest("variables is not a mapping of name to value.")
            if clashes := RESERVED & set(variables or {}):
                raise InvalidRequest(f"An event cannot have a variable named {', '.join(sorted(clashes))}.")
            columns = Columns(key=self._key_of_one(), time=self.event_time or None)
            return InlineRows([{"email": email, "phone": phone, "variables": variables or {}}]), columns
        if email or phone:
            raise InvalidRequest("Give either contacts, or contact_email and contact_phone.")
        columns = Columns(
            email=self.email_column,
            phone=self.phone_column,
            automation_id=self.automation_id_column,
            variables=variables,
            key=key_columns(self.event_key),
            time=self.event_time or None,
        )
        if self.key_variable and columns.key and str(self.key_variable).strip() in RESERVED:
            raise InvalidRequest(f"An event cannot have a variable named {self.key_variable}: change key_variable.")
        return self._source(reveal(self.contacts), columns.key), columns


__all__ = ["SendPulseSendEventOperator"]
