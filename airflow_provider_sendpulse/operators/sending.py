# SPDX-License-Identifier: Apache-2.0
"""What the operators share whose rows reach people, each row once: ledger, quiet hours, and how much is moderate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import one_of, optional_number, seconds
from airflow_provider_sendpulse.exceptions import DeadlinePassed, InvalidRequest
from airflow_provider_sendpulse.hooks.service import ServiceHook
from airflow_provider_sendpulse.jobs.database_ledger import DatabaseLedger
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.quiet_hours import QuietHours, QuietNow
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import ContactInterval, SendingRules
from airflow_provider_sendpulse.jobs.waiting import moment
from airflow_provider_sendpulse.operators.ledgers import SqlLedger, account_identity, open_ledger
from airflow_provider_sendpulse.operators.rows import RowsOperator
from airflow_provider_sendpulse.rows.people import Columns, Person, people
from airflow_provider_sendpulse.rows.source import RowSource, reading
from airflow_provider_sendpulse.version_compat import default_deferrable

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

_DEFERRAL_MARGIN = timedelta(minutes=10)

_NAP = 60.0
"""Seconds that are slept at once."""


def slowest(limits: Iterable[Limit]) -> float:
    """Return how many calls a second all of some limits allow."""
    return min(limit.requests / limit.seconds for limit in limits)


class Delivery(Protocol):
    """Sends rows, each at most once."""

    def run(
        self,
        sender: Sender,
        persons: Iterable[Person],
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules,
    ) -> None:
        """Read all rows, then send those that were not sent before."""
        ...


class SendOnceOperator(RowsOperator):
    """An operator that sends each row at most once.

    :param ledger: connection of the database, or an :class:`~airflow_provider_sendpulse.operators.ledgers.SqlLedger`, in
        which is written down what was sent, for all runs. Without it the tries of the task share a ledger in Airflow's task
        state store (Airflow 3.3), for at most 2,000 rows (templated)
    :param ledger_retention: how long a row is remembered in the database
    :param if_in_doubt: what to do about rows that an earlier try or run has begun to send and not recorded: ``skip`` or
        ``resend``
    :param quiet_hours: two times of day between which nothing is sent, such as ``("21:00", "08:00")``; the task goes on
        after them: it reads its rows again, and sends those that it has not sent before (templated)
    :param quiet_hours_timezone: time zone of these; the DAG's when left out (templated)
    :param max_duration: when sending would take longer by the request budget, fail and send nothing
    :param deferrable: wait for the end of quiet hours in the triggerer, without holding a worker
    """

    template_fields: Collection[str] = (*RowsOperator.template_fields, "ledger", "quiet_hours", "quiet_hours_timezone")
    template_ext: Sequence[str] = (".sql",)

    noun: ClassVar[str]
    """What the rows are; ``max_`` and this is the parameter of how many may be sent."""

    concurrency: int = 1
    min_interval_per_contact: timedelta | None = None

    def __init__(
        self,
        *,
        ledger: str | SqlLedger | None = None,
        ledger_retention: timedelta = timedelta(days=90),
        if_in_doubt: Literal["skip", "resend"] = "skip",
        quiet_hours: Sequence[str] | None = None,
        quiet_hours_timezone: str | None = None,
        max_duration: timedelta | None = None,
        deferrable: bool = default_deferrable(),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ledger = ledger
        self.ledger_retention = ledger_retention
        self.if_in_doubt = if_in_doubt
        self.quiet_hours = quiet_hours
        self.quiet_hours_timezone = quiet_hours_timezone
        self.max_duration = max_duration
        self.deferrable = deferrable

    @abstractmethod
    def _subject(self) -> str:
        """Return what is sent, by which the ledger tells it from others.

        :raises InvalidRequest: for what cannot be meant
        """

    @abstractmethod
    def _rows(self) -> tuple[RowSource, Columns]:
        """Return the rows and how they are read.

        :raises InvalidRequest: for what cannot be meant
        """

    @abstractmethod
    def _delivery(self, hook: Any, subject: str) -> Delivery:
        """Return how rows are sent.

        :raises InvalidRequest: for what cannot be meant
        """

    def _title(self, subject: str) -> str:
        """Return what the log calls the delivery."""
        return f"{self.noun.capitalize()} {subject}"

    def _rate(self, hook: Any) -> float:
        """Return how many calls a second the budget allows."""
        return slowest(hook.settings.account.limits)

    def _keep(self) -> None:
        """Keep what answers have told for another try, before the rows of a window are recorded as sent."""

    def _after(self, context: Context, delivery: Delivery) -> None:
        """Hand on what a delivery has learnt; called also when it has failed."""

    def execute(self, context: Context) -> dict[str, int]:
        """Send the rows.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: for parameters that do not go together, rows without the columns, or more to send than is
            allowed; nothing was sent
        :raises DeliveryFailed: more rows went wrong, or are in doubt, than is allowed
        :raises Refused: the service refuses what is not due to a row: there is no such event, say
        :raises ServiceUnavailable: some answers in a row were lost; only these rows are in doubt, a retry sends the others
        :raises DeadlinePassed: quiet hours end after ``execution_timeout``
        :raises RejectsNotWritten: the delivery went well, and the bad rows could not be written down
        """
        return self._run(context)

    def execute_again(self, context: Context, event: Any = None) -> dict[str, int]:
        """Go on after quiet hours."""
        return self._run(context)

    def _run(self, context: Context) -> dict[str, int]:
        subject = self._subject()
        self._check()
        source, columns = self._rows()
        quiet = self._quiet()
        ledger = SqlLedger.of(self.ledger)
        connection: Any = self
        with (
            connection.hook as hook,
            open_ledger(
                context,
                ledger,
                account=account_identity(hook.settings.account),
                event=subject,
                retention=self.ledger_retention,
                clock=_CLOCK,
            ) as opened,
        ):
            while True:
                try:
                    return self._send(context, subject, hook, source, columns, opened, quiet)
                except QuietNow as quiet_now:
                    self._wait(quiet_now.until, opened)

    def _send(
        self,
        context: Context,
        subject: str,
        hook: ServiceHook[Any],
        source: RowSource,
        columns: Columns,
        ledger: Ledger,
        quiet: QuietHours | None,
    ) -> dict[str, int]:
        """Read the rows and send them.

        :raises QuietNow: when quiet hours begin before all are sent
        """
        with self._accounted(self._title(subject), source) as report:
            delivery = self._delivery(hook, subject)
            if quiet is not None:
                quiet.require_awake(_CLOCK.now())
            hook.get_conn()  # here, and not by the first of several threads
            try:
                with reading(source) as rows:
                    delivery.run(hook, people(rows, columns), ledger, report, _CLOCK, self._rules(hook, ledger, quiet))
            finally:
                self._after(context, delivery)
            hook.catch_up()
        return report.counts.as_dict()

    def _rules(self, hook: ServiceHook[Any], ledger: Ledger, quiet: QuietHours | None) -> SendingRules:
        interval = None
        if self.min_interval_per_contact is not None and isinstance(ledger, DatabaseLedger):
            interval = ContactInterval(ledger, self.min_interval_per_contact.total_seconds())

        def before_window() -> None:
            hook.catch_up()
            if quiet is not None:
                quiet.require_awake(_CLOCK.now())

        most = f"max_{self.noun}"
        return SendingRules(
            noun=self.noun,
            concurrency=self.concurrency,
            if_in_doubt=self.if_in_doubt,
            interval=interval,
            max_rows=optional_number(getattr(self, most), most),
            rate=self._rate(hook),
            max_duration=None if self.max_duration is None else self.max_duration.total_seconds(),
            before_window=before_window,
            after_window=self._keep,
        )

    def _wait(self, until: float, ledger: Ledger) -> None:
        """Wait for the end of quiet hours: in the triggerer, if what was sent is known afterwards."""
        self.log.info("Quiet hours: going on at %s.", moment(until))
        left = until - _CLOCK.now()
        if self.deferrable and (ledger.is_lasting or not ledger.size):
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            self.defer(
                trigger=DateTimeTrigger(moment=datetime.fromtimestamp(until, tz=UTC)),
                method_name="execute_again",
                timeout=timedelta(seconds=max(left, 0.0)) + _DEFERRAL_MARGIN,
            )
        if self.execution_timeout is not None and left > self.execution_timeout.total_seconds():
            raise DeadlinePassed(
                f"Quiet hours end at {moment(until)}, which is beyond execution_timeout={self.execution_timeout}. Set "
                "deferrable=True, or let the DAG run at another time."
            )
        while (left := until - _CLOCK.now()) > 0:
            _CLOCK.sleep(min(left, _NAP))

    def _check(self) -> None:
        """Check what does not depend on rows.

        :raises InvalidRequest: for what cannot be meant
        """
        one_of(self.if_in_doubt, "if_in_doubt", "skip", "resend")
        for name in ("max_event_age", "ledger_retention", "min_interval_per_contact", "max_duration"):
            value = getattr(self, name, None)
            if value is not None and (not isinstance(value, timedelta) or seconds(value, name) <= 0):
                raise InvalidRequest(f"{name} is {value!r}; it is a timedelta.")
        if self.min_interval_per_contact is not None:
            if self.ledger is None:
                raise InvalidRequest("min_interval_per_contact needs ledger=: only that knows what other runs have sent.")
            if self.min_interval_per_contact > self.ledger_retention:
                raise InvalidRequest("min_interval_per_contact is longer than ledger_retention remembers.")

    def _quiet(self) -> QuietHours | None:
        if not self.quiet_hours:
            return None
        zone = self.quiet_hours_timezone or getattr(getattr(self, "dag", None), "timezone", None) or "UTC"
        return QuietHours.of(self.quiet_hours, zone)


__all__ = ["Delivery", "SendOnceOperator", "slowest"]
