# SPDX-License-Identifier: Apache-2.0
"""A sender that is there and active, or a human who is told what to do; and no more codes than are needed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fresh_dag import anew
from task_runner import TaskRunner

from airflow_provider_sendpulse.operators.senders import SendPulseEnsureSenderOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

NEW = "news@shop.example.org"


def operator(dag: Any, **arguments: Any) -> SendPulseEnsureSenderOperator:
    return SendPulseEnsureSenderOperator(
        task_id="sender", dag=anew(dag), **{"sender_email": NEW, "sender_name": "The Shop", **arguments}
    )


def counts(account: Any) -> dict[str, int]:
    found = account.emulator.requests.counts()
    return {name: found.get(f"senders.{name}", 0) for name in ("add", "send_code", "activate")}


def sender(account: Any) -> Any:
    [found] = [one for one in account.emulator.state.senders if one.email == NEW]
    return found


def waiting(account: Any) -> Any:
    """Put a sender that waits for its activation; no code was mailed lately."""
    return account.emulator.state.senders.put("The Shop", NEW, active=False)


def needs_human(result: Any) -> str:
    assert result.state == "failed"
    assert type(result.error).__name__ == "NeedsHuman"
    for part in ("mail of sender_email", "dashboard", "activation_code="):
        assert part in str(result.error)
    assert NEW not in str(result.error) + result.log
    return str(result.error)


def test_active(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(operator(dag, sender_email=" Shop@Example.com "))
    assert result.state == "success", result.error
    assert result.value is None
    assert counts(account) == {"add": 0, "send_code": 0, "activate": 0}


def test_added_then_activated(runner: Any, dag: Any, account: Any) -> None:
    runner.api.should_retry = True
    told = needs_human(runner.run(operator(dag)))
    assert "mails an activation code when a sender is added" in told
    assert (sender(account).name, sender(account).active) == ("The Shop", False)
    # Asking for a code would be one too many: adding has mailed it.
    assert counts(account) == {"add": 1, "send_code": 0, "activate": 0}
    result = runner.run(operator(dag, activation_code=sender(account).code), try_number=2)
    assert result.state == "success", result.error
    assert sender(account).active


def test_code_is_asked_for_once_by_all_tries(runner: Any, dag: Any, account: Any) -> None:
    waiting(account)
    assert "has just mailed" in needs_human(runner.run(operator(dag)))
    for number in (2, 3):
        told = needs_human(runner.run(operator(dag), try_number=number))
        assert "has not asked for another" in told
        assert "Requested activation" in told
    assert counts(account)["send_code"] == 1


def test_without_a_store_only_the_first_try_asks(dag: Any, account: Any) -> None:
    waiting(account)
    runner = TaskRunner(state_store=False)
    needs_human(runner.run(operator(dag), try_number=2))
    assert counts(account)["send_code"] == 0
    needs_human(runner.run(operator(dag)))
    assert counts(account)["send_code"] == 1


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="nothing outlives a try")
def test_code_that_was_not_asked_for_after_all(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    waiting(account)
    account.emulator.faults.add("status", operation="senders.send_code", status=429, times=30)
    runner.api.should_retry = True
    assert runner.run(operator(dag)).state == "up_for_retry"
    assert sender(account).code_sent_at is None
    account.emulator.faults.clear()
    needs_human(runner.run(operator(dag), try_number=2))
    assert sender(account).code_sent_at is not None


def test_code_was_mailed_a_moment_ago(runner: Any, dag: Any, account: Any) -> None:
    made = waiting(account)
    made.code_sent_at = account.emulator.emulator.state.clock.now() - timedelta(minutes=5)
    assert "within the last quarter of an hour" in needs_human(runner.run(operator(dag)))


def test_lost_answer_to_the_request_for_a_code(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    waiting(account)
    account.emulator.faults.add("lose_answer", operation="senders.send_code")
    assert "may have mailed it" in needs_human(runner.run(operator(dag)))
    needs_human(runner.run(operator(dag), try_number=2))
    assert counts(account)["send_code"] == 1


def test_confirmation_that_could_not_be_sent(runner: Any, dag: Any, account: Any) -> None:
    waiting(account)
    account.emulator.faults.add("status", operation="senders.send_code", status=422, error_code=1005)
    result = runner.run(operator(dag))
    assert result.state == "failed"
    assert "error_code 1005" in str(result.error)


def test_lost_answer_to_adding(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    account.emulator.faults.add("lose_answer", operation="senders.add")
    needs_human(runner.run(operator(dag)))
    assert counts(account) == {"add": 1, "send_code": 0, "activate": 0}
    needs_human(runner.run(operator(dag), try_number=2))
    assert counts(account)["add"] == 1


def test_sender_that_was_not_added(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    account.emulator.faults.add("drop", operation="senders.add")
    runner.api.should_retry = True
    first = runner.run(operator(dag))
    assert first.state == "up_for_retry"
    assert counts(account)["add"] == 1
    needs_human(runner.run(operator(dag), try_number=2))
    assert counts(account)["add"] == 2


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_activated(runner: Any, dag: Any, account: Any, quick: Any, lost: bool) -> None:
    code = waiting(account).code
    if lost:
        account.emulator.faults.add("lose_answer", operation="senders.activate")
    result = runner.run(operator(dag, activation_code="{{ params.code }}", params={"code": code}))
    assert result.state == "success", result.error
    assert sender(account).active
    assert counts(account) == {"add": 0, "send_code": 0, "activate": 1}


def test_activation_that_has_not_arrived(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    made = waiting(account)
    account.emulator.faults.add("drop", operation="senders.activate")
    runner.api.should_retry = True
    first = runner.run(operator(dag, activation_code=made.code))
    assert first.state == "up_for_retry"
    assert "Requested activation" in str(first.error)
    assert runner.run(operator(dag, activation_code=made.code), try_number=2).state == "success"


def test_code_is_shown_nowhere(runner: Any, dag: Any, account: Any) -> None:
    waiting(account)
    secret = "wrong-canary-4711"
    account.emulator.faults.add("status", operation="senders.activate", status=422, message=f"no such code {secret}")
    result = runner.run(operator(dag, activation_code=secret))
    assert result.state == "failed"
    assert "does not accept activation_code" in str(result.error)
    assert result.rendered["activation_code"] == "activation code (not shown)"
    told = [
        str(result.error),
        result.log,
        json.dumps(result.rendered),
        json.dumps(result.api.reported),
        str(result.api.store),
    ]
    assert not any(secret in text for text in told)


@pytest.mark.parametrize("code", ["{{ none }}", "", None, "  "])
def test_no_code(runner: Any, dag: Any, account: Any, code: Any) -> None:
    waiting(account)
    needs_human(runner.run(operator(dag, activation_code=code)))
    assert counts(account)["activate"] == 0


def test_code_of_an_active_sender_is_not_used(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(operator(dag, sender_email="shop@example.com", activation_code="old"))
    assert result.state == "success"
    assert counts(account)["activate"] == 0


def test_free_mailbox(runner: Any, dag: Any, account: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(operator(dag, sender_email="shop@gmail.com"))
    assert result.state == "failed"
    assert "Send from an address of a domain you own" in str(result.error)


@pytest.mark.parametrize("arguments", [{"sender_email": " "}, {"sender_name": "{{ '' }}"}, {"sender_email": None}])
def test_nothing_given(runner: Any, dag: Any, account: Any, arguments: Any) -> None:
    result = runner.run(operator(dag, **arguments))
    assert "needs an address and a name" in str(result.error)
    assert not account.emulator.requests.total
