# SPDX-License-Identifier: Apache-2.0
"""What the operators share that write one contact: what is known of it, a parameter each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from airflow_provider_sendpulse.arguments import NOT_GIVEN, NotGiven, given
from airflow_provider_sendpulse.esputnik import address_books
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping, Contacts
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.operators.service import ServiceOperator
from airflow_provider_sendpulse.rows.cells import NONE
from airflow_provider_sendpulse.rows.confidential import reveal

_NAMES = {
    "contact_email": "email",
    "contact_phone": "sms",
    "external_customer_id": "external_customer_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "region": "region",
    "town": "town",
    "address": "address",
    "postcode": "postcode",
    "language_code": "language_code",
    "time_zone": "time_zone",
}
"""Parameter to what a mapping calls it."""


class ContactDataOperator(ServiceOperator):
    """An operator that writes one contact. What is left out, or blank, stays as it is.

    A template that renders ``None`` fails the task: that would be written as a word. What is written into the DAG file is
    in Airflow's database with it: let personal data come from another task, or from a Variable by a template.

    (The parameters are not called ``email`` and ``phone``, because ``email`` is Airflow's own: where it mails its alerts
    to, which is often set in ``default_args``.)

    :param contact_email: the contact's address (templated; hidden in the UI)
    :param contact_phone: the contact's telephone number, in international format (templated; hidden in the UI)
    :param external_customer_id: your own id of the contact, by which eSputnik looks for it first (templated; hidden in the
        UI)
    :param first_name, last_name: the contact's name, at most 40 characters each (templated; hidden in the UI)
    :param region, town, address, postcode: the postal address (templated; hidden in the UI)
    :param language_code: the contact's language, such as ``en`` or ``de-AT`` (templated)
    :param time_zone: the contact's time zone, such as ``Europe/Kyiv`` (templated)
    :param fields: additional field to value: text, a number, or a date; a field is named by its id, by its key, as
        ``group key.field key``, or by its name, and the account has to have it (templated; shows as a count in the UI)
    """

    template_fields: Collection[str] = (*_NAMES, "fields")
    personal_fields: ClassVar[Mapping[str, str]] = {
        "contact_email": "address",
        "contact_phone": "telephone number",
        "external_customer_id": "external id",
        "first_name": "name",
        "last_name": "name",
        "region": "region",
        "town": "town",
        "address": "postal address",
        "postcode": "postcode",
        "fields": "fields",
    }

    def __init__(
        self,
        *,
        contact_email: str | NotGiven | None = NOT_GIVEN,
        contact_phone: str | NotGiven | None = NOT_GIVEN,
        external_customer_id: str | int | NotGiven | None = NOT_GIVEN,
        first_name: str | None = None,
        last_name: str | None = None,
        region: str | None = None,
        town: str | None = None,
        address: str | None = None,
        postcode: str | int | None = None,
        language_code: str | None = None,
        time_zone: str | None = None,
        fields: Mapping[int | str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contact_email = given(contact_email)
        self.contact_phone = given(contact_phone)
        self.external_customer_id = given(external_customer_id)
        known_by = {
            "external_customer_id": external_customer_id,
            "contact_email": contact_email,
            "contact_phone": contact_phone,
        }
        # What renders to nothing, or is mapped to nothing, was meant to say who it is.
        self._known_by = [name for name, value in known_by.items() if value is not NOT_GIVEN]
        self.first_name = first_name
        self.last_name = last_name
        self.region = region
        self.town = town
        self.address = address
        self.postcode = postcode
        self.language_code = language_code
        self.time_zone = time_zone
        self.fields = fields

    def _given(self) -> tuple[ContactMapping, dict[str, Any]]:
        """Return what is known of the contact: a mapping, and the row that it fits.

        :raises InvalidRequest: for additional fields that are none, and for the word that a template makes of nothing
        """
        fields = reveal(self.fields)
        if fields is not None and not isinstance(fields, Mapping):
            raise InvalidRequest("fields is not a mapping of additional field to value.")
        values = {name: reveal(getattr(self, name)) for name in _NAMES}
        for name, value in (*values.items(), *(("fields", value) for value in (fields or {}).values())):
            if isinstance(value, str) and value.strip() == NONE:
                raise InvalidRequest(f"{name} is the word {NONE!r}. Does the task it comes from return something?")
        return ContactMapping.of_values({_NAMES[name]: value for name, value in values.items()}, fields or {})


def contacts_of(sender: Sender, mapping: ContactMapping) -> Contacts:
    """Return how contacts are made of rows; the account's additional fields are only read where some are written.

    :raises InvalidRequest: for a field that the account does not have, has twice, or does not let anybody write
    """
    books = sender.send(address_books.read()) if mapping.fields else []
    return mapping.resolved(books)


__all__ = ["ContactDataOperator", "contacts_of"]
