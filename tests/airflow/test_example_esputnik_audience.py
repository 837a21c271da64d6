# SPDX-License-Identifier: Apache-2.0
"""The example that imports an audience into eSputnik and starts a scenario, executed for two weeks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples import SHOP, api_of, dags_of, run

pytestmark = pytest.mark.usefixtures("connect_esputnik", "quick")


@pytest.fixture
def weeks(emulator: Any, shop: Path) -> list[Any]:
    """Run two weeks and return what was there after each: results, buyers by the database, and eSputnik."""
    found = []
    for week in range(2):
        results = run(dags_of("esputnik_audience")["esputnik_audience"], api_of("esputnik_audience", week))
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
        assert results["report"].value == {"imported": len(buyers), "refused": 0, "left": left}
    assert [event["eventTypeKey"] for event in weeks[1][2]["events"]].count("buyersReady") == 2
    # The second week brings new buyers, and old ones who come back or leave.
    (_, first, _), (_, second, _) = weeks
    assert first & second
    assert first - second
    assert second - first


def test_what_is_written_down_says_who_is_who(weeks: list[Any], shop: Path) -> None:
    with SHOP.opened(shop) as database:
        found = dict(database.execute("SELECT dedupe_value, contact_id FROM esputnik_contacts"))
    assert found == {contact["channels"][0]["value"]: contact["id"] for contact in weeks[1][2]["contacts"]}
