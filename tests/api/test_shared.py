# SPDX-License-Identifier: Apache-2.0
"""Token and budget shared by processes through files."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from airflow_provider_sendpulse.api import shared
from airflow_provider_sendpulse.api.account import StaticKey
from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.api.shared import Busy, FileStore, HostStore, MemoryStore, cache_directory, host_store
from airflow_provider_sendpulse.api.token import LEASE

READ = Call.raw("GET", "/books")
FINE = {"result": True}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shared, "_host_stores", {})
    return tmp_path / "airflow-provider-sendpulse"


def processes(tools, url, count, per_second, mode="live"):
    command = [sys.executable, str(tools.folder / "processes.py"), url, str(count), str(per_second), mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()], done.stderr


def token_service(tools, seconds=0.0):
    def behave(connection, request):
        if request.target == tools.fakes.TOKEN_PATH:
            time.sleep(seconds)
            answer = tools.answer_json({"access_token": "canary-token-value", "expires_in": 3600})
        else:
            answer = tools.answer_json(FINE)
        return answer(connection, request)

    return behave


def test_fifty_processes_make_one_token_call_and_keep_the_budget(directory, peer, tools):
    # The token call lasts long enough for all fifty to be waiting when the token comes.
    per_second, lasting = 40, 1.5
    peer.behave = token_service(tools, lasting)
    codes, errors = processes(tools, peer.url, 50, per_second)
    assert codes == [0] * 50, errors
    targets = [request.target for request in peer.requests]
    assert targets.count(tools.fakes.TOKEN_PATH) == 1
    assert targets.count("/books") == 50
    assert {request.headers["authorization"] for request in peer.requests if request.target == "/books"} == {
        "Bearer canary-token-value"
    }
    # However slow the machine is, the n-th request comes no earlier than its place, counted from when the token was there.
    (token_at,) = [request.at for request in peer.requests if request.target == tools.fakes.TOKEN_PATH]
    times = sorted(request.at for request in peer.requests if request.target == "/books")
    early = [place for place, at in enumerate(times) if at < token_at + lasting + place / per_second - 0.02]
    assert not early

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = list(directory.iterdir())
    assert {file.suffix for file in files} == {".json", ".lock"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        content = file.name.encode() + file.read_bytes()
        for secret in (b"canary-token-value", b"the-client-id", b"the-client-secret"):
            assert secret not in content


def test_a_lease_left_by_a_killed_process_expires(directory, peer, lab, tools):
    codes, _ = processes(tools, peer.url, 1, 40, "killed")
    assert codes == [-9]
    # The killed process used the machine's clock; from here on time is ours.
    lab.clock.time = began = time.time()
    account = lab.account(peer.url)
    lab.answer(lab.reply(json=FINE))
    lab.send(READ, account=account, store=FileStore(directory))
    assert len(lab.token_calls) == 1
    assert LEASE - 15 <= lab.token_calls[0].at - began <= LEASE + 1


def test_a_file_with_lax_permissions_is_not_left_so(tmp_path):
    tmp_path.chmod(0o755)
    FileStore(tmp_path).try_update("x", lambda record: ({"a": 1}, None))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o600


def test_a_directory_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError):
        FileStore(tmp_path)


@pytest.mark.parametrize("make", [MemoryStore, None], ids=["memory", "files"])
def test_records(tmp_path, make):
    store = make() if make else FileStore(tmp_path)
    assert store.try_update("x", lambda record: ({"a": 1}, record)) is None
    assert store.try_update("x", lambda record: (None, record)) == {"a": 1}
    assert store.try_update("x", lambda record: ({"b": 2}, "result")) == "result"
    assert store.try_update("x", lambda record: (None, record)) == {"b": 2}
    assert store.try_update("y", lambda record: (None, record)) is None


def test_a_change_that_fails_changes_nothing_and_frees_the_lock(tmp_path):
    store = FileStore(tmp_path)
    store.try_update("x", lambda record: ({"a": 1}, None))
    with pytest.raises(ZeroDivisionError):
        store.try_update("x", lambda record: ({"a": 1 / 0}, None))
    with pytest.raises(TypeError):
        store.try_update("x", lambda record: ({"a": object()}, None))
    assert store.try_update("x", lambda record: (None, record)) == {"a": 1}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.json", "x.lock"]


def test_a_locked_record_is_busy(tmp_path):
    store = FileStore(tmp_path)
    with (tmp_path / "x.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            store.try_update("x", lambda record: (None, None))
    store.try_update("x", lambda record: (None, None))


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[1, 2]",
    b'"text"',
    b"null",
    b'{"arrivals": "x", "token": 5, "lease": "x", "paused_until": "x"}',
    b'{"arrivals": ["x", null], "token": "x", "lease": {"owner": 5, "until": "x"}, "paused_until": {}}',
    b'{"arrivals": [1e999, NaN, -1e999], "lease": {"until": null}, "paused_until": 1e999}',
    b'{"arrivals": [NaN], "lease": {"until": NaN}, "paused_until": NaN}',
    b'{"arrivals": [1' + b"0" * 400 + b'], "lease": {"until": 1' + b"0" * 400 + b'}, "paused_until": 1' + b"0" * 400 + b"}",
    b'{"arrivals": {"a": 1}, "lease": [1], "token": {"a": 1}}',
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_files_are_tolerated(lab, tmp_path, content):
    store = FileStore(tmp_path)
    for key in (lab.account().budget_key, lab.account().token_key):
        (tmp_path / f"{key}.json").write_bytes(content)
    lab.token_replies = [lab.reply(502), lab.reply(json={"access_token": "token-1", "expires_in": 3600})]
    lab.answer(lab.reply(429), lab.reply(json=FINE))
    assert lab.send(READ, store=store) == FINE
    assert lab.clock.now() - lab.received[0].at < 10
    for file in tmp_path.glob("*.json"):
        assert isinstance(json.loads(file.read_bytes()), dict)


def test_a_record_of_another_secret_is_no_token(lab):
    from airflow_provider_sendpulse.api.account import ClientCredentials

    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    lab.send(READ)
    one = lab.account(credentials=ClientCredentials("the-client-id", "another-secret"))
    assert one.token_key != lab.account().token_key
    kept = []
    lab.store.try_update(lab.account().token_key, lambda record: (None, kept.append(record)))
    lab.store.try_update(one.token_key, lambda record: (kept[0], None))
    lab.send(READ, account=one)
    assert len(lab.token_calls) == 2


def test_accounts_do_not_share(lab):
    account = lab.account()
    other = lab.account("https://other.invalid")
    static = lab.account(credentials=StaticKey("key-1")), lab.account(credentials=StaticKey("key-2"))
    assert len({one.budget_key for one in (account, other, *static)}) == 4
    with pytest.raises(TypeError):
        _ = static[0].token_key
    assert "the-client" not in account.budget_key + account.token_key + repr(account)


@pytest.mark.parametrize("spoil", ["a file in its place", "no home", "lost later"])
def test_without_a_directory_memory_does_and_one_warning_says_so(lab, directory, monkeypatch, caplog, spoil):
    if spoil == "a file in its place":
        directory.write_text("")
    elif spoil == "no home":
        monkeypatch.setattr(shared, "cache_directory", fail_without_home)
    store = host_store()
    if spoil == "lost later":
        directory.rmdir()
        directory.write_text("")
    lab.answer(*[lab.reply(json=FINE)] * 3)
    client = lab.client(store=store)
    for _ in range(3):
        client.send(READ)
    assert host_store() is store
    assert len(lab.token_calls) == 1, "memory keeps the token"
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "XDG_CACHE_HOME" in warnings[0].getMessage()


def fail_without_home():
    raise RuntimeError("Could not determine home directory.")


def test_the_directory_follows_the_environment(directory, monkeypatch, tmp_path):
    assert cache_directory() == directory
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory() == tmp_path / ".cache" / "airflow-provider-sendpulse"
    assert HostStore(tmp_path / "x").try_update("y", lambda record: ({}, 1)) == 1


def test_a_held_lock_never_blocks_the_loop(tmp_path, tools):
    lab = tools.Lab("httpx")
    lab.answer(lab.reply(json=FINE))
    whose = lab.account()
    driver = lab.client(whose, store=FileStore(tmp_path), clock=SystemClock())
    held = [(tmp_path / f"{key}.lock").open("wb") for key in (whose.budget_key, whose.token_key)]
    for file in held:
        fcntl.flock(file, fcntl.LOCK_EX)
    # Were the loop blocked, nobody else would free the locks.
    rescue = threading.Timer(5.0, lambda: [fcntl.flock(file, fcntl.LOCK_UN) for file in held])
    rescue.start()

    async def tick():
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not lab.received, "the call went on while the locks were held"
        for file in held:
            file.close()
        rescue.cancel()
        return "ticked"

    async def both():
        return await asyncio.gather(driver.client.send(READ), tick())

    began = time.monotonic()
    with asyncio.Runner() as runner:
        assert runner.run(both()) == [FINE, "ticked"]
    rescue.cancel()
    rescue.join()
    assert time.monotonic() - began < 4
    lab.close()


def test_a_cancelled_coroutine_frees_the_lease(tmp_path, tools):
    lab = tools.Lab("httpx")
    store = FileStore(tmp_path)
    driver = lab.client(store=store)

    sending = asyncio.Event()

    async def hang(request):
        sending.set()
        await asyncio.Event().wait()

    driver.client._transport.send = hang

    async def cancelled():
        task = asyncio.create_task(driver.client.send(READ))
        await sending.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner() as runner:
        runner.run(cancelled())
    (file,) = tmp_path.glob("token-*.json")
    assert lab.account().token_key in file.name
    assert json.loads(file.read_bytes())["lease"] is None
    lab.close()
