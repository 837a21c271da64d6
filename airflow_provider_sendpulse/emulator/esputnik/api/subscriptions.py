# SPDX-License-Identifier: Apache-2.0
"""Addresses that want no mail, and what contacts subscribe to (eSputnik API: unsubscribed, subscriptions)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, normal
from airflow_provider_sendpulse.emulator.esputnik.dates import write_date
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found


def unsubscribe(account: Esputnik, call: Call) -> Sentence:
    """Let addresses get no more mail; no contact needs to have them."""
    for email in _emails(call):
        account.unsubscribed.setdefault(email, account.clock.now())
    return Sentence()


def resubscribe(account: Esputnik, call: Call) -> Sentence:
    """Let addresses get mail again."""
    for email in _emails(call):
        account.unsubscribed.pop(email, None)
    return Sentence()


def categories(account: Esputnik, _: Call) -> list[dict[str, Any]]:
    """List what contacts can subscribe to."""
    made = write_date(account.created_at, account.settings.time_zone)
    return [
        {
            **category.as_dict(),
            "contactsCount": sum(category.key in contact.subscriptions for contact in account.contacts),
            "createdDate": made,
            "updatedDate": made,
        }
        for category in account.categories
    ]


def of_contact(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List what a contact subscribes to."""
    contact = _contact(account, call)
    return [category.as_dict() for category in account.categories if category.key in contact.subscriptions]


def update(account: Esputnik, call: Call) -> Sentence:
    """Say what a contact subscribes to."""
    contact = _contact(account, call)
    if "subscriptions" not in call.fields:
        raise bad_request("subscriptions is required")
    keys = set(call.texts("subscriptions"))
    unknown = keys - {category.key for category in account.categories}
    if unknown:
        raise bad_request(f"Subscription {min(unknown)} not found")
    added = account.settings.esputnik_subscriptions_update == "add"
    contact.subscriptions = contact.subscriptions | keys if added else keys
    return Sentence("Subscriptions were updated")


def _contact(account: Esputnik, call: Call) -> Contact:
    contact = account.contacts.get(call.path_int("contact_id"))
    if contact is None:
        raise not_found("Contact", call.path_int("contact_id"))
    return contact


def _emails(call: Call) -> list[str]:
    emails = call.texts("emails")
    if not emails or not all(is_address(email.strip()) for email in emails):
        raise bad_request("emails must be addresses")
    return [normal("email", email) for email in emails]


_SUBSCRIPTIONS = "/v1/contact/{contact_id:int}/subscriptions"
ROUTES = [
    endpoint("POST", "/v1/emails/unsubscribed/add", "unsubscribed.add", unsubscribe),
    endpoint("POST", "/v1/emails/unsubscribed/delete", "unsubscribed.delete", resubscribe),
    endpoint("GET", "/v1/subscriptions", "subscriptions.list", categories),
    endpoint("GET", _SUBSCRIPTIONS, "subscriptions.of_contact", of_contact),
    endpoint("PUT", _SUBSCRIPTIONS, "subscriptions.update", update),
]
