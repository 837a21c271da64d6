# SPDX-License-Identifier: Apache-2.0
"""A test reaches a few people of one's own, once."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from execution_api import ExecutionApi
from task_runner import TaskRunner
from told import told

from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.campaigns import SendPulseSendTestOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

TEAM = ["ada@shop.example.com", "grace@shop.example.com"]


@pytest.fixture
def send_test(dag: Any, account: Any) -> Any:
    book = account.book()

    def make(task_id: str = "test", **arguments: Any) -> SendPulseSendTestOperator:
        return SendPulseSendTestOperator(
            **{
                "task_id": task_id,
                "dag": dag,
                "name": "News {{ ds }}",
                "subject": "{{name}}, [[ ds ]]",
                "body": "<p>News</p>",
                "sender_name": "The Shop",
                "sender_email": "shop@example.com",
                "address_book_id": book,
                "addresses": TEAM,
                **arguments,
            }
        )

    return make


def messages(account: Any) -> list[str]:
    """Let all tests go out, and return who got one."""
    with SendPulseHook() as hook:
        from airflow_provider_sendpulse import sendpulse as sp

        for campaign in account.campaigns:
            while hook.send(sp.campaigns.read(campaign["id"])).status == 4:
                pass
    return [message.to for message in account.emulator.state.mailbox]


@pytest.mark.parametrize("form", ["list", "text", "template", "XCom"])
def test_to_addresses(runner: Any, account: Any, send_test: Any, upstream: Any, form: str) -> None:
    given: Any = {
        "list": TEAM,
        "text": f"{TEAM[0]}, {TEAM[1]},{TEAM[0]}",
        "template": [f"{{{{ '{address}' }}}}" for address in TEAM],
        "XCom": upstream("team", TEAM),
    }[form]
    result = runner.run(send_test(addresses=given))
    assert result.state == "success", result.error
    assert result.value == account.campaigns[0]["id"]
    assert messages(account) == TEAM
    [sent] = account.sent("campaigns.send_test")
    assert (sent["send_test_only"], sent["subject"]) == (TEAM, "{{name}}, 2026-01-05")
    assert sent["name"].startswith("News 2026-01-05 [af-")
    # No address travels along.
    kept = {place: value for place, value in result.api.xcoms.items() if place[0] != "team"}
    assert not [part for part in (result.log, str(result.rendered), str(kept)) for address in TEAM if address in part]
    assert "addresses (not shown)" in str(result.rendered["addresses"])


def test_to_the_sender(runner: Any, account: Any, send_test: Any) -> None:
    result = runner.run(send_test(addresses=None))
    assert result.state == "success", result.error
    assert messages(account) == ["shop@example.com"]
    assert account.sent("campaigns.create")[0]["is_test"] is True
    assert not account.sent("campaigns.send_test")


def test_sent_once(runner: Any, account: Any, send_test: Any) -> None:
    operator = send_test()
    first = runner.run(operator)
    for try_number in (1, 2):
        again = runner.run(operator, try_number=try_number)
        assert again.value == first.value, again.error
        assert "was sent already" in again.log
    # The operator's word for mailing again on purpose.
    assert runner.run(send_test("again", edition=2)).state == "success"
    assert len(account.sent("campaigns.send_test")) == 2


def test_cleared_without_a_store(account: Any, send_test: Any) -> None:
    operator = send_test()
    for _ in range(2):
        assert TaskRunner(ExecutionApi(), state_store=False).run(operator).state == "success"
    assert len(account.sent("campaigns.send_test")) == 1


@pytest.mark.parametrize("addresses", [TEAM, None])
def test_lost_answer_that_the_list_settles(runner: Any, account: Any, send_test: Any, addresses: Any) -> None:
    operation = "campaigns.create" if addresses is None else "campaigns.send_test"
    account.emulator.faults.add("lose_answer", operation=operation)
    result = runner.run(send_test(addresses=addresses))
    assert result.value == account.campaigns[0]["id"], result.error
    assert len(account.sent(operation)) == 1


@pytest.mark.parametrize("kind", ["lose_answer", "drop"])
def test_in_doubt_it_is_not_sent_again(
    runner: Any, account: Any, send_test: Any, jumping_clock: list[float], kind: str
) -> None:
    """Nothing documents that lists show tests, so that one that is not found may have been sent all the same."""
    account.emulator.configure(campaign_visibility_seconds=86400)
    account.emulator.faults.add(kind, operation="campaigns.send_test")
    runner.api.should_retry = True
    operator = send_test()
    result = runner.run(operator)
    assert (result.state, type(result.error).__name__) == ("failed", "AmbiguousOutcome")
    assert "another edition" in str(result.error)
    assert not any(address in told(result.error) for address in TEAM)
    # Clearing it does not help, on purpose, where it is known that there was another try.
    if AIRFLOW_V_3_3_PLUS:
        again = runner.run(operator, try_number=2)
        assert type(again.error).__name__ == "AmbiguousOutcome"
        assert "An earlier try may have sent it" in str(again.error)
    assert len(account.sent("campaigns.send_test")) == 1


def test_killed_between_request_and_answer(
    runner: Any, account: Any, send_test: Any, jumping_clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The end of a worker's process."""

    send = SendPulseHook.send

    def sending(self: SendPulseHook, call: Any) -> Any:
        answer = send(self, call)
        if call.operation == "PATCH /campaigns":
            raise Killed
        return answer

    account.emulator.configure(campaign_visibility_seconds=86400)
    operator = send_test()
    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(SendPulseHook, "send", sending)
        runner.run(operator)
    result = runner.run(operator, try_number=2)
    assert type(result.error).__name__ == "AmbiguousOutcome"
    assert len(account.sent("campaigns.send_test")) == 1


