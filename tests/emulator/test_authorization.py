# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "emulator-id",
    "client_secret": "emulator-secret",
}


def issue(api, **changes):
    return api.send("POST", "/oauth/access_token", {**CREDENTIALS, **changes}, headers={})


def status_with(api, token):
    return api.send("GET", "/balance", headers={"Authorization": f"Bearer {token}"}).status_code


def test_token_is_issued_counted_and_accepted(api, emulator):
    answer = issue(api)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600
    assert status_with(api, answer.json()["access_token"]) == 200
    issue(api)
    assert emulator.state.tokens.issued == 2


def test_token_ends_with_its_lifetime(api, emulator):
    emulator.configure(token_lifetime_seconds=60)
    token = issue(api).json()["access_token"]
    emulator.advance(59)
    assert status_with(api, token) == 200
    emulator.advance(1)
    assert status_with(api, token) == 401


@pytest.mark.parametrize("change", [{"client_secret": "no"}, {"client_id": "no"}, {"grant_type": "password"}])
def test_wrong_credentials_get_the_oauth_body(api, change):
    answer = issue(api, **change)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
        "message": "Client authentication failed.",
        "error_code": 1,
    }


def test_form_encoded_token_call_is_refused(api):
    answer = api.send("POST", "/oauth/access_token", data=CREDENTIALS, headers={})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "Bearer"])
def test_calls_without_a_valid_token_are_unauthorized(api, header):
    answer = api.send("GET", "/addressbooks", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized!", "error_code": 401}


def test_static_keys_do_not_expire_and_come_from_settings(api, emulator):
    emulator.advance(10_000_000)
    assert status_with(api, "sp_apikey_emulator") == 200
    emulator.configure(api_keys=["sp_apikey_other"])
    assert status_with(api, "sp_apikey_emulator") == 401
    assert status_with(api, "sp_apikey_other") == 200


def test_issue_can_revoke_the_previous_token_and_can_be_throttled(api, emulator):
    emulator.configure(token_issue_revokes_previous=True, token_issues_per_minute=2)
    first = issue(api).json()["access_token"]
    second = issue(api).json()["access_token"]
    assert (status_with(api, first), status_with(api, second)) == (401, 200)
    assert issue(api).status_code == 429
    emulator.advance(61)
    assert issue(api).status_code == 200


def test_long_tokens_exceed_a_short_column(api, emulator):
    emulator.configure(token_shape="long")
    token = issue(api).json()["access_token"]
    assert len(token) > 700
    assert status_with(api, token) == 200
