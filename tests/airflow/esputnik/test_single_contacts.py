# SPDX-License-Identifier: Apache-2.0
"""One contact that is written: added or updated by what it is known by, or updated where it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.operators.esputnik.contacts import (
    EsputnikUpdateContactOperator,
    EsputnikUpsertContactOperator,
)

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
PUSH: list[dict[str, Any]] = [
    {"type": "mobilepush", "value": "token-1", "device": {"appId": "app-1", "os": "android"}},
    {"type": "appinbox", "value": "inbox-1"},
    {"type": "webpush", "value": "web-1", "webPushSubscription": {"endpoint": "endpoint-1", "keys": {"auth": "auth-1"}}},
]
PHONE = "+380671234567"


@pytest.fixture
def waits(esputnik: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the emulator's time pass while a client waits; returns what was waited for, except for places in the budget."""
    waited: list[float] = []

    def sleep(_: Any, seconds: float) -> None:
        if seconds >= 1:
            waited.append(seconds)
        esputnik.emulator.advance(seconds)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    return waited


def contact_data() -> tuple[list[dict[str, Any]], list[str]]:
    """What one contact is to be, one after the other, and a short name of each."""
    people = [
        {"first_name": "Ann"},
        {"town": "Київ"},
        {"fields": {"NOTE": "tea"}},
        {"contact_phone": PHONE},
        {"language_code": "uk"},
    ]
    return people, ["+".join(person) for person in people]


OTHERS = {
    "first_name": "Bea",
    "town": "Львів",
    "fields": {"NOTE": "coffee"},
    "contact_phone": f"{PHONE}8",
    "language_code": "en",
}


@pytest.fixture
def upsert(dag: Any) -> Callable[..., Any]:
    return lambda **arguments: EsputnikUpsertContactOperator(task_id="upsert", dag=dag, **arguments)


@pytest.fixture
def update(dag: Any) -> Callable[..., Any]:
    return lambda **arguments: EsputnikUpdateContactOperator(**{"task_id": "update", "dag": dag, **arguments})


def shown(contact: dict[str, Any]) -> dict[str, Any]:
    """Return what people see of a contact."""
    return {name: value for name, value in contact.items() if name != "updated_at"}


