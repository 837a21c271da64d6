# SPDX-License-Identifier: Apache-2.0
"""A picture shows what two runs share, and a row fails for every difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from esputnik_state import EsputnikState

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop
from torture.ended import Ended, TaskEnd
from torture.picture import contact_line, differences, picture_of
from torture.subjects.esputnik_audience import BY_HAND, SEGMENT, EsputnikAudience
from torture.subjects.esputnik_messages import EsputnikMessages
from torture.subjects.every import SUBJECTS, subjects_of

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    shop.create(path)
    return path


class Account:
    """An account with two contacts, of which one is in a segment; others may have been there before."""

    def __init__(self, emulator: RunningEmulator, database: Path, erased: int = 0) -> None:
        emulator.reset()
        self.state = EsputnikState(emulator)
        contacts = emulator.state.esputnik.contacts
        for number in range(erased):
            contacts.erase(contacts.get(self.state.contact(f"{number}@example.com")))  # type: ignore[arg-type]
        self.emulator = emulator
        self.database = database
        self.ada = self.state.contact(ADA, phone="+380671234567", languageCode="uk")
        self.state.contact(BOB, confirmed=False)
        self.segment = self.state.segment("Readers", self.ada)
        self.event("order", f"{self.ada}:2026-01-05")

    def event(self, kind: str, key: str) -> None:
        account = self.emulator.state.esputnik
        account.events.receive(kind, key, {"contactId": str(self.ada)}, source="api", contact_id=self.ada)

    def picture(self) -> dict[str, Counter[str]]:
        state = self.emulator.state.as_dict()
        return picture_of(state, self.database, {"absent": "a"}, {"2026-01-05": "Monday"})


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as running:
        yield running


@pytest.fixture
def account(emulator: RunningEmulator, database: Path) -> Account:
    return Account(emulator, database)


def test_who_is_there_and_what_happened(account: Account) -> None:
    seen = account.picture()
    assert seen["contacts"] == Counter([contact_line(ADA, "+380671234567", "uk"), contact_line(BOB, confirmed=False)])
    assert seen["contacts in 'Readers'"] == Counter([ADA])
    assert seen["order events"] == Counter([f"{ADA}:Monday"])
    assert seen["rows of absent"] == Counter()
    assert differences(seen, account.picture(), {}) == []


def test_ids_and_dates_make_no_difference(account: Account) -> None:
    before, known = account.picture(), account.ada
    again = Account(account.emulator, account.database, erased=3)
    assert again.ada != known
    assert differences(again.picture(), before, {}) == []


def test_an_event_twice(account: Account) -> None:
    before = account.picture()
    account.event("order", f"{account.ada}:2026-01-05")
    assert differences(account.picture(), before, {}) == ["1 CONTENT OF ORDER EVENTS TWICE", "1 ORDER EVENTS TWICE"]


def test_a_contact_that_was_changed(account: Account) -> None:
    before = account.picture()
    account.emulator.state.esputnik.contacts.get(account.ada).values["languageCode"] = "en"  # type: ignore[union-attr]
    assert differences(account.picture(), before, {}) == [
        "1 contacts too many or changed",
        "1 contacts missing",
        "1 content of contacts too many or changed",
        "1 content of contacts missing",
    ]


def test_a_segment_that_was_emptied(account: Account) -> None:
    before = account.picture()
    account.emulator.state.esputnik.contacts.get(account.ada).segments.clear()  # type: ignore[union-attr]
    assert differences(account.picture(), before, {}) == ["NO contacts in 'Readers' at all"]


def test_what_is_missing_must_be_said(account: Account) -> None:
    wanted = {"order events": Counter("abc")}
    seen = {"order events": Counter("a")}
    assert differences(seen, wanted, {"order events": 2}) == []
    assert differences(seen, wanted, {"order events": 1}) == ["2 order events missing, and only 1 said to be in doubt"]


class TestWhoMayMiss:
    """What may be missing depends on the task that sends it."""

    @pytest.fixture
    def messages(self, emulator: RunningEmulator, database: Path) -> Any:
        """Return how a run of the example for messages ends that has sent nothing."""
        subject = EsputnikMessages()
        emulator.reset()
        nothing = emulator.state.as_dict()
        account = emulator.state.esputnik
        for cart in ("701", "702"):
            account.events.receive("cart_left", cart, {}, source="api", contact_id=None)
        usual = Ended(subject.occasion(1), database, account=emulator.state.as_dict())

        def faults(*tasks: TaskEnd) -> list[str]:
            ended = Ended(subject.occasion(1), database, {task.task_id: task for task in tasks}, nothing)
            return subject.faults(ended, usual)

        return faults

    def test_missing(self, messages: Any) -> None:
        expected = ["NO cart_left events at all", "NO content of cart_left events at all"]
        assert messages(TaskEnd("send_events", "success")) == expected
        assert messages(TaskEnd("send_events", "success", in_doubt=2)) == expected
        assert messages(TaskEnd("send_events", "failed", in_doubt=1)) == expected
        assert messages(TaskEnd("send_orders", "failed", in_doubt=2)) == expected
        assert messages() == expected

    def test_in_doubt(self, messages: Any) -> None:
        assert messages(TaskEnd("send_events", "failed", in_doubt=2)) == []
        assert messages(TaskEnd("send_events", "upstream_failed")) == []


def test_the_audience_is_known_without_the_example_s_query(emulator: RunningEmulator, tmp_path: Path) -> None:
    subject, path = EsputnikAudience(), tmp_path / "shop.db"
    shop.create(path)
    emulator.reset()
    subject.prepare(emulator, path)
    ended = Ended(subject.occasion(1), path, account=emulator.state.as_dict())
    wanted = subject.wanted(ended)
    assert (
        wanted[f"contacts in {SEGMENT!r}"].total()
        == len(shop.buyers(path, shop.FIRST_MONDAY, shop.FIRST_MONDAY + shop.WEEK)) + 1
    )
    assert BY_HAND in wanted[f"contacts in {SEGMENT!r}"]
    # A run that has done nothing is none that is right.
    faults = subject.faults(ended, None)
    assert "NO weeklyBuyer events at all" in faults
    assert "2 contacts in 'Buyers of the week' too many or changed" in faults


def test_subjects_are_found_by_name_and_by_file() -> None:
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)
    assert [subject.name for subject in subjects_of("esputnik_contacts")] == [
        "esputnik_customer",
        "esputnik_sign_up",
        "esputnik_segments",
    ]
    assert [subject.name for subject in subjects_of("esputnik_segments")] == ["esputnik_segments"]
    # A name beats a file: its rows can be chosen by their numbers.
    assert [subject.name for subject in subjects_of("esputnik_audience")] == ["esputnik_audience"]
    assert subjects_of(None) == [*SUBJECTS]
    assert {subject.name for subject in subjects_of(None, under_airflow=True)} >= {"weekly_digest", "esputnik_audience"}
