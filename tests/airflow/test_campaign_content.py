# SPDX-License-Identifier: Apache-2.0
"""SendPulse's tags reach it untouched; run-time values are filled in."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("connect")

TAGS = "{{name}} {{Имя}} {{ order|default }} {% if x %}{{unsubscribe_url}}{% endif %} {#c#}"


def received(account: Any, field: str = "body") -> str:
    """Decode what the service was sent."""
    [body] = account.sent("campaigns.create")
    return base64.b64decode(body[field]).decode() if field != "subject" else body[field]


def test_tags_in_every_field(runner: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of(subject=f"{TAGS}!", body=f"<p>{TAGS}</p>", body_amp=f"<b>{TAGS}</b>"))
    assert result.state == "success", result.error
    assert received(account, "subject") == f"{TAGS}!"
    assert received(account) == f"<p>{TAGS}</p>"
    assert received(account, "body_amp") == f"<b>{TAGS}</b>"
    assert result.rendered["body"] == f"<p>{TAGS}</p>"


def test_tags_from_upstream_tasks(runner: Any, account: Any, campaign_of: Any, upstream: Any) -> None:
    result = runner.run(
        campaign_of(subject=upstream("subject", "{{Имя}}, [[ ds ]]"), body=upstream("body", f"<p>{TAGS} [[ ds ]]</p>"))
    )
    assert result.state == "success", result.error
    assert received(account, "subject") == "{{Имя}}, 2026-01-05"
    assert received(account) == f"<p>{TAGS} 2026-01-05</p>"


def test_tags_in_a_mapped_task(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    from airflow_provider_sendpulse.operators.campaigns import SendPulseCreateCampaignOperator

    book_id = account.book()
    mapped = SendPulseCreateCampaignOperator.partial(
        task_id="campaign",
        dag=dag,
        name="News {{ ds }}",
        sender_name="The Shop",
        sender_email="shop@example.com",
        address_book_id=book_id,
        body="<p>{{name}} [[ ds ]]</p>",
    ).expand(subject=upstream("subjects", ["{{name}}!", "{{Имя}}, [[ ds_nodash ]]"]))
    results = [runner.run(mapped, map_index=index) for index in (0, 1)]
    assert [result.state for result in results] == ["success", "success"]
    # Each is a mailing of its own, because the map index is part of the marker.
    assert len(account.campaigns) == 2
    assert [campaign["subject"] for campaign in account.campaigns] == ["{{name}}!", "{{Имя}}, 20260105"]
    assert {campaign["body"] for campaign in account.campaigns} == {"<p>{{name}} 2026-01-05</p>"}


def test_values_from_the_context_and_body_params(runner: Any, account: Any, campaign_of: Any) -> None:
    campaign = campaign_of(
        subject="[[ data_interval_end | ds ]] in [[ city ]]",
        body="[% for item in items %]<li>[[ item ]]</li>[% endfor %][%# not sent #%][[ run_id ]] [[ params.x ]] [[ ds ]]",
        body_params={"items": ["tea", "{{ ds }}"], "city": "Львів", "ds": "mine"},
        params={"x": 7},
    )
    result = runner.run(campaign)
    assert result.state == "success", result.error
    assert received(account, "subject") == "2026-01-05 in Львів"
    assert received(account) == "<li>tea</li><li>2026-01-05</li>scheduled__2026-01-05 7 mine"


def test_values_are_escaped_in_a_body_and_not_in_a_subject(runner: Any, account: Any, campaign_of: Any) -> None:
    values = {"who": "<b>Emma</b> & Sons", "html": "<i>safe</i>"}
    result = runner.run(
        campaign_of(
            subject="[[ who ]]", body="<p>[[ who ]] [[ html | safe ]]</p>", body_amp="[[ who ]]", body_params=values
        )
    )
    assert result.state == "success", result.error
    assert received(account, "subject") == "<b>Emma</b> & Sons"
    assert received(account) == "<p>&lt;b&gt;Emma&lt;/b&gt; &amp; Sons <i>safe</i></p>"
    assert received(account, "body_amp") == "&lt;b&gt;Emma&lt;/b&gt; &amp; Sons"


@pytest.mark.parametrize("field", ["subject", "body", "body_amp"])
@pytest.mark.parametrize("text", ["[[ nmae ]]", "[[ params.nothing ]]", "[% if %]", "[[ 'x' ", "[[ ds | nofilter ]]"])
def test_what_cannot_be_rendered(runner: Any, account: Any, campaign_of: Any, field: str, text: str) -> None:
    runner.api.should_retry = True
    result = runner.run(campaign_of(**{field: f"News {text}"}))
    assert result.state == "failed"
    assert str(result.error).startswith(f"{field} could not be rendered")
    assert "[[ … ]]" in str(result.error)
    assert not account.sent("campaigns.create")


def test_misspelt_name_in_a_dag_that_allows_them(runner: Any, account: Any, campaign_of: Any) -> None:
    from datetime import UTC, datetime

    import jinja2
    from airflow.sdk import DAG

    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), template_undefined=jinja2.Undefined)
    result = runner.run(campaign_of(dag=dag, body="Dear [[ nmae ]]"))
    assert "'nmae' is undefined" in str(result.error)
    assert not account.sent("campaigns.create")


@pytest.mark.parametrize("text", ["[[ ''.__class__.__mro__ ]]", "[[ 1 / 0 ]]", "[[ ds + 1 ]]"])
def test_expressions_that_fail(runner: Any, account: Any, campaign_of: Any, text: str) -> None:
    runner.api.should_retry = True
    result = runner.run(campaign_of(body=text))
    assert result.state == "failed"
    assert "body could not be rendered" in str(result.error)


@pytest.mark.parametrize(
    "text",
    [
        "<!--[if mso]><table><tr><td><![endif]-->x<!--[if !mso]><!-- -->y<!--<![endif]-->",
        "<!--[if (gte mso 9)|(IE)]><xml></xml><![endif]-->",
        "Order [#123] [x] [] ] [ 5% [50%] {{name}}\n",
        "<style>a[href]{color:red} @media(max-width:10px){.a{b:c}}</style>",
        "Ціна 50 ₴ 🎁 \r\n  end\n\n",
    ],
)
def test_text_that_survives(runner: Any, account: Any, campaign_of: Any, text: str) -> None:
    result = runner.run(campaign_of(body=text))
    assert result.state == "success", result.error
    assert received(account).replace("\r\n", "\n") == text.replace("\r\n", "\n")


def test_number_sign_in_a_subject(runner: Any, account: Any, campaign_of: Any) -> None:
    assert runner.run(campaign_of(subject="Order [#123]")).state == "success"
    assert received(account, "subject") == "Order [#123]"


def test_native_dag(runner: Any, native_dag: Any, account: Any, campaign_of: Any) -> None:
    book_id = account.book()
    campaign = campaign_of(
        dag=native_dag,
        name="{{ ds_nodash }}",
        subject="[[ 2026 ]]",
        body="[[ amounts | length ]]",
        body_params="{{ {'amounts': [1, 2]} }}",
        address_book_id=f"{{{{ [{book_id}] }}}}",
        mailing_key="{{ ds_nodash }}",
        edition="{{ 2 }}",
    )
    result = runner.run(campaign)
    assert result.state == "success", result.error
    assert account.campaigns[0]["name"].startswith("20260105 [af-")
    assert (received(account, "subject"), received(account)) == ("2026", "2")


def test_native_and_text_rendering_make_the_same_marker(
    runner: Any, native_dag: Any, account: Any, campaign_of: Any
) -> None:
    book_id = account.book()
    arguments = {"mailing_key": "{{ ds_nodash }}", "edition": "{{ 2 }}", "address_book_id": book_id}
    first = runner.run(campaign_of(**arguments))
    second = runner.run(campaign_of(dag=native_dag, **arguments))
    assert first.value == second.value
    assert len(account.campaigns) == 1


def test_sandbox_in_a_native_dag(runner: Any, native_dag: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of(dag=native_dag, body="[[ ''.__class__.__mro__ ]]"))
    assert result.state == "failed"
    assert not account.sent("campaigns.create")


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """A DAG in a folder of its own."""
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    dag.fileloc = str(tmp_path / "a_dag.py")
    return tmp_path, dag


@pytest.mark.parametrize("place", ["relative", "below", "absolute", "templated"])
def test_body_file(runner: Any, account: Any, campaign_of: Any, folder: Any, place: str) -> None:
    path, dag = folder
    (path / "mail").mkdir()
    (path / "mail" / "news.html").write_text("<p>{{Имя}} [[ ds ]] [[ who ]]</p>\n", encoding="utf-8")
    (path / "news.html").write_text("<p>{{Имя}} [[ ds ]] [[ who ]]</p>\n", encoding="utf-8")
    named = {
        "relative": "news.html",
        "below": "mail/news.html",
        "absolute": str(path / "mail" / "news.html"),
        "templated": "{{ 'news' }}.html",
    }[place]
    result = runner.run(campaign_of(dag=dag, body_file=named, body_params={"who": "A & B"}))
    assert result.state == "success", result.error
    assert received(account) == "<p>{{Имя}} 2026-01-05 A &amp; B</p>\n"


def test_body_file_of_the_template_search_path(runner: Any, account: Any, campaign_of: Any, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    (tmp_path / "shared.html").write_text("<p>shared</p>")
    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), template_searchpath=[str(tmp_path)])
    assert runner.run(campaign_of(dag=dag, body_file="shared.html")).state == "success"
    assert received(account) == "<p>shared</p>"


@pytest.mark.parametrize("absolute", [False, True])
def test_missing_body_file(runner: Any, account: Any, campaign_of: Any, folder: Any, absolute: bool) -> None:
    path, dag = folder
    runner.api.should_retry = True
    named = str(path / "missing.html") if absolute else "missing.html"
    result = runner.run(campaign_of(dag=dag, body_file=named))
    assert result.state == "failed"
    assert f"body_file {named!r} could not be read" in str(result.error)
    assert f"looked up in {path}" in str(result.error)


def test_body_file_in_another_encoding(runner: Any, campaign_of: Any, folder: Any) -> None:
    path, dag = folder
    (path / "old.html").write_bytes("Привіт".encode("cp1251"))
    result = runner.run(campaign_of(dag=dag, body_file="old.html"))
    assert result.state == "failed"
    assert "UnicodeDecodeError" in str(result.error)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"body": None}, "exactly one of body, body_file and template_id"),
        ({"template_id": 5, "body": "x"}, "exactly one of body, body_file and template_id"),
        ({"body": "  "}, "The body is empty"),
        ({"subject": ""}, "subject is empty"),
        ({"subject": None}, "subject is empty"),
        ({"name": "{{ '' }}"}, "name is empty"),
        ({"sender_name": None}, "sender_name is empty"),
        ({"sender_email": " "}, "sender_email is empty"),
        ({"address_book_id": []}, "1 to 10 address books"),
        ({"address_book_id": ""}, "address_book_id is empty"),
        ({"address_book_id": "None"}, "address_book_id is empty"),
        ({"address_book_id": None}, "1 to 10 address books"),
        ({"address_book_id": "[1, x]"}, "not a list of whole numbers"),
        ({"mailing_key": "{{ '' }}"}, "mailing_key is empty"),
        ({"on_partial": "perhaps"}, "on_partial is 'perhaps'"),
        ({"timeout": 0}, "timeout is 0"),
        ({"poll_interval": -1}, "poll_interval is -1"),
        ({"body": {"html": "x"}}, "body is a dict, not text"),
        ({"attachments": {str(number): "x" for number in range(6)}}, "at most 5 attachments"),
        ({"subject": "[[ '' ]]"}, "subject is empty"),
        ({"body": "[[ '' ]]"}, "The body is empty"),
    ],
)
def test_arguments_that_cannot_be_meant(
    runner: Any, account: Any, campaign_of: Any, arguments: dict[str, Any], told: str
) -> None:
    runner.api.should_retry = True
    result = runner.run(campaign_of(**arguments))
    assert result.state == "failed", result.error
    assert told in str(result.error)
    assert not account.sent("campaigns.create")


def test_attachments(runner: Any, account: Any, campaign_of: Any) -> None:
    attachments = {"note.txt": "{{name}} & Ко", "logo.png": b"\x89PNG\x00\xff"}
    result = runner.run(campaign_of(attachments=attachments))
    assert result.state == "success", result.error
    [body] = account.sent("campaigns.create")
    assert body["attachments"] == {"note.txt": "{{name}} & Ко"}
    assert base64.b64decode(body["attachments_binary"]["logo.png"]) == b"\x89PNG\x00\xff"
    assert result.rendered["attachments"] == "2 attachments (not shown)"


def test_attachments_from_upstream(runner: Any, account: Any, campaign_of: Any, upstream: Any) -> None:
    result = runner.run(campaign_of(attachments={"report.csv": upstream("report", "a,b\n1,2\n")}))
    assert result.state == "success", result.error
    assert account.sent("campaigns.create")[0]["attachments"] == {"report.csv": "a,b\n1,2\n"}


def test_template(runner: Any, account: Any, campaign_of: Any) -> None:
    from airflow_provider_sendpulse.emulator.emulator import Emulator

    emulator: Emulator = account.emulator.emulator
    with emulator.lock:
        template = emulator.state.templates.create("<p>{{name}}</p>", "Welcome", "en")
    result = runner.run(campaign_of(template_id=str(template.real_id)))
    assert result.state == "success", result.error
    assert account.campaigns[0]["body"] == "<p>{{name}}</p>"


def test_stats(runner: Any, account: Any, campaign_of: Any) -> None:
    stats = {"opens": False, "clicks": True, "utm_campaign": "week-{{ ds }}"}
    assert runner.run(campaign_of(stats=stats)).state == "success"
    assert account.sent("campaigns.create")[0]["stats"] == {
        "opens": False,
        "clicks": True,
        "utm_campaign": "week-2026-01-05",
    }
