# SPDX-License-Identifier: Apache-2.0
"""What the operators for events of both services share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.operators.sending import SendOnceOperator
from airflow_provider_sendpulse.rows.people import key_columns
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, source_of


class EventsOperator(SendOnceOperator):
    """An operator that sends an event for each of many contacts, or for one.

    :param contacts: a row source or a list of mappings, one event each (templated; shows as a count in the UI)
    :param contact_email: address of the one contact, instead of ``contacts`` (templated; hidden in the UI)
    :param contact_phone: telephone number of the one contact (templated; hidden in the UI)
    :param event_time: column of when it happened: a date, or ISO text; without a zone it is in UTC (templated)
    :param max_event_age: skip rows that happened longer ago
    :param min_interval_per_contact: skip rows of contacts that got this event less than that ago; needs ``ledger``
    :param max_events: with more to send, fail and send nothing (templated)
    :param concurrency: requests at once
    :param email_column: column of the address (templated)
    :param phone_column: column of the telephone number (templated)
    """

    template_fields: Collection[str] = (
        *SendOnceOperator.template_fields,
        "contacts",
        "contact_email",
        "contact_phone",
        "event_key",
        "event_time",
        "max_events",
        "email_column",
        "phone_column",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {
        "contacts": "contacts",
        "contact_email": "address",
        "contact_phone": "telephone number",
    }
    noun = "events"

    def __init__(
        self,
        *,
        contacts: RowSource | Sequence[Mapping[str, Any]] | None = None,
        contact_email: str | None = None,
        contact_phone: str | None = None,
        event_key: str | Sequence[str] = (),
        event_time: str | None = None,
        max_event_age: timedelta | None = None,
        min_interval_per_contact: timedelta | None = None,
        max_events: int | str | None = None,
        concurrency: int = 4,
        email_column: str = "email",
        phone_column: str = "phone",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.contact_email = contact_email
        self.contact_phone = contact_phone
        self.event_key = event_key
        self.event_time = event_time
        self.max_event_age = max_event_age
        self.min_interval_per_contact = min_interval_per_contact
        self.max_events = max_events
        self.concurrency = concurrency
        self.email_column = email_column
        self.phone_column = phone_column

    def _check(self) -> None:
        super()._check()
        if (self.max_event_age is None) != (not self.event_time):
            raise InvalidRequest("event_time is the column that max_event_age is about: give both, or neither.")

    def _key_of_one(self) -> list[str]:
        """Return the columns of the one contact's key.

        :raises InvalidRequest: when a ledger would take all events for the contact for one
        """
        key = key_columns(self.event_key)
        if not key and self.ledger is not None:
            raise InvalidRequest(
                'With ledger=, one contact needs an event_key, such as event_key="order_id": without one, the contact '
                "would get this event once in all runs."
            )
        return key

    def _source(self, contacts: Any, key: Sequence[str]) -> RowSource:
        """Return many contacts.

        :raises InvalidRequest: when nothing says which row of a row source is which
        """
        source = source_of(contacts, "contacts")
        if not key and not isinstance(source, InlineRows):
            raise InvalidRequest(
                "contacts is a row source, which may give a row other values the next time: event_key must say which row "
                'is which, such as event_key="cart_id" or event_key="cart_id || step".'
            )
        return source


__all__ = ["EventsOperator"]
