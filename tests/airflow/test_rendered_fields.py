# SPDX-License-Identifier: Apache-2.0
"""What Airflow is sent of a task's template fields holds counts, never rows or addresses; and data is never a template.

Judged by what Airflow's own task runner sends to the API server, for every operator with personal fields and every way to
give them a value.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.operators.blacklist import (
    SendPulseAddToBlacklistOperator,
    SendPulseRemoveFromBlacklistOperator,
)
from airflow_provider_sendpulse.operators.campaigns import SendPulseCreateCampaignOperator, SendPulseSendTestOperator
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
from airflow_provider_sendpulse.operators.webhooks import SendPulseEnsureWebhookOperator, SendPulseRemoveWebhookOperator

pytestmark = pytest.mark.usefixtures("connect")

ADDRESS = "canary.reader+tag@private.example.org"
PHONE = "+380671234567"
NAME = "Канарка-Таємна"
TRAP = "{{ 6 * 7 }} {{ conn.sendpulse_default.password }}"
CANARIES = (ADDRESS, "canary.reader", PHONE, PHONE[1:], NAME)
PERSON = {"email": ADDRESS, "phone": PHONE, "name": NAME, "note": TRAP}

EMAIL = {
    "sender_email": "shop@example.com",
    "sender_name": "Shop",
    "to": ADDRESS,
    "subject": "Order",
    "text": "Thank you [% if note is defined %][[ note ]][% endif %]",
    "if_in_doubt": "fail",
}

MESSAGE = {
    "name": "News",
    "sender_name": "Shop",
    "sender_email": "shop@example.com",
    "subject": "News",
    "body": "<p>News</p>",
}

# Every operator with each of its personal fields: what else it needs, and a value.
CASES: dict[str, tuple[Any, dict[str, Any], str, Any]] = {
    "add contacts": (SendPulseAddEmailsOperator, {"address_book_id": 0}, "contacts", [PERSON]),
    "add addresses": (SendPulseAddEmailsOperator, {"address_book_id": 0}, "contacts", [ADDRESS]),
    "update contact_email": (
        SendPulseUpdateVariableOperator,
        {"address_book_id": 0, "variables": {"Name": "x"}},
        "contact_email",
        ADDRESS,
    ),
    "update variables": (
        SendPulseUpdateVariableOperator,
        {"address_book_id": 0, "contact_email": ADDRESS},
        "variables",
        {"Name": NAME, "note": TRAP},
    ),
    "send contacts": (SendPulseSendEventOperator, {"event_name": "left"}, "contacts", [PERSON]),
    "send contact_email": (SendPulseSendEventOperator, {"event_name": "left"}, "contact_email", ADDRESS),
    "send contact_phone": (SendPulseSendEventOperator, {"event_name": "left"}, "contact_phone", PHONE),
    "send variables": (
        SendPulseSendEventOperator,
        {"event_name": "left", "contact_email": ADDRESS},
        "variables",
        {"name": NAME, "note": TRAP},
    ),
    "remove": (SendPulseRemoveContactsOperator, {"address_book_id": 0}, "contacts", [ADDRESS]),
    "unsubscribe": (SendPulseUnsubscribeContactsOperator, {"address_book_id": 0}, "contacts", [PERSON]),
    "blacklist": (SendPulseAddToBlacklistOperator, {}, "contacts", [ADDRESS]),
    "take off the blacklist": (SendPulseRemoveFromBlacklistOperator, {}, "contacts", [ADDRESS]),
    "erase": (SendPulseEraseContactsOperator, {"receipt": "{tmp}/receipts.csv"}, "contacts", [ADDRESS]),
    "look up": (SendPulseContactStatisticsOperator, {"statistics": "{tmp}/statistics.csv"}, "contacts", [ADDRESS]),
    "campaign attachments": (
        SendPulseCreateCampaignOperator,
        {**MESSAGE, "address_book_id": 0},
        "attachments",
        {"list.csv": f"{ADDRESS},{NAME}"},
    ),
    "test attachments": (
        SendPulseSendTestOperator,
        {**MESSAGE, "address_book_id": 0},
        "attachments",
        {"list.csv": f"{ADDRESS},{NAME}"},
    ),
    "test addresses": (SendPulseSendTestOperator, {**MESSAGE, "address_book_id": 0}, "addresses", [ADDRESS]),
    **{
        f"email {name}": (SendPulseSendEmailOperator, EMAIL, name, value)
        for name, value in {
            "to": ADDRESS,
            "cc": [ADDRESS],
            "bcc": {"email": ADDRESS, "name": NAME},
            "reply_to": ADDRESS,
            "subject": f"For {NAME}",
            "html": f"<p>{NAME}, {ADDRESS}</p>",
            "text": f"{NAME}, {ADDRESS}",
            "body_params": {"name": NAME, "note": TRAP},
            "attachments": {"list.csv": f"{ADDRESS},{NAME}"},
        }.items()
    },
    "email template_variables": (
        SendPulseSendEmailOperator,
        {name: value for name, value in EMAIL.items() if name != "text"} | {"template_id": 2001},
        "template_variables",
        {"name": NAME, "note": TRAP},
    ),
    "activate sender": (
        SendPulseEnsureSenderOperator,
        {"sender_email": "news@example.org", "sender_name": "The Shop"},
        "activation_code",
        ADDRESS,
    ),
    "subscribe url": (SendPulseEnsureWebhookOperator, {"actions": ["open"]}, "url", f"https://example.org/{ADDRESS}"),
    "remove url": (SendPulseRemoveWebhookOperator, {}, "url", f"https://example.org/{ADDRESS}"),
}
NOT_ON_THE_WIRE = ("campaign attachments", "test attachments", "remove url")

SHOWN = {
    "contacts": "1 contacts (not shown)",
    "contact_email": "address (not shown)",
    "contact_phone": "telephone number (not shown)",
    "addresses": "1 addresses (not shown)",
    "attachments": "1 attachments (not shown)",
    "to": "recipients (not shown)",
    "cc": "1 recipients (not shown)",
    "bcc": "2 recipients (not shown)",
    "reply_to": "address (not shown)",
    "subject": "subject (not shown)",
    "html": "HTML (not shown)",
    "text": "text (not shown)",
    "body_params": "2 values (not shown)",
    "activation_code": "activation code (not shown)",
    "url": "URL (not shown)",
}
HOW = (
    "plain",
    "template",
    "output",
    "output inside",
    "partial",
    "expand literal",
    "expand output",
    "expand_kwargs literal",
    "expand_kwargs output inside",
    "expand_kwargs output",
    "native",
)


def test_no_personal_field_is_forgotten() -> None:
    def below(kind: type) -> set[type]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    # What others build on has nothing to execute.
    kinds = {
        kind
        for kind in below(SendPulseOperator)
        if not kind.__name__.startswith("_") and kind.execute is not SendPulseOperator.execute  # type: ignore[attr-defined]
    }
    declared = {(kind, name) for kind in kinds for name in kind.personal_fields}  # type: ignore[attr-defined]
    assert declared == {(kind, name) for kind, _, name, _ in CASES.values()}
    for kind, name in declared:
        assert name in kind.template_fields


@pytest.fixture
def build(dag: Any, native_dag: Any, account: Any, upstream: Any, tmp_path: Path) -> Callable[[str, str], tuple[Any, int]]:
    """Return an operator that gets a personal field in a certain way, and the map index to run."""

    def make(case: str, how: str, **more: Any) -> tuple[Any, int]:
        kind, others, name, value = CASES[case]
        book_id = account.book("Everybody", emails=[ADDRESS])
        others = {other: given for other, given in others.items() if other != name}
        common = {"task_id": "task", "dag": native_dag if how == "native" else dag, **others, **more}
        if "address_book_id" in common:
            common["address_book_id"] = book_id
        common |= {name: value.replace("{tmp}", str(tmp_path)) for name, value in common.items() if "{tmp}" in str(value)}
        if case == "activate sender":
            account.emulator.state.senders.put("The Shop", "news@example.org", active=False).code = value
        if how == "plain":
            return kind(**common, **{name: value}), -1
        if how in ("template", "native"):
            template = _template(value, "[[ {} ]]" if name in kind.recipient_fields else "{{{{ {} }}}}")
            return kind(**common, **{name: template}, params={"address": ADDRESS, "name": NAME, "phone": PHONE}), -1
        if how == "output":
            return kind(**common, **{name: upstream("people", value)}), -1
        if how == "output inside":
            inside = _inside(value, lambda item: upstream("people", item))
            return kind(**common, **{name: inside}), -1
        if how == "partial":
            return kind.partial(**common, **{name: value}).expand(sendpulse_conn_id=["sendpulse_default"]), 0
        partial = kind.partial(**common)
        if how == "expand literal":
            return partial.expand(**{name: [value]}), 0
        if how == "expand output":
            return partial.expand(**{name: upstream("people", [value])}), 0
        if how == "expand_kwargs literal":
            return partial.expand_kwargs([{name: value}]), 0
        if how == "expand_kwargs output inside":
            return partial.expand_kwargs([{name: upstream("people", value)}]), 0
        return partial.expand_kwargs(upstream("people", [{name: value}])), 0

    return make


def _template(value: Any, tag: str) -> Any:
    if isinstance(value, list):
        return [_template(item, tag) for item in value]
    if isinstance(value, dict):
        return {key: _template(item, tag) for key, item in value.items()}
    for canary, parameter in ((ADDRESS, "address"), (NAME, "name"), (PHONE, "phone")):
        value = value.replace(canary, tag.format(f"params.{parameter}"))
    return value if value != TRAP else "no trap"


def _inside(value: Any, given: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [given(value[0])]
    if isinstance(value, dict):
        first, *rest = value.items()
        return {first[0]: given(first[1]), **dict(rest)}
    return given(value)


def shows_nothing(result: Any, capfd: Any = None) -> None:
    told = {
        "rendered fields": json.dumps(result.rendered, ensure_ascii=False),
        "reports": json.dumps(result.api.reported, ensure_ascii=False),
        "XComs": str({place: value for place, value in result.api.xcoms.items() if place[0] != "people"}),
        "log": result.log,
        "error": f"{result.error!r} {getattr(result.error, '__dict__', {})}",
    }
    if capfd is not None:
        output = capfd.readouterr()
        told |= {"output": output.out, "errors": output.err}
    for place, text in told.items():
        lines = [line for line in text.splitlines() if "uvicorn" not in line]
        for canary in CANARIES:
            assert not any(canary in line for line in lines), f"{canary} in {place}"


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("case", CASES)
def test_only_counts_are_sent(
    runner: Any, build: Any, account: Any, capfd: Any, jumping_clock: Any, case: str, how: str
) -> None:
    kind, _, name, value = CASES[case]
    operator, index = build(case, how)
    capfd.readouterr()
    result = runner.run(operator, map_index=index)
    assert result.state == "success", result.error
    assert set(result.rendered) == set(kind.template_fields)
    expected = SHOWN.get(name, f"{len(value)} variables (not shown)")
    assert result.rendered[name] == expected
    shows_nothing(result, capfd)
    # The data has arrived all the same, and a template in it was not carried out where it came from XCom.
    arrived = json.dumps([[one.path, one.body] for one in account.emulator.requests.records()], ensure_ascii=False)
    if case not in NOT_ON_THE_WIRE:
        forms = (ADDRESS, quote(ADDRESS), base64.b64encode(ADDRESS.encode()).decode(), PHONE, PHONE[1:])
        assert any(form in arrived for form in forms)
    if (
        "output" in how
        and TRAP in json.dumps(value, ensure_ascii=False)
        and not (how == "output inside" and isinstance(value, dict))  # the other values stand in the DAG file
        and case != "unsubscribe"  # takes nothing but the address
    ):
        assert TRAP in arrived
        assert "42 " not in arrived


# The text of some fields is no template of Airflow's.
@pytest.mark.parametrize("case", [case for case, (kind, _, name, _) in CASES.items() if name not in kind.recipient_fields])
@pytest.mark.parametrize(
    "broken", ["{{ 6 * }}", "{% broken", "{{ missing.name }}", "{{ 1 / 0 }}", "{{ params['nobody'] }}"]
)
def test_a_template_that_cannot_be_rendered(
    runner: Any, build: Any, account: Any, capfd: Any, case: str, broken: str
) -> None:
    _, _, name, value = CASES[case]
    operator, _ = build(case, "plain")

    def spoiled(item: Any) -> Any:
        if isinstance(item, list):
            return [spoiled(one) for one in item]
        if isinstance(item, dict):
            return {key: spoiled(one) for key, one in item.items()}
        return f"{item} {broken}"

    setattr(operator, name, spoiled(value))
    capfd.readouterr()
    runner.api.should_retry = True
    result = runner.run(operator)
    assert result.state == "failed"
    assert f"The template field {name} cannot be rendered (" in str(result.error)
    shows_nothing(result, capfd)
    assert account.emulator.requests.total == 0


def test_what_is_not_defined_is_said(runner: Any, dag: Any) -> None:
    operator = SendPulseUpdateVariableOperator(
        task_id="task", dag=dag, address_book_id=1, contact_email="{{ missing.who }}", variables={"x": 1}
    )
    result = runner.run(operator)
    assert "contact_email cannot be rendered (UndefinedError: 'missing' is undefined)" in str(result.error)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_another_field_that_cannot_be_rendered(runner: Any, build: Any, capfd: Any, case: str, overwrite: bool) -> None:
    operator, _ = build(case, "plain")
    operator.sendpulse_conn_id = "{{ missing.name }}"
    # Airflow sends the fields once more at the end of such a task.
    operator.overwrite_rtif_after_execution = overwrite
    capfd.readouterr()
    result = runner.run(operator)
    assert result.state == "failed"
    shows_nothing(result, capfd)
    if overwrite:
        assert "(not shown)" in str(result.rendered)


@pytest.mark.parametrize("how", ["expand literal", "expand output", "expand_kwargs output"])
@pytest.mark.parametrize("case", CASES)
def test_name_of_a_mapped_task(runner: Any, build: Any, capfd: Any, jumping_clock: Any, case: str, how: str) -> None:
    _, _, name, value = CASES[case]
    operator, index = build(case, how, map_index_template=f"{{{{ task.{name} }}}}")
    capfd.readouterr()
    result = runner.run(operator, map_index=index)
    assert result.state == "success", result.error
    expected = SHOWN.get(name, f"{len(value)} variables (not shown)")
    assert [body["rendered_map_index"] for body in result.states] == [expected]
    shows_nothing(result, capfd)


@pytest.mark.parametrize("how", ["expand_kwargs output", "expand output", "output"])
def test_data_is_no_template_anywhere(runner: Any, dag: Any, account: Any, upstream: Any, how: str) -> None:
    partial = {"task_id": "task", "dag": dag, "contact_email": "ada@example.com"}
    given = {"event_name": TRAP}
    if how == "output":
        operator, index = SendPulseSendEventOperator(**partial, event_name=upstream("names", TRAP)), -1
    elif how == "expand output":
        operator, index = SendPulseSendEventOperator.partial(**partial).expand(event_name=upstream("names", [TRAP])), 0
    else:
        operator, index = SendPulseSendEventOperator.partial(**partial).expand_kwargs(upstream("names", [given])), 0
    result = runner.run(operator, map_index=index)
    assert result.state == "success", result.error
    assert [event["name"] for event in account.events] == [TRAP]


def test_what_a_dag_file_says_beside_the_data_is_still_a_template(
    runner: Any, dag: Any, account: Any, upstream: Any
) -> None:
    operator = SendPulseSendEventOperator.partial(task_id="task", dag=dag, event_name="left_{{ ds_nodash }}").expand_kwargs(
        upstream("people", [{"contact_email": "ada@example.com", "variables": {"note": TRAP}}])
    )
    result = runner.run(operator, map_index=0)
    assert result.state == "success", result.error
    [event] = account.events
    assert (event["name"], event["body"]["note"]) == ("left_20260105", TRAP)


def test_literal_expand_kwargs_is_rendered(runner: Any, dag: Any, account: Any) -> None:
    operator = SendPulseSendEventOperator.partial(task_id="task", dag=dag, event_name="left").expand_kwargs(
        [{"contact_email": "ada@example.com", "variables": {"day": "{{ ds }}"}}]
    )
    assert runner.run(operator, map_index=0).state == "success"
    assert account.events[0]["body"]["day"] == "2026-01-05"


def test_a_query_shows_no_address(runner: Any, dag: Any, account: Any) -> None:
    from airflow_provider_sendpulse.rows import SqlRows

    rows = SqlRows("nowhere", "SELECT email FROM readers WHERE email = '{{ params.who }}'", {"who": "{{ params.who }}"})
    operator = SendPulseAddEmailsOperator(
        task_id="task", dag=dag, address_book_id=1, contacts=rows, params={"who": ADDRESS}
    )
    result = runner.run(operator)
    assert (
        result.rendered["contacts"]
        == "SqlRows(conn_id='nowhere', sql=\"SELECT email FROM readers WHERE email = '<address>'\")"
    )
    shows_nothing(result)
