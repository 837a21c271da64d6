# SPDX-License-Identifier: Apache-2.0
"""Flows of Automation 360, through a socket: an event starts them, and their figures tell."""

from __future__ import annotations

import typing

import pytest
from emulated_account import count

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import events, flows
from airflow_provider_sendpulse.sendpulse.flows import Conversions, ElementKind

ADA = "ada@example.com"
ELEMENTS = [
    {"type": "email", "subject": "You left {{item}}", "body": "<p>{{item}}</p>"},
    {"type": "filter", "delay_seconds": 60},
    {"type": "goal", "name": "bought"},
]


@pytest.fixture
def flow(emulator):
    emulator.configure(bounce_share=0.0, open_share=0.0)
    with emulator.emulator.lock:
        return emulator.state.flows.create("Carts", "cart_left", ELEMENTS, stop_event="cart_paid")


def leave(client, email=ADA, **fields):
    client.send(events.send("cart_left", events.Event(email=email, variables={"item": "a lamp"}, **fields)))


def test_an_event_starts_a_flow(either, emulator, flow):
    leave(either)
    found = either.send(flows.read(flow.id))
    assert (found.flow.name, found.flow.active) == ("Carts", True)
    assert (found.starts, found.in_queue, found.end_count, found.send_messages) == (1, 1, 0, 1)
    assert [element.af_type for element in found.elements] == ["maintrigger", "email", "filter", "goal"]
    assert [entry["subject"] for entry in emulator.inbox(ADA)] == ["You left a lamp"]
    emulator.advance(61)
    found = either.send(flows.read(flow.id))
    assert (found.in_queue, found.end_count, found.conversions) == (0, 1, 1)


def test_an_event_stops_it(client, emulator, flow):
    leave(client)
    client.send(events.send("cart_paid", events.Event(email=ADA)))
    emulator.advance(61)
    found = client.send(flows.read(flow.id))
    assert (found.starts, found.in_queue, found.end_count, found.conversions) == (1, 0, 0, 0)


def test_an_event_for_another_flow(client, flow):
    leave(client, automation_id=flow.id + 1)
    assert client.send(flows.read(flow.id)).starts == 0
    leave(client, automation_id=flow.id)
    assert client.send(flows.read(flow.id)).starts == 1


def test_list(either, emulator, flow):
    with emulator.emulator.lock:
        emulator.state.flows.create("Off", "other", [], is_active=False)
    found = [*either.pages(flows.list(limit=1))]
    assert [(entry.name, entry.active) for entry in found] == [("Carts", True), ("Off", False)]
    assert found[0].main_data["automation_name"] == "Carts"
    assert count(emulator, "flows.list") == 3


@pytest.mark.parametrize("kind", typing.get_args(ElementKind))
def test_figures_of_every_kind_of_element(client, emulator, kind):
    with emulator.emulator.lock:
        made = emulator.state.flows.create("F", "begin", [] if kind == "main-trigger" else [{"type": kind}])
    client.send(events.send("begin", events.Event(email=ADA)))
    figures = client.send(flows.element_statistics(kind, made.elements[-1].id))
    assert figures.flow_id == made.elements[-1].id
    assert 1 in (figures.figures.get("executed"), figures.figures.get("sent"))
    assert figures.extra.keys() <= {"task"}


def test_kind_of_an_element():
    assert flows.kind_of("maintrigger") == "main-trigger"
    others = {*typing.get_args(ElementKind)} - {"main-trigger"}
    assert {kind: flows.kind_of(kind) for kind in others} == {kind: kind for kind in others}
    assert flows.kind_of("main-trigger") is None


def test_the_wrong_kind_is_refused(client, flow):
    with pytest.raises(Refused):
        client.send(flows.element_statistics("sms", flow.elements[1].id))


def test_conversions(either, emulator, flow):
    leave(either)
    emulator.advance(61)
    with emulator.emulator.lock:
        emulator.state.flows.convert(flow, "bea@example.com")
    found = either.send(flows.conversions(flow.id))
    assert (found.total, found.by_main_trigger, found.by_goal) == (2, 1, 1)
    assert isinstance(found, Conversions)
    rows = [*either.pages(flows.conversion_list(flow.id, limit=1))]
    assert [(row.email, row.conversion_type) for row in rows] == [(ADA, "goal"), ("bea@example.com", "maintrigger")]
    assert "ada" not in repr(rows[0])


def test_totals(either, flow):
    assert len(either.send(flows.total_statistics(flow.id))["data"]) == 4
    assert len(either.send(flows.total_statistics(flow.id, flow_type="email"))["data"]) == 1


@pytest.mark.parametrize(
    ("build", "operation"),
    [
        (flows.read, "flows.read"),
        (flows.conversions, "flows.conversions"),
        (flows.conversion_list, "flows.conversion_list"),
        (flows.total_statistics, "flows.total_statistics"),
    ],
)
def test_reads_are_repeated(client, emulator, flow, build, operation):
    emulator.faults.add("lose_answer", operation=operation)
    client.send(build(flow.id))
    assert count(emulator, operation) == 2


def test_an_unknown_flow(client):
    with pytest.raises(Refused) as caught:
        client.send(flows.read(1))
    assert caught.value.status == 404
