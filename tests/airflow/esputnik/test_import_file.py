# SPDX-License-Identifier: Apache-2.0
"""A file that eSputnik fetches by its URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contact_file import PASSWORD, served_file
from contact_imports import needs_state_store
from fresh_dag import anew

from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportFileOperator
from airflow_provider_sendpulse.operators.task_store import TaskPosition

pytestmark = pytest.mark.usefixtures("connect_esputnik", "quick")


@pytest.fixture
def link() -> Iterator[Callable[..., str]]:
    with served_file() as serve:
        yield serve


def upload(dag: Any, link: str, **arguments: Any) -> EsputnikImportFileOperator:
    return EsputnikImportFileOperator(task_id="upload", dag=dag, link=link, **arguments)


def shows_nothing_secret(result: Any) -> None:
    for text in (result.log, json.dumps(result.rendered), str(result.error), json.dumps(result.value)):
        assert PASSWORD not in text
        assert "p@ss-word" not in text
        assert "contacts.csv" not in text


def test_a_file(runner: Any, dag: Any, emulator: Any, link: Any) -> None:
    result = runner.run(
        upload(dag, f"{{{{ '{link()}' }}}}", group_names=["Readers"], event_key_for_new_contacts="fromFile")
    )
    assert result.state == "success", result.error
    account = emulator.state.as_dict()["esputnik"]
    [session] = account["imports"]
    assert result.value == session["id"]
    assert session["plan"]["groupNames"] == ["Readers"]
    assert session["contacts"] == 2
    assert result.rendered["link"] == "link (not shown)"
    shows_nothing_secret(result)


@pytest.mark.parametrize(
    ("content", "message"), [("", "empty"), ("Email\n", ""), ("Nonsense\nx\n", "")], ids=["nothing", "header", "other"]
)
def test_a_file_that_is_not_valid(runner: Any, dag: Any, link: Any, emulator: Any, content: str, message: str) -> None:
    result = runner.run(upload(dag, link(content)))
    assert type(result.error).__name__ == "Refused"
    assert message in str(result.error)
    assert emulator.state.as_dict()["esputnik"]["imports"] == []
    shows_nothing_secret(result)


def test_a_file_that_cannot_be_fetched(runner: Any, dag: Any, link: Any) -> None:
    wrong = link().replace(PASSWORD, "another-password")
    result = runner.run(upload(dag, wrong))
    assert type(result.error).__name__ == "Refused"
    assert "another-password" not in str(result.error) + result.log


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"link": ""}, "link is empty"),
        ({"link": "ftp://files:secret-word@example.com/x.csv"}, "not a URL that begins with http"),
        ({"link": "https://example.com/x.csv", "dedupe_on": "externalCustomerId"}, "told apart by"),
        ({"link": "https://example.com/x.csv", "event_key_for_new_contacts": "a|b"}, "holds |"),
        ({"link": "https://example.com/x.csv", "group_names": 7}, "group_names is 7"),
    ],
)
def test_what_cannot_be_meant(runner: Any, dag: Any, emulator: Any, arguments: dict[str, Any], message: str) -> None:
    result = runner.run(upload(dag, **arguments))
    assert type(result.error).__name__ == "InvalidRequest"
    assert message in str(result.error)
    assert "secret-word" not in str(result.error) + result.log
    assert emulator.requests.records("esputnik.contacts.upload") == []


class TestOnce:
    """The tries of a task import the file once."""

    @needs_state_store
    def test_another_try_knows_the_id(self, runner: Any, dag: Any, emulator: Any, link: Any, monkeypatch: Any) -> None:
        where = link()

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("the worker's disk is full")

        with monkeypatch.context() as patch:
            patch.setattr("airflow_provider_sendpulse.operators.esputnik.imports.redact", broken)
            assert type(runner.run(upload(anew(dag), where)).error).__name__ == "RuntimeError"
        [session] = imports(emulator)
        again = runner.run(upload(anew(dag), where), try_number=2)
        assert again.value == session["id"]
        assert "An earlier try has begun this import" in again.log
        assert len(imports(emulator)) == 1
        # Once it has succeeded, clearing the task imports the file again.
        assert runner.run(upload(anew(dag), where), try_number=3).state == "success"
        assert len(imports(emulator)) == 2

    @needs_state_store
    def test_what_is_kept_is_no_credential(self, runner: Any, dag: Any, link: Any, monkeypatch: Any) -> None:
        kept = []
        monkeypatch.setattr(TaskPosition, "write", lambda self, value: kept.append(value))
        assert runner.run(upload(dag, link())).state == "success"
        assert len(kept) == 2
        assert PASSWORD not in json.dumps(kept)

    @pytest.mark.parametrize(
        "fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 409}, {"kind": "status", "status": 500}]
    )
    def test_no_answer(self, runner: Any, dag: Any, emulator: Any, link: Any, quick: list[float], fault: Any) -> None:
        emulator.faults.add(**fault, operation="esputnik.contacts.upload", times=1)
        result = runner.run(upload(dag, link(), settle_window=300))
        assert result.state == "success", result.error
        assert max(quick) == pytest.approx(300, abs=5)
        assert result.value == imports(emulator)[-1]["id"]

    @needs_state_store
    def test_another_try_waits_for_what_may_be_under_way(
        self, runner: Any, dag: Any, emulator: Any, link: Any, quick: list[float]
    ) -> None:
        where = link()
        emulator.faults.add("lose_answer", operation="esputnik.contacts.upload", times=2)
        first = runner.run(upload(anew(dag), where, settle_window=300))
        assert type(first.error).__name__ == "ServiceUnavailable"
        assert "That was the second time" in str(first.error)
        quick.clear()
        assert runner.run(upload(anew(dag), where, settle_window=300), try_number=2).state == "success"
        assert max(quick) == pytest.approx(300, abs=20)

    @needs_state_store
    def test_a_refused_file_is_not_waited_for(self, runner: Any, dag: Any, link: Any, quick: list[float]) -> None:
        assert runner.run(upload(anew(dag), link(""))).state == "failed"
        assert runner.run(upload(anew(dag), link()), try_number=2).state == "success"
        assert max(quick, default=0) < 60


def imports(emulator: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = emulator.state.as_dict()["esputnik"]["imports"]
    return found
