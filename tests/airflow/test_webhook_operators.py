# SPDX-License-Identifier: Apache-2.0
"""Webhook subscriptions: one for each event of a URL, however often a task runs, and the URL shown nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.operators.webhooks import SendPulseEnsureWebhookOperator, SendPulseRemoveWebhookOperator
from airflow_provider_sendpulse.sendpulse.webhook_subscriptions import ACTIONS

pytestmark = pytest.mark.usefixtures("connect")

URL = "https://hooks.shop.example.org/sendpulse/canary-5ecret-0123"
OTHER = "https://hooks.shop.example.org/other"


def ensure(dag: Any, actions: Any = ("open", "spam"), **arguments: Any) -> SendPulseEnsureWebhookOperator:
    return SendPulseEnsureWebhookOperator(task_id="hook", dag=anew(dag), **{"url": URL, "actions": actions, **arguments})


def remove(dag: Any, **arguments: Any) -> SendPulseRemoveWebhookOperator:
    return SendPulseRemoveWebhookOperator(task_id="hook", dag=anew(dag), **{"url": URL, **arguments})


def rows(account: Any, url: str = URL) -> list[tuple[int, str]]:
    return sorted((row.id, row.action) for row in account.emulator.state.webhooks if row.url == url)


def subscribe(account: Any, *actions: str, url: str = URL) -> list[int]:
    with account.emulator.emulator.lock:
        return [row.id for row in account.emulator.state.webhooks.subscribe(url, [*actions])]


def writes(account: Any) -> tuple[int, int]:
    counts = account.emulator.requests.counts()
    return counts.get("webhooks.create", 0), counts.get("webhooks.delete", 0)


@pytest.mark.parametrize("envelope", ["flat", "nested"])
def test_created_once(runner: Any, dag: Any, account: Any, envelope: str) -> None:
    account.emulator.configure(webhook_envelope=envelope)
    first = runner.run(ensure(dag))
    assert first.state == "success", first.error
    assert first.value == {action: number for number, action in rows(account)}
    assert [*first.value] == ["open", "spam"]
    again = runner.run(ensure(dag))
    assert again.value == first.value
    assert writes(account) == (1, 0)


@pytest.mark.parametrize(
    ("stored", "url"),
    [
        ("slash", URL),
        ("slash", f"{URL}?a=b"),
        ("slash", "https://hooks.shop.example.org"),
        ("normal", "HTTPS://Hooks.Shop.example.org:443/canary-5ecret-0123"),
        ("normal", "http://Shop:Word@hooks.shop.example.org:80/canary-5ecret-0123"),
    ],
)
def test_created_once_where_the_url_is_stored_otherwise(
    runner: Any, dag: Any, account: Any, quick: list[float], stored: str, url: str
) -> None:
    account.emulator.configure(webhook_urls=stored)
    account.emulator.faults.add("lose_answer", operation="webhooks.create")
    first = runner.run(ensure(dag, url=url))
    assert first.state == "success", first.error
    again = runner.run(ensure(dag, url=url))
    assert again.value == first.value
    assert writes(account) == (1, 0)
    assert runner.run(remove(dag, url=url)).value == 2


def test_url_that_is_not_found_again(runner: Any, dag: Any, account: Any, quick: list[float]) -> None:
    account.emulator.configure(webhook_urls="cut")
    runner.api.should_retry = True
    result = runner.run(ensure(dag, url=f"{URL}?a=b"))
    assert (result.state, type(result.error).__name__) == ("failed", "FinalFailure")
    [(number, _), (other, _)] = rows(account)
    assert f"{number}, {other}" in str(result.error)
    assert "canary-5ecret" not in str(result.error)


def test_other_urls_are_other_ones(runner: Any, dag: Any, account: Any) -> None:
    """As long as the list shows the URL as it was given, one that differs in a slash alone is somebody else's."""
    ours = subscribe(account, "open", "spam")
    others = [
        number
        for at in (f"{URL}/", f"{URL}?a", f"{URL.upper()}", f"{URL}:1")
        for number in subscribe(account, "open", url=at)
    ]
    assert [*runner.run(ensure(dag)).value.values()] == ours
    assert runner.run(remove(dag)).value == 2
    assert [row.id for row in account.emulator.state.webhooks] == others


def test_only_what_is_missing(runner: Any, dag: Any, account: Any) -> None:
    [open_id] = subscribe(account, "open")
    subscribe(account, "spam", url=OTHER)
    result = runner.run(ensure(dag, ["spam", "open", "spam"]))
    assert result.value["open"] == open_id
    assert account.sent("webhooks.create") == [{"url": URL, "actions": ["spam"]}]
    assert [action for _, action in rows(account)] == ["open", "spam"]
    assert [action for _, action in rows(account, OTHER)] == ["spam"]


@pytest.mark.parametrize("actions", ["open", "open, spam", "['open', 'spam']", "{{ ['open', 'spam'] }}"])
def test_actions_of_templates(runner: Any, dag: Any, account: Any, actions: str) -> None:
    result = runner.run(ensure(dag, actions))
    assert result.state == "success", result.error
    assert result.value["open"]


def test_every_documented_event(runner: Any, dag: Any, account: Any) -> None:
    assert {*runner.run(ensure(dag, [*ACTIONS])).value} == {*ACTIONS}


