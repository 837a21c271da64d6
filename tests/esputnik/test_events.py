# SPDX-License-Identifier: Apache-2.0
"""Events, against the emulator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Repeat
from airflow_provider_sendpulse.esputnik.events import Event, PastEvent
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused

MOMENT = dt.datetime(2026, 3, 1, 9, 5, 7)
VALUES = {"n": 1, "d": Decimal("1.5"), "b": True, "l": [1, {"x": None}], "t": "так", "at": MOMENT, "nothing": None}
PAID = Event("paid", "ada@example.com", VALUES)


def params(remembered):
    [event] = remembered()["events"]
    return event["params"]


def test_values_keep_their_types(either, remembered):
    call = es.events.send(PAID)
    assert call.reaches_people
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    assert either.send(call) is None
    [event] = remembered()["events"]
    assert (event["eventTypeKey"], event["keyValue"]) == ("paid", "ada@example.com")
    assert as_dict(event["params"]) == {
        "n": 1,
        "d": 1.5,
        "b": True,
        "l": [1, {"x": None}],
        "t": "так",
        "at": "2026-03-01T09:05",
    }


def as_dict(found):
    return found if isinstance(found, dict) else {item["name"]: item["value"] for item in found}


def test_values_as_text(either, remembered):
    either.send(es.events.send_as_text(PAID))
    assert as_dict(params(remembered)) == {
        "n": "1",
        "d": "1.5",
        "b": "true",
        "l": '[1, {"x": null}]',
        "t": "так",
        "at": "2026-03-01T09:05",
    }


def test_parameters_may_say_whom_it_is_for(either, remembered):
    either.send(es.events.send(Event("paid", parameters={"email": "ada@example.com"})))
    assert len(remembered()["events"]) == 1


def test_an_event_for_nobody_is_refused(either):
    with pytest.raises(Refused) as caught:
        either.send(es.events.send(Event("paid", parameters={"sum": 1})))
    assert caught.value.status == 400


@pytest.mark.parametrize("send", [es.events.send, es.events.send_as_text])
def test_an_event_whose_outcome_is_not_known_is_not_repeated(either, emulator, remembered, send):
    emulator.faults.add("lose_answer", path="event", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(send(PAID))
    assert len(remembered()["events"]) == 1


def test_an_event_that_was_throttled_is_repeated(either, emulator, remembered):
    emulator.faults.add("status", operation="esputnik.events.send_v2", status=429, times=1)
    either.send(es.events.send(PAID))
    assert len(remembered()["events"]) == 1


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (Event("paid"), "needs a key"),
        (Event(""), "needs a key"),
        (Event(" ", "k"), "event type key is empty"),
        (Event("x" * 101, "k"), "101 characters"),
        (Event("a,b", "k"), "holds ,"),
        (Event("paid", "x" * 301), "301 characters"),
        (Event("paid", "canary?"), "holds ?"),
        (Event("paid", "k", {"": 1}), "name of a parameter"),
        (Event("paid", "k", {"x" * 101: 1}), "name of a parameter"),
        (Event("paid", "k", {"x": object()}), "parameter 'x'"),
        (Event("paid", "k", {"x": "я" * 10_300}), "eSputnik takes 20480"),
    ],
)
def test_what_the_service_would_refuse_is_not_sent(event, named):
    for send in (es.events.send, es.events.send_as_text):
        with pytest.raises(InvalidRequest, match=named.replace("?", r"\?")) as caught:
            send(event)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("add", [es.events.add_past, es.events.add_past_as_text])
@pytest.mark.parametrize("collapse", [True, False])
def test_past_events(either, emulator, add, collapse):
    emulator.configure(esputnik_collapse=collapse)
    now = emulator.state.clock.now()
    past = PastEvent(PAID, (now - dt.timedelta(days=1)).date())
    future = PastEvent(PAID, (now + dt.timedelta(days=9)).replace(tzinfo=None))
    call = add([past, future])
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    done = either.send(call)
    assert done.statuses == ("ACCEPTED", "OCCURRED_TIME_IN_FUTURE")
    assert (done.success_count, done.error_count) == (1, 1)
    assert either.send(add([past])).statuses == ("ACCEPTED",)


def test_past_events_that_are_too_many_or_without_key():
    past = PastEvent(PAID, "2026-01-01")
    for wrong in ([], [past] * 501):
        with pytest.raises(InvalidRequest, match="1 to 500"):
            es.events.add_past(wrong)
    with pytest.raises(InvalidRequest, match="needs a key"):
        es.events.add_past([PastEvent(Event("paid", parameters={"email": "x"}), "2026-01-01")])


def test_delete_past(either, emulator, remembered):
    with pytest.raises(Refused):
        either.send(es.events.delete_past("2026-01-01", "2026-01-31"))
    emulator.configure(esputnik_past_events_deletable=True)
    now = emulator.state.clock.now()
    day = (now - dt.timedelta(days=2)).date()
    either.send(es.events.add_past([PastEvent(PAID, day)]))
    assert either.send(es.events.delete_past(day, day)) is None
    assert remembered()["events"] == []


def test_nothing_personal_shows():
    shown = repr([PAID, es.events.send(PAID), es.events.add_past([PastEvent(PAID, "2026-01-01")])])
    assert "ada@" not in shown
    assert "так" not in shown
