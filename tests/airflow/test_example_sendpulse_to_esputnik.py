# SPDX-License-Identifier: Apache-2.0
"""The example that moves an audience, executed: what people have agreed to moves with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from esputnik_state import EsputnikState
from examples import api_of, dags_of, run

pytestmark = pytest.mark.usefixtures("connect")

# Every status of a contact of SendPulse, and where such a contact belongs.
IMPORTED, ASKED, OUT, LEFT = {1}, {2, 3, 7}, {4, 6, 8}, {0, 5, 9, 10, 11, 12, 13, 14}


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    emulator.configure(esputnik_import_reads=1)
    return EsputnikState(emulator)


@pytest.fixture
def move(account: Any, shop: Path, esputnik: EsputnikState) -> Any:
    """Move a book with a contact of every status."""
    book_id = account.book("Readers", [address(status) for status in range(15)])
    with account.emulator.emulator.lock:
        for status in range(15):
            contact = account.emulator.state.books.find(book_id).contacts[address(status)]
            contact.status = status
            contact.phone = f"+3806712345{status:02}"
            contact.variables["name"] = "Олена"

    def execute() -> Any:
        api = api_of("sendpulse_to_esputnik", conf={"address_book_id": book_id, "segment": "Moved"})
        dag = dags_of("sendpulse_to_esputnik")["sendpulse_to_esputnik"]
        dag.get_task("import_active").poll_interval = 0.001
        return run(dag, api)

    return execute


def address(status: int) -> str:
    return f"status{status}@example.com"


def test_consent_is_kept(move: Any, esputnik: EsputnikState, shop: Path) -> None:
    results = move()
    there = {one["channels"][0]["value"]: one for one in esputnik.contacts.values()}
    assert there.keys() == {address(status) for status in IMPORTED | ASKED}
    assert {email for email, one in there.items() if one["confirmed"]} == {address(status) for status in IMPORTED}
    assert set(esputnik.told["unsubscribed"]) == {address(status) for status in OUT}
    assert all(one["firstName"] == "Олена" for one in there.values())
    assert all(esputnik.segment_names(one["id"]) == {"Moved"} for one in there.values())
    asked = {str(there[address(status)]["id"]) for status in ASKED}
    assert {*esputnik.events} == {("subscribeFromApi-moved", contact_id) for contact_id in asked}
    assert [results[name].value["accepted"] for name in ("unsubscribe", "import_active", "ask_unconfirmed")] == [3, 1, 3]
    assert {*range(15)} == IMPORTED | ASKED | OUT | LEFT


def test_again(move: Any, esputnik: EsputnikState) -> None:
    esputnik.emulator.configure(esputnik_repeat_seconds=None)
    move()
    before = esputnik.told
    results = move()
    assert results["ask_unconfirmed"].value["skipped"] == 3
    after = esputnik.told
    assert [one["confirmed"] for one in after["contacts"]] == [one["confirmed"] for one in before["contacts"]]
    assert (after["events"], after["unsubscribed"]) == (before["events"], before["unsubscribed"])
