# SPDX-License-Identifier: Apache-2.0
"""Operators for Automation 360 events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import one_of, optional_number, seconds
from airflow_provider_sendpulse.exceptions import DeadlinePassed, InvalidRequest
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.database_ledger import DatabaseLedger
from airflow_provider_sendpulse.jobs.event_delivery import KEY_VARIABLE, EventDelivery
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.quiet_hours import QuietHours, QuietNow
from airflow_provider_sendpulse.jobs.sending_rules import ContactInterval, SendingRules
from airflow_provider_sendpulse.jobs.waiting import moment
from airflow_provider_sendpulse.operators.ledgers import SqlLedger, account_identity, open_ledger
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns, key_columns, people
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, reading, source_of
from airflow_provider_sendpulse.sendpulse.events import RESERVED
from airflow_provider_sendpulse.version_compat import default_deferrable

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

_DEFERRAL_MARGIN = timedelta(minutes=10)

_NAP = 60.0
"""Seconds that are slept at once."""


class SendPulseSendEventOperator(SendPulseRowsOperator):
    """Send an Automation 360 event for many contacts, or for one, and return the counts.

    Every event starts or stops flows, and SendPulse does not recognise a repeat. So a row is sent at most once: across the
    tries of the task, also when it is cleared, and with ``ledger`` across all runs, also those at the same time. All rows
    are read before any is sent. A row whose fate is not known is listed, and not sent again unless ``if_in_doubt`` says so.

    What a row *is* is said by ``event_key``, together with the flow that it is for, where there is one.
    A list may do without: a row is then all its values, so values that change with every try (the time of day) make it
    another row. The one contact may too, unless ``ledger`` is given: it is then the contact, whatever the variables are.

    (The one contact's parameters are not called ``email`` and ``phone``, because ``email`` is Airflow's own: where it mails
    its alerts to, which is often set in ``default_args``.)

    The event goes to the hash URL of that name in the connection's ``event_urls``, and by name where it has none.

    :param event_name: name of the event, or of a hash URL in the connection (templated)
    :param contacts: a row source or a list of mappings, one event each (templated; shows as a count in the UI)
    :param contact_email: address of the one contact, instead of ``contacts`` (templated; hidden in the UI)
    :param contact_phone: telephone number of the one contact (templated; hidden in the UI)
    :param variables: with ``contacts``, the columns that become variables, as in
        :class:`~airflow_provider_sendpulse.operators.contacts.SendPulseAddEmailsOperator`; for one contact, name to value
        (templated; shows as a count in the UI)
    :param automation_id: the one flow that the event is for; a column of that name wins for its row (templated)
    :param event_key: what says which row it is: a column, columns joined as in ``cart_id || step``, or a list of columns;
        a row source needs it. For the one contact, names of ``variables`` (templated)
    :param key_variable: variable in which the key goes along, so that a flow can tell duplicates; ``None`` leaves it out
        (templated)
    :param event_time: column of when it happened: a date, or ISO text; without a zone it is in UTC (templated)
    :param max_event_age: skip rows that happened longer ago
    :param ledger: connection of the database, or an :class:`~airflow_provider_sendpulse.operators.ledgers.SqlLedger`, in
        which is written down what was sent, for all runs. Without it the tries of the task share a ledger in Airflow's task
        state store (Airflow 3.3), for at most 2,000 rows (templated)
    :param ledger_retention: how long a row is remembered in the database
    :param if_in_doubt: what to do about rows that an earlier try or run has begun to send and not recorded: ``skip`` or
        ``resend``
    :param min_interval_per_contact: skip rows of contacts that got this event less than that ago; needs ``ledger``
    :param quiet_hours: two times of day between which nothing is sent, such as ``("21:00", "08:00")``; the task goes on
        after them: it reads its rows again, and sends those that it has not sent before (templated)
    :param quiet_hours_timezone: time zone of these; the DAG's when left out (templated)
    :param max_events: with more to send, fail and send nothing (templated)
    :param max_duration: when sending would take longer by the request budget, fail and send nothing
    :param concurrency: requests at once
    :param email_column: column of the address (templated)
    :param phone_column: column of the telephone number (templated)
    :param automation_id_column: column of the flow's id (templated)
    :param form: send a form instead of JSON to a hash URL; every value becomes text
    :param deferrable: wait for the end of quiet hours in the triggerer, without holding a worker
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (
        *SendPulseRowsOperator.template_fields,
        "event_name",
        "contacts",
        "contact_email",
        "contact_phone",
        "variables",
        "automation_id",
        "event_key",
        "key_variable",
        "event_time",
        "ledger",
        "quiet_hours",
        "quiet_hours_timezone",
        "max_events",
        "email_column",
        "phone_column",
        "automation_id_column",
    )
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {
        "contacts": "contacts",
        "contact_email": "address",
        "contact_phone": "telephone number",
        "variables": "variables",
    }

    def __init__(
        self,
        *,
        event_name: str,
        contacts: RowSource | Sequence[Mapping[str, Any]] | None = None,
        contact_email: str | None = None,
        contact_phone: str | None = None,
        variables: Mapping[str, Any] | Sequence[str] | None = None,
        automation_id: int | str | None = None,
        event_key: str | Sequence[str] = (),
        key_variable: str | None = KEY_VARIABLE,
        event_time: str | None = None,
        max_event_age: timedelta | None = None,
        ledger: str | SqlLedger | None = None,
        ledger_retention: timedelta = timedelta(days=90),
        if_in_doubt: Literal["skip", "resend"] = "skip",
        min_interval_per_contact: timedelta | None = None,
        quiet_hours: Sequence[str] | None = None,
        quiet_hours_timezone: str | None = None,
        max_events: int | str | None = None,
        max_duration: timedelta | None = None,
        concurrency: int = 4,
        email_column: str = "email",
        phone_column: str = "phone",
        automation_id_column: str = "automation_id",
        form: bool = False,
        deferrable: bool = default_deferrable(),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.event_name = event_name
        self.contacts = contacts
        self.contact_email = contact_email
        self.contact_phone = contact_phone
        self.variables = variables
        self.automation_id = automation_id
        self.event_key = event_key
        self.key_variable = key_variable
        self.event_time = event_time
        self.max_event_age = max_event_age
        self.ledger = ledger
        self.ledger_retention = ledger_retention
        self.if_in_doubt = if_in_doubt
        self.min_interval_per_contact = min_interval_per_contact
        self.quiet_hours = quiet_hours
        self.quiet_hours_timezone = quiet_hours_timezone
        self.max_events = max_events
        self.max_duration = max_duration
        self.concurrency = concurrency
        self.email_column = email_column
        self.phone_column = phone_column
        self.automation_id_column = automation_id_column
        self.form = form
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, int]:
        """Send the events.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        """
        return self._run(context)

    def execute_again(self, context: Context, event: Any = None) -> dict[str, int]:
        """Go on after quiet hours."""
        return self._run(context)

    def _run(self, context: Context) -> dict[str, int]:
        name = str(self.event_name or "").strip()
        if not name:
            raise InvalidRequest("event_name is empty.")
        self._check()
        source, columns = self._rows()
        quiet = self._quiet()
        ledger = SqlLedger.of(self.ledger)
        with (
            self.hook as hook,
            open_ledger(
                context,
                ledger,
                account=account_identity(hook.settings.account),
                event=name,
                retention=self.ledger_retention,
                clock=_CLOCK,
            ) as opened,
        ):
            while True:
                try:
                    return self._send(name, hook, source, columns, opened, quiet)
                except QuietNow as quiet_now:
                    self._wait(quiet_now.until, opened)

    def _send(
        self,
        name: str,
        hook: SendPulseHook,
        source: RowSource,
        columns: Columns,
        ledger: Ledger,
        quiet: QuietHours | None,
    ) -> dict[str, int]:
        """Read the rows and send them.

        :raises QuietNow: when quiet hours begin before all are sent
        """
        with self._accounted(f"Events {name}", source) as report:
            url = hook.settings.event_urls.get(name)
            if self.form and url is None:
                raise InvalidRequest(f"form=True sends to a hash URL, and the connection's event_urls has no {name!r}.")
            delivery = EventDelivery(
                name,
                url,
                self.form,
                optional_number(self.automation_id, "automation_id"),
                key_variable=str(self.key_variable).strip() if self.key_variable else None,
                max_age=self.max_event_age,
                by_contact=self.contacts is None,
            )
            if quiet is not None:
                quiet.require_awake(_CLOCK.now())
            hook.get_conn()  # here, and not by the first of several threads
            with reading(source) as rows:
                delivery.run(hook, people(rows, columns), ledger, report, _CLOCK, self._rules(hook, ledger, quiet))
            hook.catch_up()
        return report.counts.as_dict()

    def _rules(self, hook: SendPulseHook, ledger: Ledger, quiet: QuietHours | None) -> SendingRules:
        interval = None
        if self.min_interval_per_contact is not None and isinstance(ledger, DatabaseLedger):
            interval = ContactInterval(ledger, self.min_interval_per_contact.total_seconds())
        limits = hook.settings.account.limits

        def before_window() -> None:
            hook.catch_up()
            if quiet is not None:
                quiet.require_awake(_CLOCK.now())

        return SendingRules(
            noun="events",
            concurrency=self.concurrency,
            if_in_doubt=self.if_in_doubt,
            interval=interval,
            max_rows=optional_number(self.max_events, "max_events"),
            rate=min(limit.requests / limit.seconds for limit in limits),
            max_duration=None if self.max_duration is None else self.max_duration.total_seconds(),
            before_window=before_window,
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
            value = getattr(self, name)
            if value is not None and (not isinstance(value, timedelta) or seconds(value, name) <= 0):
                raise InvalidRequest(f"{name} is {value!r}; it is a timedelta.")
        if (self.max_event_age is None) != (not self.event_time):
            raise InvalidRequest("event_time is the column that max_event_age is about: give both, or neither.")
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

    def _rows(self) -> tuple[RowSource, Columns]:
        email, phone, variables = reveal(self.contact_email), reveal(self.contact_phone), reveal(self.variables)
        if self.contacts is None:
            if not email and not phone:
                raise InvalidRequest("Nobody to send the event for: give contacts, contact_email or contact_phone.")
            if variables is not None and not isinstance(variables, Mapping):
                raise InvalidRequest("variables is not a mapping of name to value.")
            if clashes := RESERVED & set(variables or {}):
                raise InvalidRequest(f"An event cannot have a variable named {', '.join(sorted(clashes))}.")
            columns = Columns(key=key_columns(self.event_key), time=self.event_time or None)
            if not columns.key and self.ledger is not None:
                raise InvalidRequest(
                    'With ledger=, one contact needs an event_key, such as event_key="order_id": without one, the contact '
                    "would get this event once in all runs."
                )
            return InlineRows([{"email": email, "phone": phone, "variables": variables or {}}]), columns
        if email or phone:
            raise InvalidRequest("Give either contacts, or contact_email and contact_phone.")
        columns = Columns(
            email=self.email_column,
            phone=self.phone_column,
            automation_id=self.automation_id_column,
            variables=variables,
            key=key_columns(self.event_key),
            time=self.event_time or None,
        )
        if self.key_variable and columns.key and str(self.key_variable).strip() in RESERVED:
            raise InvalidRequest(f"An event cannot have a variable named {self.key_variable}: change key_variable.")
        source = source_of(reveal(self.contacts), "contacts")
        if not columns.key and not isinstance(source, InlineRows):
            raise InvalidRequest(
                "contacts is a row source, which may give a row other values the next time: event_key must say which row "
                'is which, such as event_key="cart_id" or event_key="cart_id || step".'
            )
        return source, columns


__all__ = ["SendPulseSendEventOperator"]
