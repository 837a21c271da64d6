# SPDX-License-Identifier: Apache-2.0
"""What the operators share that deliver rows: where rows come from, and the account of what became of them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import DeliveryFailed, Interrupted, InvalidRequest, RejectsNotWritten
from airflow_provider_sendpulse.hooks.service import ServiceHook
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.pausing import Paused
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.thresholds import Thresholds
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.operators.service import ServiceOperator
from airflow_provider_sendpulse.operators.task_store import task_position
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.bounded import bounded
from airflow_provider_sendpulse.rows.rejects import NoRejects, Rejects, TaskRun
from airflow_provider_sendpulse.rows.rejects_file import RejectsFile
from airflow_provider_sendpulse.rows.rejects_spool import SpooledRejects, reason_of
from airflow_provider_sendpulse.rows.rejects_table import RejectsTable
from airflow_provider_sendpulse.rows.source import RowSource, length_of
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context


class RowsOperator(ServiceOperator):
    """An operator that delivers rows, and returns the counts. A delivery that fails leaves them in the XCom ``counts``.

    :param max_rejected: rows that may go wrong: up to it the task warns, above it fails; no such bound when left out
    :param max_rejected_ratio: share of the rows that may go wrong, of those that were tried (duplicates are not, nor events
        that are skipped): up to it the task warns, above it fails
    :param rejects: where rows go that were invalid, rejected or in doubt, with their addresses: a path or URL that ends in
        ``.csv`` or ``.jsonl``, a :class:`~airflow_provider_sendpulse.rows.RejectsFile`, or a
        :class:`~airflow_provider_sendpulse.rows.RejectsTable` (templated). The XCom ``rejects`` says where they are.
        When left out, the log names the first of them by row number.
    """

    template_fields: Collection[str] = ("rejects",)

    _skips_what_it_has_sent = False
    """Whether skipped rows are only ever those that an earlier try of the same delivery has sent."""

    def __init__(
        self,
        *,
        max_rejected: int | None = None,
        max_rejected_ratio: float = 0.01,
        rejects: str | os.PathLike[str] | RejectsFile | RejectsTable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.rejects: str | os.PathLike[str] | RejectsFile | RejectsTable | None = as_template(rejects)
        self._is_delivering = False

    def on_kill(self) -> None:
        """End the delivery now, so that there is time to write down what became of the rows: Airflow calls this on SIGTERM.

        :raises Interrupted: while a delivery goes on, inside the code that is interrupted
        """
        if self._is_delivering and threading.current_thread() is threading.main_thread():
            raise Interrupted("The task was told to end.")

    @contextlib.contextmanager
    def _accounted(self, noun: str, source: RowSource | None = None) -> Iterator[Report]:
        """Give every row an outcome, bring the bad ones to their place, say the counts last, and judge them.

        :param noun: what the rows are, for the log
        :param source: where rows come from
        :raises DeliveryFailed: when more went wrong than is allowed
        :raises RejectsNotWritten: when the delivery went well and the bad rows could not be written down
        """
        context = get_current_context()
        thresholds = Thresholds(self.max_rejected, self.max_rejected_ratio)
        place = self._place()
        rejects = self._opened(place, context)
        report = Report(rejects, expected=None if source is None else length_of(source))
        trouble: RejectsNotWritten | None = None
        try:
            try:
                self._is_delivering = True
                yield report
                report.finish()
            finally:
                self._is_delivering = False
        except BaseException as error:
            report.abandon()
            trouble = self._closed(rejects)
            if trouble is not None:
                self.log.error("%s", trouble)
            failed = not isinstance(error, Paused)
            self._say(noun, report, place if trouble is None else None, context, failed=failed)
            raise
        trouble = self._closed(rejects)
        failure: DeliveryFailed | None = None
        # Of a later try, what an earlier one has sent is a part: the last row in doubt is not the whole delivery.
        resumed = self._skips_what_it_has_sent or context["ti"].try_number > 1
        try:
            where = None if place is None or trouble else str(place)
            thresholds.conclude(report.counts, noun, where, resumed=resumed)
        except DeliveryFailed as error:
            failure = error
        self._say(noun, report, place if trouble is None else None, context, failed=bool(failure or trouble))
        if failure is not None:
            raise DeliveryFailed(f"{failure} {trouble}") if trouble is not None else failure
        if trouble is not None:
            raise RejectsNotWritten(f"{trouble} The delivery itself has ended ({report.counts}).")

    def _place(self) -> RejectsFile | RejectsTable | None:
        given: Any = self.rejects
        if given is None or isinstance(given, RejectsFile | RejectsTable):
            return given
        if isinstance(given, str | os.PathLike) or hasattr(given, "protocol"):
            return RejectsFile(given)
        raise InvalidRequest(f"rejects is a {type(given).__name__}; it is a path, a RejectsFile or a RejectsTable.")

    def _opened(self, place: RejectsFile | RejectsTable | None, context: Context) -> Rejects:
        if place is None:
            return NoRejects()
        instance: Any = context["ti"]
        run = TaskRun(
            instance.dag_id,
            instance.run_id,
            instance.task_id,
            -1 if instance.map_index is None else int(instance.map_index),
            int(instance.try_number),
        )
        place.prepare(run)
        return SpooledRejects(place, run, place.retention)

    @staticmethod
    def _closed(rejects: Rejects) -> RejectsNotWritten | None:
        try:
            rejects.close()
        except RejectsNotWritten as error:
            return error
        return None

    def _say(
        self, noun: str, report: Report, place: RejectsFile | RejectsTable | None, context: Context, *, failed: bool
    ) -> None:
        pushed: dict[str, Any] = {"counts": report.counts.as_dict()} if failed else {}
        if place is not None and report.counts.bad:
            pushed["rejects"] = str(place)
        for key, value in pushed.items():
            try:
                context["ti"].xcom_push(key=key, value=value)
            except Exception as error:
                # Airflow may have replaced this try already, and what the delivery failed with is more important.
                self.log.warning("The XCom %s could not be pushed: %s", key, reason_of(error))
        self.log.info("%s: %s", noun, report.counts)


class BatchedRowsOperator(RowsOperator):
    """An operator that has something done with many rows in a call, and several calls at a time.

    Doing it again changes nothing. A retry goes on where the try before it has got to, if the source still begins with
    the same rows in the same order, and starts over if not; that needs Airflow 3.3, below it a retry starts over.

    :param concurrency: calls at a time, from 1 to 32, within the request budget of the account
    :param max_contacts: with more rows than that nothing is sent and the task fails, so that a wrong query does not reach
        everybody; no such bound when left out or ``None``. The rows are read once and counted before the first call, and
        those that were counted are sent (templated)
    """

    template_fields: Collection[str] = (*RowsOperator.template_fields, "max_contacts")

    _skips_what_it_has_sent = True

    def __init__(self, *, concurrency: int = 4, max_contacts: int | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.concurrency = concurrency
        self.max_contacts = max_contacts

    def _deliver_batches(
        self,
        context: Context,
        hook: ServiceHook[Any],
        audience: Audience,
        noun: str,
        delivery: Callable[[Sender], BatchedDelivery],
        located: Callable[[Audience], Audience] | None = None,
    ) -> dict[str, int]:
        """Deliver the rows and return the counts.

        :param noun: what the rows are, for the log
        :param delivery: says how, once there is a connection
        :param located: says how the rows are read that may be sent, when they are looked up on the way
        """
        # Not optional_number: a template that renders to nothing must not take the bound away.
        most = None if self.max_contacts is None else whole_number(self.max_contacts, "max_contacts")
        position = task_position(context)
        with (
            self._accounted(noun, audience.source) as report,
            bounded(audience, most, "sent") as counted,
            hook,
        ):
            delivery(hook).run(
                hook.get_conn(),  # what threads may share: the hook asks Airflow, which only this thread may
                counted if located is None else located(counted),
                position,
                report,
                SystemClock(),
                account=hook.settings.account.budget_key,
                catch_up=hook.catch_up,
            )
        # As late as can be: until here another try would go on, from here on it begins again.
        position.delete()
        return report.counts.as_dict()


class SendPulseRowsOperator(RowsOperator, SendPulseOperator):
    """An operator that delivers rows to SendPulse; see :class:`RowsOperator`."""

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, *RowsOperator.template_fields)


__all__ = ["BatchedRowsOperator", "RowsOperator", "SendPulseRowsOperator"]
