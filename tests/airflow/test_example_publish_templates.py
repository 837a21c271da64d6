# SPDX-License-Identifier: Apache-2.0
"""The example that mails from templates in git, executed."""

from __future__ import annotations

from typing import Any

import pytest
from examples import EXAMPLES, api_of, dags_of, run
from task_runner import TaskRunner

pytestmark = pytest.mark.usefixtures("connect")


def conf(account: Any, **params: Any) -> dict[str, Any]:
    return {"address_book_id": account.book(f"Book {len(account.books)}"), "readers": 1, **params}


def test_mailed_from_git(account: Any) -> None:
    dag = dags_of("publish_templates")["publish_templates"]
    results = run(dag, api_of("publish_templates", conf=conf(account)))
    templates = {template.name: template for template in account.emulator.state.templates}
    files = {"news-en": ("en", "news.en.html"), "news-ua": ("ua", "news.ua.html")}
    assert {*templates} == {*files}
    for name, (lang, file) in files.items():
        assert templates[name].lang == lang
        assert templates[name].body == (EXAMPLES / "templates" / file).read_text()
    assert results["publish"].value == {
        "news/en": templates["news-en"].real_id,
        "news/ua": templates["news-ua"].real_id,
    }
    assert results["wait_for_balance"].value["emails_left"] == 100000
    [campaign] = account.campaigns
    assert campaign["id"] == results["create_campaign"].value
    [message] = account.emulator.state.mailbox
    assert "News for you" in message.rendered_body()
    assert "{{" not in message.rendered_body()


def test_next_run_writes_no_template(account: Any) -> None:
    for week in (0, 1):
        dag = dags_of("publish_templates")["publish_templates"]
        run(dag, api_of("publish_templates", week, conf=conf(account)))
    counts = account.emulator.requests.counts()
    assert (counts["templates.create"], counts.get("templates.edit", 0)) == (2, 0)
    assert len(account.campaigns) == 2


def test_sender_that_nobody_has_confirmed(account: Any) -> None:
    dag = dags_of("publish_templates")["publish_templates"]
    api = api_of("publish_templates", conf=conf(account, sender_email="news@example.org"))
    result = TaskRunner(api).run(dag.get_task("ensure_sender"))
    assert type(result.error).__name__ == "NeedsHuman"
    code = next(sender.code for sender in account.emulator.state.senders if sender.email == "news@example.org")
    dag = dags_of("publish_templates")["publish_templates"]
    run(dag, api_of("publish_templates", conf=conf(account, sender_email="news@example.org", activation_code=code)))
    assert len(account.campaigns) == 1