def test_doubles_are_ended_but_for_the_first(runner: Any, dag: Any, account: Any) -> None:
    first, *_ = [subscribe(account, "open")[0] for _ in range(3)]
    kept = subscribe(account, "delete", "delete")
    result = runner.run(ensure(dag, ["open"]))
    assert result.value == {"open": first}
    # What was not asked for stays as it is.
    assert rows(account) == [(first, "open"), *((number, "delete") for number in kept)]
    assert result.log.count("was pushed twice") == 2


@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "cut_answer"])
def test_lost_answer(runner: Any, dag: Any, account: Any, quick: Any, kind: str) -> None:
    account.emulator.faults.add(kind, operation="webhooks.create")
    result = runner.run(ensure(dag))
    assert result.state == "success", result.error
    assert result.value == {action: number for number, action in rows(account)}
    assert writes(account) == (1, 0)


def test_lost_request(runner: Any, dag: Any, account: Any, quick: list[float]) -> None:
    account.emulator.faults.add("drop", operation="webhooks.create")
    runner.api.should_retry = True
    first = runner.run(ensure(dag))
    assert first.state == "up_for_retry"
    assert "Nothing was repeated" in str(first.error)
    assert (writes(account), rows(account)) == ((1, 0), [])
    again = runner.run(ensure(dag), try_number=2)
    assert again.state == "success"
    assert len(rows(account)) == 2


def test_two_runs_at_the_same_time(runner: Any, dag: Any, account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    webhooks = account.emulator.emulator.state.webhooks
    create = webhooks.subscribe
    theirs: list[int] = []

    def subscribe_too(url: str, actions: list[str]) -> Any:
        theirs.extend(row.id for row in create(url, actions))
        return create(url, actions)

    monkeypatch.setattr(webhooks, "subscribe", subscribe_too)
    result = runner.run(ensure(dag, ["open"]))
    assert result.value == {"open": theirs[0]}
    assert rows(account) == [(theirs[0], "open")]


def test_removed(runner: Any, dag: Any, account: Any) -> None:
    subscribe(account, "open", "spam", "delete")
    others = subscribe(account, "open", url=OTHER)
    assert runner.run(remove(dag, actions=["open", "redirect"])).value == 1
    assert [action for _, action in rows(account)] == ["spam", "delete"]
    assert runner.run(remove(dag)).value == 2
    again = runner.run(remove(dag))
    assert (again.state, again.value) == ("success", 0)
    assert [number for number, _ in rows(account, OTHER)] == others


@pytest.mark.parametrize("kind", ["lose_answer", "drop"])
def test_removed_when_the_answer_is_lost(runner: Any, dag: Any, account: Any, quick: Any, kind: str) -> None:
    subscribe(account, "open", "spam")
    account.emulator.faults.add(kind, operation="webhooks.delete")
    result = runner.run(remove(dag))
    assert result.state == "success", result.error
    assert rows(account) == []


def test_gone_between_the_list_and_the_end(runner: Any, dag: Any, account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(account, "open")
    webhooks = account.emulator.emulator.state.webhooks
    end = webhooks.remove

    def removed_twice(number: int) -> None:
        end(number)
        end(number)

    monkeypatch.setattr(webhooks, "remove", removed_twice)
    result = runner.run(remove(dag))
    assert result.state == "success", result.error
    assert "gone already" in result.log


def test_refused_removal(runner: Any, dag: Any, account: Any) -> None:
    subscribe(account, "open")
    account.emulator.faults.add("status", operation="webhooks.delete", status=403)
    assert runner.run(remove(dag)).state == "failed"


@pytest.mark.parametrize(
    "url", ["", "hooks.shop.example.org", "ftp://x.example.org", "https://", "https://[x", "https://a b"]
)
@pytest.mark.parametrize("make", [ensure, remove])
def test_wrong_url(runner: Any, dag: Any, account: Any, make: Any, url: str) -> None:
    runner.api.should_retry = True
    result = runner.run(make(dag, url=url))
    assert result.state == "failed"
    assert "url is not a complete URL" in str(result.error)
    assert not account.emulator.requests.total


@pytest.mark.parametrize("make", [ensure, remove])
@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([], "actions is empty"),
        ("", "actions is empty"),
        ("[open", "not a list of words"),
        ([1], "not a list of words"),
        (7, "not a list of words"),
        (["open", "opened"], "no event opened; there are new_emails"),
    ],
)
def test_wrong_actions(runner: Any, dag: Any, account: Any, make: Any, actions: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(make(dag, actions=actions))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


@pytest.mark.parametrize("operation", [None, "webhooks.list", "webhooks.create"])
@pytest.mark.parametrize("echo", [URL, "canary-5ecret-0123"])
def test_url_is_shown_nowhere(
    runner: Any, dag: Any, account: Any, capfd: Any, upstream: Any, operation: str | None, echo: str
) -> None:
    if operation is not None:
        account.emulator.faults.add("status", operation=operation, status=422, message=f"wrong: {echo}")
    made = SendPulseEnsureWebhookOperator(task_id="hook", dag=dag, url=upstream("url", URL), actions=["open"])
    capfd.readouterr()
    result = runner.run(made)
    assert result.state == ("success" if operation is None else "failed")
    output = capfd.readouterr()
    xcoms = {place: value for place, value in result.api.xcoms.items() if place[0] != "url"}
    told = [json.dumps(result.rendered), json.dumps(result.api.reported), str(xcoms), output.out, output.err]
    told += [str(result.error), result.log]
    assert not any("canary-5ecret" in text for text in told)
    assert result.rendered["url"] == "URL (not shown)"
