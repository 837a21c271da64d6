# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.mark.parametrize("user", ["", "user", "somebody@example.com"])
def test_the_key_is_the_password(esputnik, user):
    answer = esputnik.get("/v1/account/info", auth=(user, "emulator-esputnik-key"))
    assert answer == {"userEmail": "api-user162065", "organisationName": "The Shop", "orgId": 162065}


@pytest.mark.parametrize("authorization", [None, "Basic", "Basic !", "Basic bm8tY29sb24=", "Bearer emulator-esputnik-key"])
def test_without_a_key_nothing_is_told(esputnik, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    answer = esputnik.send("GET", "/v1/account/info", auth=None, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    assert "API key" in answer.json()["message"]


def test_wrong_and_disabled_keys(esputnik, emulator):
    assert esputnik.send("GET", "/v1/groups", auth=("user", "other")).status_code == 401
    emulator.configure(esputnik_disabled_keys=["emulator-esputnik-key"])
    assert esputnik.refused("GET", "/v1/groups")[0] == 401
    emulator.configure(esputnik_disabled_keys=[], esputnik_keys=["other"])
    assert esputnik.send("GET", "/v1/groups", auth=("user", "other")).json() == []
    assert emulator.esputnik_key == "other"


@pytest.mark.parametrize("path", ["/v1/account/info", "/v1/account/info/", "//v1//account/info"])
def test_slashes_do_not_matter(esputnik, path):
    assert esputnik.get(path)["orgId"] == 162065


def test_versions(esputnik):
    assert esputnik.get("/v1/version") == esputnik.get("/v2/version") == {"version": "55810", "protocolVersion": "1.0"}


def test_tokens_serve_for_events_only(esputnik, emulator):
    token = esputnik.told("POST", "/v1/auth/token")
    headers = {"Authorization": f"Bearer {token}"}
    event = {"eventTypeKey": "seen", "keyValue": "ada@example.com"}
    assert esputnik.send("POST", "/v1/event", event, auth=None, headers=headers).status_code == 200
    assert esputnik.send("POST", "/v2/event", event, auth=None, headers=headers).status_code == 401
    assert esputnik.send("GET", "/v1/account/info", auth=None, headers=headers).status_code == 401
    emulator.faults.add("revoke_tokens", operation="esputnik.events.send")
    assert esputnik.send("POST", "/v1/event", event, auth=None, headers=headers).status_code == 401


def test_unknown_paths_methods_and_types(esputnik):
    assert esputnik.refused("GET", "/v1/nothing") == (404, "Not Found")
    assert esputnik.send("PATCH", "/v1/contacts").json() == {"status": 405, "message": "Method Not Allowed"}
    wrong_type = esputnik.send("POST", "/v1/contacts", data="contacts=1", headers={"Content-Type": "text/plain"})
    assert wrong_type.json() == {"status": 415, "message": "Unsupported Media Type"}
    no_json = esputnik.send("POST", "/v1/contacts", data="{", headers={"Content-Type": "application/json"})
    assert (no_json.status_code, no_json.text) == (400, "Request body is not JSON")


def test_errors_can_be_json(esputnik, emulator):
    emulator.configure(esputnik_error_bodies="json")
    answer = esputnik.send("GET", "/v1/contact/1")
    assert answer.json() == {"status": 404, "message": "Contact with id='1' not found"}


def test_the_services_do_not_mix(esputnik, api, emulator):
    assert api.send("GET", "/esputnik/api/v1/account/info").status_code == 401
    assert esputnik.send("GET", "/addressbooks").status_code == 404
    assert emulator.requests.counts() == {"esputnik.account.read": 1, "unknown": 1}
