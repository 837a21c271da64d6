# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves a task: not by its logs, fields, XComs, triggers and errors, nor by files."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import requests
from task_runner import records
from told import told

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.api.messages import Answer, Request
from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
    SendPulseExportAddressBookOperator,
)
from airflow_provider_sendpulse.operators.blacklist import (
    SendPulseAddToBlacklistOperator,
    SendPulseExportBlacklistOperator,
)
from airflow_provider_sendpulse.operators.contact_removal import (
    SendPulseRemoveContactsOperator,
    SendPulseUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.operators.contact_statistics import SendPulseContactStatisticsOperator
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator, SendPulseUpdateVariableOperator
from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator
from airflow_provider_sendpulse.operators.erasure import SendPulseEraseContactsOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.operators.senders import SendPulseEnsureSenderOperator
from airflow_provider_sendpulse.operators.templates import SendPulsePublishTemplatesOperator
from airflow_provider_sendpulse.operators.webhooks import SendPulseEnsureWebhookOperator, SendPulseRemoveWebhookOperator
from airflow_provider_sendpulse.sensors.address_books import SendPulseAddressBookUnlockedSensor
from airflow_provider_sendpulse.sensors.balance import SendPulseBalanceSensor
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor
from airflow_provider_sendpulse.sensors.emails import SendPulseEmailDeliveredSensor
from airflow_provider_sendpulse.sensors.flows import SendPulseFlowSensor
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

SECRET = "canary5ecret0123456789"
HASH = "0c4n4ry0hash0000000000000000cafe"
ADDRESS = "canary.reader+tag@private.example.org"
PHONE = "+380671234567"
NAME = "Канарка-Таємна"
CANARIES = (SECRET, HASH, ADDRESS, "canary.reader", PHONE, PHONE[1:], NAME)
PERSON = {"email": ADDRESS, "phone": PHONE, "name": NAME}


@pytest.fixture(autouse=True)
def canaries(connect: Any, emulator: Any) -> None:
    emulator.configure(client_secret=SECRET)
    connect(password=SECRET, extra={"event_urls": {"paid": f"{emulator.url}/events/id/{HASH}/5000001"}, "timeout": 5})


@pytest.fixture(autouse=True)
def talkative(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let all that could log what we send do so in full."""
    names = ("airflow_provider_sendpulse", "httpx", "httpcore", "urllib3", "requests", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep all files that can be written in one place, and let the modes be those that were asked for."""
    folder = tmp_path / "written"
    for name in ("home", "tmp", "here"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.chdir(folder / "here")
    before = os.umask(0)
    yield folder
    os.umask(before)


def tasks(account: Any, dag: Any, campaign_of: Any, upstream: Any) -> dict[str, Callable[[], Any]]:
    """Return every operator and sensor with a person in all places where there can be one."""
    book_id = account.book("Everybody", emails=[ADDRESS])

    def sensor(kind: Any, **arguments: Any) -> Any:
        return kind(task_id="task", dag=dag, poke_interval=0.001, **arguments)

    return {
        "create book": lambda: SendPulseCreateAddressBookOperator(task_id="task", dag=dag, name="Readers"),
        "delete book": lambda: SendPulseDeleteAddressBookOperator(
            task_id="task", dag=dag, address_book_id=book_id, confirm_name="Everybody"
        ),
        "add": lambda: SendPulseAddEmailsOperator(task_id="task", dag=dag, address_book_id=book_id, contacts=[PERSON]),
        "add from upstream": lambda: SendPulseAddEmailsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=upstream("people", [PERSON])
        ),
        "double opt-in": lambda: SendPulseAddEmailsOperator(
            task_id="task",
            dag=dag,
            address_book_id=book_id,
            contacts=[PERSON],
            double_opt_in=True,
            sender_email="shop@example.com",
        ),
        "update": lambda: SendPulseUpdateVariableOperator(
            task_id="task", dag=dag, address_book_id=book_id, contact_email=ADDRESS, variables={"name": NAME}
        ),
        "event": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="left", contacts=[PERSON]),
        "event by hash": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="paid", contacts=[PERSON]),
        "event for one": lambda: SendPulseSendEventOperator(
            task_id="task", dag=dag, event_name="paid", contact_email=ADDRESS, contact_phone=PHONE, variables={"name": NAME}
        ),
        "campaign": lambda: campaign_of(
            task_id="task", address_book_id=book_id, attachments={"list.csv": f"{ADDRESS},{NAME}"}
        ),
        "campaign, deferred": lambda: campaign_of(
            task_id="task", address_book_id=book_id, wait_for_completion=True, deferrable=True
        ),
        "campaign, waiting": lambda: campaign_of(task_id="task", address_book_id=book_id, wait_for_completion=True),
        "campaign sensor": lambda: sensor(SendPulseCampaignSensor, campaign_id=account.campaign(2, 3)),
        "campaign sensor, deferred": lambda: sensor(
            SendPulseCampaignSensor, campaign_id=account.campaign(2, 3), deferrable=True
        ),
        "book sensor": lambda: sensor(SendPulseAddressBookUnlockedSensor, address_book_id=book_id),
        "book sensor, deferred": lambda: sensor(
            SendPulseAddressBookUnlockedSensor, address_book_id=book_id, deferrable=True
        ),
        "remove": lambda: SendPulseRemoveContactsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=[PERSON]
        ),
        "unsubscribe": lambda: SendPulseUnsubscribeContactsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=[ADDRESS]
        ),
        "blacklist": lambda: SendPulseAddToBlacklistOperator(task_id="task", dag=dag, contacts=[PERSON], comment="wrong"),
        "erase": lambda: SendPulseEraseContactsOperator(
            task_id="task", dag=dag, contacts=[PERSON], blacklist=True, receipt=f"{Path.cwd()}/receipts.csv"
        ),
        "look up": lambda: SendPulseContactStatisticsOperator(
            task_id="task",
            dag=dag,
            contacts=[PERSON],
            **{kind: f"{kept()}/{kind}.csv" for kind in ("statistics", "memberships", "origins")},
        ),
        "export": lambda: SendPulseExportAddressBookOperator(
            task_id="task", dag=dag, address_book_id=book_id, destination=f"{kept()}/contacts.csv"
        ),
        "export blacklist": lambda: SendPulseExportBlacklistOperator(
            task_id="task", dag=dag, destination=f"{kept()}/blacklist.csv"
        ),
        "email": lambda: SendPulseSendEmailOperator(
            task_id="task",
            dag=dag,
            sender_email="shop@example.com",
            sender_name="Shop",
            to={"email": ADDRESS, "name": NAME},
            cc=[ADDRESS],
            subject=f"For {NAME}, {PHONE}",
            html="<p>[[ name ]]</p>",
            text=f"{NAME}, {ADDRESS}",
            body_params={"name": NAME},
            attachments={"list.csv": f"{ADDRESS},{NAME}"},
            if_in_doubt="resend",
        ),
        "email sensor": lambda: sensor(SendPulseEmailDeliveredSensor, message_id=sent_to(account)),
        "subscribe": lambda: SendPulseEnsureWebhookOperator(task_id="task", dag=dag, url=HOOK, actions=["open", "spam"]),
        "end a subscription": lambda: SendPulseRemoveWebhookOperator(
            task_id="task", dag=dag, url=subscribed(account), actions=["open"]
        ),
        "activate": lambda: SendPulseEnsureSenderOperator(
            task_id="task", dag=dag, sender_name="Shop", sender_email=waiting_sender(account), activation_code=HASH
        ),
        "publish": lambda: SendPulsePublishTemplatesOperator(task_id="task", dag=dag, path=template(), lang="en"),
        "balance sensor": lambda: sensor(SendPulseBalanceSensor, min_balance=1, min_emails_left=1, min_days_left=1),
        "flow sensor": lambda: sensor(SendPulseFlowSensor, flow_id=flow(account), figure="starts", at_least=0),
    }


