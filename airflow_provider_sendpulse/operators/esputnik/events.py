# SPDX-License-Identifier: Apache-2.0
"""Operators for eSputnik's events, which launch workflows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_sendpulse.esputnik.keys import event_type_key
from airflow_provider_sendpulse.esputnik.limits import EVENTS_V2
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.jobs.esputnik.event_delivery import EsputnikEventDelivery, require_parameters
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikRowsOperator
from airflow_provider_sendpulse.operators.event_rows import EventsOperator
from airflow_provider_sendpulse.operators.sending import slowest
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, key_columns
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource


class EsputnikSendEventOperator(EventsOperator, EsputnikRowsOperator):
    """Send an event for many contacts, or for one, and return the counts.

    Every event may launch workflows, and nothing documents that eSputnik recognises a repeat. So a row is sent at most
    once: across the tries of the task, also when it is cleared, and with ``ledger`` across all runs, also those at the same
    time. All rows are read before any is sent. A row whose fate is not known is listed, and not sent again unless
    ``if_in_doubt`` says so. An event that eSputnik says it got less than a minute ago (409) counts as accepted.

    What a row *is* is said by ``event_key``, which also becomes the event's ``keyValue``: up to 300 characters, without
    quotes, slashes and ``< > ; ^ ? ! ,``; a row with another key is invalid. Several columns are joined by a colon; a colon
    or a percent sign in them is written ``%3A`` or ``%25`` then. A list may do without: a row is then all its values,
    however its address or number is spelled, and the event has no key of its own. The one contact may too, unless
    ``ledger`` is given: it is then the contact, whatever the parameters are.

    Whom an event is for goes along as the parameters ``contactId``, ``externalCustomerId``, ``email`` and ``phone``, those
    that a row has; in this order eSputnik looks for the contact. Ids are only taken from columns that you name for them:
    a ``contact_id`` of your own would tell a stranger. A row with a parameter of such a name is invalid. An event makes no
    contact by itself: import or subscribe them first. A new type of events is made by its first event.

    :param event_type_key: type of the event, up to 100 characters (templated)
    :param parameters: with ``contacts``, the columns that become parameters: a list keeps their names, a mapping (column to
        parameter) renames them, all others when left out; for one contact, name to value. They keep their JSON types
        (templated; shows as a count in the UI)
    :param external_customer_id: your own id of the one contact (templated; hidden in the UI)
    :param contact_id: eSputnik's id of the one contact (templated)
    :param event_key: what says which row it is: a column, columns joined as in ``cart_id || step``, or a list of columns;
        a row source needs it. For the one contact, names of ``parameters`` (templated)
    :param external_customer_id_column: column of your own id of the contact (templated)
    :param contact_id_column: column of eSputnik's id of the contact (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        *EventsOperator.template_fields,
        "event_type_key",
        "parameters",
        "external_customer_id",
        "contact_id",
        "external_customer_id_column",
        "contact_id_column",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {
        **EventsOperator.personal_fields,
        "parameters": "parameters",
        "external_customer_id": "external id",
    }

    def __init__(
        self,
        *,
        event_type_key: str,
        parameters: Mapping[str, Any] | Sequence[str] | None = None,
        external_customer_id: str | None = None,
        contact_id: int | str | None = None,
        external_customer_id_column: str | None = None,
        contact_id_column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.event_type_key = event_type_key
        self.parameters = parameters
        self.external_customer_id = external_customer_id
        self.contact_id = contact_id
        self.external_customer_id_column = external_customer_id_column
        self.contact_id_column = contact_id_column

    def _subject(self) -> str:
        return event_type_key(plain_text(self.event_type_key).strip())

    def _rate(self, hook: EsputnikHook) -> float:
        return slowest((*EVENTS_V2.limits, *hook.settings.account.ceiling))

    def _delivery(self, hook: EsputnikHook, subject: str) -> EsputnikEventDelivery:
        return EsputnikEventDelivery(subject, max_age=self.max_event_age, by_contact=self.contacts is None)

    def _rows(self) -> tuple[RowSource, Columns]:
        one = {
            "email": reveal(self.contact_email),
            "phone": reveal(self.contact_phone),
            "external_customer_id": reveal(self.external_customer_id),
            "contact_id": self.contact_id,
        }
        is_one = any(value not in (None, "") for value in one.values())
        parameters = reveal(self.parameters)
        if self.contacts is None:
            if not is_one:
                raise InvalidRequest(
                    "Nobody to send the event for: give contacts, contact_email, contact_phone, external_customer_id or "
                    "contact_id."
                )
            if parameters is not None and not isinstance(parameters, Mapping):
                raise InvalidRequest("parameters is not a mapping of name to value.")
            require_parameters(parameters or {})
            return self._one(one, parameters or {})
        if is_one:
            raise InvalidRequest(
                "Give either contacts, or contact_email, contact_phone, external_customer_id and contact_id for one."
            )
        columns = Columns(
            email=self.email_column,
            phone=self.phone_column,
            automation_id=None,
            variables=parameters,
            key=key_columns(self.event_key),
            time=self.event_time or None,
            external_customer_id=self.external_customer_id_column or "",
            contact_id=self.contact_id_column or "",
        )
        return self._source(reveal(self.contacts), columns.key), columns

    def _one(self, one: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[RowSource, Columns]:
        key = self._key_of_one()
        time = self.event_time or None
        missing = [name for name in (*key, *([time] if time else [])) if name not in parameters]
        if missing:
            raise InvalidRequest(f"parameters has no {', '.join(missing)}, which event_key or event_time names.")
        # Under names that no parameter has, so that a parameter may be called as it likes.
        row = {f"contact {name}": value for name, value in one.items()} | {**parameters}
        columns = Columns(
            email="contact email",
            phone="contact phone",
            automation_id=None,
            key=key,
            variables=[*parameters],
            time=time,
            external_customer_id="contact external_customer_id",
            contact_id="contact contact_id",
        )
        return InlineRows([{"variables": row}]), columns


__all__ = ["EsputnikSendEventOperator"]
