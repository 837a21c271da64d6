# SPDX-License-Identifier: Apache-2.0
"""Account, versions, tokens, additional fields (eSputnik API: account and metadata)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.dates import read_date
from airflow_provider_sendpulse.emulator.esputnik.errors import EsputnikRefusal, bad_request
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


def balance(account: Esputnik, _: Call) -> dict[str, Any]:
    """Tell what the account has left."""
    settings = account.settings
    return {
        "currentBalance": 0.0 if settings.balance_exhausted else float(settings.balance_main),
        "creditLimit": 0.0,
        "currency": settings.balance_currency,
        "bonusEmails": 0,
        "bonusSmses": 0,
        "sendersReservedBalances": [],
    }


def balance_history(account: Esputnik, call: Call) -> dict[str, Any]:
    """Tell what was spent in a period; nothing costs anything here."""
    try:
        start, end = (read_date(call.query.get(name, ""), account.settings.time_zone) for name in ("dateFrom", "dateTo"))
    except ValueError as error:
        raise bad_request("dateFrom and dateTo must be dates") from error
    if end - start > timedelta(days=90):
        raise EsputnikRefusal(419, "Period may not be longer than 90 days")
    return {"currency": account.settings.balance_currency, "dailyCosts": []}


def address_books(account: Esputnik, _: Call) -> dict[str, Any]:
    """Show the additional fields of contacts."""
    return shaped(account.settings, account.fields.as_dict(), "addressBook", "fieldGroups", "fields")


ROUTES = [
    endpoint("GET", "/v1/account/info", "account.read", info),
    endpoint("GET", "/v1/version", "version.read", version),
    endpoint("GET", "/v2/version", "version.read_v2", version),
    endpoint("POST", "/v1/auth/token", "tokens.issue", token),
    endpoint("GET", "/v1/balance", "balance.read", balance),
    endpoint("GET", "/v1/balance/history", "balance.history", balance_history),
    endpoint("GET", "/v1/addressbooks", "fields.list", address_books),
]
