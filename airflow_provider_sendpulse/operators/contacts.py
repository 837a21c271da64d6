# SPDX-License-Identifier: Apache-2.0
"""Operators for the contacts of an address book."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import one_of, whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.contact_delivery import ConfirmedLoad, ContactLoad
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.operators.ledgers import SqlLedger, account_identity, open_ledger
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.operators.task_store import task_position
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import RowSource, source_of
from airflow_provider_sendpulse.sendpulse import contacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseAddEmailsOperator(SendPulseRowsOperator):
    """Add contacts with their variables to an address book, and return the counts.

    Contacts that are there already get their variables updated. SendPulse gives no outcome per address: *accepted* means
    that it took them, not that all can be mailed; ``verify`` finds out.

    With single opt-in, a retry goes on where the try before it has got to, if the source still begins with the same rows
    in the same order (so give a query an ``ORDER BY``), and starts over if not; at most ``concurrency`` times
    ``batch_size`` contacts are sent again, which changes nothing. That needs Airflow 3.3; below, a retry starts over.
    Once the task has succeeded, clearing it loads everything again.

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
    :param batch_size: contacts per call, with single opt-in; when SendPulse refuses that many, fewer are sent. A batch
        that is refused because of some contacts is split until these are alone: about twenty calls for one in 500
    :param concurrency: calls at a time with single opt-in, from 1 to 32, within the request budget of the account
    :param verify: afterwards, wait until the book is unlocked, read it back, and count as rejected who did not arrive or
        cannot be mailed (unsubscribed, say). It takes a call for every contact, or for every hundred of the whole book,
        whichever is fewer. Single opt-in only
    :param ledger: with ``double_opt_in``, Airflow connection of a database that remembers who was asked, so that no run
        asks again for ``ledger_retention``; needed for more than 2,000 contacts, see
        :class:`~airflow_provider_sendpulse.operators.ledgers.SqlLedger` (templated)
    :param ledger_retention: how long it is remembered who was asked
    :param if_in_doubt: whether a contact that an earlier try may have asked is asked again: ``skip`` or ``resend``
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    _skips_what_it_has_sent = True
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
        "ledger",
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
        concurrency: int = 4,
        verify: bool = False,
        ledger: str | SqlLedger | None = None,
        ledger_retention: timedelta = timedelta(days=90),
        if_in_doubt: Literal["skip", "resend"] = "skip",
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
        self.concurrency = concurrency
        self.verify = verify
        self.ledger = ledger
        self.ledger_retention = ledger_retention
        self.if_in_doubt = if_in_doubt

    def execute(self, context: Context) -> dict[str, int]:
        """Deliver the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: for parameters that do not go together, or rows without the columns; nothing was sent
        :raises DeliveryFailed: more rows went wrong than is allowed, or SendPulse refuses whatever it is sent: there is no
            such book, say
        :raises RejectsNotWritten: the delivery went well, and the rejected rows could not be written down
        """
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        clock = SystemClock()
        consent = self._consent()
        ledger_place = SqlLedger.of(self.ledger)
        one_of(self.if_in_doubt, "if_in_doubt", "skip", "resend")
        load = ContactLoad(address_book_id, self.batch_size, self.concurrency, self.verify)
        columns = Columns(self.email_column, self.phone_column, automation_id=None, variables=self.variables)
        source = source_of(reveal(self.contacts), "contacts")
        audience = Audience(source, columns)
        position = task_position(context)
        with self._accounted("Contacts", source) as report, self.hook as hook:
            SendPulseAddressBookLink().push_id(context, hook.settings.address_book_link, address_book_id)
            if consent is not None:
                rules = SendingRules(noun="contacts", if_in_doubt=self.if_in_doubt, before_window=hook.catch_up)
                with open_ledger(
                    context,
                    ledger_place,
                    account=account_identity(hook.settings.account),
                    event=f"double opt-in {address_book_id}",
                    retention=self.ledger_retention,
                    clock=clock,
                ) as ledger:
                    ConfirmedLoad(address_book_id, consent).run(hook, audience, ledger, report, clock, rules)
            else:
                load.run(
                    hook.get_conn(),  # what threads may share: the hook asks Airflow, which only this thread may
                    audience,
                    position,
                    report,
                    clock,
                    account=hook.settings.account.budget_key,
                    catch_up=hook.catch_up,
                )
        # As late as can be: until here another try would go on, from here on it loads everything again.
        position.delete()
        return report.counts.as_dict()

    def _consent(self) -> contacts.DoubleOptIn | None:
        if not self.double_opt_in:
            if self.ledger is not None:
                raise InvalidRequest(
                    "ledger is for double_opt_in, where nobody may be asked twice. With single opt-in a contact that is "
                    "sent again stays as it is: leave ledger out."
                )
            return None
        if self.verify:
            raise InvalidRequest("verify is for single opt-in: with double_opt_in contacts enter the book on confirming.")
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
        """Update the variables.

        :raises InvalidRequest: without an address, or for a value that SendPulse does not take; nothing was sent
        :raises Refused: the contact is not in the book, or there is no such book
        """
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
