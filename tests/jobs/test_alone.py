# SPDX-License-Identifier: Apache-2.0
"""Several tasks that create one mailing at the same moment: one creates, the others adopt."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from emulated_account import account, add_book, add_campaign, connected, count
from mailings import MARKER, Store, mailing_to
from services import require

from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.api.shared import MemoryStore
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, ServiceUnavailable, Throttled
from airflow_provider_sendpulse.jobs.alone import HOLD
from airflow_provider_sendpulse.jobs.intent import GuessedRecord, Intent
from airflow_provider_sendpulse.jobs.mailing import LOOK_AGAIN, VISIBILITY_WINDOW, create_once

NAME = f"mailing-{MARKER.digest}"
HELD = HOLD + VISIBILITY_WINDOW


@pytest.fixture(autouse=True)
def unlimited(emulator: Any) -> None:
    emulator.configure(campaigns_per_window=None)


@pytest.fixture
def book(emulator: Any) -> Any:
    return add_book(emulator, contacts=3)


@pytest.fixture
def wanted(book: Any) -> Any:
    return mailing_to(book)


@pytest.fixture
def other(client: Any) -> Any:
    """The lease as another task has it."""
    return client.lease(NAME, "another task")


def create(client: Any, mailing: Any, clock: Any, record: Any = None, owner: str = "this task") -> Any:
    record = record or GuessedRecord(1, clock.now())
    return create_once(client, mailing, record, clock, client.lease(NAME, owner))


def test_nobody_waits_where_nobody_else_is(client: Any, shared_clock: Any, wanted: Any) -> None:
    assert not create(client, wanted, shared_clock).adopted
    assert shared_clock.sleeps == []


def test_what_another_task_creates_meanwhile_is_adopted(
    client: Any, emulator: Any, shared_clock: Any, book: Any, wanted: Any, other: Any
) -> None:
    other.take(HELD)
    made: list[Any] = []
    sleep = shared_clock.sleep

    def meanwhile(seconds: float) -> None:
        sleep(seconds)
        if len(shared_clock.sleeps) == 3:
            made.append(add_campaign(emulator, book, MARKER.name("x")))

    shared_clock.sleep = meanwhile
    outcome = create(client, wanted, shared_clock)
    assert (outcome.campaign_id, outcome.adopted) == (made[0].id, True)
    assert shared_clock.sleeps == [1, 2, 4], "as soon as it is listed, while the other one still has the right"
    assert count(emulator, "campaigns.create") == 0


def test_one_who_died_is_waited_for_until_its_right_expires(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    other.take(HELD)
    began = shared_clock.now()
    assert not create(client, wanted, shared_clock).adopted
    assert shared_clock.now() - began == pytest.approx(HELD)
    assert count(emulator, "campaigns.create") == 1
    assert max(shared_clock.sleeps) == LOOK_AGAIN


def test_the_next_try_of_a_task_that_died_does_not_wait(client: Any, shared_clock: Any, wanted: Any) -> None:
    client.lease(NAME, "this task").take(HELD)
    assert not create(client, wanted, shared_clock).adopted
    assert shared_clock.sleeps == []


def test_after_an_adoption_the_right_is_free(
    client: Any, emulator: Any, book: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    add_campaign(emulator, book, MARKER.name("x"))
    assert create(client, wanted, shared_clock).adopted
    assert other.take(HELD) == 0


def test_after_a_creation_others_wait_until_it_is_listed(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    emulator.configure(campaign_visibility_seconds=VISIBILITY_WINDOW - 5, clock="manual")
    first = create(client, wanted, shared_clock)
    assert other.take(HELD) == pytest.approx(VISIBILITY_WINDOW)
    second = create(client, wanted, shared_clock, owner="another task")
    assert (second.campaign_id, second.adopted) == (first.campaign_id, True)
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"status": 422, "error_code": 791}, Throttled), ({"status": 422, "error_code": 707}, Refused)],
)
def test_after_a_refusal_the_right_is_free(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any, fault: Any, error: Any
) -> None:
    emulator.faults.add("status", **fault, operation="campaigns.create")
    with pytest.raises(error):
        create(client, wanted, shared_clock)
    assert other.take(HELD) == 0


def test_after_a_look_that_fails_the_right_is_free(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    emulator.faults.add("status", status=503, operation="campaigns.list", times=None)
    with pytest.raises(ServiceUnavailable):
        create(client, wanted, shared_clock)
    assert other.take(HELD) == 0


def test_in_doubt_others_do_not_create_before_it_would_be_listed(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any
) -> None:
    emulator.configure(campaign_visibility_seconds=2 * VISIBILITY_WINDOW - 5, clock="manual")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    emulator.faults.add("status", status=503, operation="campaigns.list", after=1, times=None)
    with pytest.raises(AmbiguousOutcome):
        create(client, wanted, shared_clock)
    emulator.faults.clear()
    assert create(client, wanted, shared_clock, owner="another task").adopted
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize("campaign_id", [None, 1])
def test_a_try_that_goes_on_where_another_was_killed_and_is_killed_too(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any, campaign_id: int | None
) -> None:
    # Its campaign may exist and not be listed: others must not take the right at once.
    store = Store()
    store.record().keep_intent(Intent(1, shared_clock.now(), campaign_id))
    emulator.faults.add("status", status=503, path="campaigns", times=None)
    with pytest.raises((AmbiguousOutcome, ServiceUnavailable)):
        create(client, wanted, shared_clock, store.record())
    assert other.take(HELD) == pytest.approx(VISIBILITY_WINDOW)


def test_a_killed_process_leaves_its_right_to_expire(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    sending = client.send

    def killed(call: Any) -> Any:
        if call.operation == "POST /campaigns":
            raise KeyboardInterrupt
        return sending(call)

    client.send = killed
    with pytest.raises(KeyboardInterrupt):
        create(client, wanted, shared_clock)
    assert other.take(HELD) == pytest.approx(VISIBILITY_WINDOW)


def test_who_lost_the_right_looks_again(
    client: Any, emulator: Any, book: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    made: list[Any] = []

    def slowly(campaign: Any) -> Any:
        if not made:
            shared_clock.sleep(HELD + 1)
            assert other.take(HELD) == 0
            made.append(add_campaign(emulator, book, MARKER.name("x")))
        return campaign

    outcome = create(client, replace(wanted, before_creating=slowly), shared_clock)
    assert (outcome.campaign_id, outcome.adopted) == (made[0].id, True)
    assert count(emulator, "campaigns.create") == 0


def test_who_was_replaced_by_a_later_try_creates_nothing(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any
) -> None:
    def replaced(campaign: Any) -> Any:
        assert client.lease(NAME, "this task").take(HELD) == 0
        return campaign

    with pytest.raises(ServiceUnavailable, match="Another try"):
        create(client, replace(wanted, before_creating=replaced), shared_clock)
    assert count(emulator, "campaigns.create") == 0


def test_the_right_is_kept_through_a_long_look(
    client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    sending = client.send
    refused: list[float] = []

    def slowly(call: Any) -> Any:
        shared_clock.sleep(HELD / 2)
        refused.append(other.take(HELD))
        return sending(call)

    client.send = slowly
    assert not create(client, wanted, shared_clock).adopted
    assert len(refused) >= 3
    assert min(refused) > 0


def test_waiting_has_an_end(client: Any, emulator: Any, shared_clock: Any, wanted: Any, other: Any) -> None:
    other.take(HELD)
    sleep = shared_clock.sleep

    def renewed(seconds: float) -> None:
        sleep(seconds)
        other.renew(HELD)

    shared_clock.sleep = renewed
    with pytest.raises(ServiceUnavailable, match="for 30 minutes") as caught:
        create(client, wanted, shared_clock)
    assert str(MARKER) in str(caught.value)
    assert count(emulator, "campaigns.create") == 0


def test_looks_that_fail_while_waiting_are_no_end(
    client: Any, emulator: Any, book: Any, shared_clock: Any, wanted: Any, other: Any
) -> None:
    other.take(HELD)
    there = add_campaign(emulator, book, MARKER.name("x"))
    emulator.faults.add("status", status=503, operation="campaigns.list", times=7)
    assert create(client, wanted, shared_clock).campaign_id == there.id


@pytest.mark.parametrize(("listed_after", "lost"), [(0.0, False), (0.0, True), (1.5, False)])
def test_threads_make_one_campaign(emulator: Any, wanted: Any, listed_after: float, lost: bool) -> None:
    emulator.configure(campaign_visibility_seconds=listed_after)
    emulator.faults.add("slow", operation="campaigns.create", seconds=0.2)
    if lost:
        emulator.faults.add("lose_answer", operation="campaigns.create")
    tasks = 4
    store, clock, begin = MemoryStore(), SystemClock(), threading.Barrier(tasks)

    def work(number: int) -> Any:
        client = Client(account(emulator), store=store)
        try:
            begin.wait()
            return create(client, wanted, clock, owner=f"task {number}")
        finally:
            client.close()

    with ThreadPoolExecutor(tasks) as pool:
        outcomes = list(pool.map(work, range(tasks)))
    assert len(emulator.state.campaigns) == 1
    assert {outcome.campaign_id for outcome in outcomes} == {next(iter(emulator.state.campaigns)).id}


@pytest.mark.parametrize("hosts", ["one host, files only", "two hosts, one Redis"])
def test_processes_make_one_campaign(emulator: Any, book: Any, tmp_path: Path, hosts: str) -> None:
    port = ""
    if hosts.startswith("two"):
        port = str(urlsplit(require("redis")).port)
    # Those who look while the first one creates find nothing, and for a while after it neither.
    emulator.configure(campaign_visibility_seconds=1.5)
    emulator.faults.add("slow", operation="campaigns.create", seconds=0.5, times=None)
    hosts_ = {"one": 3, "two": 3} if port else {"one": 6}
    program = Path(__file__).parents[1] / "support" / "one_mailing.py"
    account_ = (emulator.url, emulator.settings.client_id, emulator.settings.client_secret, str(book.id))
    with contextlib.ExitStack() as stack:
        if port:
            stack.callback(forget, account(emulator), require("redis"))
        processes = []
        for host, tasks in hosts_.items():
            process = subprocess.Popen(
                [sys.executable, str(program), *account_, host, port, str(tasks)],
                env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / host)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * len(hosts_)
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        lines = [line for process in processes for line in process.communicate(timeout=90)[0].splitlines()]
        outcomes = [json.loads(line.removeprefix("outcome ")) for line in lines if line.startswith("outcome ")]
    [campaign] = emulator.state.campaigns
    assert {outcome["campaign_id"] for outcome in outcomes} == {campaign.id}
    assert sorted(outcome["adopted"] for outcome in outcomes) == [False] + [True] * 5
    assert count(emulator, "campaigns.create") == 1
    assert count(emulator, "tokens.issue") == 1


def forget(whose: Any, url: str) -> None:
    import redis

    from airflow_provider_sendpulse.api.redis_store import PREFIX

    with redis.Redis.from_url(url) as client:
        assert client.delete(*[PREFIX + key for key in (whose.token_key, whose.budget_key, whose.leases_key)]) == 3


def test_without_a_lease_nothing_is_shared(emulator: Any, wanted: Any, shared_clock: Any) -> None:
    client = connected(emulator, shared_clock)
    client.lease(NAME, "another task").take(HELD)
    assert not create_once(client, wanted, GuessedRecord(1, shared_clock.now()), shared_clock).adopted
    client.close()


@pytest.mark.parametrize("window", [0, -1, 3601, 7200, float("nan")])
def test_a_window_that_no_right_could_cover_is_refused(window):
    with pytest.raises(InvalidRequest, match="visibility_window"):
        mailing_to(mailing={"visibility_window": window})
