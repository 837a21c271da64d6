# SPDX-License-Identifier: Apache-2.0
"""One address in all books (SendPulse API: mailing lists, blacklist)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.api.arguments import addresses
from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.api.contacts import variables_as_answer
from airflow_provider_sendpulse.emulator.books import Book
from airflow_provider_sendpulse.emulator.contacts import Contact, clean_address, is_address
from airflow_provider_sendpulse.emulator.encoding import decode_base64
from airflow_provider_sendpulse.emulator.errors import invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.messages import delivery_counts
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.statuses import CONTACT_STATUSES, explain


def where(state: State, call: Call) -> list[dict[str, Any]]:
    """Show the books an address is in."""
    return [
        {
            "book_id": book.id,
            "email": contact.shown(state.settings.address_case),
            "status": contact.status,
            "status_explain": explain(CONTACT_STATUSES, contact.status),
            "variables": variables_as_answer(book, contact),
        }
        for book, contact in _places(state, _email(call))
    ]


def details(state: State, call: Call) -> list[dict[str, Any]]:
    """When and how an address came into its books."""
    return [
        {
            "list_name": book.name,
            "list_id": book.id,
            "add_date": write_local(contact.added_at, state.settings.time_zone),
            "source": contact.source,
        }
        for book, contact in _places(state, _email(call))
    ]


def where_many(state: State, call: Call) -> dict[str, list[dict[str, Any]]]:
    """Show the books of many addresses; a bare array is read as well."""
    if isinstance(call.body, list):
        entries = [clean_address(entry) for entry in call.body if isinstance(entry, str)]
    else:
        entries = addresses(state, call)
    return {
        email: [
            {
                "book_id": book.id,
                "status": contact.status,
                "variables": variables_as_answer(book, contact),
            }
            for book, contact in _places(state, email)
        ]
        for email in entries
    }


def remove(state: State, call: Call) -> dict[str, bool]:
    """Take an address out of all books."""
    for book, contact in _places(state, _email(call)):
        state.books.take_out(book, contact.email)
    return {"result": True}


def statistics(state: State, call: Call) -> dict[str, Any]:
    """Tell what an address was sent and did."""
    email = _email(call)
    return {
        "statistic": _counts(state, email),
        "blacklist": email in state.blacklist,
        "addressbooks": [{"id": book.id, "address_book_name": book.name} for book, _ in _places(state, email)],
    }


def statistics_many(state: State, call: Call) -> dict[str, Any]:
    """Tell the same of many addresses, with the key of the books misspelled."""
    return {
        email: {
            **_counts(state, email),
            "adressbooks": [{"id": book.id, "name": book.name} for book, _ in _places(state, email)],
            "blacklist": email in state.blacklist,
        }
        for email in addresses(state, call)
    }


def blacklist_read(state: State, _: Call) -> list[str]:
    """Show the addresses that get nothing."""
    return list(state.blacklist)


def blacklist_add(state: State, call: Call) -> dict[str, bool]:
    """Put addresses on the blacklist; they come joined by commas, in base64."""
    comment = str(call.fields.get("comment") or "")
    state.blacklist.update(dict.fromkeys(_encoded_addresses(call), comment))
    return {"result": True}


def blacklist_remove(state: State, call: Call) -> dict[str, bool]:
    """Take addresses off the blacklist."""
    for email in _encoded_addresses(call):
        state.blacklist.pop(email, None)
    return {"result": True}


def _email(call: Call) -> str:
    email = clean_address(call.path_text("email"))
    if not is_address(email):
        raise invalid("Email is not valid", 17)
    return email


def _places(state: State, email: str) -> list[tuple[Book, Contact]]:
    return [(book, book.contacts[email]) for book in state.books if email in book.contacts]


def _counts(state: State, email: str) -> dict[str, int]:
    counts = delivery_counts(state.mailbox.to_address(email), state.clock.now())
    return {"sent": counts.get(1, 0), "open": counts.get(3, 0), "link": counts.get(4, 0)}


def _encoded_addresses(call: Call) -> list[str]:
    encoded = call.fields.get("emails")
    if encoded is None:
        raise missing("emails")
    if not isinstance(encoded, str):
        raise wrong_type("emails", "string")
    try:
        text = decode_base64(encoded).decode()
    except ValueError:
        raise invalid("Argument emails is invalid") from None
    return [clean_address(entry) for entry in text.split(",") if is_address(entry.strip())]


ROUTES = [
    endpoint("POST", "/emails", "addresses.where_many", where_many),
    endpoint("POST", "/emails/campaigns", "addresses.statistics_many", statistics_many),
    endpoint("GET", "/emails/{email}", "addresses.where", where),
    endpoint("DELETE", "/emails/{email}", "addresses.remove", remove),
    endpoint("GET", "/emails/{email}/details", "addresses.details", details),
    endpoint("GET", "/emails/{email}/campaigns", "addresses.statistics", statistics),
    endpoint("GET", "/blacklist", "blacklist.read", blacklist_read),
    endpoint("POST", "/blacklist", "blacklist.add", blacklist_add),
    endpoint("DELETE", "/blacklist", "blacklist.remove", blacklist_remove),
]
