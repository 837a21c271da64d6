# SPDX-License-Identifier: Apache-2.0
"""Operators for eSputnik's messages to single contacts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.jobs.esputnik.message_sending import REQUEST_IDS, MessageDelivery
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikRowsOperator
from airflow_provider_sendpulse.operators.sending import SendOnceOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.operators.task_store import task_request_ids
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.people import Columns, key_columns
from airflow_provider_sendpulse.rows.rejects_spool import reason_of
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, source_of
from airflow_provider_sendpulse.rows.spool import Spool
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_sendpulse.jobs.position import PositionStore

MOST_PUSHED = 1000
"""Request ids that go into XCom: about 40 KB, and the task state store complains above 64 KB."""

_LANGUAGE = "the language of the row"
"""What the language is called among a row's values; parameters have other names."""


class EsputnikSendMessageOperator(SendOnceOperator, EsputnikRowsOperator):
    """Send a prepared message to the contacts of rows, each row once, and return the counts.

    The message goes out within seconds, and eSputnik does not recognise a repeat. So a row is sent at most once: across the
    tries of the task, also when it is cleared, and with ``ledger`` across all runs, also those at the same time. A row
    whose fate is not known is listed as in doubt, and not sent again unless ``if_in_doubt`` says so. When the answer to
    a call is lost, all of its rows are in doubt: that is the price of a large ``per_call``.

    A row names its contact by eSputnik's id, by your own id or by its address (for an SMS: its number); the first of these
    that it has counts. **An address or number that eSputnik does not know becomes a confirmed contact, without a word.**
    ``create_contacts=False`` looks for each of them first, with a request a row, and skips those that are not there: when
    all rows are read and the query is closed, and before the first message is sent. Rows that were sent before are not
    looked up, and skipped ones do not count for ``max_messages`` and are not in the ledger. Whoever is erased between the
    look and the message becomes a contact again.

    Every recipient has an outcome of its own: accepted, or rejected with eSputnik's reason. Accepted is not yet delivered:
    the XCom ``request_ids`` holds what
    :class:`~airflow_provider_sendpulse.sensors.esputnik.messages.EsputnikMessageSensor` waits for, of the first thousand
    messages that this task has sent in its run. With Airflow 3.3 all its tries count: the ids are kept in the task state
    store before a window of rows is recorded as sent, so a retry after a kill, and the task when it is cleared, hand on
    those of rows that they skip. Below, they are those of this try. A message whose answer was lost has no id, and those of
    another run are its own. Every message carries the row's ``row_key`` of the ledger as ``externalRequestId``, by which it
    is found in the account's activity.

    What a row *is* is said by ``row_key``, together with the message. A list may do without: a row is then its contact,
    however the address or number is spelled, and all its parameters.

    :param message_id: the prepared message (templated)
    :param contacts: a row source, or a list of addresses or mappings, one recipient each (templated; shows as a count in
        the UI)
    :param row_key: what says which row it is: a column, columns joined as in ``cart_id || step``, or a list of columns; a
        row source needs it (templated)
    :param parameters: columns that the message reads with ``$!data.get('name')``: a list keeps their names, a mapping
        (column to name) renames them, all others when left out (templated)
    :param is_email: whether the message is an e-mail; another channel, such as an SMS, otherwise
    :param from_name: another sender's name, or the alpha name of an SMS (templated)
    :param language_code: language of the message, such as ``uk``, for rows that name none (templated)
    :param language_column: column of the language (templated)
    :param create_contacts: whether unknown addresses may become confirmed contacts
    :param per_call: recipients in a request, up to 1000. With a column of ids a row goes alone: eSputnik's answer tells
        recipients by their addresses
    :param request_ids: where to write the request id of every accepted message, with the row that it is for: a path or URL
        that ends in ``.csv`` or ``.jsonl``, an :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable`. A file holds those of the last try, a table those of all
        tries that were not killed (templated)
    :param min_interval_per_contact: skip rows of contacts that got this message less than that ago; needs ``ledger``
    :param max_messages: with more to send, fail and send nothing (templated)
    :param concurrency: requests at once
    :param email_column: column of the address (templated)
    :param phone_column: column of the telephone number (templated)
    :param external_customer_id_column: column of your own id of the contact (templated)
    :param contact_id_column: column of eSputnik's id of the contact (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        *SendOnceOperator.template_fields,
        "message_id",
        "contacts",
        "row_key",
        "parameters",
        "from_name",
        "language_code",
        "language_column",
        "request_ids",
        "max_messages",
        "email_column",
        "phone_column",
        "external_customer_id_column",
        "contact_id_column",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {"contacts": "contacts"}
    noun = "messages"

    _accepted: Spool
    _kept: PositionStore

    def __init__(
        self,
        *,
        message_id: int | str,
        contacts: RowSource | Sequence[str | Mapping[str, Any]] | None,
        row_key: str | Sequence[str] = (),
        parameters: Mapping[str, str] | Sequence[str] | None = None,
        is_email: bool = True,
        from_name: str | None = None,
        language_code: str | None = None,
        language_column: str | None = None,
        create_contacts: bool = True,
        per_call: int = 20,
        request_ids: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        min_interval_per_contact: timedelta | None = None,
        max_messages: int | str | None = None,
        concurrency: int = 1,
        email_column: str = "email",
        phone_column: str = "phone",
        external_customer_id_column: str | None = None,
        contact_id_column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.message_id = message_id
        self.contacts = contacts
        self.row_key = row_key
        self.parameters = parameters
        self.is_email = is_email
        self.from_name = from_name
        self.language_code = language_code
        self.language_column = language_column
        self.create_contacts = create_contacts
        self.per_call = per_call
        self.request_ids: str | os.PathLike[str] | OutputFile | OutputTable | None = as_template(request_ids)
        self.min_interval_per_contact = min_interval_per_contact
        self.max_messages = max_messages
        self.concurrency = concurrency
        self.email_column = email_column
        self.phone_column = phone_column
        self.external_customer_id_column = external_customer_id_column
        self.contact_id_column = contact_id_column
        self._pushed: list[str] = []
        self._known = 0

    def execute(self, context: Context) -> dict[str, int]:
        """Send the messages.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: when the request ids cannot be written to where ``request_ids`` says; nothing is sent then
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        if self.request_ids is not None:
            output_of(self.request_ids, "request_ids").prepare(REQUEST_IDS)
        return super().execute(context)

    def _subject(self) -> str:
        return f"message {whole_number(self.message_id, 'message_id')}"

    def _title(self, subject: str) -> str:
        return subject.capitalize()

    def _run(self, context: Context) -> dict[str, int]:
        self._kept = task_request_ids(context)
        self._pushed = [*(self._kept.read() or {}).get("request_ids", ())]
        self._known = len(self._pushed)
        with contextlib.closing(Spool()) as self._accepted:
            return super()._run(context)

    def _delivery(self, hook: EsputnikHook, subject: str) -> MessageDelivery:
        return MessageDelivery(
            whole_number(self.message_id, "message_id"),
            is_email=self.is_email,
            from_name=plain_text(self.from_name).strip() or None,
            language_code=plain_text(self.language_code).strip() or None,
            language_value=self._language_value,
            per_call=self.per_call,
            create_contacts=self.create_contacts,
            by_id=bool(self.external_customer_id_column or self.contact_id_column),
            accept=self._accept,
        )

    @property
    def _language_value(self) -> str | None:
        if not self.language_column:
            return None
        return self.language_column if self.parameters is None else _LANGUAGE

    def _accept(self, record: Mapping[str, Any]) -> None:
        if len(self._pushed) < MOST_PUSHED:
            self._pushed.append(record["request_id"])
        if self.request_ids is not None:
            self._accepted.add(dict(record))

    def _keep(self) -> None:
        if len(self._pushed) == self._known:
            return
        try:
            self._kept.write({"request_ids": self._pushed})
        except Exception as error:
            # The messages are on their way, and the next window writes these ids as well.
            self.log.warning("The request ids could not be kept for another try: %s", type(error).__name__)
        else:
            self._known = len(self._pushed)

    def _after(self, context: Context, delivery: Any) -> None:
        """Hand on the request ids. What has been sent stays so when that does not work."""
        context["ti"].xcom_push(key="request_ids", value=self._pushed)
        if self.request_ids is None:
            return
        place = output_of(self.request_ids, "request_ids")
        self._accepted.flush()
        try:
            written = place.write(REQUEST_IDS, self._accepted)
        except Exception as error:
            # The messages are on their way: neither a failed task nor another try would bring the ids back.
            self.log.error("The request ids could not be written to %s: %s", place, reason_of(error))
        else:
            self.log.info("%s request ids are in %s.", f"{written:,}", place)

    def _rows(self) -> tuple[RowSource, Columns]:
        contacts = reveal(self.contacts)
        if contacts is None:
            raise InvalidRequest("contacts is empty. Does the task it comes from return something?")
        source = source_of(contacts, "contacts")
        key = key_columns(self.row_key, "row_key")
        if not key and not isinstance(source, InlineRows):
            raise InvalidRequest(
                "contacts is a row source, which may give a row other values the next time: row_key must say which row is "
                'which, such as row_key="order_id" or row_key="cart_id || step".'
            )
        variables = self.parameters
        if variables is not None and self.language_column:
            names = variables if isinstance(variables, Mapping) else {name: name for name in variables}
            variables = {**names, self.language_column: _LANGUAGE}
        columns = Columns(
            email=self.email_column,
            phone=self.phone_column,
            automation_id=None,
            key=key,
            variables=variables,
            external_customer_id=self.external_customer_id_column or "",
            contact_id=self.contact_id_column or "",
        )
        return source, columns


__all__ = ["EsputnikSendMessageOperator"]
