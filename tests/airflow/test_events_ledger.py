# SPDX-License-Identifier: Apache-2.0
"""Events that were sent are written down in a database, for all runs; and what else holds back an event."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from services import own_name, require
from task_runner import TaskRunner, another_run

from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.operators.ledgers import SqlLedger
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")
SUPPORT = Path(__file__).parents[1] / "support"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PEOPLE = [{"email": f"reader{number}@example.com", "cart": number} for number in range(5)]


def connection(url: str) -> str:
    """Return an Airflow connection as JSON."""
    parts = sa.make_url(url)
    kind = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}[parts.get_backend_name()]
    if kind == "sqlite":
        return json.dumps({"conn_type": kind, "host": parts.database})
    fields = {"host": parts.host, "port": parts.port, "login": parts.username, "password": parts.password or ""}
    return json.dumps({"conn_type": kind, "schema": parts.database, **fields})


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection(f"sqlite:///{path}"))
    return path


@pytest.fixture
def send() -> Callable[..., Any]:
    from airflow.sdk import DAG

    def make(**arguments: Any) -> SendPulseSendEventOperator:
        dag = DAG("a_dag", schedule=None, start_date=NOON)
        fields = {"task_id": "send", "dag": dag, "event_name": "left", "contacts": PEOPLE, "event_key": "cart"}
        return SendPulseSendEventOperator(**{**fields, **arguments})

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let time stand still, but for those who sleep."""
    from airflow_provider_sendpulse.api.clock import SystemClock

    class Clock:
        time = NOON.timestamp()
        sleeps: list[float] = []  # noqa: RUF012 - one object only

    held = Clock()
    held.sleeps = []

    def sleep(_: Any, seconds: float) -> None:
        held.sleeps.append(seconds)
        held.time += seconds

    monkeypatch.setattr(SystemClock, "now", lambda _: held.time)
    monkeypatch.setattr(SystemClock, "sleep", sleep)
    return held


def carts(account: Any) -> list[int]:
    return sorted(event["body"]["cart"] for event in account.events)


