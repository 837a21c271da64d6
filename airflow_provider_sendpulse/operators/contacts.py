# SPDX-License-Identifier: Apache-2.0
"""Operators for the contacts of an address book."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.contact_delivery import ContactDelivery
from airflow_provider_sendpulse.jobs.ledger import MemoryLedger
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.operators.task_store import task_ledger
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, people
from airflow_provider_sendpulse.rows.source import RowSource, reading, source_of
from airflow_provider_sendpulse.sendpulse import contacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseAddEmailsOperator(SendPulseRowsOperator):
    """Add contacts with their variables to an address book, and return the counts.

    Contacts that are there already get their variables updated. SendPulse gives no outcome per address: *accepted* means
    that it took them, not that all can be mailed.

    :param address_book_id: the address book (templated)
    :param contacts: a row source such as :class:`~airflow_provider_sendpulse.rows.SqlRows`, a list of addresses, or a
        list of ``{"email": …, "phone": …, "variables": {…}}`` (templated; shows as a count in the UI)
    :param email_column: column of the address in a row source (templated)
    :param phone_column: column of the telephone number; it becomes the variable ``Phone`` (templated)
    :param variables: columns that become variables: a list keeps their names, a mapping (column to variable) renames
        them; every other column when left out (templated)
    :param double_opt_in: ask every contact by mail first, who then enters the book on confirming
    :param sender_email: activated sender of the confirmation message; needed for ``double_opt_in`` (templated)
    :param template_id: template of the confirmation message (templated)
    :param message_lang: language of the confirmation message: ru, en, ua, tr, es or pt (templated)
    :param batch_size: contacts per call
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (
        *SendPulseRowsOperator.template_fields,
        "address_book_id",
        "contacts",
        "email_column",
        "phone_column",
        "variables",
        "sender_email",
        "template_id",
        "message_lang",
    )
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {"contacts": "contacts"}
    operator_extra_links = (SendPulseAddressBookLink(),)

    def __init__(
        self,
        *,
        address_book_id: int | str,
        contacts: RowSource | Sequence[str | Mapping[str, Any]],
        email_column: str = "email",
        phone_column: str = "phone",
        variables: Sequence[str] | Mapping[str, str] | None = None,
        double_opt_in: bool = False,
        sender_email: str | None = None,
        template_id: str | None = None,
        message_lang: str | None = None,
        batch_size: int = 500,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.contacts = contacts
        self.email_column = email_column
        self.phone_column = phone_column
        self.variables = variables
        self.double_opt_in = double_opt_in
        self.sender_email = sender_email
        self.template_id = template_id
        self.message_lang = message_lang
        self.batch_size = batch_size

    def execute(self, context: Context) -> dict[str, int]:
        """Deliver the contacts."""
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        delivery = ContactDelivery(address_book_id, self._consent(), self.batch_size)
        source = source_of(reveal(self.contacts), "contacts")
        columns = Columns(self.email_column, self.phone_column, automation_id=None, variables=self.variables)
        with self._accounted("Contacts", source) as report, self.hook as hook:
            link = hook.settings.address_book_link.replace("{id}", str(address_book_id))
            SendPulseAddressBookLink().push(context, link)
            ledger = task_ledger(context, "opt-in") if self.double_opt_in else MemoryLedger()
            with reading(source) as rows:
                delivery.run(hook, people(rows, columns), ledger, report, SystemClock())
        return report.counts.as_dict()

    def _consent(self) -> contacts.DoubleOptIn | None:
        if not self.double_opt_in:
            return None
        if not self.sender_email:
            raise InvalidRequest("double_opt_in needs sender_email, an activated sender of the account.")
        return contacts.DoubleOptIn(self.sender_email, self.template_id or None, self.message_lang or None)


class SendPulseUpdateVariableOperator(SendPulseOperator):
    """Set variables of one contact of an address book.

    :param address_book_id: the address book (templated)
    :param contact_email: the contact's address (templated; hidden in the UI). It is not called ``email``, because that is
        Airflow's own: where it mails its alerts to.
    :param variables: name to value: text, a number, or a date (templated; shows as a count in the UI)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "contact_email", "variables")
    personal_fields: ClassVar[Mapping[str, str]] = {"contact_email": "address", "variables": "variables"}

    def __init__(
        self, *, address_book_id: int | str, contact_email: str, variables: Mapping[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.contact_email = contact_email
        self.variables = variables

    def execute(self, context: Context) -> None:
        """Update the variables."""
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        email = str(reveal(self.contact_email) or "").strip()
        variables = reveal(self.variables)
        if not email:
            raise InvalidRequest("contact_email is empty.")
        if not isinstance(variables, Mapping):
            raise InvalidRequest("variables is not a mapping of name to value.")
        with self.hook as hook:
            hook.send(contacts.update_variables(address_book_id, email, variables))
        self.log.info("Updated %s of one contact in address book %s.", ", ".join(variables), address_book_id)


__all__ = ["SendPulseAddEmailsOperator", "SendPulseUpdateVariableOperator"]
