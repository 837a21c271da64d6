# SPDX-License-Identifier: Apache-2.0
"""Every example DAG is parsed and executed, and what it was to do has arrived."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from execution_api import ExecutionApi
from task_runner import Result, TaskRunner

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_dags"
HASH = "5e1f0c2b7a9d4e6f8a0b1c2d3e4f5a6b"
pytestmark = pytest.mark.usefixtures("connect")

PARSE = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

bag = DagBag(sys.argv[1])
print(json.dumps({"dags": {name: len(dag.tasks) for name, dag in bag.dags.items()}, "errors": bag.import_errors}))
"""


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def dags_of(name: str) -> dict[str, Any]:
    """Return a file's DAGs, found as Airflow finds them: a DAG needs no name in its module."""
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    DagContext.autoregistered_dags.clear()
    DagContext.current_autoregister_module_name = f"example_{name}"
    try:
        load(EXAMPLES / f"{name}.py", f"example_{name}")
        dags = {dag.dag_id: dag for dag, _ in DagContext.autoregistered_dags}
    finally:
        DagContext.current_autoregister_module_name = None
        DagContext.autoregistered_dags.clear()
    for dag in dags.values():
        for task in dag.tasks:
            if hasattr(task, "poke_interval"):
                task.poke_interval = 0.001
    return dags


SHOP = load(ROOT / "demo" / "shop.py", "example_shop")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shop.db"
    SHOP.create(path)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def api_of(dag_id: str, week: int = 0, **fields: Any) -> ExecutionApi:
    """Return a run for one week of the shop: from its Monday to the next."""
    monday = datetime.combine(SHOP.FIRST_MONDAY, time(6), tzinfo=UTC) + week * timedelta(days=7)
    following = monday + timedelta(days=7)
    return ExecutionApi(
        dag_id=dag_id,
        run_id=f"scheduled__{following:%Y-%m-%d}",
        interval=(monday, following),
        run_after=following,
        **fields,
    )


def run(dag: Any, api: ExecutionApi) -> dict[str, Result | list[Result]]:
    """Run all tasks of a DAG, each after those before it."""
    runner = TaskRunner(api)
    results: dict[str, Result | list[Result]] = {}
    for task in ordered(dag):
        if task.is_mapped:
            count = len(api.xcoms[("old_address_books", "return_value", -1)])
            runs = [runner.run(task, map_index=index) for index in range(count)]
            results[task.task_id] = runs
        else:
            runs = [runner.run(task)]
            results[task.task_id] = runs[0]
        assert all(result.state == "success" for result in runs), (task.task_id, runs[-1].error, runs[-1].log)
    return results


def ordered(dag: Any) -> Iterator[Any]:
    left, done = dict(dag.task_dict), set()
    while left:
        ready = [task for task in left.values() if task.upstream_task_ids <= done]
        assert ready
        for task in ready:
            yield task
            done.add(task.task_id)
            del left[task.task_id]


def test_all_are_parsed() -> None:
    done = subprocess.run([sys.executable, "-c", PARSE, str(EXAMPLES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["errors"] == {}
    assert set(answer["dags"]) == {"weekly_digest", "shop_etl", "events_after_etl", "wait_for_campaign"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"weekly_digest", "events_after_etl", "wait_for_campaign"}


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
        assert [(event["body"]["cart_id"], event["body"]["email"]) for event in account.events] == carts
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


class TestEventsAfterEtl:
    """The cart events."""

    def test_carts(self, account: Any, connect: Any, emulator: Any, shop: Path) -> None:
        connect(extra={"event_urls": {"cart_left": f"{emulator.url}/events/id/{HASH}/5000001"}})
        dags = dags_of("events_after_etl")
        run(dags["shop_etl"], api_of("shop_etl"))
        results = run(dags["events_after_etl"], api_of("events_after_etl"))
        with SHOP.opened(shop) as database:
            carts = database.execute(
                "SELECT carts.id, email, language FROM carts JOIN customers ON customers.id = customer_id ORDER BY carts.id"
            ).fetchall()
            assert database.execute("SELECT COUNT(*) FROM carts WHERE notified = 0").fetchone() == (0,)
        assert results["send_events"].value["accepted"] == len(carts)
        flows = {"uk": 1002, "en": 1001}
        assert [
            (event["body"]["cart_id"], event["body"]["email"], event["body"]["automation_id"]) for event in account.events
        ] == [(cart, email, flows[language]) for cart, email, language in carts]
        assert {event["hash"] for event in account.events} == {HASH}

    def test_run_that_fails_notifies_nobody_twice(self, account: Any, shop: Path) -> None:
        with SHOP.opened(shop) as database:
            worst = "(SELECT MIN(customer_id) FROM carts)"
            database.execute(f"UPDATE customers SET email = 'not an address', phone = NULL WHERE id = {worst}")
            database.commit()
        dags = dags_of("events_after_etl")
        for number in (1, 2, 3):
            run(dags["shop_etl"], api_of("shop_etl"))
            api = api_of("events_after_etl")
            api.run_id = f"asset__{number}"
            claim, send = (dags["events_after_etl"].get_task(name) for name in ("claim_carts", "send_events"))
            runner = TaskRunner(api)
            assert runner.run(claim).state == "success"
            assert runner.run(send).state == ("failed" if number == 1 else "success")
        notified = [event["body"]["cart_id"] for event in account.events]
        assert notified
        assert len(notified) == len(set(notified))

    def test_second_run_has_nothing_left(self, account: Any, shop: Path) -> None:
        dags = dags_of("events_after_etl")
        for number in (1, 2):
            run(dags["shop_etl"], api_of("shop_etl"))
            api = api_of("events_after_etl")
            api.run_id = f"asset__{number}"
            results = run(dags["events_after_etl"], api)
        assert results["send_events"].value["read"] == 0


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
