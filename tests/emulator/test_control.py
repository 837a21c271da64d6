# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from airflow_provider_sendpulse.emulator.settings import InvalidSetting, Settings


def test_state_holds_everything(api, emulator):
    book = api.book(2)
    campaign = api.campaign(book)["id"]
    emulator.advance(60)
    state = api.control("GET", "/state")
    assert [contact["email"] for contact in state["books"][0]["contacts"]] == [
        "reader0@example.com",
        "reader1@example.com",
    ]
    (found,) = state["campaigns"]
    assert found["id"] == campaign
    assert [code for code, _ in found["history"]] == [13, 2, 7, 3]
    assert found["history"][0][1] == "2026-03-02T07:00:00+00:00"
    assert [message["subject"] for message in state["messages"]] == ["Олена 0, hello", "Олена 1, hello"]
    assert state["tokens_issued"] == 0


def test_settings_over_http(api, emulator):
    answer = api.control("PUT", "/settings", {"seconds_in_status": {"1": 5}, "requests_per_second": None})
    assert answer["seconds_in_status"] == {"1": 5.0}
    assert emulator.settings.seconds_in_status == {1: 5.0}
    assert set(api.control("GET", "/settings")) == set(Settings.names())


@pytest.mark.parametrize(
    "change",
    [
        {"no_such": 1},
        {"transitions": "magic"},
        {"requests_per_second": "ten"},
        {"strict_emails": 1},
        {"seed": True},
        {"time_zone": "Mars/Base"},
        {"clock_start": "yesterday"},
        {"clock_start": "2026-03-02T09:00:00"},
        {"seconds_in_status": {"one": 1}},
        {"next_campaign_outcomes": ["11"]},
    ],
)
def test_wrong_settings_change_nothing(api, emulator, change):
    before = emulator.settings.as_dict()
    answer = api.send("PUT", "/__emulator__/settings", {"bounce_share": 0.5, **change})
    assert answer.status_code == 400
    assert emulator.settings.as_dict() == before


def test_clock_over_http(api, emulator):
    assert api.control("POST", "/clock/advance", {"seconds": 90}) == {"now": "2026-03-02T07:01:30+00:00"}
    assert api.send("POST", "/__emulator__/clock/advance", {"seconds": -1}).status_code == 400
    assert api.send("POST", "/__emulator__/clock/advance", {}).status_code == 400
    api.control("PUT", "/settings", {"clock": "real"})
    assert not emulator.emulator.clock.is_manual


def test_reset(api, emulator):
    api.book()
    emulator.configure(bounce_share=0.9)
    emulator.faults.add("drop")
    api.control("POST", "/reset", {"keep_settings": True})
    assert (len(emulator.state.books), emulator.faults.as_list(), emulator.requests.total) == (0, [], 0)
    assert emulator.settings.bounce_share == 0.9
    api.control("POST", "/reset")
    assert emulator.settings.bounce_share == 0.02


def test_senders_and_contacts_by_hand(api):
    api.control("POST", "/senders", {"name": "Second", "email": "second@example.com"})
    book = api.book(1)
    api.campaign(book, sender_email="second@example.com")
    api.control("PUT", f"/books/{book}/contacts", {"email": "reader0@example.com", "status": 6})
    assert api.get(f"/addressbooks/{book}/emails")[0]["status"] == 6


def test_control_calls_are_neither_logged_nor_limited(api, emulator):
    emulator.configure(requests_per_second=0)
    emulator.faults.add("status", status=500, times=None)
    api.control("GET", "/state")
    assert emulator.requests.total == 0


def test_running_emulator_starts_quickly_and_stops():
    started = time.perf_counter()
    running = RunningEmulator(requests_per_second=None).start()
    elapsed = time.perf_counter() - started
    try:
        assert requests.get(f"{running.url}/__emulator__/state", timeout=5).status_code == 200
    finally:
        running.stop()
    assert elapsed < 0.5
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{running.url}/__emulator__/state", timeout=5)


def test_running_emulator_refuses_unknown_settings():
    with pytest.raises(InvalidSetting):
        RunningEmulator(no_such_setting=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_announces_itself_and_ends_cleanly(tmp_path, number):
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "airflow_provider_sendpulse.emulator"]
    options = ["--port", "0", "--port-file", str(port_file), "--seed", "7", "--set", "time_zone=UTC"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.fullmatch(r"SendPulse emulator at (http://127\.0\.0\.1:\d+)\n", line)
        assert url is not None, line
        assert process.stdout.readline() == f"eSputnik emulator at {url.group(1)}/esputnik/api\n"
        assert url.group(1).endswith(":" + port_file.read_text().strip())
        settings = requests.get(f"{url.group(1)}/__emulator__/settings", timeout=5).json()
        assert (settings["seed"], settings["time_zone"]) == (7, "UTC")
        os.kill(process.pid, number)
        assert process.wait(timeout=10) == 0


def test_many_clients_at_once(api, emulator):
    emulator.configure(campaigns_per_window=4)
    book = api.book(1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.send("POST", "/campaigns", api.fields(book)), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [422] * 12
    assert len(emulator.state.campaigns) == 4


def test_thousands_of_contacts_are_no_burden(api, emulator):
    book = api.post("/addressbooks", {"bookName": "Large"})["id"]
    started = time.monotonic()
    emails = [{"email": f"reader{number}@example.com", "variables": {"n": number}} for number in range(5000)]
    api.post(f"/addressbooks/{book}/emails", {"emails": emails})
    campaign = api.campaign(book)["id"]
    emulator.advance(60)
    assert api.get(f"/campaigns/{campaign}")["all_email_qty"] == 5000
    assert time.monotonic() - started < 5


def test_stop_does_not_wait_for_slow_answers():
    running = RunningEmulator().start()
    running.faults.add("slow", seconds=60)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{running.url}/balance", timeout=0.05)
    started = time.monotonic()
    running.stop()
    assert time.monotonic() - started < 5


def test_given_settings_stay_as_they_are():
    settings = Settings(api_keys=["one"])
    running = RunningEmulator(settings, seed=9)
    running.configure(bounce_share=0.5)
    running.settings.api_keys.append("two")
    assert (settings.seed, settings.bounce_share, settings.api_keys) == (1, 0.02, ["one"])
    running.reset()
    assert (running.settings.seed, running.settings.api_keys) == (9, ["one"])


def test_stopping_the_clock_keeps_the_time_and_frees_the_limits(api, emulator):
    emulator.configure(clock="real", requests_per_minute=1)
    emulator.advance(100_000)
    api.get("/balance")
    before = emulator.emulator.clock.now()
    emulator.configure(clock="manual", clock_start=None)
    assert emulator.emulator.clock.now() >= before
    emulator.advance(60)
    api.get("/balance")
    emulator.configure(clock_start="2030-01-01T00:00:00+00:00")
    emulator.advance(60)
    api.get("/balance")
    assert api.control("GET", "/state")["now"] == "2030-01-01T00:01:00+00:00"
