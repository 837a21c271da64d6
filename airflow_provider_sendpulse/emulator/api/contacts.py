# SPDX-License-Identifier: Apache-2.0
"""Contacts of one book (SendPulse API: mailing lists)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator import webhook_events
from airflow_provider_sendpulse.emulator.api.arguments import (
    LANGUAGES,
    address,
    addresses,
    email_entries,
    flag,
    tag_ids,
)
from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.books import Book
from airflow_provider_sendpulse.emulator.contacts import (
    VARIABLE_TYPES,
    Contact,
    NewContact,
    check_number_of_contacts,
    check_value,
    clean_address,
    is_phone,
    read_new_contacts,
    type_of,
)
from airflow_provider_sendpulse.emulator.errors import (
    address_not_found,
    invalid,
    missing,
    plan_refuses,
    variable_not_found,
    wrong_type,
)
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.state import PendingConfirmation, State
from airflow_provider_sendpulse.emulator.statuses import (
    ACTIVE_CONTACT,
    CONTACT_STATUSES,
    NEW_CONTACT,
    UNSUBSCRIBED_CONTACT,
    explain,
)

MAX_PER_CALL = 100
CONFIRMATION_BODY = "<p>Please confirm that you want our messages: <a href='https://example.com/'>confirm</a></p>"


def contact_as_answer(settings: Settings, contact: Contact) -> dict[str, Any]:
    """Show a contact as a list shows it: variables are an object, or an empty array when there are none."""
    answer: dict[str, Any] = {
        "email": contact.shown(settings.address_case),
        "status": str(contact.status) if settings.contact_status_as_string else contact.status,
        "status_explain": explain(CONTACT_STATUSES, contact.status),
    }
    if contact.phone:
        answer["phone"] = phone_as_answer(settings, contact)
    if contact.variables:
        answer["variables"] = dict(contact.variables)
    elif settings.empty_variables != "absent":
        answer["variables"] = [] if settings.empty_variables == "array" else {}
    return answer


def phone_as_answer(settings: Settings, contact: Contact) -> str | int:
    """Show the number as text, or as a number where the settings ask for that."""
    digits = contact.phone.lstrip("+")
    return int(digits) if settings.phone_as_number and digits.isdecimal() else contact.phone


def variables_as_answer(book: Book, contact: Contact) -> list[dict[str, Any]]:
    """Variables as single contacts show them: an array, with types."""
    return [
        {"name": name, "type": book.variables.get(name, "string"), "value": value}
        for name, value in contact.variables.items()
    ]


def add(state: State, call: Call) -> dict[str, bool]:
    """Add contacts, or send them a confirmation first (double opt-in)."""
    book = _book(state, call)
    state.books.check_writable(book)
    settings = state.settings
    entries = email_entries(state, call)
    if isinstance(entries, list):
        check_number_of_contacts(len(entries), settings.contacts_per_add, settings.too_many_contacts)
    contacts = read_new_contacts(entries, lists_allowed=settings.list_variables_on_add == "accept")
    if settings.wrong_variables_on_add == "refuse":
        for contact in contacts:
            for name, value in contact.variables.items():
                check_value(value, book.variables.get(name, "string"))
    allowed = [contact for contact in contacts if contact.email not in state.blacklist]
    tags, quiet, keeps = tag_ids(call), flag(call, "disable_webhook"), flag(call, "dont_update")
    flag(call, "check_emails")  # addresses that cannot be ones are always left out
    confirmation = call.fields.get("confirmation")
    if tags and not state.settings.plan_has_tags:
        raise plan_refuses()
    for contact in allowed if tags else ():
        state.tags.pin(contact.email, tags)
    if confirmation is None:
        state.books.add_contacts(book, allowed, is_quiet=quiet, keeps_old=keeps)
    elif confirmation == "force":
        _ask_for_confirmation(state, call, book, allowed)
    else:
        raise invalid("Argument confirmation is invalid")
    return {"result": True}


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of contacts."""
    book = _read_book(state, call)
    limit, offset = call.page()
    found = _filtered(book, call)
    if call.order("asc") == "desc":
        found.reverse()
    return [contact_as_answer(state.settings, contact) for contact in found[offset : offset + limit]]


def total(state: State, call: Call) -> dict[str, int]:
    """How many contacts there are."""
    return {"total": len(_filtered(_read_book(state, call), call))}


def read(state: State, call: Call) -> dict[str, Any]:
    """One contact, in another shape than in the list."""
    book = _read_book(state, call)
    contact = book.contacts.get(clean_address(call.path_text("email")))
    if contact is None:
        raise address_not_found()
    return {
        "email": contact.shown(state.settings.address_case),
        "abook_id": str(book.id) if state.settings.contact_book_id_as_string else book.id,
        "phone": phone_as_answer(state.settings, contact) if contact.phone else "",
        "status": str(contact.status) if state.settings.contact_status_as_string else contact.status,
        "status_explain": explain(CONTACT_STATUSES, contact.status),
        "variables": variables_as_answer(book, contact),
    }


def search(state: State, call: Call) -> list[dict[str, Any]]:
    """Show the contacts with a given value of a variable."""
    book = _read_book(state, call)
    name, value = call.path_text("name"), call.path_text("value")
    if name not in book.variables:
        raise variable_not_found()
    return [
        {
            "email": contact.shown(state.settings.address_case),
            "status": contact.status,
            "status_explain": explain(CONTACT_STATUSES, contact.status),
        }
        for contact in book.contacts.values()
        if name in contact.variables and str(contact.variables[name]) == value
    ]