def test_twenty_messages_an_hour(runner: Any, account: Any, send_test: Any, jumping_clock: list[float]) -> None:
    account.emulator.configure(test_messages_per_hour=None, campaigns_per_window=None)
    trio = [*TEAM, "joan@shop.example.com"]
    for number in range(6):
        assert runner.run(send_test(f"test{number}", addresses=trio)).state == "success"
    refused = send_test("refused", addresses=trio)
    result = runner.run(refused)
    assert type(result.error).__name__ == "Throttled"
    assert "3 more are free in 60 minutes. Nothing was sent" in str(result.error)
    assert runner.run(send_test("pair")).state == "success"
    assert type(runner.run(send_test("one", addresses=TEAM[:1])).error).__name__ == "Throttled"
    assert sum(len(body["send_test_only"]) for body in account.sent("campaigns.send_test")) == 20
    # To the sender there is no such limit, and a retry finds a place when there is one.
    assert runner.run(send_test("sender", addresses=None)).state == "success"
    jumping_clock.append(3600)
    assert runner.run(refused).state == "success"


def test_refused_ones_do_not_count(runner: Any, account: Any, send_test: Any) -> None:
    account.emulator.faults.add("status", status=422, error_code=704, operation="campaigns.send_test", times=8)
    for number in range(8):
        result = runner.run(send_test(f"test{number}", addresses=[*TEAM, "joan@shop.example.com"]))
        assert type(result.error).__name__ == "Refused"
    assert runner.run(send_test("test")).state == "success"
    # What was refused was certainly not sent: a retry sends it.
    assert runner.run(send_test("last"), try_number=1).state == "success"


def test_refused_one_is_sent_by_a_retry(runner: Any, account: Any, send_test: Any, jumping_clock: list[float]) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    operator = send_test()
    account.emulator.faults.add("status", status=422, error_code=704, operation="campaigns.send_test")
    assert runner.run(operator).state == "failed"
    assert runner.run(operator, try_number=2).state == "success"
    assert messages(account) == TEAM


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"addresses": [f"reader{number}@example.com" for number in range(4)]}, "1 to 3 addresses"),
        ({"addresses": []}, "1 to 3 addresses"),
        ({"addresses": ["ada@example.com", "secret-name"]}, "Number 2 of addresses: not an address"),
        ({"address_book_id": None}, "address_book_id is empty"),
        ({"body": None}, "exactly one of body"),
        ({"subject": ""}, "subject is empty"),
    ],
)
def test_wrong_arguments(runner: Any, account: Any, send_test: Any, changes: dict[str, Any], message: str) -> None:
    runner.api.should_retry = True
    result = runner.run(send_test(**changes))
    assert result.state == "failed"
    assert message in str(result.error)
    assert "secret-name" not in told(result.error)
    assert not account.emulator.requests.counts().get("campaigns.list")


def test_another_subject_is_told(runner: Any, account: Any, send_test: Any) -> None:
    operator = send_test()
    assert runner.run(operator).state == "success"
    operator.subject = "Other"
    runner.api.store.clear()
    result = runner.run(operator)
    assert type(result.error).__name__ == "CampaignConflict"
    assert len(account.sent("campaigns.send_test")) == 1