class TestLedger:
    """Across runs."""

    @pytest.mark.parametrize("ledger", ["{{ 'warehouse' }}", SqlLedger("{{ 'warehouse' }}", table="sent_{{ ds_nodash }}")])
    def test_another_run_sends_only_what_is_new(self, send: Any, account: Any, warehouse: Path, ledger: Any) -> None:
        assert another_run(1).run(send(contacts=PEOPLE[:3], ledger=ledger)).value["accepted"] == 3
        result = another_run(2).run(send(ledger=ledger))
        assert result.state == "success", result.error
        assert (result.value["skipped"], result.value["accepted"]) == (3, 2)
        assert carts(account) == [0, 1, 2, 3, 4]
        tables = sa.inspect(sa.create_engine(f"sqlite:///{warehouse}", poolclass=sa.NullPool)).get_table_names()
        assert tables == ["sendpulse_ledger" if isinstance(ledger, str) else "sent_20260105"]

    def test_it_holds_no_address(self, send: Any, account: Any, warehouse: Path) -> None:
        rows = [{"email": "secret@example.com", "phone": "+380501234567", "cart": "cart-of-secret"}]
        another_run(1).run(send(contacts=rows, ledger="warehouse"))
        content = warehouse.read_bytes()
        assert b"sendpulse_ledger" in content
        for text in (b"secret", b"50123456"):
            assert text not in content

    def test_another_event_and_another_account(self, send: Any, account: Any, warehouse: Path, connect: Any) -> None:
        another_run(1).run(send(ledger="warehouse"))
        assert another_run(2).run(send(ledger="warehouse", event_name="other")).value["accepted"] == 5
        assert _identities(connect, ("a", "b"), ("a", "c")) == 1
        assert _identities(connect, ("a", "b"), ("c", "b")) == 2

    def test_more_than_the_state_store_can_hold(self, send: Any, runner: Any, account: Any, warehouse: Path) -> None:
        if not AIRFLOW_V_3_3_PLUS:
            pytest.skip("the task state store came with Airflow 3.3")
        rows = [{"email": f"reader{number}@example.com", "cart": number} for number in range(2001)]
        result = runner.run(send(contacts=rows))
        assert result.state == "failed"
        assert "Set ledger= to a database connection" in str(result.error)
        assert "2,001 read, 2,001 skipped" in result.log
        assert account.events == []

    def test_a_ledger_that_cannot_be_reached(
        self, send: Any, runner: Any, account: Any, monkeypatch: pytest.MonkeyPatch, clock: Any
    ) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": "/nowhere/at.db"}))
        runner.api.should_retry = True
        result = runner.run(send(ledger="warehouse"))
        assert result.state == "up_for_retry"
        assert "The ledger in sendpulse_ledger cannot be used: OperationalError" in str(result.error)
        assert account.events == []

    @pytest.mark.parametrize("fields", [{"conn_type": "http", "host": "example.com"}, {"conn_type": "sendpulse"}])
    def test_a_connection_of_no_database(
        self, send: Any, runner: Any, account: Any, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
    ) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))
        result = runner.run(send(ledger="warehouse"))
        assert result.state == "failed"
        assert f"is of type '{fields['conn_type']}'" in str(result.error)

    def test_a_row_is_found_by_its_key(self, send: Any, account: Any, warehouse: Path) -> None:
        rows = [{"email": "a@example.com", "cart": 7, "step": "друге", "automation_id": flow} for flow in (None, 9)]
        another_run(1).run(send(contacts=rows, event_key="cart || step", ledger="warehouse"))
        engine = sa.create_engine(f"sqlite:///{warehouse}")
        with engine.connect() as connection:
            found = {*connection.execute(sa.text("SELECT row_key FROM sendpulse_ledger")).scalars()}
        engine.dispose()
        wanted = [SqlLedger.row_key("left", 7, "друге"), SqlLedger.row_key("left", 7, "друге", automation_id=9)]
        assert found == {*wanted}
        text = 'left\0["7", "друге"]\0'
        assert wanted[1] == hashlib.sha256(f"{text}9".encode()).hexdigest()[:24]

    @pytest.mark.parametrize("choice", ["skip", "resend"])
    def test_rows_in_doubt(self, send: Any, account: Any, warehouse: Path, choice: str) -> None:
        account.emulator.faults.add("lose_answer", operation="events.send", after=1)
        runner = another_run(1)
        first = runner.run(send(ledger="warehouse", concurrency=1, max_rejected_ratio=0.5))
        assert (first.value["accepted"], first.value["in_doubt"]) == (4, 1)
        again = runner.run(send(ledger="warehouse", if_in_doubt=choice, max_rejected_ratio=0.5), try_number=2)
        assert again.state == "success", again.error
        if choice == "skip":
            assert (again.value["skipped"], again.value["in_doubt"]) == (4, 1)
            assert "Row 2: an earlier try or run ended while this row was being sent: not sent again" in again.log
            assert carts(account) == [0, 1, 2, 3, 4]
        else:
            assert (again.value["skipped"], again.value["accepted"]) == (4, 1)
            assert "1 events are in doubt and are sent again" in again.log
            assert Counter(carts(account))[1] == 2
            # The flow can tell: both carry the same key.
            assert [event["body"]["event_key"] for event in account.events if event["body"]["cart"] == 1] == ["1", "1"]
        other = another_run(2).run(send(ledger="warehouse"))
        assert (other.state, other.value["skipped"]) == ("success", 5)

    def test_a_throttled_resend_stays_in_doubt(self, send: Any, account: Any, warehouse: Path) -> None:
        account.emulator.faults.add("lose_answer", operation="events.send")
        runner = another_run(1)
        operator = send(ledger="warehouse", contacts=PEOPLE[:1], max_rejected_ratio=1)
        runner.run(operator)
        account.emulator.faults.add("status", status=422, error_code=791, operation="events.send")
        operator.if_in_doubt = "resend"
        runner.api.should_retry = True
        assert runner.run(operator, try_number=2).state == "up_for_retry"
        operator.if_in_doubt = "skip"
        assert runner.run(operator, try_number=3).value["in_doubt"] == 1
        assert carts(account) == [0]


def _identities(connect: Any, *logins: tuple[str, str]) -> int:
    """Return how many accounts some logins with their secrets are, as far as the ledger can tell."""
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.operators.ledgers import account_identity

    found = set()
    for login, secret in logins:
        connect(login=login, password=secret)
        found.add(account_identity(SendPulseHook().settings.account))
    return len(found)


