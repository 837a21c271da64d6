# SPDX-License-Identifier: Apache-2.0
"""Single contacts: subscribed, added, updated, found, deleted (eSputnik API: contacts)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Listed, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contact_data import (
    ContactData,
    InvalidContact,
    read_contact,
    write_given,
)
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, normal
from airflow_provider_sendpulse.emulator.esputnik.errors import EsputnikRefusal, bad_request, not_found
from airflow_provider_sendpulse.emulator.esputnik.names import read_name
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped


def subscribe(account: Esputnik, call: Call) -> dict[str, Any]:
    """Add or update one contact as a subscription form does."""
    data = _data(account, call.fields.get("contact"))
    form = call.optional_text("formType")
    if form:
        read_name("formType", form)
    groups, categories, now = call.texts("groups"), call.texts("subscriptions"), account.clock.now()
    found = _match(account, data)
    contact = found or account.contacts.create("subscription form", now, is_confirmed=False)
    status = _email_status(account, contact, data, is_new=found is None)
    contact.is_deleted = False
    write_given(contact, data, keep_channels=found is not None)
    contact.segments |= {segment.id for segment in account.segments.named(groups, now)}
    contact.subscriptions |= set(categories)
    account.contacts.changed(contact, now)
    email = next(iter(data.keys("email")), "")
    account.events.subscribed(contact, email=email, is_new=found is None, form_type=form)
    if account.settings.esputnik_subscribe_answer == "id":
        return {"id": contact.id}
    return {"id": contact.id, **({"emailStatus": status} if status else {}), "new": found is None}


def upsert(account: Esputnik, call: Call) -> dict[str, int]:
    """Add or update one contact at once; it is confirmed, and nothing tells of it."""
    data, now = _data(account, call.fields), account.clock.now()
    contact = _match(account, data) or account.contacts.create("API", now)
    contact.is_deleted = False
    write_given(contact, data, keep_channels=False)
    account.contacts.changed(contact, now)
    return {"id": contact.id}


def update(account: Esputnik, call: Call) -> Sentence:
    """Update one contact by its id; a deleted one comes back."""
    contact = account.contacts.get(call.path_int("contact_id"), or_deleted=True)
    if contact is None:
        raise not_found("Contact", call.path_int("contact_id"))
    settings = account.settings
    data = _data(account, call.fields, needs_channel=settings.esputnik_update_without_channels == "refuse")
    others = account.contacts.find("externalCustomerId", data.external_id) if data.external_id else []
    if any(other is not contact for other in others):
        raise bad_request("externalCustomerId belongs to another contact")
    contact.is_deleted = False
    if settings.esputnik_unsent_channels == "drop" and call.fields.get("channels") is not None:
        contact.channels.clear()
    write_given(contact, data, keep_channels=False)
    account.contacts.changed(contact, account.clock.now())
    return Sentence(f"Contact with id='{contact.id}' has been updated")


def read(account: Esputnik, call: Call) -> dict[str, Any]:
    """Show one contact with its static segments."""
    contact = _contact(account, call)
    return {**contact.full(), "groups": [segment.as_dict() for segment in account.segments.of(contact)]}


def delete(account: Esputnik, call: Call) -> Sentence:
    """Delete one contact by its id, or remove every trace of it."""
    number, erased = call.path_int("contact_id"), call.asked("erase")
    contact = account.contacts.get(number, or_deleted=erased)
    if contact is None:
        raise not_found("Contact", number)
    _delete(account, contact, erased=erased)
    return Sentence(f"Contact with id='{number}' has been deleted")


def delete_by_external_id(account: Esputnik, call: Call) -> Sentence:
    """Delete one contact by the caller's own id."""
    external_id, erased = call.query.get("externalCustomerId", ""), call.asked("erase")
    if not external_id:
        raise bad_request("externalCustomerId is required")
    found = account.contacts.find("externalCustomerId", external_id)
    if not found and erased:
        found = account.contacts.find("externalCustomerId", external_id, deleted=True)
    if not found:
        raise EsputnikRefusal(404, f"Contact with externalCustomerId='{external_id}' not found")
    _delete(account, found[0], erased=erased)
    return Sentence(f"Contact with externalCustomerId='{external_id}' has been deleted")


