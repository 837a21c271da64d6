# SPDX-License-Identifier: Apache-2.0
"""Changing a campaign before it goes out, and what its creation makes of that when it is cleared."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name
from airflow_provider_sendpulse.operators.campaigns import SendPulseEditCampaignOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
SHAPES = pytest.mark.parametrize("shape", ["array", "object"])


@pytest.fixture
def edit(dag: Any) -> Any:
    def make(campaign_id: Any, task_id: str = "edit", **changes: Any) -> SendPulseEditCampaignOperator:
        return SendPulseEditCampaignOperator(task_id=task_id, campaign_id=campaign_id, dag=dag, **changes)

    return make


@pytest.fixture
def scheduled(runner: Any, account: Any, campaign_of: Any) -> Any:
    """The operator of a campaign for tomorrow, and its result."""
    account.emulator.configure(campaign_statistics="object")
    operator = campaign_of(
        address_book_id=account.book(emails=["ada@example.com"]), send_date=TOMORROW, body="<p>{{name}}</p>"
    )
    return operator, runner.run(operator)


def test_only_what_is_given_changes(runner: Any, account: Any, scheduled: Any, edit: Any) -> None:
    [before] = account.campaigns
    result = runner.run(edit(str(before["id"]), subject="{{name}}, until [[ ds ]]"))
    assert result.state == "success", result.error
    [after] = account.campaigns
    assert result.value == before["id"]
    assert result.xcom("changed", "edit") == ["subject"]
    assert after["subject"] == "{{name}}, until 2026-01-05"
    kept = ("sender_name", "sender_email", "body", "send_at")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    # All of it is sent, because nobody knows what SendPulse does with what is missing.
    [sent] = account.sent("campaigns.edit")
    assert sent.keys() == {"name", "sender_name", "sender_email", "subject", "body", "send_date"}
    assert base64.b64decode(sent["body"]).decode() == "<p>{{name}}</p>"
    assert Marker.in_name(after["name"]) == Marker.in_name(before["name"])
    assert after["name"].startswith("News [af-edit-")


def test_everything(runner: Any, account: Any, scheduled: Any, edit: Any, tmp_path: Path) -> None:
    file = tmp_path / "new.html"
    file.write_text("<p>{{name}}: [[ what ]]</p>")
    account.emulator.state.senders.put("The Boss", "boss@example.com")
    later = TOMORROW + timedelta(hours=5)
    result = runner.run(
        edit(
            scheduled[1].value,
            name="Other {{ ds }}",
            sender_name="The Boss",
            sender_email="boss@example.com",
            subject="Other",
            body_file=str(file),
            body_params={"what": "news"},
            send_date=later,
        )
    )
    assert result.state == "success", result.error
    assert result.xcom("changed", "edit") == ["name", "sender_name", "sender_email", "subject", "body", "send_date"]
    [campaign] = account.campaigns
    assert campaign["name"].startswith("Other 2026-01-05 [af-edit-")
    assert (campaign["subject"], campaign["body"]) == ("Other", "<p>{{name}}: news</p>")
    assert datetime.fromisoformat(campaign["send_at"]) == later


@SHAPES
def test_again_nothing_is_sent(runner: Any, account: Any, scheduled: Any, edit: Any, shape: str) -> None:
    """Also where answers do not show the body: the name says that it was changed."""
    account.emulator.configure(campaign_statistics=shape)
    operator = edit(scheduled[1].value, subject="Other", body="<p>Other</p>")
    first = runner.run(operator)
    assert first.state == "success", first.error
    again = runner.run(operator, try_number=2)
    assert again.xcom("changed", "edit") == []
    assert "as wished already" in again.log
    # Nor when it has gone out since.
    account.force(first.value, 3)
    assert runner.run(operator, try_number=3).value == first.value
    assert len(account.sent("campaigns.edit")) == 1


def test_template(runner: Any, account: Any, scheduled: Any, edit: Any) -> None:
    template = account.emulator.state.templates.create("<p>Spring</p>", "Spring", "ua")
    operator = edit(scheduled[1].value, template_id=template.real_id)
    assert runner.run(operator).xcom("changed", "edit") == ["template_id"]
    assert account.campaigns[0]["body"] == "<p>Spring</p>"
    assert runner.run(operator, try_number=2).xcom("changed", "edit") == []


@pytest.mark.parametrize("how", ["retry", "cleared", "another edit since"])
def test_its_creation_adopts_it(runner: Any, account: Any, campaign_of: Any, scheduled: Any, edit: Any, how: str) -> None:
    operator, created = scheduled
    first = edit(created.value, subject="Other", send_date=TOMORROW + timedelta(days=1))
    assert runner.run(first).state == "success"
    if how == "another edit since":
        renamed = runner.run(edit(created.value, "rename", name="Renamed"))
        assert renamed.xcom("changed", "rename") == ["name"]
        assert edit_in_name(account.campaigns[0]["name"])
    if how != "retry":
        runner.api.store.clear()
    again = runner.run(operator, try_number=2 if how == "retry" else 1)
    assert again.value == created.value, again.error
    assert "was edited by a task" in again.log
    # And the edit after it finds nothing to do.
    assert runner.run(first, try_number=2).xcom("changed", "edit") == []
    assert len(account.campaigns) == 1
    assert len(account.sent("campaigns.create")) == 1


def test_a_person_who_edits_leaves_no_note(runner: Any, account: Any, scheduled: Any) -> None:
    operator, created = scheduled
    account.emulator.state.campaigns.find(created.value).content.subject = "Other"
    again = runner.run(operator, try_number=2)
    assert type(again.error).__name__ == "CampaignConflict"
    assert len(account.campaigns) == 1


@pytest.mark.parametrize("kind", ["lose_answer", "truncate"])
def test_lost_answer(runner: Any, account: Any, scheduled: Any, edit: Any, quick: Any, kind: str) -> None:
    account.emulator.faults.add(kind, operation="campaigns.edit")
    result = runner.run(edit(scheduled[1].value, subject="Other"))
    assert result.state == "success", result.error
    assert account.campaigns[0]["subject"] == "Other"


def test_it_goes_out_before_the_repeat(
    runner: Any, account: Any, scheduled: Any, edit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_sendpulse.api.clock import SystemClock

    campaign_id = scheduled[1].value
    account.emulator.state.campaigns.find(campaign_id).content.send_at = datetime.now(UTC) + timedelta(seconds=30)
    account.emulator.faults.add("lose_answer", operation="campaigns.edit")
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: account.force(campaign_id, 3))
    result = runner.run(edit(campaign_id, subject="Other"))
    assert result.state == "success", result.error
    assert len(account.sent("campaigns.edit")) == 2


@pytest.mark.parametrize("code", [2, 3, 16, 23])
def test_too_late(runner: Any, account: Any, scheduled: Any, edit: Any, code: int) -> None:
    campaign_id = scheduled[1].value
    account.emulator.configure(transitions="clock", clock="manual")
    account.force(campaign_id, code)
    runner.api.should_retry = True
    result = runner.run(edit(campaign_id, subject="Other"))
    assert (result.state, type(result.error).__name__) == ("failed", "TooLate")
    assert "too late to change subject" in str(result.error)
    assert not account.sent("campaigns.edit")


@pytest.mark.parametrize("code", [17, 26])
def test_only_a_person_can(runner: Any, account: Any, edit: Any, code: int) -> None:
    result = runner.run(edit(account.campaign(code), subject="Other"))
    assert type(result.error).__name__ == "NeedsHuman"
    assert not account.sent("campaigns.edit")


def test_one_that_does_not_wait_for_a_date(runner: Any, account: Any, edit: Any) -> None:
    account.emulator.configure(campaign_statistics="object")
    result = runner.run(edit(account.campaign(1), subject="Other"))
    assert type(result.error).__name__ == "Refused"
    assert "waits for its date; campaign" in str(result.error)
    assert "send_date" not in account.sent("campaigns.edit")[0]


def test_body_that_is_not_shown(runner: Any, account: Any, scheduled: Any, edit: Any) -> None:
    account.emulator.configure(campaign_statistics="array")
    result = runner.run(edit(scheduled[1].value, subject="Other"))
    assert type(result.error).__name__ == "InvalidRequest"
    assert "Give the edit the body" in str(result.error)
    assert not account.sent("campaigns.edit")


def test_it_is_sent_at_once_instead(runner: Any, account: Any, scheduled: Any, edit: Any) -> None:
    account.emulator.configure(ignore_send_date=True)
    result = runner.run(edit(scheduled[1].value, subject="Other"))
    assert type(result.error).__name__ == "CampaignStartedEarly"
    assert "DMARC" in str(result.error)


def test_marker_that_is_lost(runner: Any, account: Any, scheduled: Any, edit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_sendpulse.emulator.campaign_request import CampaignRequest

    monkeypatch.setattr(CampaignRequest, "name", lambda _: "Cut")
    result = runner.run(edit(scheduled[1].value, subject="Other"))
    assert type(result.error).__name__ == "FinalFailure"
    assert "marker by which it is found again is lost" in str(result.error)


def test_edit_that_is_never_shown(runner: Any, account: Any, scheduled: Any, edit: Any, jumping_clock: list[float]) -> None:
    account.emulator.faults.add("status", status=200, body={"result": True, "id": 1}, operation="campaigns.edit")
    result = runner.run(edit(scheduled[1].value, subject="Other"))
    assert "still shows another subject" in str(result.error)
    assert sum(jumping_clock) == 60


def test_campaign_without_a_marker(runner: Any, account: Any, edit: Any) -> None:
    account.emulator.configure(campaign_statistics="object")
    campaign_id = account.campaign(14)
    campaign = account.emulator.state.campaigns.find(campaign_id)
    campaign.content.send_at = TOMORROW
    result = runner.run(edit(campaign_id, name="Renamed"))
    assert result.xcom("changed", "edit") == ["name"], result.error
    assert campaign.content.name == "Renamed"


EVERY_CHANGE = {
    "name": "Renamed",
    "sender_name": "The Boss",
    "sender_email": "boss@example.com",
    "subject": "Other",
    "body": "<p>Other</p>",
    "template_id": "",
    "send_date": TOMORROW + timedelta(hours=5),
}
STORES = pytest.mark.parametrize("state_store", [True, False])


@pytest.fixture
def unmarked(account: Any) -> int:
    """The id of a campaign for tomorrow that was made in the dashboard."""
    account.emulator.configure(reads_per_status=1000)
    campaign_id = account.campaign(14)
    account.emulator.state.campaigns.find(campaign_id).content.send_at = TOMORROW
    return campaign_id


@STORES
@SHAPES
@pytest.mark.parametrize("is_marked", [True, False])
@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_every_change_is_made_once(
    runner: Any,
    account: Any,
    request: Any,
    edit: Any,
    jumping_clock: list[float],
    change: str,
    is_marked: bool,
    shape: str,
    state_store: bool,
) -> None:
    runner.state_store = state_store
    campaign_id = request.getfixturevalue("scheduled")[1].value if is_marked else request.getfixturevalue("unmarked")
    account.emulator.configure(campaign_statistics=shape)
    account.emulator.state.senders.put("The Boss", "boss@example.com")
    template = account.emulator.state.templates.create("<p>Other</p>", "Spring", "ua")
    wanted = {change: EVERY_CHANGE[change] or template.real_id}
    if shape == "array" and change not in ("body", "template_id"):
        wanted["body"] = "<p>Other</p>"
    jumping_clock.clear()
    operator = edit(campaign_id, **wanted)
    first = runner.run(operator)
    assert first.state == "success", first.error
    assert {*first.xcom("changed", "edit")} == {*wanted}
    assert not jumping_clock
    again = runner.run(operator, try_number=2)
    assert again.state == "success", again.error
    # What nothing shows and nothing notes is made once more, which changes nothing.
    is_known = is_marked or (state_store and AIRFLOW_V_3_3_PLUS) or (shape == "object" and change != "template_id")
    assert again.xcom("changed", "edit") == ([] if is_known else ["template_id" if change == "template_id" else "body"])
    assert len(account.sent("campaigns.edit")) == (1 if is_known else 2)
    if change == "template_id" or "body" in wanted:
        assert account.campaigns[0]["body"] == "<p>Other</p>"


@pytest.mark.parametrize(("change", "told"), [("subject", "another subject"), ("body", "another body")])
def test_edit_of_an_unmarked_one_that_is_never_shown(
    runner: Any, account: Any, unmarked: int, edit: Any, jumping_clock: list[float], change: str, told: str
) -> None:
    account.emulator.configure(campaign_statistics="object")
    account.emulator.faults.add("status", status=200, body={"result": True, "id": 1}, operation="campaigns.edit")
    result = runner.run(edit(unmarked, **{change: "Other"}))
    assert f"still shows {told}" in str(result.error)
    assert sum(jumping_clock) == 60


def test_another_edit_of_an_unmarked_one(
    runner: Any, dag: Any, account: Any, unmarked: int, jumping_clock: list[float]
) -> None:
    """What was noted is one edit of one campaign."""
    other = account.campaign(14)
    account.emulator.state.campaigns.find(other).content.send_at = TOMORROW
    for campaign_id, body in ((unmarked, "<p>A</p>"), (unmarked, "<p>B</p>"), (other, "<p>B</p>")):
        edit = SendPulseEditCampaignOperator(task_id="edit", campaign_id=campaign_id, body=body, dag=anew(dag))
        assert runner.run(edit).xcom("changed", "edit") == ["body"]
    assert [campaign["body"] for campaign in account.campaigns] == ["<p>B</p>", "<p>B</p>"]


def test_long_name_keeps_its_marker(runner: Any, account: Any, scheduled: Any, edit: Any) -> None:
    operator = edit(scheduled[1].value, name="Новини " * 60)
    assert runner.run(operator).xcom("changed", "edit") == ["name"]
    name = account.campaigns[0]["name"]
    assert len(name) <= 120
    assert Marker.in_name(name)
    assert runner.run(operator, try_number=2).xcom("changed", "edit") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "Nothing to change"),
        ({"subject": " "}, "subject is empty"),
        ({"name": ""}, "name is empty"),
        ({"body": 5}, "body is a int, not text"),
        ({"body": "<p>", "template_id": 1}, "at most one of body"),
        ({"name": "News [af-0123456789abcdef-g1]"}, "ends in a marker"),
        ({"send_date": "2099-01-05 06:00:00"}, "has no time zone"),
    ],
)
def test_wrong_arguments(runner: Any, account: Any, edit: Any, changes: dict[str, Any], message: str) -> None:
    result = runner.run(edit(1, **changes))
    assert result.state == "failed"
    assert message in str(result.error)
    assert not account.emulator.requests.counts().get("campaigns.read")