DAG_FILE = """
from datetime import UTC, datetime
from airflow.sdk import DAG
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.operators.ledgers import SqlLedger
from airflow_provider_sendpulse.rows import SqlRows

with DAG("two", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    SendPulseSendEventOperator(
        task_id="send", event_name="left", event_key="cart || step", ledger=SqlLedger("ledger", table={table!r}),
        contacts=SqlRows("warehouse", "SELECT * FROM carts"), max_rejected_ratio=0,
    )
"""


@pytest.mark.parametrize("service", ["postgresql", "mariadb"])
def test_two_processes_with_the_same_rows_at_once(
    account: Any, connect: Any, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    url, table = require(service), own_name("ledger")
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", connection(url))
    # So that both are at it for some seconds.
    connect(extra={"requests_per_second": 80})
    source = sa.create_engine(f"sqlite:///{warehouse}", poolclass=sa.NullPool)
    with source.begin() as database:
        database.execute(sa.text("CREATE TABLE carts (email TEXT, cart INTEGER, step INTEGER)"))
        rows = [{"email": f"r{n}@example.com", "cart": n // 2, "step": n % 2} for n in range(200)]
        database.execute(sa.text("INSERT INTO carts VALUES (:email, :cart, :step)"), rows)
    path = tmp_path / "two.py"
    path.write_text(DAG_FILE.format(table=table))
    try:
        runs = [started(path, f"run {number}") for number in (1, 2)]
        for run in runs:
            assert run.stdout is not None
            assert any(line.startswith("ready") for line in iter(run.stdout.readline, ""))
        told = []
        for run in runs:
            assert run.stdin is not None
            run.stdin.write("\n")
            run.stdin.flush()
        for run in runs:
            output, errors = run.communicate(timeout=90)
            assert run.returncode == 0, errors
            told.append(json.loads(output.splitlines()[-1]))
    finally:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as database:
            database.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))
    sent = Counter((event["body"]["cart"], event["body"]["step"]) for event in account.events)
    assert len(sent) == 200
    assert max(sent.values()) == 1
    counts = [run["value"] for run in told if run["state"] == "success"]
    assert sum(run["accepted"] for run in counts) <= 200
    for run in told:
        # A row that the other was sending to the last may be in doubt for this run, which then says so.
        assert run["state"] == "success" or "in doubt" in run["error"], run


def started(path: Path, run_id: str) -> subprocess.Popen[str]:
    how = {"path": str(path), "dag_id": "two", "task_id": "send", "run_id": run_id, "try_number": 1, "together": True}
    return subprocess.Popen(
        [sys.executable, str(SUPPORT / "one_task.py"), json.dumps(how)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT.parents[1]), str(SUPPORT)])},
    )


