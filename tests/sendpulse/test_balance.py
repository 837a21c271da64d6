# SPDX-License-Identifier: Apache-2.0
"""Balance of the account, through a socket."""

from __future__ import annotations

import pytest
from emulated_account import add_book

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import balance
from airflow_provider_sendpulse.sendpulse.balance import Balance, BalanceDetail, EmailPlan


def test_in_the_currency_of_the_account(either):
    assert either.send(balance.read()) == Balance("USD", 14.36)


def test_in_another_currency(either, emulator):
    assert either.send(balance.read("UAH")) == Balance("UAH", 574.4)
    assert emulator.requests.records("balance.read")[0].path == "/balance/UAH"


def test_an_unknown_currency_is_refused(either):
    with pytest.raises(Refused):
        either.send(balance.read("XYZ"))


def test_detail(either, emulator):
    add_book(emulator, contacts=2)
    detail = either.send(balance.detail())
    assert detail == BalanceDetail(9.36, 5.0, "USD", EmailPlan("emulator", "2099-12-31 00:00:00", 100000, 100000, 2))
    assert detail.extra["push"] is None
    assert detail.extra["smtp"]["auto_renew"] == 1


@pytest.mark.parametrize("email", [{"email": None}, {"email": []}, {"email": {}}, {}])
def test_detail_without_the_email_service(email):
    answer = {"balance": {"main": "9.36", "bonus": 5, "currency": "USD"}, **email}
    assert balance.detail().read(answer) == BalanceDetail(9.36, 5.0, "USD", None)


@pytest.mark.parametrize("answer", [{"balance": None}, {"balance": []}, {}])
def test_detail_without_money(answer):
    assert balance.detail().read(answer) == BalanceDetail(0.0, 0.0, "", None)


@pytest.mark.parametrize("amount", [0.02, "0.02"])
def test_an_amount_may_be_text(amount):
    assert balance.read().read({"currency": "USD", "balance_currency": amount}) == Balance("USD", 0.02)