def kept() -> Path:
    """Return a folder for what is meant to hold addresses."""
    return Path.cwd().parents[1] / "kept"


HOOK = f"https://hooks.example.org/{HASH}/{ADDRESS}"


def subscribed(account: Any) -> str:
    with account.emulator.emulator.lock:
        account.emulator.state.webhooks.subscribe(HOOK, ["open", "spam"])
    return HOOK


def waiting_sender(account: Any) -> str:
    sender = account.emulator.state.senders.put("Shop", "news@example.org", active=False)
    sender.code = HASH
    return str(sender.email)


def template() -> str:
    # Beside the folders in which files with canaries are looked for.
    path = Path.cwd().parents[1] / "welcome.html"
    path.write_text(f"<p>{NAME}</p>")
    return str(path)


def flow(account: Any) -> int:
    with account.emulator.emulator.lock:
        return int(account.emulator.state.flows.create("Welcome", "signed_up", []).id)


def sent_to(account: Any) -> str:
    from airflow_provider_sendpulse.emulator.smtp import SmtpMessage

    with account.emulator.emulator.lock:
        wanted = SmtpMessage("Shop", "shop@example.com", NAME, NAME, NAME, [ADDRESS])
        return str(account.emulator.state.smtp.send(wanted))


NAMES = (
    "create book",
    "delete book",
    "add",
    "add from upstream",
    "double opt-in",
    "update",
    "event",
    "event by hash",
    "event for one",
    "campaign",
    "campaign, deferred",
    "campaign, waiting",
    "campaign sensor",
    "campaign sensor, deferred",
    "book sensor",
    "book sensor, deferred",
    "remove",
    "unsubscribe",
    "blacklist",
    "erase",
    "look up",
    "export",
    "export blacklist",
    "email",
    "email sensor",
    "subscribe",
    "end a subscription",
    "activate",
    "publish",
    "balance sensor",
    "flow sensor",
)