class TestWhatHoldsAnEventBack:
    """Age, interval, quiet hours, amount."""

    def test_age(self, send: Any, runner: Any, account: Any, clock: Any) -> None:
        times = [NOON - timedelta(hours=1), "2026-06-01T11:30:00Z", "2026-06-01 12:30:00+03:00", "2026-06-01", None, "soon"]
        rows = [{"email": "a@example.com", "cart": number, "at": at} for number, at in enumerate(times)]
        result = runner.run(
            send(contacts=rows, event_time="{{ 'at' }}", max_event_age=timedelta(hours=2), max_rejected_ratio=0.5)
        )
        assert result.state == "success", result.error
        assert (result.value["accepted"], result.value["skipped"], result.value["invalid"]) == (2, 2, 2)
        assert "2 events are older than max_event_age=2 h." in result.log
        assert "Row 6: the event time cannot be read" in result.log
        assert carts(account) == [0, 1]

    def test_interval(self, send: Any, account: Any, warehouse: Path, clock: Any) -> None:
        rows = [{"email": "ada@example.com", "cart": 1}, {"email": "Ada@example.com", "cart": 2}]
        hour = {"ledger": "warehouse", "min_interval_per_contact": timedelta(hours=1)}
        first = another_run(1).run(send(contacts=rows, **hour))
        assert (first.value["accepted"], first.value["skipped"]) == (1, 1)
        clock.time += 1800
        second = another_run(2).run(send(contacts=rows, **hour))
        assert (second.value["accepted"], second.value["skipped"]) == (0, 2)
        assert "1 events are for contacts that got one less than min_interval_per_contact ago." in second.log
        clock.time += 1801
        third = another_run(3).run(send(contacts=rows, **hour))
        assert (third.value["accepted"], third.value["skipped"]) == (1, 1)
        assert carts(account) == [1, 2]

    def test_too_many(self, send: Any, runner: Any, account: Any) -> None:
        result = runner.run(send(max_events="{{ 4 }}"))
        assert result.state == "failed"
        assert "5 events, 0 s at 1000/s: more than max_events=4. Nothing was sent." in str(result.error)
        assert "Events left: 5 read, 5 skipped" in result.log
        again = runner.run(send(max_events=5), try_number=2)
        # Below Airflow 3.3 nothing tells the retry that nothing was sent.
        assert again.state == ("success" if AIRFLOW_V_3_3_PLUS else "failed"), again.error

    def test_too_long(self, send: Any, runner: Any, account: Any, connect: Any) -> None:
        connect(extra={"requests_per_second": 8})
        rows = [{"email": f"reader{number}@example.com", "cart": number} for number in range(1500)]
        result = runner.run(send(contacts=rows, max_duration=timedelta(minutes=3)))
        assert result.state == "failed"
        assert "1,500 events, 3 min 8 s at 8/s: longer than max_duration=3 min. Nothing was sent." in str(result.error)
        assert account.events == []

    def test_quiet_hours_in_the_triggerer(self, send: Any, account: Any, clock: Any, warehouse: Path) -> None:
        clock.time = datetime(2026, 6, 1, 20, 30, tzinfo=UTC).timestamp()
        runner = another_run(1)
        operator = send(
            quiet_hours=["{{ '22:00' }}", "08:00"], quiet_hours_timezone="Europe/Kyiv", ledger="warehouse", deferrable=True
        )
        result = runner.leg(operator)
        assert result.state == "deferred", result.error
        assert result.deferral["classpath"].endswith("DateTimeTrigger")
        assert "Quiet hours: going on at 2026-06-02 05:00:00 UTC." in result.log
        assert account.events == []
        clock.time = datetime(2026, 6, 2, 5, 0, 1, tzinfo=UTC).timestamp()
        resumed = runner.resume(operator, result.deferral, None)
        assert resumed.state == "success", resumed.error
        assert resumed.value["accepted"] == 5

    def test_quiet_hours_that_begin_in_the_middle(
        self, send: Any, runner: Any, account: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

        clock.time = datetime(2026, 6, 1, 20, 59, 50, tzinfo=UTC).timestamp()
        send_call = SendPulseHook.send

        def slow(self: Any, call: Any) -> Any:
            clock.time += 1
            return send_call(self, call)

        monkeypatch.setattr(SendPulseHook, "send", slow)
        rows = [{"email": f"reader{number}@example.com", "cart": number} for number in range(50)]
        operator = send(contacts=rows, quiet_hours=("21:00", "08:00"), concurrency=1)
        result = runner.run(operator)
        assert result.state == "success", result.error
        # One window was sent before; the rows were read again afterwards.
        assert (result.value["skipped"], result.value["accepted"]) == (20, 30)
        assert "Events left: 50 read, 20 accepted, 30 skipped" in result.log
        assert result.xcom("counts", operator.task_id) is None  # a pause is no failure
        assert carts(account) == [*range(50)]
        assert 11 * 3600 - 60 < sum(clock.sleeps) <= 11 * 3600
        assert max(clock.sleeps) <= 60

    @pytest.mark.parametrize("begun", [True, False])
    def test_without_a_lasting_ledger_only_what_was_not_begun_is_deferred(
        self, send: Any, account: Any, clock: Any, monkeypatch: pytest.MonkeyPatch, begun: bool
    ) -> None:
        from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

        begin = datetime(2026, 6, 1, 21, tzinfo=UTC).timestamp()
        clock.time = begin - 1 if begun else begin
        send_call = SendPulseHook.send

        def slow(self: Any, call: Any) -> Any:
            clock.time += 1
            return send_call(self, call)

        monkeypatch.setattr(SendPulseHook, "send", slow)
        rows = [{"email": f"reader{number}@example.com", "cart": number} for number in range(30)]
        operator = send(contacts=rows, quiet_hours=("21:00", "08:00"), deferrable=True, concurrency=1)
        result = TaskRunner(state_store=False).leg(operator)
        assert result.state == ("success" if begun else "deferred"), result.error
        assert carts(account) == ([*range(30)] if begun else [])

    def test_quiet_hours_beyond_the_execution_timeout(self, send: Any, runner: Any, account: Any, clock: Any) -> None:
        clock.time = datetime(2026, 6, 1, 22, tzinfo=UTC).timestamp()
        result = runner.run(send(quiet_hours=("21:00", "08:00"), execution_timeout=timedelta(hours=1)))
        assert type(result.error).__name__ == "DeadlinePassed"
        assert clock.sleeps == []

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"event_time": "at"}, "give both, or neither"),
            ({"max_event_age": timedelta(1)}, "give both, or neither"),
            ({"event_time": "at", "max_event_age": timedelta(1)}, "no column at"),
            ({"max_event_age": 5, "event_time": "cart"}, "max_event_age is 5"),
            ({"min_interval_per_contact": timedelta(1)}, "needs ledger="),
            (
                {"min_interval_per_contact": timedelta(91), "ledger": "warehouse"},
                "longer than ledger_retention",
            ),
            ({"ledger_retention": timedelta(0)}, "ledger_retention is"),
            ({"if_in_doubt": "maybe"}, "if_in_doubt is 'maybe'"),
            ({"quiet_hours": "21:00"}, "two times of day"),
            ({"quiet_hours": ("21:00", "later")}, "'later', which is not a time of day"),
            ({"quiet_hours": ("21:00", "21:00")}, "begin and end at the same time"),
            ({"quiet_hours": ("21:00", "08:00"), "quiet_hours_timezone": "Kyiv"}, "not the name of a time zone"),
            ({"concurrency": 0}, "concurrency is 0"),
            ({"ledger": 7}, "ledger is a int"),
            ({"ledger": ""}, "ledger is empty"),
            ({"ledger": "{{ params.get('nothing', '') }} "}, "ledger is empty"),
            ({"ledger": SqlLedger("{{ '' }}")}, "ledger is empty"),
            ({"ledger": "", "min_interval_per_contact": timedelta(1)}, "ledger is empty"),
            ({"event_key": "cart ||"}, "event_key is 'cart ||'"),
            ({"key_variable": "email"}, "cannot have a variable named email"),
            ({"key_variable": "email", "contacts": None, "contact_email": "ada@example.com"}, "no column cart"),
            ({"contacts": [{"email": "a@example.com", "cart": 1, "event_key": 2}]}, "a variable 'event_key' of their own"),
        ],
    )
    def test_what_cannot_be_meant(
        self, send: Any, runner: Any, account: Any, warehouse: Path, arguments: dict[str, Any], told: str
    ) -> None:
        runner.api.should_retry = True
        result = runner.run(send(**arguments))
        assert result.state == "failed", result.error
        assert told in str(result.error)
        assert account.events == []