class TestUpsert:
    """One contact, without a word to anybody."""

    def test_new(self, runner: Any, upsert: Any, esputnik: Any) -> None:
        result = runner.run(upsert(contact_email=ADA, last_name="Lovelace", postcode=1001, fields={"POINTS": 7}))
        assert result.state == "success", result.error
        contact = esputnik.by_email(ADA)
        assert result.value == contact["id"]
        assert contact["confirmed"]
        assert (contact["lastName"], contact["address"]) == ("Lovelace", {"postcode": "1001"})
        assert esputnik.events == []

    def test_known(self, runner: Any, upsert: Any, esputnik: Any) -> None:
        known = esputnik.contact(ADA, external_id="a-1", firstName="Ada")
        result = runner.run(upsert(contact_email="ada@example.org", external_customer_id="a-1"))
        assert result.value == known
        assert esputnik.contacts[known]["firstName"] == "Ada"

    @pytest.mark.parametrize(
        "arguments",
        [{"external_customer_id": "a-1", "contact_phone": PHONE}, {"contact_email": ADA}, {"contact_phone": PHONE}],
        ids=lambda one: "+".join(one),
    )
    def test_again_within_a_minute(self, runner: Any, upsert: Any, esputnik: Any, arguments: dict[str, Any]) -> None:
        esputnik.contact(f"x{ADA}")  # the search finds it as well
        task = upsert(**arguments)
        first, second = (runner.run(task) for _ in range(2))
        assert (second.state, second.value) == ("success", first.value), second.error
        assert isinstance(first.value, int)

    @pytest.mark.parametrize("person", contact_data()[0], ids=contact_data()[1])
    def test_there_and_back_within_a_minute(
        self, runner: Any, upsert: Any, update: Any, esputnik: Any, waits: list[float], person: dict[str, Any]
    ) -> None:
        [name] = person
        task = upsert(contact_email=ADA, **person)
        first = runner.run(task)
        there = esputnik.contacts[first.value]
        assert runner.run(update(find_by="contact_id", contact_id=first.value, **{name: OTHERS[name]})).state == "success"
        assert esputnik.contacts[first.value] != there
        result = runner.run(task)
        assert (result.state, result.value) == ("success", first.value), result.error
        assert shown(esputnik.contacts[first.value]) == shown(there)
        assert waits == [60.0]
        # Once more, and nothing has come in between.
        assert runner.run(task).value == first.value
        assert waits == [60.0]

    def test_again_within_a_minute_when_nobody_can_tell(self, runner: Any, upsert: Any, esputnik: Any) -> None:
        task = upsert(contact_email=ADA)
        runner.run(task)
        esputnik.contact(ADA)
        result = runner.run(task)
        assert (result.state, result.value) == ("success", None)
        assert "its id is not known, as a search finds 2" in result.log

    @pytest.mark.parametrize("blank", ["", " ", "{{ ' ' }}"], ids=repr)
    def test_what_is_blank_stays_as_it_is(self, runner: Any, upsert: Any, esputnik: Any, blank: str) -> None:
        known = esputnik.contact(ADA, external_id="a-1", lastName="Lovelace")
        task = upsert(contact_email=ADA, last_name=blank, external_customer_id=blank, town=blank, fields={"NOTE": blank})
        result = runner.run(task)
        assert (result.state, result.value) == ("success", known), result.error
        assert esputnik.sent("contacts.upsert") == [{"channels": [{"type": "email", "value": ADA}]}]
        contact = esputnik.contacts[known]
        assert (contact["externalCustomerId"], contact["lastName"]) == ("a-1", "Lovelace")

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("first_name", {"first_name": "{{ none }}"}),
            ("town", {"town": " {{ params.town }} ", "params": {"town": None}}),
            ("external_customer_id", {"external_customer_id": "None"}),
            ("contact_phone", {"contact_phone": "{{ none }}"}),
            ("time_zone", {"time_zone": "{{ none }}"}),
            ("fields", {"fields": {"NOTE": "{{ none }}"}}),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_a_template_that_renders_none(
        self, runner: Any, upsert: Any, esputnik: Any, name: str, arguments: dict[str, Any]
    ) -> None:
        runner.api.should_retry = True
        result = runner.run(upsert(contact_email=ADA, **arguments))
        assert result.state == "failed"
        assert f"{name} is the word 'None'" in str(result.error)
        assert "Does the task it comes from return something?" in str(result.error)
        assert not esputnik.emulator.requests.total

    @pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 429}], ids=str)
    def test_failures_in_passing(self, runner: Any, upsert: Any, esputnik: Any, quick: Any, fault: dict[str, Any]) -> None:
        esputnik.emulator.faults.add(**fault, operation="esputnik.contacts.upsert")
        result = runner.run(upsert(contact_email=ADA))
        assert (result.state, result.value) == ("success", esputnik.by_email(ADA)["id"])
        assert len(esputnik.contacts) == 1

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({}, "neither email nor sms"),
            ({"external_customer_id": "a-1"}, "neither email nor sms"),
            ({"contact_email": "no address"}, "not an address"),
            ({"contact_phone": "none"}, "not a telephone number"),
            ({"contact_email": ADA, "fields": {"Nothing": 1}}, "no additional field 'Nothing'"),
            ({"contact_email": ADA, "fields": {"POINTS": [1]}}, "cannot hold a list"),
            ({"contact_email": ADA.encode()}, "the column email holds bytes"),
            ({"contact_email": ADA, "external_customer_id": b"a-1"}, "external_customer_id holds bytes"),
            ({"contact_email": ADA, "external_customer_id": "nan"}, "stands for nothing"),
            ({"contact_email": ADA, "first_name": "A\ud800"}, "first_name holds broken text"),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_wrong_arguments(self, runner: Any, upsert: Any, esputnik: Any, arguments: dict[str, Any], told: str) -> None:
        runner.api.should_retry = True
        result = runner.run(upsert(**arguments))
        assert result.state == "failed"
        assert told in str(result.error)
        assert not esputnik.contacts

    def test_refused(self, runner: Any, upsert: Any, esputnik: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(upsert(contact_email=ADA, fields={"POINTS": "many"}))
        assert result.state == "failed"
        assert type(result.error).__name__ == "Refused"
        assert ADA not in str(result.error)


class TestUpdate:
    """One contact that is there."""

    @pytest.mark.parametrize(
        "found_by",
        [
            {"contact_id": "{{ params.id }}"},
            {"external_customer_id": "a-1"},
            {"contact_email": "Ada@Example.com"},
            {"contact_phone": "380 67 123-45-67"},
            {"find_by": "phone", "contact_phone": PHONE, "contact_email": "new@example.com"},
        ],
        ids=lambda one: "+".join(one),
    )
    def test_found(self, runner: Any, update: Any, esputnik: Any, found_by: dict[str, Any]) -> None:
        both = [ADA, "ada@example.org"]
        ada = esputnik.contact(both, phone=PHONE, external_id="a-1")
        # These are found as well, and are not meant.
        others = [esputnik.contact(f"x{ADA}", external_id="a-10"), esputnik.contact(f"{ADA}.ua", phone=f"{PHONE}8")]
        task = update(first_name="Ada", fields={"POINTS": 3}, **found_by)
        task.contact_id = str(ada) if task.contact_id else None
        result = runner.run(task)
        assert (result.state, result.value) == ("success", ada), result.error
        contact = esputnik.contacts[ada]
        assert (contact["firstName"], [field["value"] for field in contact["fields"]]) == ("Ada", ["3"])
        emails = [channel["value"] for channel in contact["channels"] if channel["type"] == "email"]
        assert emails == (["new@example.com"] if "find_by" in found_by else both)
        assert [channel["value"] for channel in contact["channels"] if channel["type"] == "sms"] == [PHONE]
        assert not any("firstName" in esputnik.contacts[other] for other in others)
        assert esputnik.events == []

    @pytest.mark.parametrize("unsent", ["drop", "keep"])
    @pytest.mark.parametrize("collapse", [True, False])
    @pytest.mark.parametrize("channels", [PUSH[:1], PUSH[1:2], PUSH], ids=lambda some: some and f"{len(some)}")
    @pytest.mark.parametrize("email", ["", ADA], ids=["push", "email"])
    def test_no_channel_is_lost(
        self,
        runner: Any,
        update: Any,
        esputnik: Any,
        email: str,
        channels: list[dict[str, Any]],
        collapse: bool,
        unsent: str,
    ) -> None:
        esputnik.emulator.configure(esputnik_unsent_channels=unsent, esputnik_collapse=collapse)
        ada = esputnik.contact(email, others=channels, external_id="a-1")
        before = esputnik.contacts[ada]["channels"]
        for number, found_by in enumerate([{"contact_id": ada}, {"external_customer_id": "a-1"}]):
            result = runner.run(update(task_id=f"again{number}", first_name=f"Ada{number}", **found_by))
            assert (result.state, result.value) == ("success", ada), result.error
        assert esputnik.contacts[ada]["firstName"] == "Ada1"
        assert esputnik.contacts[ada]["channels"] == before
        assert all(body["channels"] == before for body in esputnik.sent("contacts.update"))
        # Another address takes the place of addresses alone.
        result = runner.run(update(contact_id=ada, contact_email=BOB))
        assert result.state == "success", result.error
        now = esputnik.contacts[ada]["channels"]
        assert [one for one in now if one["type"] != "email"] == channels
        assert [one["value"] for one in now if one["type"] == "email"] == [BOB]
        assert not any(text in result.log for text in ("endpoint-1", "token-1", "auth-1"))

    def test_a_contact_without_channels(self, runner: Any, update: Any, esputnik: Any) -> None:
        nobody = esputnik.contact(external_id="a-1")
        runner.api.should_retry = True
        result = runner.run(update(external_customer_id="a-1", first_name="Ada"))
        assert result.state == "failed"
        assert f"contact {nobody} has no channel" in str(result.error)
        assert not esputnik.count("contacts.update")
        result = runner.run(update(task_id="again", external_customer_id="a-1", first_name="Ada", contact_email=ADA))
        assert result.state == "success", result.error
        assert esputnik.by_email(ADA)["id"] == nobody

    def test_there_and_back_within_a_minute(self, runner: Any, update: Any, esputnik: Any, waits: list[float]) -> None:
        ada = esputnik.contact(ADA)
        tasks = [update(task_id=f"to_{name}", contact_id=ada, first_name=name) for name in ("Ann", "Bea")]
        for number, task in enumerate([*tasks, *tasks], start=1):
            result = runner.run(task)
            assert (result.state, result.value) == ("success", ada), result.error
            assert esputnik.contacts[ada]["firstName"] == ("Bea", "Ann")[number % 2]
        # The second time Ann is a repeat, and after that minute Bea is none.
        assert waits == [60.0]

    def test_a_repeat_that_never_ends(self, runner: Any, update: Any, esputnik: Any, waits: list[float]) -> None:
        ada = esputnik.contact(ADA, firstName="Ada")
        esputnik.emulator.faults.add("status", status=409, operation="esputnik.contacts.update", times=9)
        runner.api.should_retry = True
        result = runner.run(update(contact_id=ada, first_name="Ann"))
        assert result.state == "up_for_retry"
        assert type(result.error).__name__ == "Throttled"
        assert waits == [60.0, 60.0]

    @pytest.mark.parametrize("given", [ADA, "b@example.com", "B@Example.com"])
    def test_an_address_that_it_has_among_others(self, runner: Any, update: Any, esputnik: Any, given: str) -> None:
        both = [ADA, "b@example.com"]
        ada = esputnik.contact(both, phone=PHONE, external_id="a-1")
        result = runner.run(update(external_customer_id="a-1", contact_email=given, contact_phone="380671234567"))
        assert result.state == "success", result.error
        assert [channel["value"] for channel in esputnik.contacts[ada]["channels"]] == [*both, PHONE]

    def test_an_address_that_it_does_not_have(self, runner: Any, update: Any, esputnik: Any) -> None:
        ada = esputnik.contact([ADA, "b@example.com"], phone=PHONE, external_id="a-1")
        result = runner.run(update(external_customer_id="a-1", contact_email=EVE))
        assert result.state == "success", result.error
        assert [channel["value"] for channel in esputnik.contacts[ada]["channels"]] == [PHONE, EVE]

    def test_another_address(self, runner: Any, update: Any, esputnik: Any) -> None:
        ada = esputnik.contact(ADA, external_id="a-1")
        result = runner.run(update(external_customer_id="a-1", contact_email=BOB))
        assert result.state == "success", result.error
        assert esputnik.by_email(BOB)["id"] == ada

    @pytest.mark.parametrize("nothing", ["", " ", "{{ '' }}", "{{ none }}", None], ids=repr)
    @pytest.mark.parametrize("by", ["contact_id", "external_customer_id", "contact_email"])
    def test_an_id_that_turns_out_to_be_nothing(
        self, runner: Any, update: Any, esputnik: Any, by: str, nothing: str | None
    ) -> None:
        bob = esputnik.contact(BOB, phone=PHONE, firstName="Bob", external_id="b-1")
        runner.api.should_retry = True
        known = {"contact_email": BOB, "contact_phone": PHONE}
        result = runner.run(update(**{**known, by: nothing}, first_name="Ada", town="Kyiv"))
        assert result.state == "failed"
        assert "Does the task it comes from return something?" in str(result.error)
        assert esputnik.contacts[bob]["firstName"] == "Bob"
        assert not esputnik.emulator.requests.total

    @pytest.mark.parametrize("nothing", ["", None], ids=repr)
    def test_mapped_with_an_id_that_is_nothing(
        self, runner: Any, dag: Any, upstream: Any, esputnik: Any, nothing: str | None
    ) -> None:
        bob = esputnik.contact(BOB, firstName="Bob", external_id="b-1")
        people = [{"external_customer_id": nothing, "contact_email": BOB, "first_name": "Ada"}]
        mapped = EsputnikUpdateContactOperator.partial(task_id="update", dag=dag).expand_kwargs(upstream("who", people))
        runner.api.should_retry = True
        result = runner.run(mapped, map_index=0)
        assert result.state == "failed"
        assert "is empty: external_customer_id" in str(result.error)
        assert esputnik.contacts[bob]["firstName"] == "Bob"

    def test_an_id_of_default_args(self, runner: Any, esputnik: Any) -> None:
        bob = esputnik.contact(BOB, firstName="Bob")
        with DAG("a_dag", schedule=None, default_args={"external_customer_id": "{{ '' }}"}):
            task = EsputnikUpdateContactOperator(task_id="update", contact_email=BOB, first_name="Ada")
        runner.api.should_retry = True
        result = runner.run(task)
        assert result.state == "failed"
        assert esputnik.contacts[bob]["firstName"] == "Bob"

    def test_find_by_says_which_of_them(self, runner: Any, update: Any, esputnik: Any) -> None:
        bob = esputnik.contact(BOB, external_id="b-1")
        result = runner.run(update(find_by="email", external_customer_id="", contact_email=BOB, first_name="Bob"))
        assert (result.state, result.value) == ("success", bob), result.error
        assert esputnik.contacts[bob]["externalCustomerId"] == "b-1"

    def test_what_is_blank_stays_as_it_is(self, runner: Any, update: Any, esputnik: Any) -> None:
        bob = esputnik.contact(BOB, firstName="Bob", town="Київ")
        result = runner.run(update(contact_email=BOB, first_name="  ", last_name="Brown", town=" {{ '' }} "))
        assert result.state == "success", result.error
        contact = esputnik.contacts[bob]
        assert (contact["firstName"], contact["lastName"]) == ("Bob", "Brown")
        assert contact["address"] == {"town": "Київ"}

    @pytest.mark.parametrize(
        ("found_by", "told"),
        [
            ({"contact_email": ADA}, "several contacts have this address"),
            ({"contact_phone": PHONE}, "several contacts have this telephone number"),
            ({"external_customer_id": "a-1"}, "several contacts have this external id"),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_two_hits(self, runner: Any, update: Any, esputnik: Any, found_by: dict[str, Any], told: str) -> None:
        ids = [esputnik.contact(ADA, phone=PHONE, external_id="a-1") for _ in range(2)]
        runner.api.should_retry = True
        result = runner.run(update(first_name="Ada", **found_by))
        assert result.state == "failed"
        assert told in str(result.error)
        assert all(str(contact_id) in str(result.error) for contact_id in ids)
        assert not esputnik.count("contacts.update")

    @pytest.mark.parametrize(
        ("found_by", "told"),
        [
            ({"contact_email": ADA}, "no contact has this address"),
            ({"contact_phone": PHONE}, "no contact has this telephone number"),
            ({"external_customer_id": "a-1"}, "no contact has this external id"),
            ({"contact_id": 7}, "HTTP 404"),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_nobody(self, runner: Any, update: Any, esputnik: Any, found_by: dict[str, Any], told: str) -> None:
        esputnik.contact(f"x{ADA}", phone=f"{PHONE}8", external_id="a-10")
        runner.api.should_retry = True
        result = runner.run(update(first_name="Ada", **found_by))
        assert result.state == "failed"
        assert told in str(result.error)
        assert ADA not in str(result.error)
        assert not esputnik.count("contacts.update")

    def test_again_within_a_minute(self, runner: Any, update: Any, esputnik: Any, quick: Any) -> None:
        ada = esputnik.contact(ADA)
        esputnik.emulator.faults.add("lose_answer", operation="esputnik.contacts.update")
        result = runner.run(update(contact_email=ADA, first_name="Ada"))
        assert (result.state, result.value) == ("success", ada), result.error

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"first_name": "Ada"}, "to be found by is empty"),
            ({"contact_email": ADA}, "Nothing to write"),
            ({"contact_id": 7}, "Nothing to write"),
            ({"contact_email": ADA, "first_name": " ", "fields": {"NOTE": " "}}, "Nothing to write"),
            ({"contact_id": "x", "first_name": "Ada"}, "not a whole number"),
            ({"find_by": "name", "contact_email": ADA, "first_name": "Ada"}, "find_by is 'name'"),
            ({"find_by": "phone", "contact_email": ADA}, "is empty: phone"),
            ({"contact_id": 2**63, "first_name": "Ada"}, "too large"),
            ({"external_customer_id": "NaN", "first_name": "Ada"}, "stands for nothing"),
            ({"external_customer_id": "A\ud800", "first_name": "Ada"}, "broken text"),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_wrong_arguments(self, runner: Any, update: Any, esputnik: Any, arguments: dict[str, Any], told: str) -> None:
        runner.api.should_retry = True
        result = runner.run(update(**arguments))
        assert result.state == "failed"
        assert told in str(result.error)
        assert not esputnik.emulator.requests.total
