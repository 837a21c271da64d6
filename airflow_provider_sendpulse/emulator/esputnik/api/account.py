# SPDX-License-Identifier: Apache-2.0
"""Account, versions, tokens, additional fields (eSputnik API: account and metadata)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped

ORGANISATION = 162065


def info(_: Esputnik, __: Call) -> dict[str, Any]:
    """Tell whose key it is."""
    return {"userEmail": f"api-user{ORGANISATION}", "organisationName": "The Shop", "orgId": ORGANISATION}


def version(_: Esputnik, __: Call) -> dict[str, str]:
    """Tell the version of the service."""
    return {"version": "55810", "protocolVersion": "1.0"}


def token(account: Esputnik, _: Call) -> Sentence:
    """Issue a token for events."""
    return Sentence(account.keys.issue())


def address_books(account: Esputnik, _: Call) -> dict[str, Any]:
    """Show the additional fields of contacts."""
    return shaped(account.settings, account.fields.as_dict(), "addressBook", "fieldGroups", "fields")


ROUTES = [
    endpoint("GET", "/v1/account/info", "account.read", info),
    endpoint("GET", "/v1/version", "version.read", version),
    endpoint("GET", "/v2/version", "version.read_v2", version),
    endpoint("POST", "/v1/auth/token", "tokens.issue", token),
    endpoint("GET", "/v1/addressbooks", "fields.list", address_books),
]
