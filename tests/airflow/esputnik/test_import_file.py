# SPDX-License-Identifier: Apache-2.0
"""A file that eSputnik fetches by its URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contact_file import PASSWORD, served_file

from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportFileOperator

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
