# SPDX-License-Identifier: Apache-2.0
"""Every example DAG is parsed and executed, and what it was to do has arrived."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from examples import EXAMPLES, SHOP, api_of, dags_of, one_task, run
from execution_api import ExecutionApi
from task_runner import Result, TaskRunner

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

HASH = "5e1f0c2b7a9d4e6f8a0b1c2d3e4f5a6b"
pytestmark = pytest.mark.usefixtures("connect")

PARSE = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

bag = DagBag(sys.argv[1])
files = sorted({dag.fileloc for dag in bag.dags.values() if dag.tasks})
print(json.dumps({"files": files, "errors": bag.import_errors}))
"""


def test_all_are_parsed() -> None:
    done = subprocess.run([sys.executable, "-c", PARSE, str(EXAMPLES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["errors"] == {}
    assert answer["files"] == sorted(str(path) for path in EXAMPLES.glob("*.py"))


class TestWeeklyDigest:
    """Two weeks of the digest."""

    @pytest.fixture
    def dag(self) -> Any:
        return dags_of("weekly_digest")["weekly_digest"]

    def test_week(self, dag: Any, account: Any, shop: Path) -> None:
        results = run(dag, api_of("weekly_digest"))
        readers = {person.email: person for person in SHOP.buyers(shop, date(2026, 1, 5), date(2026, 1, 12))}
        [book] = account.books
        assert book["name"] == "Weekly digest until 2026-01-12"
        assert {contact["email"] for contact in book["contacts"]} == {*readers, "digest@shop.example.com"}
        [campaign] = account.campaigns
        assert campaign["status"] == 3
        assert campaign["name"].startswith("Weekly digest 2026-01-12 [af-")
        messages = {message.to: message for message in account.emulator.state.mailbox}
        assert set(messages) == {*readers, "digest@shop.example.com"}
        for email, person in readers.items():
            assert messages[email].rendered_subject() == f"{person.name}, your week until 2026-01-12 🎁"
            assert f"Hello, {person.name}" in messages[email].rendered_body()
            assert f"You are one of {len(readers)} customers" in messages[email].rendered_body()
            assert "2026-01-05 – 2026-01-12" in messages[email].rendered_body()
        carts = SHOP.abandoned_carts(shop, date(2026, 1, 5), date(2026, 1, 12))
        # A few are sent at once, so they arrive in any order.
        assert sorted((event["body"]["cart_id"], event["body"]["email"]) for event in account.events) == carts
        [statistics] = SHOP.statistics(shop)
        assert (statistics.campaign_id, statistics.recipients) == (campaign["id"], len(messages))
        assert results["store_statistics"].value["delivered"] == statistics.delivered
        [seed] = [contact for contact in book["contacts"] if contact["email"] == "digest@shop.example.com"]
        assert seed["variables"]["Sent"] == "2026-01-12"
        # Rows and addresses never travel through XCom.
        told = json.dumps([value for place, value in results["select_audience"].api.xcoms.items()], default=str)
        assert not any(email in told for email in readers)

    def test_every_task_again(self, dag: Any, account: Any, shop: Path) -> None:
        api = api_of("weekly_digest")
        run(dag, api)
        mailed, sent = len(account.emulator.state.mailbox), len(account.events)
        run(dag, api)
        assert len(account.campaigns) == 1
        assert len(account.emulator.state.mailbox) == mailed
        assert len(SHOP.statistics(shop)) == 1
        assert SHOP.audience_size(shop, api.run_id) == mailed
        if AIRFLOW_V_3_3_PLUS:
            assert len(account.events) == sent

    def test_old_books_are_deleted(self, dag: Any, account: Any, shop: Path) -> None:
        for week in (1, 2, 3, 4, 5):
            account.book(f"Weekly digest until 2025-12-0{week}")
        account.book("Everybody")
        results = run(dag, api_of("weekly_digest", conf={"keep": 2}))
        assert len(results["delete_old_books"]) == 4
        assert sorted(book["name"] for book in account.books) == [
            "Everybody",
            "Weekly digest until 2025-12-05",
            "Weekly digest until 2026-01-12",
        ]

    def test_next_week_is_another_mailing(self, dag: Any, account: Any, shop: Path) -> None:
        for week in (0, 1):
            run(dag, api_of("weekly_digest", week))
        assert [book["name"] for book in account.books] == [
            "Weekly digest until 2026-01-12",
            "Weekly digest until 2026-01-19",
        ]
        assert len({campaign["name"] for campaign in account.campaigns}) == 2

    def test_run_without_a_data_interval(self, dag: Any, account: Any, shop: Path) -> None:
        result = TaskRunner(api_of("weekly_digest", data_interval=False)).run(dag.get_task("require_data_interval"))
        assert result.state == "failed"
        assert "This run has no data interval" in str(result.error)
        for task_id in ("select_audience", "create_address_book"):
            assert "require_data_interval" in dag.get_task(task_id).upstream_task_ids


def clock_stands_at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    from airflow_provider_sendpulse.api.clock import SystemClock

    monkeypatch.setattr(SystemClock, "now", lambda _: moment.timestamp())


class TestEventsAfterEtl:
    """The cart events: runs every 15 minutes, whose windows overlap."""

    def run_at(self, moment: datetime, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Result:
        """Run the ETL and the mailing DAG as of a moment."""
        clock_stands_at(monkeypatch, moment)
        dags = dags_of("events_after_etl")
        api = ExecutionApi(dag_id="events_after_etl", run_id=f"asset__{moment:%Y-%m-%dT%H:%M}", run_after=moment, **fields)
        run(dags["shop_etl"], ExecutionApi(dag_id="shop_etl", run_id=api.run_id, run_after=moment))
        return TaskRunner(api).run(dags["events_after_etl"].get_task("send_events"))

    def carts(self, shop: Path, until: date) -> list[tuple[int, str, str]]:
        with SHOP.opened(shop) as database:
            return database.execute(
                "SELECT carts.id, email, language FROM carts JOIN customers ON customers.id = customer_id "
                "WHERE left_on <= ? ORDER BY carts.id",
                (until.isoformat(),),
            ).fetchall()

    def leave(self, shop: Path, cart: int, day: date) -> None:
        """Let somebody leave a cart behind."""
        with SHOP.opened(shop) as database:
            database.execute(
                "INSERT INTO carts (id, customer_id, product, price, left_on) VALUES (?, ?, 'Teapot', 940, ?)",
                (cart, cart % 30 + 1, day.isoformat()),
            )
            database.commit()

    def test_carts(self, account: Any, connect: Any, emulator: Any, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(extra={"event_urls": {"cart_left": f"{emulator.url}/events/id/{HASH}/5000001"}})
        moment = datetime(2026, 1, 7, 12, tzinfo=UTC)
        result = self.run_at(moment, monkeypatch)
        assert result.state == "success", result.error
        carts = self.carts(shop, moment.date())
        assert result.value["accepted"] == len(carts) == 3
        assert "To send: 3 events, 0 s at 1000/s." in result.log
        flows = {"uk": 1002, "en": 1001}
        assert sorted(
            (event["body"]["cart_id"], event["body"]["email"], event["body"]["automation_id"]) for event in account.events
        ) == [(cart, email, flows[language]) for cart, email, language in carts]
        assert {event["hash"] for event in account.events} == {HASH}
        assert all(event["body"]["event_key"] == str(event["body"]["cart_id"]) for event in account.events)

    def test_after_a_pause_old_carts_are_left_alone(
        self, account: Any, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A run of the 8th that comes to be run on the 10th: two of its four carts are older than three days by then.
        late = datetime(2026, 1, 10, 12, tzinfo=UTC)
        clock_stands_at(monkeypatch, late)
        api = ExecutionApi(dag_id="events_after_etl", run_after=datetime(2026, 1, 8, 12, tzinfo=UTC))
        result = TaskRunner(api).run(dags_of("events_after_etl")["events_after_etl"].get_task("send_events"))
        assert result.state == "success", result.error
        assert (result.value["read"], result.value["skipped"], result.value["accepted"]) == (3, 2, 1)
        assert "2 events are older than max_event_age=3 d." in result.log
        assert [event["body"]["left_on"] for event in account.events] == ["2026-01-08"]

    def test_a_day_of_runs_with_a_crash(
        self, account: Any, emulator: Any, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Eighteen hours of simulated time; every hour a cart is left, and at two moments the worker is killed."""
        first = datetime(2026, 1, 7, 12, tzinfo=UTC)
        crashes = (first + timedelta(hours=5), first + timedelta(hours=14))
        states, lost = [], 0
        for quarter in range(72):
            moment = first + quarter * timedelta(minutes=15)
            if quarter % 4 == 0:
                self.leave(shop, 2000 + quarter, moment.date())
            if moment in crashes:
                emulator.faults.add("kill", operation="events.send", after_effect=True)
                how = {"dag_id": "events_after_etl", "task_id": "send_events", "try_number": 1, "now": moment.isoformat()}
                how |= {"path": str(EXAMPLES / "events_after_etl.py"), "run_id": f"asset__{moment:%Y-%m-%dT%H:%M}"}
                done = one_task(how)
                assert done.returncode == -signal.SIGKILL, done.stderr
                # Airflow tries the task again: one event is in doubt, and was sent indeed.
                again = one_task({**how, "try_number": 2})
                assert again.returncode == 0, again.stderr
                told = json.loads(again.stdout.splitlines()[-1])
                assert (told["state"], "1 in doubt" in told["error"]) == ("failed", True)
                lost += 1
                continue
            result = self.run_at(moment, monkeypatch)
            assert result.state == "success", (moment, result.error)
            states.append(result.value)
        notified = [event["body"]["cart_id"] for event in account.events]
        expected = [cart for cart, *_ in self.carts(shop, date(2026, 1, 8))]
        assert sorted(notified) == expected
        assert len(expected) == 22
        assert sum(counts["accepted"] for counts in states) == len(expected) - lost
        # Windows do overlap: most of what was read was sent before.
        assert sum(counts["skipped"] for counts in states) > 10 * len(expected)

    def test_a_crash_before_anything_arrived_is_listed_once(
        self, account: Any, emulator: Any, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moment = datetime(2026, 1, 7, 12, tzinfo=UTC)
        emulator.faults.add("kill", operation="events.send")
        how = {"path": str(EXAMPLES / "events_after_etl.py"), "dag_id": "events_after_etl", "task_id": "send_events"}
        killed = one_task({**how, "run_id": "asset__1", "try_number": 1, "now": moment.isoformat()})
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        # No retry: the next run lists what it left, when nobody can be sending it any more.
        listing, *others = (self.run_at(moment + minutes * timedelta(minutes=1), monkeypatch) for minutes in (16, 31, 46))
        assert listing.state == "failed"
        assert "3 in doubt" in str(listing.error)
        assert [result.state for result in others] == ["success", "success"]
        assert "3 events are in doubt since an earlier run, which has listed them: not sent again." in others[0].log
        assert account.events == []


class TestWaitForCampaign:
    """Waiting for a campaign of the dashboard."""

    def test_sent(self, account: Any) -> None:
        campaign_id = account.campaign(14, 2, 7, 3)
        dag = dags_of("wait_for_campaign")["wait_for_campaign"]
        results = run(dag, api_of("wait_for_campaign", conf={"campaign_id": campaign_id}))
        assert results["wait_until_sent"].value["status"] == 3
        assert results["wait_until_sent"].legs == ["deferred", "success"]
        assert isinstance(results["count_openings_by_country"].value, dict)

    def test_blocked(self, account: Any) -> None:
        dag = dags_of("wait_for_campaign")["wait_for_campaign"]
        api = api_of("wait_for_campaign", conf={"campaign_id": account.campaign(5)})
        result = TaskRunner(api).run(dag.get_task("wait_until_sent"))
        assert type(result.error).__name__ == "CampaignNotSent"
        assert "support" in str(result.error)
