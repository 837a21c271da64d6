# SPDX-License-Identifier: Apache-2.0
"""Operators that import many contacts at once."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.arguments import optional_number, seconds, texts
from airflow_provider_sendpulse.esputnik import address_books, uploads
from airflow_provider_sendpulse.esputnik.keys import event_type_key, is_plain
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_ids import LAYOUT, ContactIds
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping
from airflow_provider_sendpulse.jobs.esputnik.file_import import FileImport, which_file
from airflow_provider_sendpulse.jobs.esputnik.import_pace import SETTLE_WINDOW, ImportPace
from airflow_provider_sendpulse.jobs.esputnik.import_request import ImportRequest
from airflow_provider_sendpulse.jobs.esputnik.import_run import SessionsOpen
from airflow_provider_sendpulse.jobs.esputnik.importing import ContactImport, GoingOn
from airflow_provider_sendpulse.jobs.esputnik.recognition import Recognition
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSessions
from airflow_provider_sendpulse.jobs.position import Position, PositionStore
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikOperator, EsputnikRowsOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.operators.task_store import task_file_import, task_import_sessions, task_position
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.output import Output, OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.source import RowSource, source_of
from airflow_provider_sendpulse.rows.storage import as_template
from airflow_provider_sendpulse.triggers.esputnik.imports import EsputnikImportTrigger
from airflow_provider_sendpulse.triggers.events import WaitEvent
from airflow_provider_sendpulse.version_compat import default_deferrable

if TYPE_CHECKING:
    import os

    from airflow.sdk import Context

    from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook

_CLOCK = SystemClock()

_DEFERRAL_MARGIN = timedelta(minutes=10)


class EsputnikImportContactsOperator(EsputnikRowsOperator):
    """Import contacts: add those that are new, update the others, put them into segments, and return the counts.

    eSputnik imports up to 3,000 contacts at a time, in a session that goes on for minutes after it was asked to. The
    operator waits for every session. *Accepted* means that the session has finished and says which contact it has made of
    the row; eSputnik leaves out contacts that were deleted there unless ``restore_deleted`` brings them back, and these
    count as *skipped*.

    **New contacts are confirmed at once**, and get bulk mail. Rows that ``mapping`` marks as not confirmed are not
    imported; they count as invalid, and belong to ``EsputnikSubscribeContactOperator``, with which contacts confirm their
    address.

    What the mapping names is written, and *cleared* where a row has no value; what it does not name stays as it is. Every
    column that it names has to be there, and the additional fields are held against the account's own before anything is
    sent. Only the external id is never cleared: with one in the mapping, rows without a value count as invalid.

    The first row of a contact counts; later rows with its key are duplicates. Sessions may overtake one another, so several
    are under way at a time only when contacts are told apart by one value that can be compared here: ``email``, ``sms``, or
    ``externalCustomerId``. eSputnik looks for contacts that carry an external id by that first, whatever ``dedupe_on``
    says, so then, too, it is one session after the other.

    Sessions are written down when they begin. A retry waits for those of the try before and goes on where that has got to,
    if the source still begins with the same rows in the same order (so give a query an ``ORDER BY``); if not, it starts
    over. That needs Airflow 3.3; below, a retry starts over.

    When the answer to an import is lost, or eSputnik says that it has just received the same, a session may be under way
    that nobody can ask for. Its rows are imported again after ``settle_window``; a retry after a kill waits the same way.
    So two sessions with the same contact are not under way together, and none runs late over newer data or emits an event
    for a new contact a second time, unless eSputnik takes longer than that. Once the task has succeeded, clearing it
    imports everything again.

    The XCom ``sessions`` holds the ids of the sessions, also when the task fails.

    :param contacts: a row source such as :class:`~airflow_provider_sendpulse.rows.SqlRows`, a list of addresses, or a list
        of mappings, a column each (templated; shows as a count in the UI)
    :param mapping: which column is what of a contact: a :class:`ContactMapping`, or its parameters as a mapping, such as
        ``{"email": "email", "first_name": "name"}`` (templated)
    :param dedupe_on: what tells whether a contact is there already: ``email``, ``sms``, ``email_or_sms``,
        ``externalCustomerId``, or ``fieldId`` (templated)
    :param field_id: with ``fieldId``, the id of the additional field that does; ``mapping`` names it too (templated)
    :param group_names: names of static segments that the contacts join; eSputnik makes those that are missing (templated)
    :param group_names_exclude: names of segments that the contacts leave (templated)
    :param restore_deleted: bring back contacts that were deleted in eSputnik
    :param event_key_for_new_contacts: type of an event that eSputnik emits for every contact that is new, which may start
        a scenario: Latin letters and digits (templated)
    :param batch_size: contacts in a session, at most 3,000
    :param concurrency: sessions at a time, from 1 to 10. With ``group_names`` the first one is alone
    :param poll_interval: seconds between two looks at a session
    :param timeout: how long a session may take, in seconds or as a timedelta
    :param settle_window: how long eSputnik may take to carry out an import whose answer was lost, in seconds or as a
        timedelta; nobody documents more than "minutes"
    :param deferrable: when all rows are sent, wait for the last sessions in the triggerer, without holding a worker. Rows
        are then read once more afterwards, to tell what became of each
    :param mapping_output: where to write which contact each key belongs to (``dedupe_value``, ``contact_id``,
        ``session_id``): a path or URL that ends in ``.csv`` or ``.jsonl``, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    _skips_what_it_has_sent = True
    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        "contacts",
        "mapping",
        "dedupe_on",
        "field_id",
        "group_names",
        "group_names_exclude",
        "event_key_for_new_contacts",
        "mapping_output",
    )
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {"contacts": "contacts"}

    def __init__(
        self,
        *,
        contacts: RowSource | Sequence[str | Mapping[str, Any]],
        mapping: ContactMapping | Mapping[str, Any],
        dedupe_on: str = "email",
        field_id: int | str | None = None,
        group_names: Sequence[str] | str = (),
        group_names_exclude: Sequence[str] | str = (),
        restore_deleted: bool = False,
        event_key_for_new_contacts: str | None = None,
        batch_size: int = 3000,
        concurrency: int = 4,
        poll_interval: float | timedelta = 10.0,
        timeout: float | timedelta = timedelta(hours=2),
        settle_window: float | timedelta = SETTLE_WINDOW,
        deferrable: bool = default_deferrable(),
        mapping_output: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.mapping = mapping
        self.dedupe_on = dedupe_on
        self.field_id = field_id
        self.group_names = group_names
        self.group_names_exclude = group_names_exclude
        self.restore_deleted = restore_deleted
        self.event_key_for_new_contacts = event_key_for_new_contacts
        self.batch_size = batch_size
        self.concurrency = concurrency
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.settle_window = settle_window
        self.deferrable = deferrable
        self.mapping_output: str | os.PathLike[str] | OutputFile | OutputTable | None = as_template(mapping_output)

    def execute(self, context: Context) -> dict[str, int]:
        """Import the contacts and wait for every session.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: when the mapping, an additional field or ``dedupe_on`` cannot be meant; nothing was sent
        :raises DeliveryFailed: when eSputnik refused a batch as a whole, or more rows went wrong than is allowed
        :raises ServiceError: when a session ended in an error, or eSputnik lost it: its rows are in doubt, and a retry
            imports them again
        :raises DeadlinePassed: when a session was not over within ``timeout``
        """
        return self._run(context)

    def execute_complete(
        self, context: Context, event: Any, begun: dict[str, Any] | None, kept: dict[str, Any]
    ) -> dict[str, int]:
        """Go on after the wait in the triggerer, whose event says no more than that the sessions are to be looked at."""
        WaitEvent.of(event)
        stores = {"position": task_position(context), "sessions": task_import_sessions(context)}
        for name, store in stores.items():
            # Below Airflow 3.3 nothing else has kept it.
            if store.read() is None and kept.get(name) is not None:
                store.write(kept[name])
        return self._run(context, stores["position"], stores["sessions"], GoingOn(Position.of(begun)))

    def _run(
        self,
        context: Context,
        position: PositionStore | None = None,
        kept_sessions: PositionStore | None = None,
        going_on: GoingOn | None = None,
    ) -> dict[str, int]:
        position = position or task_position(context)
        kept_sessions = kept_sessions or task_import_sessions(context)
        mapping = ContactMapping.of(self.mapping)
        source = source_of(reveal(self.contacts), "contacts")
        audience = Audience(source, mapping.columns())
        output = self._output()
        paused: SessionsOpen | None = None
        with contextlib.closing(ContactIds()) as ids, self.hook as hook:
            job = self._import(hook, mapping)
            account = hook.settings.account.budget_key
            sessions = StartedSessions(kept_sessions, account)
            try:
                with self._accounted("Contacts", source) as report:
                    job.run(
                        hook,
                        audience,
                        position,
                        sessions,
                        report,
                        _CLOCK,
                        account=account,
                        mapped=ids.add if output is not None else None,
                        pause=self.deferrable,
                        going_on=going_on,
                    )
            except SessionsOpen as stop:
                paused = stop
            finally:
                if paused is None:
                    self._tell(context, sessions.ids)
            if paused is None and output is not None:
                written = output.write(LAYOUT, ids.records())
                self.log.info("Wrote the ids of %s contacts to %s.", f"{written:,}", output)
        if paused is not None:
            self._defer(paused, {"position": position.read(), "sessions": kept_sessions.read()})
        # As late as can be: until here another try would go on, from here on it imports everything again.
        position.delete()
        sessions.forget()
        return report.counts.as_dict()

    def _import(self, hook: EsputnikHook, mapping: ContactMapping) -> ContactImport:
        books = hook.send(address_books.read()) if mapping.fields else []
        contacts = mapping.resolved(books)
        recognition = Recognition.of(
            plain_text(self.dedupe_on).strip(), optional_number(self.field_id, "field_id"), contacts
        )
        if recognition.external_id_wins:
            self.log.info(
                "The external id wins: eSputnik looks for contacts that carry one by that first, then by dedupe_on=%s.",
                recognition.dedupe_on,
            )
        request = ImportRequest(
            contacts,
            recognition,
            texts(self.group_names, "group_names"),
            texts(self.group_names_exclude, "group_names_exclude"),
            self.restore_deleted,
            _event_key(self),
        )
        pace = ImportPace(
            self.batch_size,
            self.concurrency,
            seconds(self.poll_interval, "poll_interval"),
            seconds(self.timeout, "timeout"),
            seconds(self.settle_window, "settle_window"),
        )
        return ContactImport(request, pace)

    def _output(self) -> Output | None:
        if self.mapping_output is None:
            return None
        output = output_of(self.mapping_output)
        output.prepare(LAYOUT)
        return output

    def _tell(self, context: Context, ids: list[str]) -> None:
        try:
            context["ti"].xcom_push(key="sessions", value=ids)
        except Exception as error:
            # Airflow may have replaced this try already, and what the import failed with is more important.
            self.log.warning("The XCom sessions could not be pushed (%s).", type(error).__name__)

    def _defer(self, paused: SessionsOpen, kept: dict[str, Any]) -> None:
        self.log.info("All rows are sent; %s import sessions are not over yet.", len(paused.session_ids))
        left = max(paused.deadline - _CLOCK.now(), 0.0)
        self.defer(
            trigger=EsputnikImportTrigger(
                session_ids=paused.session_ids,
                esputnik_conn_id=self.esputnik_conn_id,
                poll_interval=seconds(self.poll_interval, "poll_interval"),
                deadline=paused.deadline,
            ),
            method_name="execute_complete",
            kwargs={"begun": paused.begun.as_dict() if paused.begun else None, "kept": kept},
            # The trigger keeps the deadline itself; this is for a triggerer that does not run at all.
            timeout=timedelta(seconds=left) + _DEFERRAL_MARGIN,
        )


class EsputnikImportFileOperator(EsputnikOperator):
    """Let eSputnik fetch a file of contacts by its URL and import it, and return the id of the import.

    The file is CSV in UTF-8 with commas and a header, at most 100 MB. Columns that it lacks stay as they are. **New
    contacts are confirmed at once**; who has not agreed to be mailed does not belong into the file.

    The import goes on after the task has ended. Nothing documents whether the id that eSputnik returns is that of an import
    session, so nothing waits for it: look in the dashboard, or import rows with
    :class:`EsputnikImportContactsOperator`, which waits.

    The file is imported once by all the tries of the task (Airflow 3.3; below, a retry imports it again). When the answer
    is lost, it is imported again after ``settle_window``, when whatever has come of the first is over. Once the task has
    succeeded, clearing it imports the file again.

    :param link: URL of the file, with user name and password where they are needed; it shows nowhere (templated; hidden in
        the UI)
    :param dedupe_on: what tells whether a contact is there already: ``email``, ``sms``, ``email_or_sms`` or ``id``
        (templated)
    :param group_names: names of static segments that the contacts join; eSputnik makes those that are missing (templated)
    :param group_names_exclude: names of segments that the contacts leave (templated)
    :param restore_deleted: bring back contacts that were deleted in eSputnik
    :param event_key_for_new_contacts: type of an event that eSputnik emits for every contact that is new, which may start
        a scenario: Latin letters and digits (templated)
    :param settle_window: how long eSputnik may take to carry out an import whose answer was lost, in seconds or as a
        timedelta; nobody documents more than "minutes"
    """

    template_fields: Collection[str] = (
        *EsputnikOperator.template_fields,
        "link",
        "dedupe_on",
        "group_names",
        "group_names_exclude",
        "event_key_for_new_contacts",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {"link": "link"}

    def __init__(
        self,
        *,
        link: str,
        dedupe_on: str = "email",
        group_names: Sequence[str] | str = (),
        group_names_exclude: Sequence[str] | str = (),
        restore_deleted: bool = False,
        event_key_for_new_contacts: str | None = None,
        settle_window: float | timedelta = SETTLE_WINDOW,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.link = link
        self.dedupe_on = dedupe_on
        self.group_names = group_names
        self.group_names_exclude = group_names_exclude
        self.restore_deleted = restore_deleted
        self.event_key_for_new_contacts = event_key_for_new_contacts
        self.settle_window = settle_window

    def execute(self, context: Context) -> str:
        """Have the file imported.

        :return: the id of the import
        :raises InvalidRequest: for a link that is no URL, or a ``dedupe_on`` that eSputnik does not take for files
        :raises Refused: when eSputnik cannot fetch or read the file; the message is eSputnik's
        :raises ServiceUnavailable: when two answers were lost; another try imports the file again
        """
        link = plain_text(reveal(self.link)).strip()
        if not link:
            raise InvalidRequest("link is empty. Does the task it comes from return something?")
        call = uploads.start(
            link,
            dedupe_on=plain_text(self.dedupe_on).strip(),
            group_names=texts(self.group_names, "group_names"),
            group_names_exclude=texts(self.group_names_exclude, "group_names_exclude"),
            restore_deleted=self.restore_deleted,
            event_key_for_new_contacts=_event_key(self),
        )
        store = task_file_import(context)
        with self.hook as hook:
            what = which_file(call, hook.settings.account.budget_key)
            upload = FileImport(call, what, seconds(self.settle_window, "settle_window")).run(hook, store, _CLOCK)
        said = redact(upload.message, secrets=call.private, private=call.private)
        self.log.info("Import %s was taken%s. It goes on by itself.", upload.import_id, f": “{said}”" if said else "")
        # As late as can be: until here another try would not import the file again.
        store.delete()
        return upload.import_id


def _event_key(operator: EsputnikImportContactsOperator | EsputnikImportFileOperator) -> str | None:
    key = plain_text(operator.event_key_for_new_contacts).strip() or None
    if key is not None and not is_plain(event_type_key(key)):
        operator.log.warning(
            "event_key_for_new_contacts is %r; eSputnik's manual allows Latin letters and digits only in one place.", key
        )
    return key


__all__ = ["ContactMapping", "EsputnikImportContactsOperator", "EsputnikImportFileOperator"]
