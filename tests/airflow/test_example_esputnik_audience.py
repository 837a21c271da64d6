# SPDX-License-Identifier: Apache-2.0
"""The example that imports an audience into eSputnik and starts a scenario, executed for two weeks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contact_file import PASSWORD, served_file
from examples import SHOP, api_of, dags_of, run

from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook

pytestmark = pytest.mark.usefixtures("connect_esputnik", "quick")


@pytest.fixture
def weeks(emulator: Any, shop: Path) -> list[Any]:
    """Run two weeks and return what was there after each: results, buyers by the database, and eSputnik."""
    found = []
    for week in range(2):
        dag = dags_of("esputnik_audience")["esputnik_audience"]
        dag.get_task("import_buyers").poll_interval = 0.1
        results = run(dag, api_of("esputnik_audience", week))
        monday = SHOP.FIRST_MONDAY + week * SHOP.WEEK
        buyers = {person.email for person in SHOP.buyers(shop, monday, monday + SHOP.WEEK)}
        found.append((results, buyers, emulator.state.as_dict()["esputnik"]))
    return found


def test_two_weeks(weeks: list[Any]) -> None:
    known: set[str] = set()
    for results, buyers, account in weeks:
        emails = {contact["id"]: contact["channels"][0]["value"] for contact in account["contacts"]}
        [segment] = account["segments"]
        # Whoever has bought is in the segment, and nobody else is.
        assert {emails[number] for number in segment["contacts"]} == buyers
        assert all(contact["confirmed"] for contact in account["contacts"])
        events = [event["eventTypeKey"] for event in account["events"]]
        left = len(known - buyers)
        known |= buyers
        assert events.count("newBuyer") == len(known)
        assert results["import_buyers"].legs == ["deferred", "success"]
        assert results["report"].value == {"imported": len(buyers), "left": left, "started": len(buyers)}
    started = [event["keyValue"] for event in weeks[1][2]["events"] if event["eventTypeKey"] == "weeklyBuyer"]
    assert len({*started}) == len(started) == len(weeks[0][1]) + len(weeks[1][1])
    # The second week brings new buyers, and old ones who come back or leave.
    (_, first, _), (_, second, _) = weeks
    assert first & second
    assert first - second
    assert second - first


def test_what_is_written_down_says_who_is_who(weeks: list[Any], shop: Path) -> None:
    with SHOP.opened(shop) as database:
        found = dict(database.execute("SELECT dedupe_value, contact_id FROM esputnik_contacts"))
    assert found == {contact["channels"][0]["value"]: contact["id"] for contact in weeks[1][2]["contacts"]}


def test_a_partner_s_file(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with served_file() as serve:
        monkeypatch.setenv("AIRFLOW_VAR_PARTNER_FILE", serve())
        results = run(dags_of("esputnik_audience")["esputnik_partner_file"], api_of("esputnik_partner_file"))
    [session] = emulator.state.as_dict()["esputnik"]["imports"]
    assert results["import_file"].value == session["id"]
    assert session["contacts"] == 2
    assert PASSWORD not in results["import_file"].log


def test_a_session_of_the_shop(emulator: Any, shop: Path) -> None:
    with EsputnikHook() as hook:
        contact = Contact.reached(email="ada@example.com")
        started = hook.send(import_sessions.start([contact], dedupe_on="email", contact_fields=["email"]))
    api = api_of("esputnik_after_an_import", conf={"session_id": started.session_id})
    results = run(dags_of("esputnik_audience")["esputnik_after_an_import"], api)
    assert results["wait_until_imported"].value["status"] == "FINISHED"
    [there] = emulator.state.as_dict()["esputnik"]["contacts"]
    with SHOP.opened(shop) as database:
        found = database.execute("SELECT dedupe_value, contact_id, session_id FROM esputnik_contacts").fetchall()
    assert found == [("ada@example.com", there["id"], started.session_id)]