def search(account: Esputnik, call: Call) -> Listed:
    """Find contacts by what they have; they come in the order in which they were changed."""
    asked = {name: call.query[name] for name in _FILTERS if call.query.get(name)}
    if "externalCustomerId" in asked and len(asked) > 1:
        raise bad_request("externalCustomerId cannot be combined with other filters")
    found = [contact for contact in account.contacts if all(_fits(account, contact, *pair) for pair in asked.items())]
    by_id = not asked and call.query.get("sortBy") == "contactId"
    found.sort(key=lambda contact: contact.id if by_id else contact.version)
    return Listed([contact.basic() for contact in call.part(found)], len(found))


def emails(account: Esputnik, call: Call) -> dict[str, Any]:
    """Tell the addresses of some contacts."""
    ids = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if not ids or not all(text.isdecimal() for text in ids):
        raise bad_request("ids must be numbers with commas between them")
    found = [account.contacts.get(int(text)) for text in ids]
    results = [{"contactId": contact.id, "email": contact.email} for contact in found if contact and contact.email]
    return shaped(account.settings, {"results": results}, "results")


_FILTERS = ("externalCustomerId", "email", "sms", "firstname", "lastname")


def _fits(account: Esputnik, contact: Contact, name: str, text: str) -> bool:
    if name == "externalCustomerId":
        return contact.external_id == text
    if name in ("email", "sms"):
        values = [normal(name, channel["value"]) for channel in contact.channels.get(name, [])]
        wanted = normal(name, text)
        is_loose = name == "email" and account.settings.esputnik_email_match == "contains"
        return any(wanted in value if is_loose else wanted == value for value in values)
    member = {"firstname": "firstName", "lastname": "lastName"}[name]
    return str(contact.values.get(member, "")).lower() == text.lower()


def _contact(account: Esputnik, call: Call) -> Contact:
    contact = account.contacts.get(call.path_int("contact_id"))
    if contact is None:
        raise not_found("Contact", call.path_int("contact_id"))
    return contact


def _data(account: Esputnik, entry: Any, *, needs_channel: bool = True) -> ContactData:
    if entry is None:
        raise bad_request("contact is required")
    try:
        return read_contact(entry, account.fields, needs_channel=needs_channel)
    except InvalidContact as error:
        raise bad_request(str(error)) from error


def _match(account: Esputnik, data: ContactData) -> Contact | None:
    """Find the contact that a call means, a deleted one if no other fits: own id, e-mail, phone."""
    contacts = account.contacts
    if data.external_id:
        for deleted in (False, True):
            found = contacts.find("externalCustomerId", data.external_id, deleted=deleted)
            if found:
                return found[0]
    for deleted in (False, True):
        for kind in ("email", "sms"):
            for value in data.keys(kind):
                for contact in contacts.find(kind, value, deleted=deleted):
                    if not (data.external_id and contact.external_id):  # else it is somebody else
                        return contact
    return None


def _email_status(account: Esputnik, contact: Contact, data: ContactData, *, is_new: bool) -> str:
    email = contact.email or next(iter(data.keys("email")), "")
    if not email:
        return ""
    if normal("email", email) in account.unsubscribed:
        return "NEED_CONFIRMATION"
    return "ALREADY_SUBSCRIBED" if contact.is_confirmed and not is_new else "NEED_CONFIRMATION"


def _delete(account: Esputnik, contact: Contact, *, erased: bool) -> None:
    if erased:
        account.contacts.erase(contact)
        return
    contact.is_deleted = True
    contact.segments.clear()
    account.contacts.changed(contact, account.clock.now())


_CONTACT = "/v1/contact/{contact_id:int}"
ROUTES = [
    endpoint("POST", "/v1/contact/subscribe", "contacts.subscribe", subscribe, refuses_repeats=True),
    endpoint("POST", "/v1/contact", "contacts.upsert", upsert, refuses_repeats=True),
    endpoint("PUT", _CONTACT, "contacts.update", update, refuses_repeats=True),
    endpoint("GET", _CONTACT, "contacts.read", read),
    endpoint("DELETE", _CONTACT, "contacts.delete", delete),
    endpoint("DELETE", "/v1/contact", "contacts.delete_by_external_id", delete_by_external_id),
    endpoint("GET", "/v1/contacts", "contacts.search", search, limit="contact_searches"),
    endpoint("GET", "/v1/contacts/email", "contacts.emails", emails),
]
