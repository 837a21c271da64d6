# SPDX-License-Identifier: Apache-2.0
"""The account, its additional fields and its workflows, against the emulator."""

from __future__ import annotations

import pytest
from emulated_account import connected, esputnik_account

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.account import BasicKey
from airflow_provider_sendpulse.exceptions import AuthenticationFailed, Refused


def test_info(either):
    info = either.send(es.account.info())
    assert info.organisation_name
    assert isinstance(info.organisation_id, int)
    assert info.user_email.startswith("api-user")


def test_version(either):
    assert either.send(es.account.version()).version


@pytest.mark.parametrize("body", ["text", "json"])
def test_a_wrong_key(emulator, body):
    emulator.configure(esputnik_error_bodies=body)
    client = connected(emulator, whose=esputnik_account(emulator, credentials=BasicKey("c4n4ry0f4nAPIkey")))
    with pytest.raises(AuthenticationFailed, match="90 days") as caught:
        client.send(es.account.info())
    assert "c4n4ry" not in str(caught.value)
    client.close()


@pytest.mark.parametrize("user", ["user", "api@example.com", "Олена"])
def test_any_user_name_will_do(emulator, user):
    client = connected(emulator, whose=esputnik_account(emulator, credentials=BasicKey(emulator.esputnik_key, user)))
    assert client.send(es.account.info()).organisation_name
    client.close()


@pytest.mark.parametrize("collapse", [True, False])
def test_additional_fields(either, emulator, collapse):
    emulator.configure(esputnik_collapse=collapse)
    [book] = either.send(es.address_books.read())
    assert [(field.id, field.type) for field in book.fields][:2] == [(30001, "DATE"), (30002, "NUMBER")]
    [shop] = [group for group in book.groups if group.name == "Shop"]
    [city] = shop.fields
    assert (city.key, city.possible_values, city.required) == ("SHOP", ("Kyiv", "Lviv", "Odesa"), False)


def test_workflows(either):
    assert list(either.pages(es.workflows.list())) == []
    row = {"id": "7", "name": "Welcome", "status": "active", "tags": "a"}
    [found] = es.workflows.list().read([row])
    assert (found.id, found.is_active, found.tags) == (7, True, ("a",))


def test_balance(either):
    balance = either.send(es.balance.read())
    assert balance.currency
    assert isinstance(balance.current_balance, float)


def test_balance_history(either):
    history = either.send(es.balance.history("2026-02-01", "2026-03-01"))
    assert history.currency
    with pytest.raises(Refused, match="90 days") as caught:
        either.send(es.balance.history("2025-01-01", "2026-01-01"))
    assert caught.value.status == 419


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_senders(either, channel):
    senders = either.send(es.senders.list(channel))
    assert senders
    assert all(sender.value for sender in senders)
