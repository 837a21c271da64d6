# SPDX-License-Identifier: Apache-2.0
"""One task sends one message, whatever Airflow does."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from examples import one_task
from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

ADA, BEA = "ada@example.com", "bea@example.com"
CHOICES = ("skip", "resend", "fail")
stored = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="needs the task state store of Airflow 3.3")


@pytest.fixture(autouse=True)
def delivered(emulator: Any) -> None:
    emulator.configure(bounce_share=0.0, open_share=0.0)


@pytest.fixture
def email_of(dag: Any) -> Callable[..., Any]:
    """Return how to make an operator that says little more than what a test is about."""

    def make(**arguments: Any) -> Any:
        if not {"html", "html_file", "text", "template_id"} & arguments.keys():
            arguments["html"] = "<p>Thank you</p>"
        return SendPulseSendEmailOperator(
            **{
                "task_id": "email",
                "dag": dag,
                "sender_email": "shop@example.com",
                "sender_name": "The Shop",
                "to": ADA,
                "subject": "Order 17",
                "if_in_doubt": "fail",
                **arguments,
            }
        )

    return make


def sent(account: Any) -> list[dict[str, Any]]:
    return [body["email"] for body in account.sent("smtp.send")]


def ids(account: Any) -> list[str]:
    return [record.id for record in account.emulator.state.smtp]


# What is sent.


def test_everything(runner: Any, account: Any, email_of: Any, tmp_path: Path) -> None:
    page = tmp_path / "receipt.html"
    page.write_text("<p>[[ name ]], order [[ params.order ]] of [[ ds ]]</p>")
    result = runner.run(
        email_of(
            to=[{"email": ADA, "name": "Ада"}, BEA],
            cc="c@example.com",
            bcc=["d@example.com"],
            reply_to={"email": "help@example.com", "name": "Help"},
            subject="Order [[ params.order ]]",
            html_file=str(page),
            text="[[ name ]] & order [[ params.order ]]",
            body_params={"name": "A & O'{{ params.order }}"},
            attachments={"a.txt": "text", "b.bin": b"\x00"},
            auto_plain_text=True,
            params={"order": 17},
        )
    )
    assert result.state == "success", result.error
    [email] = sent(account)
    html = "<p>A &amp; O&#39;17, order 17 of 2026-01-05</p>"
    assert base64.b64decode(email.pop("html")).decode() == html
    assert email == {
        "subject": "Order 17",
        "from": {"name": "The Shop", "email": "shop@example.com"},
        "to": [{"name": "Ада", "email": ADA}, {"email": BEA}],
        "cc": [{"email": "c@example.com"}],
        "bcc": [{"email": "d@example.com"}],
        "reply_to": {"name": "Help", "email": "help@example.com"},
        "text": "A & O'17 & order 17",
        "auto_plain_text": True,
        "attachments": {"a.txt": "text"},
        "attachments_binary": {"b.bin": "AA=="},
    }
    assert result.value == ids(account)[0]
    assert result.xcom("message", "email") == {"message_id": result.value, "adopted": False}


def test_template(runner: Any, account: Any, email_of: Any, emulator: Any) -> None:
    with emulator.emulator.lock:
        template = emulator.state.templates.create("<p>{{order}}</p>", "Receipt", "en")
    variables = {"order": "{{ params.order }}"}
    operator = email_of(
        template_id=template.real_id,
        template_variables=variables,
        subject="Order {{order}}",
        params={"order": 17},
    )
    assert runner.run(operator).state == "success"
    [message] = emulator.inbox(ADA)
    assert (message["subject"], message["body"]) == ("Order 17", "<p>17</p>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"html": "<p>{{ ds }}</p>"}, "html holds {{ … }}"),
        ({"subject": "{{ ds }}"}, "subject holds {{ … }}"),
        ({"text": "{{ ds }}"}, "text holds {{ … }}"),
        ({"html": "<p>[[ nothing ]]</p>"}, "'nothing' is undefined"),
        ({"html": "x", "html_file": "y"}, "either html or html_file"),
        ({"html": "x", "template_id": 7}, "either html"),
        ({"html": None}, "either html"),
        ({"html": 7}, "html is a int"),
        ({"html_file": "missing.html"}, "could not be read"),
        ({"subject": " "}, "needs a subject"),
        ({"to": []}, "needs a recipient"),
        ({"to": None}, "needs a recipient"),
        ({"to": "ada at example.com"}, "to cannot be mailed to (not an address)"),
        ({"to": [7]}, "to holds a int"),
        ({"cc": {"name": "Ada"}}, "cc holds a NoneType"),
        ({"sender_email": ""}, "sender_email cannot be mailed to (no address)"),
        ({"template_variables": {"a": 1}}, "template_variables are for a template_id"),
        ({"template_id": 7, "template_variables": [1]}, "template_variables is a"),
        ({"attachments": ["a"]}, "attachments is a"),
        ({"attachments": {"a": 1}}, "attachments hold a int"),
        ({"if_in_doubt": "perhaps"}, "if_in_doubt is 'perhaps'"),
        ({"visibility_window": 0}, "visibility_window"),
        ({"visibility_window": 4000}, "visibility_window is 4000 seconds"),
        ({"message_key": ""}, "message_key is empty"),
    ],
    ids=str,
)
def test_what_cannot_be_meant(runner: Any, account: Any, email_of: Any, arguments: dict[str, Any], words: str) -> None:
    runner.api.should_retry = True
    result = runner.run(email_of(**arguments))
    assert result.state == "failed"
    assert type(result.error).__name__ == "InvalidRequest"
    assert words in str(result.error)
    assert "ada" not in str(result.error)
    assert account.emulator.requests.records("smtp.send") == []


def test_two_braces_can_be_meant(runner: Any, emulator: Any, account: Any, email_of: Any) -> None:
    assert runner.run(email_of(html=None, text="[[ '{' * 2 ]]x}}")).state == "success"
    assert sent(account)[0]["text"] == "{{x}}"


def test_what_to_do_in_doubt_has_to_be_said(dag: Any) -> None:
    with pytest.raises(TypeError, match="if_in_doubt"):
        SendPulseSendEmailOperator(task_id="email", dag=dag, sender_email="a", sender_name="b", to="c", subject="d")


@pytest.mark.parametrize(
    ("settings", "arguments", "words"),
    [
        ({}, {"sender_email": "nobody@example.com"}, "confirm the address"),
        ({}, {"template_id": 7}, "real_id"),
        ({"smtp_most_recipients": 1}, {"cc": BEA}, "Send several messages"),
        ({"smtp_most_bytes": 5}, {}, "link to them"),
        ({"smtp_account": "missing"}, {}, "Switch the SMTP service on"),
        ({"smtp_account": "expired"}, {}, "does not allow this"),
    ],
    ids=str,
)
def test_refusals(
    runner: Any, emulator: Any, email_of: Any, settings: dict[str, Any], arguments: dict[str, Any], words: str
) -> None:
    emulator.configure(**settings)
    runner.api.should_retry = True
    result = runner.run(email_of(**arguments))
    assert (result.state, type(result.error).__name__) == ("failed", "Refused")
    assert words in str(result.error)
    assert emulator.inbox() == []


def test_a_limit_of_the_account_is_retried(runner: Any, emulator: Any, email_of: Any) -> None:
    emulator.configure(smtp_sending="limited")
    runner.api.should_retry = True
    operator = email_of()
    result = runner.run(operator)
    assert (result.state, type(result.error).__name__) == ("up_for_retry", "Throttled")
    emulator.configure(smtp_sending="open")
    if AIRFLOW_V_3_3_PLUS:
        assert runner.run(operator, try_number=2).state == "success"
        assert len(emulator.inbox(ADA)) == 1


# Once.


@stored
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("how", ["retry", "cleared", "cleared a month later"])
def test_a_second_run_of_the_task_sends_nothing(
    runner: Any, account: Any, email_of: Any, jumping_clock: list[float], how: str, choice: str
) -> None:
    operator = email_of(if_in_doubt=choice)
    first = runner.run(operator)
    if "cleared" in how:
        runner.api.clear_number = 1
        runner.api.xcoms.clear()
    if "month" in how:
        jumping_clock.append(30 * 86400.0)
    second = runner.run(operator, try_number=2)
    assert second.state == "success", second.error
    assert second.value == first.value
    assert second.xcom("message", "email")["adopted"] is True
    assert len(sent(account)) == 1


def test_later_run_sends_another_message_with_the_same_subject(account: Any, email_of: Any) -> None:
    operator = email_of()
    values = [TaskRunner(ExecutionApi(run_id=run_id)).run(operator).value for run_id in ("scheduled__1", "scheduled__2")]
    assert values == ids(account)
    assert len(set(values)) == 2


@pytest.mark.parametrize("state_store", [True, False])
def test_a_unique_subject_joins_runs(account: Any, email_of: Any, state_store: bool) -> None:
    operator = email_of(subject_is_unique=True)
    values = []
    for run_id in ("scheduled__1", "scheduled__2"):
        api = ExecutionApi(run_id=run_id, run_after=datetime.now(UTC))
        values.append(TaskRunner(api, state_store=state_store).run(operator).value)
    assert [*set(values)] == ids(account)
    operator.look_back = timedelta(0)
    assert "look_back" in str(TaskRunner().run(operator).error)


@stored
@pytest.mark.parametrize("changes", [{"edition": 2}, {"message_key": "other"}])
def test_what_makes_another_message(runner: Any, account: Any, email_of: Any, changes: dict[str, Any]) -> None:
    operator = email_of(message_key="17")
    assert runner.run(operator).state == "success"
    for name, value in changes.items():
        setattr(operator, name, value)
    assert runner.run(operator, try_number=2).state == "success"
    assert len(set(ids(account))) == 2


@stored
def test_another_recipient_is_a_conflict(runner: Any, account: Any, email_of: Any) -> None:
    operator = email_of()
    assert runner.run(operator).state == "success"
    runner.api.should_retry = True
    operator.to = BEA
    result = runner.run(operator, try_number=2)
    assert (result.state, type(result.error).__name__) == ("failed", "MessageConflict")
    assert ids(account)[0] in str(result.error)
    assert len(sent(account)) == 1


@stored
def test_a_store_that_is_broken_sends_nothing(runner: Any, account: Any, email_of: Any) -> None:
    runner.api.broken_store = True
    assert runner.run(email_of()).state in ("failed", "up_for_retry")
    assert sent(account) == []


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("state_store", [True, False])
@pytest.mark.parametrize("fault", ["lose_answer", "cut_answer"])
def test_a_lost_answer(
    account: Any, email_of: Any, jumping_clock: list[float], choice: str, state_store: bool, fault: str
) -> None:
    account.emulator.faults.add(fault, operation="smtp.send")
    result = TaskRunner(state_store=state_store).run(email_of(if_in_doubt=choice))
    assert result.state == "success", result.error
    assert [result.value] == ids(account)
    assert "was sent by an earlier request" in result.log


@pytest.mark.parametrize("state_store", [True, False])
@pytest.mark.parametrize("list_fails", [True, False])
def test_resent_once_over_tries_and_clears(
    account: Any, email_of: Any, jumping_clock: list[float], state_store: bool, list_fails: bool
) -> None:
    account.emulator.configure(smtp_visibility_reads=10**6, bounce_share=0.0)
    account.emulator.faults.add("lose_answer", operation="smtp.send", times=None)
    if list_fails:
        account.emulator.faults.add("status", status=503, operation="smtp.list", after=15, times=None)
    runner = TaskRunner(ExecutionApi(should_retry=True), state_store=state_store)
    task = email_of(if_in_doubt="resend")
    for number in (1, 2, 3, 4):
        result = runner.run(task, try_number=number)
        assert result.state in {"failed", "up_for_retry"}
        if number > 1 and not list_fails:
            assert "may have been sent, and sent again" in str(result.error)
        if list_fails and number == 2:
            account.emulator.faults.clear()
            account.emulator.faults.add("lose_answer", operation="smtp.send", times=None)
        if number == 3:
            runner.api.clear_number = 1
            runner.api.xcoms.clear()
    # Without a store, a second try that could not look has used up its right to send again.
    remembers = state_store and AIRFLOW_V_3_3_PLUS
    assert len(ids(account)) == (2 if remembers or not list_fails else 1)


@pytest.mark.parametrize(("choice", "state"), [("skip", "skipped"), ("resend", "success"), ("fail", "failed")])
@pytest.mark.parametrize("state_store", [True, False])
def test_a_lost_request(
    account: Any, email_of: Any, jumping_clock: list[float], choice: str, state: str, state_store: bool
) -> None:
    account.emulator.faults.add("drop", operation="smtp.send")
    runner = TaskRunner(ExecutionApi(should_retry=True), state_store=state_store)
    task = email_of(if_in_doubt=choice)
    result = runner.run(task)
    if choice == "resend" and not (state_store and AIRFLOW_V_3_3_PLUS):
        assert result.state == "up_for_retry"
        result = runner.run(task, try_number=2)
    assert result.state == state
    assert len(ids(account)) == (1 if choice == "resend" else 0)
    assert sum(jumping_clock) >= 119
    if choice == "fail":
        assert type(result.error).__name__ == "AmbiguousOutcome"
        assert "Look for it in the SMTP section of the SendPulse dashboard" in str(result.error)
    if choice == "skip":
        assert "It is not sent again, because if_in_doubt is skip." in result.log


@pytest.mark.parametrize("choice", CHOICES)
def test_retry_without_a_store_looks_first(account: Any, email_of: Any, jumping_clock: list[float], choice: str) -> None:
    api = ExecutionApi(run_after=datetime.now(UTC) - timedelta(minutes=10))
    operator = email_of(if_in_doubt=choice)
    first = TaskRunner(api, state_store=False).run(operator)
    again = TaskRunner(api, state_store=False).run(operator, try_number=2)
    assert again.value == first.value
    assert len(sent(account)) == 1


PROGRAM = """
from datetime import UTC, datetime

from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator

with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    SendPulseSendEmailOperator(
        task_id="email", sender_email="shop@example.com", sender_name="The Shop", to="ada@example.com",
        subject="Order 17", text="Thank you", if_in_doubt="resend", visibility_window=1,
    )
"""


@stored
@pytest.mark.parametrize("arrives", [True, False])
def test_a_killed_worker(account: Any, tmp_path: Path, arrives: bool) -> None:
    file = tmp_path / "one_email.py"
    file.write_text(PROGRAM)
    how = {"path": str(file), "dag_id": "a_dag", "task_id": "email", "run_id": "r", "store": str(tmp_path / "store.json")}
    account.emulator.faults.add("kill", operation="smtp.send", after_effect=arrives)
    killed = one_task({**how, "try_number": 1})
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(ids(account)) == int(arrives)
    again = one_task({**how, "try_number": 2})
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout.splitlines()[-1])
    assert told == {"state": "success", "error": "", "value": ids(account)[0]}
    assert len(ids(account)) == 1
