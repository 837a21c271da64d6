# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from contact_channels import email


@pytest.fixture
def readers(esputnik):
    """A segment of three contacts, who have ids of their own."""
    people = [
        {"channels": [{"type": "email", "value": f"reader{n}@example.com"}], "externalCustomerId": f"r-{n}"}
        for n in range(3)
    ]
    esputnik.import_(*people, groupNames=["Readers", "readers of old"])
    return esputnik.segment("Readers")


def members(esputnik, segment, query=""):
    return [one["id"] - 500000001 for one in esputnik.get(f"/v1/group/{segment}/contacts{query}")]


def test_names_are_looked_for(esputnik, emulator, readers):
    assert esputnik.get("/v1/groups")[0] == {"id": readers, "name": "Readers", "type": "Static"}
    for how, count in (("contains", 2), ("prefix", 2), ("exact", 1)):
        emulator.configure(esputnik_segment_name_match=how)
        assert len(esputnik.get("/v1/groups?name=readers")) == count
    emulator.configure(esputnik_segment_name_match="contains")
    assert len(esputnik.get("/v1/groups?name=of")) == 1
    assert len(esputnik.get("/v1/groups?startindex=2&maxrows=1")) == 1


def test_members(esputnik, readers):
    esputnik.told("PUT", "/v1/contact/500000001", {"channels": [email("new@example.com")]})
    assert members(esputnik, readers) == [0, 1, 2]
    assert members(esputnik, readers, "?orderByTs=true") == [1, 2, 0]
    assert members(esputnik, readers, "?asc=false&maxrows=2") == [2, 1]
    assert esputnik.refused("GET", "/v1/group/7/contacts")[0] == 404


@pytest.mark.parametrize(
    "body", [{"contactIds": [500000001, 500000002, 7]}, {"externalCustomerIds": ["r-0", "r-1", "nobody"]}]
)
def test_attach_and_detach(esputnik, readers, body):
    path = f"/v1/group/{readers}/contacts"
    assert esputnik.told("POST", f"{path}/detach", body) == "Contacts were detached"
    assert members(esputnik, readers) == [2]
    for _ in range(2):
        assert esputnik.told("POST", f"{path}/attach", body) == "Contacts were attached"
    assert members(esputnik, readers) == [0, 1, 2]


@pytest.mark.parametrize("body", [None, {}, {"contactIds": []}, {"contactIds": [], "externalCustomerIds": []}])
def test_a_detach_of_nobody_empties(esputnik, readers, body):
    esputnik.told("POST", f"/v1/group/{readers}/contacts/detach", body)
    assert members(esputnik, readers) == []
    assert len(esputnik.contacts()) == 3
    assert len(members(esputnik, esputnik.segment("readers of old"))) == 3
    assert esputnik.refused("POST", f"/v1/group/{readers}/contacts/attach", body)[0] == 400


def test_a_detach_of_strangers_empties_nothing(esputnik, readers):
    esputnik.told("POST", f"/v1/group/{readers}/contacts/detach", {"contactIds": [7]})
    assert members(esputnik, readers) == [0, 1, 2]


@pytest.mark.parametrize("action", ["attach", "detach"])
@pytest.mark.parametrize(
    "body",
    [
        {"contactIds": [500000001], "externalCustomerIds": ["r-1"]},
        {"contactIds": list(range(501))},
        {"contactIds": ["x"]},
        {"contactIds": 500000001},
    ],
)
def test_refusals(esputnik, readers, action, body):
    assert esputnik.refused("POST", f"/v1/group/{readers}/contacts/{action}", body)[0] == 400
    assert members(esputnik, readers) == [0, 1, 2]


def test_only_static_segments_change(esputnik, emulator, readers):
    segment = emulator.state.esputnik.segments.create("Active", emulator.emulator.clock.now(), "Dynamic")
    emulator.state.esputnik.contacts.get(500000001).segments.add(segment.id)
    for action, body in (("attach", {"contactIds": [500000002]}), ("detach", {})):
        status, text = esputnik.refused("POST", f"/v1/group/{segment.id}/contacts/{action}", body)
        assert (status, "static" in text) == (400, True)
    assert members(esputnik, segment.id) == [0]
    groups = esputnik.get("/v1/contact/500000001")["groups"]
    assert {group["type"] for group in groups} == {"Static"}
    assert esputnik.refused("POST", "/v1/group/7/contacts/attach", {"contactIds": [1]})[0] == 404


def test_workflows(esputnik, emulator):
    workflow = {"id": 1, "name": "Welcome", "status": "active", "tags": []}
    emulator.state.esputnik.workflows.append(workflow)
    assert esputnik.get("/v1/workflows?name=wel") == [workflow]
    assert esputnik.get("/v1/workflows?name=x") == []