def remove(state: State, call: Call) -> dict[str, bool]:
    """Take up to 100 contacts out of a book."""
    book = _book(state, call)
    state.books.check_writable(book)
    emails = addresses(state, call)
    if len(emails) > MAX_PER_CALL:
        raise invalid(f"Limit is exceeded. Max count: {MAX_PER_CALL}")
    found = [email for email in emails if email in book.contacts]
    if not found:
        raise invalid("No emails", 303)
    for email in dict.fromkeys(found):
        state.books.take_out(book, email)
    return {"result": True}


def unsubscribe(state: State, call: Call) -> dict[str, bool]:
    """Mark up to 100 contacts as unsubscribed."""
    book = _book(state, call)
    emails = addresses(state, call)
    if len(emails) > MAX_PER_CALL:
        raise invalid(f"Argument emails may not have more than {MAX_PER_CALL} items")
    found = [book.contacts[email] for email in emails if email in book.contacts]
    subscribed = [contact for contact in found if contact.status in (NEW_CONTACT, ACTIVE_CONTACT)]
    if not subscribed:
        raise invalid("Active emails not found")
    for contact in subscribed:
        contact.status = UNSUBSCRIBED_CONTACT
        if state.settings.webhook_tells_api_unsubscribe:
            now = state.clock.now()
            state.webhooks.tell(now, webhook_events.unsubscribed(now, contact.email, book.id, 0))
    return {"result": True}


def update_variables(state: State, call: Call) -> dict[str, bool]:
    """Set variables of one contact. They come as an array here, unlike in an add call."""
    book = _book(state, call)
    state.books.check_writable(book)
    email = address(call)
    values = call.fields.get("variables")
    if values is None:
        raise missing("variables")
    if not isinstance(values, list) or not values:
        raise wrong_type("variables", "array")
    contact = book.contacts.get(email)
    if contact is None:
        raise address_not_found()
    checked = [_checked_variable(book, entry) for entry in values]
    for name, value, type_ in checked:
        if name.lower() == "phone":
            contact.phone = str(value)
        else:
            book.variables.setdefault(name, type_)
            contact.variables[name] = value
    return {"result": True}


def set_phone(state: State, call: Call) -> dict[str, bool]:
    """Set the telephone number of one contact."""
    book = _book(state, call)
    email, phone = address(call), call.text("phone")
    if not is_phone(phone):
        raise invalid("Phone is not valid")
    contact = book.contacts.get(email)
    if contact is None:
        raise address_not_found()
    contact.phone = phone
    return {"result": True}


def _book(state: State, call: Call) -> Book:
    return state.books.find(call.path_int("book_id"))


def _read_book(state: State, call: Call) -> Book:
    book = _book(state, call)
    state.note_book_read(book)
    return book


def _filtered(book: Book, call: Call) -> list[Contact]:
    wants_active, wants_others = call.flag("active"), call.flag("not_active")
    return [
        contact
        for contact in book.contacts.values()
        if wants_active == wants_others or (contact.status == ACTIVE_CONTACT) == wants_active
    ]


def _checked_variable(book: Book, entry: Any) -> tuple[str, Any, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise invalid("Variable name is invalid")
    name, value = entry["name"], entry.get("value")
    type_ = book.variables.get(name) or entry.get("type") or type_of(value)
    if type_ not in VARIABLE_TYPES:
        raise invalid("Argument type is invalid")
    check_value(value, type_)
    return name, value, type_


def _ask_for_confirmation(state: State, call: Call, book: Book, contacts: list[NewContact]) -> None:
    sender_email = call.text("sender_email")
    if state.senders.active(sender_email) is None:
        raise invalid("Sender not found", 1003)
    if call.fields.get("message_lang", "en") not in LANGUAGES:
        raise invalid("Argument message_lang is invalid")
    for contact in contacts:
        message = state.mailbox.post(
            kind="confirmation",
            campaign_id=None,
            book_id=book.id,
            to=contact.email,
            subject="Please confirm your subscription",
            body=CONFIRMATION_BODY,
            variables=contact.variables,
            at=state.clock.now(),
        )
        state.confirmations.append(PendingConfirmation(book.id, contact, message.id))


_BOOK = "/addressbooks/{book_id:int}"
ROUTES = [
    endpoint("GET", f"{_BOOK}/emails", "contacts.list", list_all),
    endpoint("POST", f"{_BOOK}/emails", "contacts.add", add),
    endpoint("DELETE", f"{_BOOK}/emails", "contacts.remove", remove),
    endpoint("GET", f"{_BOOK}/emails/total", "contacts.total", total),
    endpoint("POST", f"{_BOOK}/emails/unsubscribe", "contacts.unsubscribe", unsubscribe),
    endpoint("POST", f"{_BOOK}/emails/variable", "contacts.update_variables", update_variables),
    endpoint("GET", f"{_BOOK}/emails/{{email}}", "contacts.read", read),
    endpoint("GET", f"{_BOOK}/variables/{{name}}/{{value}}", "contacts.search", search),
    endpoint("PUT", f"{_BOOK}/phone", "contacts.set_phone", set_phone),
]