FAILURES: dict[str, dict[str, Any]] = {
    "refused": {"kind": "status", "status": 422},
    "unavailable": {"kind": "status", "status": 503},
    "throttled": {"kind": "status", "status": 429},
    "throttled for long": {"kind": "status", "status": 429, "retry_after": "99999999"},
    "unauthorised": {"kind": "status", "status": 401},
    "unauthorised once": {"kind": "status", "status": 401, "times": 1},
    "redirected": {"kind": "status", "status": 302},
    "error in a 200": {"kind": "is_error"},
    "false in a 200": {"kind": "result_false"},
    "closed": {"kind": "drop"},
    "lost": {"kind": "lose_answer", "reset": True},
    "half a head": {"kind": "cut_head"},
    "half an answer": {"kind": "cut_answer"},
    "half a JSON": {"kind": "truncate"},
    "html": {"kind": "html", "status": 200},
    "wrong type": {"kind": "wrong_type", "becomes": "object"},
    "wrong field": {"kind": "wrong_type", "field": "id", "becomes": "list"},
    "unknown status": {"kind": "unknown_status", "times": 2},
    "late": {"kind": "slow", "seconds": 30},
    "trickling": {"kind": "slow_bytes", "seconds": 0.05},
    "token ended": {"kind": "revoke_tokens", "times": 1},
    "away": {"kind": "outage", "seconds": 500},
    "token refused": {"kind": "status", "status": 400, "operation": "tokens.issue"},
    "token unauthorised": {"kind": "status", "status": 401, "operation": "tokens.issue"},
    "token unavailable": {"kind": "status", "status": 500, "operation": "tokens.issue"},
    "token lost": {"kind": "lose_answer", "operation": "tokens.issue"},
    "token cut": {"kind": "truncate", "operation": "tokens.issue"},
    "token of a wrong type": {
        "kind": "wrong_type",
        "field": "access_token",
        "becomes": "list",
        "operation": "tokens.issue",
    },
}
# The service repeats what it was sent, as services do.
ECHO = f"wrong: {ADDRESS}, {PHONE}, secret {SECRET}, /events/id/{HASH}/1"


