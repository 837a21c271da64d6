# SPDX-License-Identifier: Apache-2.0
"""Operators for single contacts of eSputnik: subscribed, added, updated; and for addresses that are unsubscribed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import NOT_GIVEN, NotGiven, given, one_of, texts
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, contact_id, external_id
from airflow_provider_sendpulse.jobs.esputnik.single_contact import existing, update, upsert
from airflow_provider_sendpulse.jobs.esputnik.subscription import Form, SubscriptionLoad
from airflow_provider_sendpulse.jobs.esputnik.unsubscription import unsubscription
from airflow_provider_sendpulse.jobs.screening import fault_of
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.operators.addresses import AddressesOperator
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikOperator, EsputnikRowsOperator
from airflow_provider_sendpulse.operators.esputnik.contact_data import ContactDataOperator, contacts_of
from airflow_provider_sendpulse.operators.ledgers import SqlLedger, account_identity, open_ledger
from airflow_provider_sendpulse.operators.rows import BatchedRowsOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.cells import NONE
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, people
from airflow_provider_sendpulse.rows.source import InlineRows, Row, RowSource, source_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_sendpulse.esputnik.contact_data import Contact
    from airflow_provider_sendpulse.jobs.sending import Sender


class EsputnikSubscribeContactOperator(ContactDataOperator, EsputnikRowsOperator):
    """Subscribe contacts as a form does, one call each, or just one, and return the counts.

    A new contact is not confirmed: eSputnik asks it to confirm its address (double opt-in), and until then no broadcast
    reaches it. Each of them emits the event ``subscribeFromApi``, or ``subscribeUpdateFromApi`` where the contact is there
    already, which may start a scenario. So a contact is subscribed at most once: across the tries of the task, also when
    it is cleared, and with ``ledger`` across all runs. A contact whose fate is not known is listed, and not sent again
    unless ``if_in_doubt`` says so; that the same request came less than a minute ago (409) counts as accepted.

    What a subscription is, is said by ``form_type``, ``groups`` and ``subscriptions``, and by the contact's address, or its
    telephone number where it has none. Nobody can be made to leave a segment here. For contacts that have agreed already,
    and for many at once, use the import: rows that the mapping's ``confirmed`` marks as agreed are skipped here, as the
    import leaves out the others. Without that column everybody is asked.

    :param contacts: a row source or a list of mappings, a contact each, instead of the parameters of one (templated; shows
        as a count in the UI)
    :param mapping: which column of these is what of a contact: a
        :class:`~airflow_provider_sendpulse.operators.esputnik.contacts.ContactMapping`, or parameter to column (templated)
    :param groups: names of static segments to join; unknown ones are created (templated)
    :param subscriptions: keys of subscription categories (templated)
    :param form_type: what the name of the event ends with, such as ``footer`` in ``subscribeFromApi-footer`` (templated)
    :param ledger: Airflow connection of a database that remembers who was subscribed, so that no run does it again for
        ``ledger_retention``; needed for more than 2,000 contacts, see
        :class:`~airflow_provider_sendpulse.operators.ledgers.SqlLedger` (templated)
    :param ledger_retention: how long it is remembered who was subscribed
    :param if_in_doubt: whether a contact that an earlier try may have subscribed is subscribed again: ``skip`` or
        ``resend``
    :param concurrency: requests at once, from 1 to 20
    :param contact_email, contact_phone, external_customer_id, first_name, last_name, region, town, address, postcode,
        language_code, time_zone, fields: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.contact_data.ContactDataOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        *ContactDataOperator.template_fields,
        "contacts",
        "mapping",
        "groups",
        "subscriptions",
        "form_type",
        "ledger",
    )
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {**ContactDataOperator.personal_fields, "contacts": "contacts"}

    def __init__(
        self,
        *,
        contacts: RowSource | Sequence[Mapping[str, Any]] | None = None,
        mapping: ContactMapping | Mapping[str, Any] | None = None,
        groups: str | Sequence[str] = (),
        subscriptions: str | Sequence[str] = (),
        form_type: str | None = None,
        ledger: str | SqlLedger | None = None,
        ledger_retention: timedelta = timedelta(days=90),
        if_in_doubt: Literal["skip", "resend"] = "skip",
        concurrency: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.mapping = mapping
        self.groups = groups
        self.subscriptions = subscriptions
        self.form_type = form_type
        self.ledger = ledger
        self.ledger_retention = ledger_retention
        self.if_in_doubt = if_in_doubt
        self.concurrency = concurrency

    def execute(self, context: Context) -> dict[str, int]:
        """Subscribe the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt. The XCom ``email_statuses``
            says how many contacts of this try eSputnik has told which status of: ``NEED_CONFIRMATION``, ``SUBSCRIBED``,
            ``ALREADY_SUBSCRIBED``, ``BLACKLISTED``
        :raises InvalidRequest: for a mapping that does not fit the account or the rows; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        one_of(self.if_in_doubt, "if_in_doubt", "skip", "resend")
        form = Form(
            texts(self.groups, "groups"),
            texts(self.subscriptions, "subscriptions"),
            plain_text(self.form_type).strip() or None,
        )
        ledger_place = SqlLedger.of(self.ledger)
        mapping, source = self._rows()
        audience = Audience(source, mapping.columns())
        clock = SystemClock()
        with self._accounted("Contacts to subscribe", source) as report, self.hook as hook:
            load = SubscriptionLoad(contacts_of(hook, mapping), form)
            rules = SendingRules(
                noun="contacts",
                concurrency=self.concurrency,
                if_in_doubt=self.if_in_doubt,
                before_window=hook.catch_up,
            )
            try:
                with open_ledger(
                    context,
                    ledger_place,
                    account=account_identity(hook.settings.account),
                    event=form.identity,
                    retention=self.ledger_retention,
                    clock=clock,
                ) as ledger:
                    hook.get_conn()  # here, and not by the first of several threads
                    load.run(hook, audience, ledger, report, clock, rules)
            finally:
                statuses = load.statuses.as_dict()
                self.log.info("Status of their addresses: %s", statuses or "not told")
            context["ti"].xcom_push(key="email_statuses", value=statuses)
        return report.counts.as_dict()

    def _rows(self) -> tuple[ContactMapping, RowSource]:
        given, row = self._given()
        if self.contacts is None:
            if self.mapping is not None:
                raise InvalidRequest("mapping is about contacts: give both, or neither.")
            return given, InlineRows([row])
        if row:
            raise InvalidRequest("Give either contacts, or contact_email, contact_phone and what else is known of one.")
        if self.mapping is None:
            raise InvalidRequest("contacts needs a mapping, which says what column is what of a contact.")
        return ContactMapping.of(self.mapping), source_of(reveal(self.contacts), "contacts")


class EsputnikUpsertContactOperator(ContactDataOperator, EsputnikOperator):
    """Add one contact, or update the one that is there, and return its id. It needs an address or a telephone number.

    The contact is confirmed at once, and no event tells of it: for somebody who has yet to agree, subscribe. A contact with
    the same external id counts as the same, also a deleted one, which comes back; without one, that of the same address.
    Doing it again changes nothing; that the same request came less than a minute ago (409) is fine, and where the contact
    was changed in between, it is written again a minute later.

    An address that is given is written as the contact's only one, and a telephone number as its only one: whether a second
    one stays, eSputnik does not document. ``EsputnikUpdateContactOperator`` keeps it.

    :param contact_email, contact_phone, external_customer_id, first_name, last_name, region, town, address, postcode,
        language_code, time_zone, fields: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.contact_data.ContactDataOperator`
    """

    template_fields: Collection[str] = (*EsputnikOperator.template_fields, *ContactDataOperator.template_fields)

    def execute(self, context: Context) -> int | None:
        """Write the contact.

        :return: the contact's id; nothing when the same contact was written less than a minute ago, and a search shows
            none or several of it
        :raises InvalidRequest: without address and telephone number, or for a field that the account does not have
        :raises Refused: eSputnik does not take the contact
        :raises Throttled: it still counts as a repeat after minutes, and the contact is not as it says
        """
        mapping, row = self._given()
        columns = mapping.columns()
        with self.hook as hook:
            found = upsert(hook, _contact(hook, mapping, columns, row), SystemClock())
        self.log.info("Wrote contact %s.", found or "without a known id")
        return found


class EsputnikUpdateContactOperator(ContactDataOperator, EsputnikOperator):
    """Update one contact that is there, and return its id. It never adds one, and no event tells of it.

    The contact is found by ``find_by``; everything else that is given is written. Its channels go along as they were read
    directly before, push tokens and their devices among them: an address that is given takes the place of its addresses
    unless it is one of them, a telephone number that of its numbers, and no other channel is lost, unless it comes to the
    contact between that reading and the update. Doing it again changes nothing; where the same update came less than a
    minute ago (409) and the contact was changed in between, it is made again a minute later.

    :param find_by: which parameter says which contact is meant: ``contact_id``, ``external_customer_id``, ``email`` or
        ``phone``; the first of these that is given when left out. When that turns out to be nothing, nobody is updated
    :param contact_id: eSputnik's id of the contact (templated)
    :param contact_email, contact_phone, external_customer_id, first_name, last_name, region, town, address, postcode,
        language_code, time_zone, fields: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.contact_data.ContactDataOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikOperator.template_fields,
        *ContactDataOperator.template_fields,
        "contact_id",
    )

    def __init__(
        self,
        *,
        find_by: Literal["contact_id", "external_customer_id", "email", "phone"] | None = None,
        contact_id: int | str | NotGiven | None = NOT_GIVEN,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.find_by = find_by
        self.contact_id = given(contact_id)
        if contact_id is not NOT_GIVEN:
            self._known_by.insert(0, "contact_id")

    def execute(self, context: Context) -> int:
        """Find the contact and update it.

        :return: the contact's id
        :raises InvalidRequest: nobody is found, or more than one; there is nothing to write, or a field that the account
            does not have; the contact has no channel, and none is given. Nothing was updated
        :raises Refused: there is no contact of that id, or eSputnik does not take what is to be written
        :raises Throttled: it still counts as a repeat after minutes, and the contact is not as it says
        """
        by, value = self._meant()
        mapping, row = self._given()
        member = {By.EXTERNAL_CUSTOMER_ID: "external_customer_id", By.EMAIL: "email", By.PHONE: "sms"}.get(by)
        if not row.keys() - {member}:
            raise InvalidRequest("Nothing to write: give more of the contact than what it is found by.")
        with self.hook as hook:
            wanted = _contact(hook, mapping, mapping.columns(needs_channel=False), row)
            there = existing(hook, by, value)
            # What it is found by it has already.
            kept = tuple(channel for channel in wanted.channels if channel.type != member)
            found = update(hook, there, replace(wanted, channels=kept), SystemClock())
        self.log.info("Updated contact %s.", found)
        return found

    def _meant(self) -> tuple[By, str]:
        parameters = {
            By.CONTACT_ID: "contact_id",
            By.EXTERNAL_CUSTOMER_ID: "external_customer_id",
            By.EMAIL: "contact_email",
            By.PHONE: "contact_phone",
        }
        # Not the first that has a value: the others may be somebody else's.
        by = next((one for one, name in parameters.items() if name in self._known_by), None)
        if self.find_by is not None:
            by = By.of(self.find_by, "find_by")
        value = None if by is None else reveal(getattr(self, parameters[by]))
        text = plain_text(value).strip()
        if by is None or text in ("", NONE):
            raise InvalidRequest(
                f"What the contact is to be found by is empty{f': {by}' if by else ''}. Does the task it comes from return "
                "something?"
            )
        if by is By.CONTACT_ID:
            return by, str(contact_id(text))
        return by, external_id(value) if by is By.EXTERNAL_CUSTOMER_ID else text


class EsputnikUnsubscribeContactsOperator(BatchedRowsOperator, AddressesOperator, EsputnikRowsOperator):
    """Unsubscribe addresses, so that they get no e-mail any more, and return the counts.

    It is about addresses, known ones or not: other channels of a contact, and its segments, stay as they are.

    :param batch_size: addresses per call; when eSputnik refuses that many, fewer are sent
    :param contacts, email_column: see :class:`~airflow_provider_sendpulse.operators.addresses.AddressesOperator`
    :param concurrency, max_contacts: see :class:`~airflow_provider_sendpulse.operators.rows.BatchedRowsOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        *AddressesOperator.template_fields,
        "max_contacts",
    )

    def __init__(self, *, batch_size: int = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_size = batch_size

    def execute(self, context: Context) -> dict[str, int]:
        """Unsubscribe the addresses.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: there are more rows than ``max_contacts``; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        delivery = unsubscription(self.batch_size, self.concurrency)
        return self._deliver_batches(context, self.hook, self._audience(), "Addresses to unsubscribe", lambda _: delivery)


def _contact(sender: Sender, mapping: ContactMapping, columns: Columns, row: Row) -> Contact:
    """Return a contact of the one row that a mapping fits.

    :raises InvalidRequest: for an address or a telephone number that is none, or a value that cannot be sent
    """
    [person] = people([row], columns)
    if fault := person.fault or fault_of(person, reached=False):
        raise InvalidRequest(f"The contact cannot be written: {fault}.")
    return contacts_of(sender, mapping).contact(person)


__all__ = [
    "ContactMapping",
    "EsputnikSubscribeContactOperator",
    "EsputnikUnsubscribeContactsOperator",
    "EsputnikUpdateContactOperator",
    "EsputnikUpsertContactOperator",
]
