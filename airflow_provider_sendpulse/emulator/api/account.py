# SPDX-License-Identifier: Apache-2.0
"""Balance and senders (SendPulse API: balance, senders)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.errors import invalid
from airflow_provider_sendpulse.emulator.state import State

# Units for one dollar; round numbers, as nothing depends on them.
_RATES = {"USD": 1.0, "EUR": 0.9, "GBP": 0.8, "UAH": 40.0, "RUR": 90.0, "INR": 85.0, "JPY": 150.0}


def balance(state: State, call: Call) -> dict[str, Any]:
    """Show the balance, in the account's currency or in another one."""
    settings = state.settings
    amount = float(settings.balance_main) + float(settings.balance_bonus)
    if "currency" not in call.path_values:
        return {"currency": settings.balance_currency, "balance_currency": round(amount, 2)}
    wanted = call.path_text("currency").upper().replace("RUB", "RUR")
    if wanted not in _RATES:
        raise invalid("Argument currency is invalid")
    dollars = amount / _RATES.get(settings.balance_currency, 1.0)
    return {"currency": wanted, "balance_currency": round(dollars * _RATES[wanted], 2)}


def balance_detail(state: State, _: Call) -> dict[str, Any]:
    """Balance and plans; amounts are strings, and services that are off are null."""
    settings = state.settings
    subscribers = {contact for book in state.books for contact in book.contacts}
    return {
        "balance": {
            "main": settings.balance_main,
            "bonus": settings.balance_bonus,
            "currency": settings.balance_currency,
        },
        "email": {
            "tariff_name": "emulator",
            "finished_time": settings.plan_finished_time,
            "emails_left": settings.plan_recipients,
            "maximum_subscribers": settings.plan_recipients,
            "current_subscribers": len(subscribers),
        }
        if settings.has_email_plan
        else None,
        "smtp": None
        if settings.smtp_account == "missing"
        else {"tariff_name": "emulator", "end_date": "2099-12-31 00:00:00", "auto_renew": 1},
        "push": None,
    }


def list_senders(state: State, _: Call) -> list[dict[str, Any]]:
    """Show the senders, activated or not."""
    return [
        {
            "name": sender.name,
            "email": sender.email,
            "status": "Active" if sender.active else "Requested activation",
            "is_allowed_for_smtp": sender.active,
        }
        for sender in state.senders
    ]


def add_sender(state: State, call: Call) -> dict[str, bool]:
    """Ask for a sender."""
    name, email = call.fields.get("name") or "", call.fields.get("email") or ""
    state.senders.request(str(name), str(email))
    return {"result": True}


def delete_sender(state: State, call: Call) -> dict[str, bool]:
    """Delete a sender."""
    state.senders.remove(call.text("email"))
    return {"result": True}


def send_code(state: State, call: Call) -> dict[str, Any]:
    """Mail the activation code: a GET that does something."""
    email = call.path_text("email")
    state.senders.send_code(email)
    return {"result": True, "email": email}


def activate_sender(state: State, call: Call) -> dict[str, Any]:
    """Activate a sender by its code."""
    email = call.path_text("email")
    state.senders.activate(email, str(call.fields.get("code") or ""))
    return {"result": True, "email": email}


ROUTES = [
    endpoint("GET", "/balance", "balance.read", balance),
    endpoint("GET", "/balance/{currency}", "balance.read", balance),
    endpoint("GET", "/user/balance/detail", "balance.detail", balance_detail),
    endpoint("GET", "/senders", "senders.list", list_senders),
    endpoint("POST", "/senders", "senders.add", add_sender),
    endpoint("DELETE", "/senders", "senders.delete", delete_sender),
    endpoint("GET", "/senders/{email}/code", "senders.send_code", send_code),
    endpoint("POST", "/senders/{email}/code", "senders.activate", activate_sender),
]