def set_failure(account: Any, failure: str) -> None:
    fault = {"times": 40, **FAILURES[failure]}
    if "operation" not in fault:
        fault["path"] = "^/(?!oauth)"
    if fault["kind"] in ("status", "is_error", "result_false"):
        fault["message"] = ECHO
    account.emulator.faults.add(**fault)


def secrets(account: Any) -> tuple[str, ...]:
    return (*CANARIES, *account.emulator.state.tokens._expiry)


def check_words(places: dict[str, str], account: Any) -> None:
    for place, text in places.items():
        # The emulator's own server writes the paths that it serves.
        lines = [line for line in text.splitlines() if "uvicorn" not in line]
        for canary in secrets(account):
            assert not any(canary in line for line in lines), f"{canary} in {place}"


def check(result: Any, account: Any, capfd: Any, written: Path) -> None:
    output = capfd.readouterr()
    check_words(
        {
            "log": result.log,
            "stdout": output.out,
            "stderr": output.err,
            "rendered": json.dumps(result.rendered, ensure_ascii=False),
            "XCom": str({place: value for place, value in result.api.xcoms.items() if place[0] != "people"}),
            "state store": json.dumps(result.api.store, ensure_ascii=False),
            "reports, with the arguments of triggers": json.dumps(result.api.reported, ensure_ascii=False),
            "event": json.dumps(result.event, ensure_ascii=False),
            "error": told(result.error),
            "reason of a retry": retry_reason(result.error),
        },
        account,
    )
    check_files(account, written)


def check_files(account: Any, written: Path) -> None:
    for path in written.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_file():
            assert mode & 0o177 == 0, f"{path} has mode {mode:o}"
            content = path.read_bytes()
            assert not any(canary.encode() in content for canary in secrets(account)), path
        elif "cache" in path.name or "cache" in path.parent.name:
            assert mode == 0o700 or path.name == "cache", f"{path} has mode {mode:o}"


def retry_reason(error: BaseException | None) -> str:
    """What Airflow is told by the retry policy, which it logs and stores."""
    if error is None or not AIRFLOW_V_3_3_PLUS:
        return ""
    from airflow_provider_sendpulse.retry_policy import SendPulseRetryPolicy

    return repr(SendPulseRetryPolicy(unavailable_delay=5.0).evaluate(error, 1, 3))


def test_what_is_logged_is_seen(account: Any) -> None:
    """The other tests here would find a canary: this request is not ours, so everything about it is logged."""
    with records() as handler:
        requests.get(f"{account.emulator.url}/{ADDRESS}", timeout=5)
    with pytest.raises(AssertionError, match="canary"):
        check_words({"log": "\n".join(handler.lines)}, account)


def test_a_file_for_everybody_is_seen(account: Any, written: Path) -> None:
    (written / "home" / "open").write_text("")
    with pytest.raises(AssertionError, match="mode 666"):
        check_files(account, written)


@pytest.mark.parametrize("name", NAMES)
def test_success(
    runner: Any, dag: Any, account: Any, campaign_of: Any, upstream: Any, capfd: Any, written: Path, name: str
) -> None:
    account.emulator.configure(outcomes={ADDRESS: 2})
    made = tasks(account, dag, campaign_of, upstream)
    assert set(made) == set(NAMES)
    capfd.readouterr()
    result = runner.run(made[name]())
    assert len(result.legs) == (2 if "deferred" in name and "book" not in name else 1)
    assert result.state == "success", result.error
    check(result, account, capfd, written)
    assert any(written.rglob("*.json"))
    # A hash URL is a credential of its own; everything else needs a token, which is looked for above.
    assert bool(account.emulator.state.tokens._expiry) == (name not in ("event by hash", "event for one"))


def test_every_kind_of_fault_is_tried() -> None:
    assert {failure["kind"] for failure in FAILURES.values()} == set(get_args(FaultKind)) - {"kill"}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", NAMES)
