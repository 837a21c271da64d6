# SPDX-License-Identifier: Apache-2.0
"""Templates from files: created once, edited when they differ, and otherwise only read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.operators.templates import SendPulsePublishTemplatesOperator

pytestmark = pytest.mark.usefixtures("connect")

WELCOME = '<p>{{Имя}}, [[ this ]] is {{ "yours" }} {% raw %} 🎁</p>\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "templates"
    made.mkdir()
    (made / "welcome.en.html").write_text(WELCOME)
    (made / "receipt.v2.htm").write_text("<p>Receipt</p>")
    (made / "notes.txt").write_text("not a template")
    (made / ".hidden.en.html").write_text("<p>Not this</p>")
    (made / "older.html").mkdir()
    return made


@pytest.fixture
def published(account: Any) -> Any:
    """Return what there is: bodies by name and language."""

    def read() -> dict[tuple[str, str], str]:
        return {(template.name, template.lang): template.body for template in account.emulator.state.templates}

    return read


def put(account: Any, name: str, lang: str, body: str = "<p>Old</p>", **how: Any) -> Any:
    return account.emulator.state.templates.create(body, name, lang, **how)


def operator(dag: Any, path: Any, **arguments: Any) -> SendPulsePublishTemplatesOperator:
    complete = {"path": str(path), "lang": "en", **arguments}
    return SendPulsePublishTemplatesOperator(task_id="publish", dag=anew(dag), **complete)


def writes(account: Any) -> dict[str, int]:
    counts = account.emulator.requests.counts()
    return {name: counts.get(f"templates.{name}", 0) for name in ("create", "edit")}


def test_created_and_then_left_alone(runner: Any, dag: Any, account: Any, folder: Path, published: Any) -> None:
    first = runner.run(operator(dag, folder))
    assert first.state == "success", first.error
    # Nothing in a file is rendered by anybody but SendPulse.
    assert published() == {("welcome", "en"): WELCOME, ("receipt.v2", "en"): "<p>Receipt</p>"}
    ids = {template.name: template.real_id for template in account.emulator.state.templates}
    assert first.value == {"welcome/en": ids["welcome"], "receipt.v2/en": ids["receipt.v2"]}
    again = runner.run(operator(dag, folder))
    assert again.value == first.value
    assert writes(account) == {"create": 2, "edit": 0}


def test_changed_file_is_edited_under_the_same_id(
    runner: Any, dag: Any, account: Any, folder: Path, published: Any
) -> None:
    first = runner.run(operator(dag, folder))
    (folder / "welcome.en.html").write_text("<p>New</p>")
    result = runner.run(operator(dag, folder))
    assert result.value == first.value
    assert published()[("welcome", "en")] == "<p>New</p>"
    assert writes(account) == {"create": 2, "edit": 1}


@pytest.mark.parametrize("stored", ["<p>A</p>\r\n<p>B</p>", "\n<p>A</p>\n<p>B</p>\n\n"])
def test_line_ends_are_no_difference(runner: Any, dag: Any, account: Any, tmp_path: Path, stored: str) -> None:
    real_id = put(account, "welcome", "en", stored).real_id
    (tmp_path / "welcome.en.html").write_bytes("\ufeff<p>A</p>\n<p>B</p>\n".encode())
    result = runner.run(operator(dag, tmp_path / "welcome.en.html"))
    assert result.value == {"welcome/en": real_id}
    assert writes(account) == {"create": 0, "edit": 0}


def test_one_file_with_a_language_of_its_own(runner: Any, dag: Any, tmp_path: Path, published: Any) -> None:
    (tmp_path / "welcome.ua.html").write_text("<p>Вітаємо</p>")
    result = runner.run(operator(dag, tmp_path / "welcome.ua.html", lang=None))
    assert [*result.value] == ["welcome/ua"]
    assert published() == {("welcome", "ua"): "<p>Вітаємо</p>"}


def test_relative_path_is_below_the_folder_of_the_dag(runner: Any, dag: Any, folder: Path, published: Any) -> None:
    dag.fileloc = str(folder.parent / "dag.py")
    result = runner.run(operator(dag, "{{ 'templates' }}"))
    assert result.state == "success", result.error
    assert len(published()) == 2


@pytest.mark.parametrize("owner", ["me", "you"])
def test_templates_of_others_are_never_touched(
    runner: Any, dag: Any, account: Any, tmp_path: Path, published: Any, owner: str
) -> None:
    # SendPulse has a template of this name; ours is another one.
    account.emulator.configure(template_owner_name=owner)
    (tmp_path / "Spring Sale.en.html").write_text("<h1>Ours</h1>")
    for _ in range(2):
        assert runner.run(operator(dag, tmp_path / "Spring Sale.en.html")).state == "success"
    assert account.emulator.state.templates.get(2001).body == "<h1>Sale</h1>"
    assert published() == {("Spring Sale", "en"): "<h1>Ours</h1>"}
    assert writes(account) == {"create": 1, "edit": 0}


def test_a_name_that_is_not_the_account_s(runner: Any, dag: Any, account: Any, tmp_path: Path) -> None:
    """No other language of ours has it, so none is blamed."""
    account.emulator.faults.add("status", status=422, error_code=573, operation="templates.create", times=None)
    (tmp_path / "Spring Sale.en.html").write_text("<h1>Ours</h1>")
    result = runner.run(operator(dag, tmp_path / "Spring Sale.en.html"))
    assert result.state == "failed"
    assert "one of SendPulse's own" in str(result.error)
    assert "another language" not in str(result.error)


def test_two_languages_of_one_name(runner: Any, dag: Any, account: Any, folder: Path, published: Any) -> None:
    (folder / "welcome.ua.html").write_text("<p>Вітаємо</p>")
    refused = runner.run(operator(dag, folder))
    assert refused.state == "failed"
    assert "error_code 573" in str(refused.error)
    assert "template_name='{name}-{lang}'" in str(refused.error)
    assert "in another language (en)" in str(refused.error)
    result = runner.run(operator(dag, folder, template_name="{name}-{lang}"))
    assert {*result.value} == {"welcome/en", "welcome/ua", "receipt.v2/en"}
    assert published()[("welcome-ua", "ua")] == "<p>Вітаємо</p>"


def test_two_languages_where_the_service_takes_one_name(
    runner: Any, dag: Any, account: Any, folder: Path, published: Any
) -> None:
    account.emulator.configure(template_names_unique="language")
    (folder / "welcome.ua.html").write_text("<p>Вітаємо</p>")
    for _ in range(2):
        result = runner.run(operator(dag, folder))
        assert {*result.value} == {"welcome/en", "welcome/ua", "receipt.v2/en"}
    assert writes(account) == {"create": 3, "edit": 0}


def test_two_templates_of_one_name_are_somebody_elses_decision(
    runner: Any, dag: Any, account: Any, folder: Path, published: Any
) -> None:
    ids = [put(account, name, "en").real_id for name in ("welcome", "to be renamed")]
    account.emulator.state.templates.get(ids[1]).name = "welcome"
    runner.api.should_retry = True
    result = runner.run(operator(dag, folder))
    assert result.state == "failed"
    assert f"{ids[0]} and {ids[1]}" in str(result.error)
    # Nothing was written, not even the file that is in order.
    assert writes(account) == {"create": 0, "edit": 0}


def test_template_of_the_visual_editor(runner: Any, dag: Any, account: Any, folder: Path) -> None:
    put(account, "welcome", "en", from_visual_editor=True)
    result = runner.run(operator(dag, folder))
    assert result.state == "failed"
    assert "visual editor" in str(result.error)
    assert writes(account) == {"create": 0, "edit": 0}


class TestLostAnswers:
    """No second template of one name, whatever happens to the answers."""

    @pytest.mark.parametrize("kind", ["lose_answer", "truncate", "cut_head"])
    def test_created_all_the_same(
        self, runner: Any, dag: Any, account: Any, folder: Path, published: Any, quick: Any, kind: str
    ) -> None:
        account.emulator.faults.add(kind, operation="templates.create")
        result = runner.run(operator(dag, folder / "welcome.en.html"))
        assert result.state == "success", result.error
        assert published() == {("welcome", "en"): WELCOME}
        assert writes(account) == {"create": 1, "edit": 0}

    def test_not_created_is_left_to_the_next_try(
        self, runner: Any, dag: Any, account: Any, folder: Path, published: Any, quick: list[float]
    ) -> None:
        account.emulator.faults.add("drop", operation="templates.create")
        runner.api.should_retry = True
        first = runner.run(operator(dag, folder / "welcome.en.html"))
        assert first.state == "up_for_retry"
        assert "Nothing was repeated" in str(first.error)
        assert writes(account)["create"] == 1
        assert 2.0 in quick
        again = runner.run(operator(dag, folder / "welcome.en.html"), try_number=2)
        assert again.state == "success"
        assert published() == {("welcome", "en"): WELCOME}

    def test_name_that_somebody_else_has_just_taken(
        self, runner: Any, dag: Any, account: Any, folder: Path, published: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        templates = account.emulator.emulator.state.templates
        listed, asked = templates.listed, []

        def listed_late(*arguments: Any) -> Any:
            asked.append(arguments)
            found = listed(*arguments)
            if len(asked) == 1:
                put(account, "welcome", "en", "<p>Theirs</p>")
            return found

        monkeypatch.setattr(templates, "listed", listed_late)
        result = runner.run(operator(dag, folder / "welcome.en.html"))
        assert result.state == "success", result.error
        # What is in git is what is published.
        assert published() == {("welcome", "en"): WELCOME}
        assert writes(account) == {"create": 1, "edit": 1}

    def test_lost_answer_to_an_edit(self, runner: Any, dag: Any, account: Any, folder: Path, quick: Any) -> None:
        put(account, "welcome", "en")
        account.emulator.faults.add("lose_answer", operation="templates.edit")
        result = runner.run(operator(dag, folder / "welcome.en.html"))
        assert result.state == "success", result.error
        assert writes(account) == {"create": 0, "edit": 2}


def test_processing_is_waited_for(runner: Any, dag: Any, account: Any, folder: Path, jumping_clock: list[float]) -> None:
    real_id = put(account, "welcome", "en").real_id
    fault = {"status": 422, "error_code": 2900, "message": "This template in processing. You need to wait"}
    account.emulator.faults.add("status", operation="templates.read", times=3, **fault)
    assert runner.run(operator(dag, folder / "welcome.en.html")).value == {"welcome/en": real_id}
    assert jumping_clock == [10.0, 10.0, 10.0]
    account.emulator.faults.add("status", operation="templates.read", times=None, **fault)
    runner.api.should_retry = True
    given_up = runner.run(operator(dag, folder / "welcome.en.html"))
    assert given_up.state == "up_for_retry"
    assert "looks again" in str(given_up.error)


@pytest.mark.parametrize(
    ("name", "content", "arguments", "told"),
    [
        ("welcome.en.html", b"", {}, "is empty"),
        ("welcome.en.html", b" \n", {}, "is empty"),
        ("welcome.en.html", b"\xff\xfe", {}, "UTF-8"),
        ("welcome.html", b"<p>", {"lang": None}, "names no language"),
        ("welcome.uk.html", b"<p>", {}, "Ukrainian is 'ua'"),
        ("welcome.de.html", b"<p>", {}, "no language 'de'"),
        ("welcome.html", b"<p>", {"lang": "uk"}, "lang is 'uk'"),
        ("welcome.en.html", b"<p>", {"template_name": " "}, "template_name is empty"),
        ("notes.txt", b"<p>", {}, "no template in"),
    ],
)
def test_wrong_files(
    runner: Any, dag: Any, account: Any, tmp_path: Path, name: str, content: bytes, arguments: Any, told: str
) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / name).write_bytes(content)
    runner.api.should_retry = True
    result = runner.run(operator(dag, folder, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


def test_one_template_in_two_files(runner: Any, dag: Any, account: Any, folder: Path) -> None:
    (folder / "welcome.html").write_text("<p>Also</p>")
    result = runner.run(operator(dag, folder))
    assert "are both the template 'welcome' in en" in str(result.error)
    assert not account.emulator.requests.total


@pytest.mark.parametrize("path", ["", "  ", "missing", "/missing/templates", "../templates", "notes.txt"])
def test_wrong_paths(runner: Any, dag: Any, account: Any, folder: Path, path: str) -> None:
    below = folder / "older.html"
    (below / "notes.txt").write_text("<p>Text</p>")
    dag.fileloc = str(below / "dag.py")
    result = runner.run(operator(dag, path))
    assert result.state == "failed"
    assert type(result.error).__name__ == "InvalidRequest"
    assert not account.emulator.requests.total


def test_no_body_is_told(runner: Any, dag: Any, account: Any, folder: Path) -> None:
    (folder / "welcome.en.html").write_text("<p>Canary</p>")
    account.emulator.faults.add("status", operation="templates.create", status=422)
    result = runner.run(operator(dag, folder))
    assert result.state == "failed"
    told = result.log + str(result.error) + json.dumps(result.rendered) + str(result.api.xcoms)
    assert "Canary" not in told