class TestKeys:
    """What says which row it is."""

    def test_columns_joined(self, send: Any, runner: Any, account: Any) -> None:
        rows = [
            {"email": "a@example.com", "cart": "1", "step": "2|3"},
            {"email": "a@example.com", "cart": "1|2", "step": "3"},
            {"email": "a@example.com", "cart": 1.0, "step": "2|3 "},
            {"email": "a@example.com", "cart": None, "step": 3},
        ]
        result = runner.run(
            send(
                contacts=rows, event_key="cart || step", key_variable="{{ 'which' }}", max_rejected=1, max_rejected_ratio=1
            )
        )
        assert result.state == "success", result.error
        assert (result.value["accepted"], result.value["duplicate"], result.value["invalid"]) == (2, 1, 1)
        assert "Row 4: the event key is empty" in result.log
        assert sorted(event["body"]["which"] for event in account.events) == ["1\\|2|3", "1|2\\|3"]

    def test_left_out(self, send: Any, runner: Any, account: Any) -> None:
        runner.run(send(contacts=PEOPLE[:1], key_variable=None))
        assert account.events[0]["body"] == {"email": "reader0@example.com", "cart": 0}

    def test_own_variable_of_that_name_and_value(self, send: Any, runner: Any, account: Any) -> None:
        runner.run(send(contacts=[{"email": "a@example.com", "event_key": 7}], event_key="event_key"))
        assert account.events[0]["body"]["event_key"] == 7

    def test_of_the_one_contact(self, send: Any, account: Any, warehouse: Path) -> None:
        for number in (1, 2):
            variables = {"order": 5, "paid_at": number}
            fields = {"contacts": None, "contact_email": "a@example.com", "variables": variables, "event_key": "order"}
            result = another_run(number).run(send(**fields, ledger="warehouse"))
            assert result.state == "success", result.error
        assert [event["body"]["event_key"] for event in account.events] == ["5"]