def test_failure(
    runner: Any,
    dag: Any,
    account: Any,
    campaign_of: Any,
    upstream: Any,
    capfd: Any,
    written: Path,
    quick: Any,
    connect: Any,
    name: str,
    failure: str,
) -> None:
    task = tasks(account, dag, campaign_of, upstream)[name]()
    if failure == "late":
        hurry(connect, account)
    set_failure(account, failure)
    capfd.readouterr()
    if "sensor" in name:
        task.timeout = 0.0
    if hasattr(task, "visibility_window"):
        task.visibility_window = 0.0
    result = runner.run(task)
    assert result.state in ("failed", "success")
    check(result, account, capfd, written)


def hurry(connect: Any, account: Any) -> None:
    url = account.emulator.url
    connect(password=SECRET, extra={"event_urls": {"paid": f"{url}/events/id/{HASH}/5000001"}, "timeout": 0.02})


@pytest.mark.parametrize("failure", FAILURES)
def test_connection_test(account: Any, capfd: Any, written: Path, quick: Any, connect: Any, failure: str) -> None:
    if failure == "late":
        hurry(connect, account)
    set_failure(account, failure)
    with records() as handler:
        worked, words = SendPulseHook().test_connection()
    output = capfd.readouterr()
    assert words
    assert not (worked and failure in ("refused", "unavailable", "closed", "token refused"))
    told_to_all = {"words": words, "log": "\n".join(handler.lines), "stdout": output.out, "stderr": output.err}
    check_words(told_to_all, account)
    check_files(account, written)


@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_cancelling_a_wait(account: Any, capfd: Any, written: Path, quick: Any, connect: Any, failure: str | None) -> None:
    """What the triggerer does when a user clears a task, and what it logs when that fails."""
    campaign_id = account.campaign(1)
    if failure == "late":
        hurry(connect, account)
    if failure is not None:
        set_failure(account, failure)
    trigger = SendPulseCampaignTrigger(
        campaign_id=campaign_id,
        cancel_on_kill=True,
        sendpulse_conn_id="sendpulse_default",
        poll_interval=1.0,
        deadline=time.time() + 60,
    )
    error: BaseException | None = None
    with records() as handler:
        try:
            asyncio.run(trigger.on_kill())
        except Exception as raised:
            error = raised
    assert failure is not None or error is None
    output = capfd.readouterr()
    check_words(
        {
            "error": told(error),
            "log": "\n".join(handler.lines),
            "stdout": output.out,
            "stderr": output.err,
            "row": repr(trigger.serialize()) + repr(trigger) + repr(vars(trigger)),
        },
        account,
    )
    check_files(account, written)


CALLS = {
    "add": lambda: sp.contacts.add(7, [sp.contacts.NewContact(ADDRESS, PHONE, {"name": NAME})]),
    "double opt-in": lambda: sp.contacts.add_with_confirmation(
        7, [sp.contacts.NewContact(ADDRESS)], sp.contacts.DoubleOptIn(ADDRESS)
    ),
    "read contact": lambda: sp.contacts.read(7, ADDRESS),
    "update": lambda: sp.contacts.update_variables(7, ADDRESS, {"name": NAME}),
    "remove": lambda: sp.contacts.remove(7, [ADDRESS]).parts[0],
    "unsubscribe": lambda: sp.contacts.unsubscribe(7, [ADDRESS]).parts[0],
    "event": lambda: sp.events.send("left", sp.events.Event(ADDRESS, PHONE, variables={"name": NAME})),
    "event by hash": lambda: sp.events.send_to_url(
        SecretUrl(f"https://events.example.com/events/id/{HASH}/1"), sp.events.Event(ADDRESS), form=True
    ),
    "campaign": lambda: sp.campaigns.create(
        sp.campaigns.NewCampaign(
            name="News",
            sender_name="The Shop",
            sender_email="shop@example.com",
            subject="News",
            body=f"<p>{NAME}</p>",
            address_book_ids=[7],
            attachments={"list.csv": ADDRESS},
        )
    ),
    "token": lambda: sp.SENDPULSE.token_call("emulator-id", SECRET),
}


