# SPDX-License-Identifier: Apache-2.0
"""Address books (SendPulse API: mailing lists)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.books import Book
from airflow_provider_sendpulse.emulator.errors import invalid
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT, BOOK_STATUSES, explain

_NUMBERS = ("id", "all_email_qty", "active_email_qty", "inactive_email_qty", "status")


def book_as_answer(state: State, book: Book) -> dict[str, Any]:
    """Show a book as the API shows it; older editions quote its numbers."""
    active = book.count(ACTIVE_CONTACT)
    answer: dict[str, Any] = {
        "id": book.id,
        "name": book.name,
        "all_email_qty": len(book.contacts),
        "active_email_qty": active,
        "inactive_email_qty": len(book.contacts) - active,
        "creationdate": write_local(book.created_at, state.settings.time_zone),
        "status": book.status,
        "status_explain": explain(BOOK_STATUSES, book.status),
    }
    if state.settings.book_phone_counts:
        phones = [contact for contact in book.contacts.values() if contact.phone]
        active_phones = sum(contact.status == ACTIVE_CONTACT for contact in phones)
        answer.update(
            new_phones_quantity=0, active_phones_quantity=active_phones, exc_phones_quantity=len(phones) - active_phones
        )
    if state.settings.book_numbers_as_strings:
        answer.update({name: str(answer[name]) for name in _NUMBERS})
    return answer


def create(state: State, call: Call) -> dict[str, Any]:
    """Make a book; the key of the name differs from the one that renames it."""
    return {"id": state.books.create(call.text("bookName")).id}


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of books."""
    limit, offset = call.page()
    return [book_as_answer(state, book) for book in state.books.listed()[offset : offset + limit]]


def read(state: State, call: Call) -> list[dict[str, Any]]:
    """One book, wrapped in an array."""
    book_id = call.path_int("book_id")
    if state.settings.missing_book == "empty_array" and state.books.get(book_id) is None:
        return []
    book = state.books.find(book_id)
    state.note_book_read(book)
    return [book_as_answer(state, book)]


def rename(state: State, call: Call) -> dict[str, bool]:
    """Give a book another name."""
    book = state.books.find(call.path_int("book_id"))
    state.books.rename(book, call.text("name"))
    return {"result": True}


def delete(state: State, call: Call) -> dict[str, bool]:
    """Delete a book that no campaign needs."""
    book = state.books.find(call.path_int("book_id"))
    if state.has_active_campaign(book):
        raise invalid("The address book has active campaign")
    state.books.remove(book)
    return {"result": True}


def variables(state: State, call: Call) -> list[dict[str, str]]:
    """Show the variables of a book with their types."""
    book = state.books.find(call.path_int("book_id"))
    words = {"date": state.settings.date_variable_type}
    return [{"name": name, "type": words.get(type_, type_)} for name, type_ in book.variables.items()]


def cost(state: State, call: Call) -> dict[str, Any]:
    """Tell what a campaign to this book would cost. Here ``result`` is data: whether it can be paid."""
    book = state.books.find(call.path_int("book_id"))
    if not book.contacts:
        raise invalid("Addressbook is empty", 211)
    if state.settings.plan_ended:
        raise invalid("Your tariff plan ended")
    settings = state.settings
    beyond_plan = max(0, len(book.contacts) - settings.plan_recipients)
    money = 0.0 if settings.balance_exhausted else float(settings.balance_main) + float(settings.balance_bonus)
    affordable = int(money / settings.price_per_email) if settings.price_per_email else beyond_plan
    beyond_balance = max(0, beyond_plan - affordable)
    return {
        "cur": state.settings.balance_currency,
        "sent_emails_qty": len(book.contacts),
        "overdraftAllEmailsPrice": round(beyond_plan * settings.price_per_email, 4),
        "addressesDeltaFromBalance": beyond_balance,
        "addressesDeltaFromTariff": beyond_plan,
        "max_emails_per_task": state.settings.plan_recipients,
        "result": beyond_plan == 0 and not settings.balance_exhausted,
    }


def campaigns(state: State, call: Call) -> list[dict[str, Any]]:
    """Show the campaigns of a book, with other keys than in their own list."""
    book = state.books.find(call.path_int("book_id"))
    limit, offset = call.page()
    found = [item for item in state.campaigns.listed() if book.id in item.content.book_ids]
    return [
        {"task_id": item.id, "task_name": item.content.name, "task_status": item.status}
        for item in found[offset : offset + limit]
    ]


ROUTES = [
    endpoint("POST", "/addressbooks", "address_books.create", create),
    endpoint("GET", "/addressbooks", "address_books.list", list_all),
    endpoint("GET", "/addressbooks/{book_id:int}", "address_books.read", read),
    endpoint("PUT", "/addressbooks/{book_id:int}", "address_books.rename", rename),
    endpoint("DELETE", "/addressbooks/{book_id:int}", "address_books.delete", delete),
    endpoint("GET", "/addressbooks/{book_id:int}/variables", "address_books.variables", variables),
    endpoint("GET", "/addressbooks/{book_id:int}/cost", "address_books.cost", cost),
    endpoint("GET", "/addressbooks/{book_id:int}/campaigns", "address_books.campaigns", campaigns),
]