@pytest.mark.parametrize("name", CALLS)
def test_representation_of_a_call(account: Any, name: str) -> None:
    call = CALLS[name]()
    words = f"{call!r} {call} {call.operation} {call.body!r} {call.host!r}"
    check_words({"call": words}, account)
    assert call.operation.split()[0] in words


def test_representation_of_what_is_sent_and_received(account: Any) -> None:
    request = Request("POST", f"https://x.example.com/{ADDRESS}", {"Authorization": f"Bearer {SECRET}"}, ADDRESS.encode())
    answer = Answer(200, {"set-cookie": SECRET}, ADDRESS.encode())
    contact = sp.contacts.Contact(ADDRESS, 1, "New", PHONE, {"name": NAME}, {"name": NAME})
    objects = [request, answer, contact, sp.contacts.NewContact(ADDRESS, PHONE, {"name": NAME}), sp.events.Event(ADDRESS)]
    check_words({type(one).__name__: f"{one!r} {one}" for one in objects}, account)


def test_representation_of_hook_and_clients(account: Any) -> None:
    async def in_a_loop(hook: SendPulseHook) -> str:
        client = await hook.aget_conn()
        await hook.asend(sp.balance.read())
        try:
            return " ".join(map(deep, (hook, client)))
        finally:
            await hook.aclose()

    with SendPulseHook() as hook:
        hook.send(sp.balance.read())
        objects = {"hook": deep(hook), "settings": deep(hook.settings), "client": deep(hook.get_conn())}
        objects["asynchronous"] = asyncio.run(in_a_loop(hook))
    assert account.emulator.state.tokens._expiry
    assert "emulator-id" not in objects["settings"]
    check_words(objects, account)


def deep(one: Any) -> str:
    """What an object shows of itself, and what its attributes show of themselves."""
    attributes = getattr(one, "__dict__", None) or {
        name: getattr(one, name) for name in getattr(type(one), "__slots__", ()) if hasattr(one, name)
    }
    return f"{one!r} {one} {attributes!r}"


@pytest.mark.parametrize("name", ["add", "event", "update"])
def test_rendering_that_fails(
    runner: Any, dag: Any, account: Any, campaign_of: Any, upstream: Any, capfd: Any, written: Path, name: str
) -> None:
    task = tasks(account, dag, campaign_of, upstream)[name]()
    task.sendpulse_conn_id = "{{ missing.name }}"
    capfd.readouterr()
    result = runner.run(task)
    assert result.state == "failed"
    check(result, account, capfd, written)


@pytest.mark.parametrize("name", ["update", "event for one"])
@pytest.mark.parametrize("retry", [False, True])
def test_alert_is_not_mailed_to_a_contact(
    runner: Any,
    dag: Any,
    account: Any,
    campaign_of: Any,
    upstream: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    retry: bool,
) -> None:
    from airflow.sdk.execution_time import task_runner as airflow_runner

    mailed: list[Any] = []
    for function in ("_send_error_email_notification", "_send_task_error_email"):
        if hasattr(airflow_runner, function):
            monkeypatch.setattr(airflow_runner, function, lambda *arguments, **_: mailed.append(arguments))
    task = tasks(account, dag, campaign_of, upstream)[name]()
    task.event_name = task.address_book_id = ""
    if retry:
        monkeypatch.setenv("AIRFLOW_CONN_SENDPULSE_DEFAULT", "{")
        runner.api.should_retry = True
    result = runner.run(task)
    assert result.state in ("failed", "up_for_retry")
    assert mailed == []


@pytest.mark.filterwarnings("ignore:Setting email")
def test_recipients_of_alerts_are_no_contacts(runner: Any, account: Any) -> None:
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    dag = DAG(
        "a_dag",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        default_args={"email": ["operations@example.com"]},
    )
    send = SendPulseSendEventOperator(task_id="task", dag=dag, event_name="left", contacts=[{"email": "ada@example.com"}])
    assert runner.run(send).state == "success"
