# SPDX-License-Identifier: Apache-2.0
"""Events, and events of the past (eSputnik API: events)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact
from airflow_provider_sendpulse.emulator.esputnik.dates import read_date
from airflow_provider_sendpulse.emulator.esputnik.errors import EsputnikRefusal, bad_request
from airflow_provider_sendpulse.emulator.esputnik.names import read_name

MOST_BYTES = 20 * 1024
MOST_EVENTS = 500
LONGEST_KEY = 300

# Names of parameters that lead to a contact, in lower case, in the order in which they are tried.
_LEADS = {
    "contact": ("contactid", "contact_id"),
    "externalCustomerId": ("externalcustomerid",),
    "email": ("email", "emailaddress", "useremail", "contactemail"),
    "sms": ("phone", "sms", "phonenumber"),
    "mobilepush": ("pushtoken",),
}


def send(account: Esputnik, call: Call) -> Sentence:
    """Take an event whose values are texts."""
    return _send(account, call, 1)


def send_v2(account: Esputnik, call: Call) -> Sentence:
    """Take an event whose values are any JSON."""
    return _send(account, call, 2)


def past(account: Esputnik, call: Call) -> dict[str, Any]:
    """Take events of the past whose values are texts."""
    return _past(account, call, 1)


def past_v2(account: Esputnik, call: Call) -> dict[str, Any]:
    """Take events of the past whose values are any JSON."""
    return _past(account, call, 2)


def forget_past(account: Esputnik, call: Call) -> Sentence:
    """Delete events of the past."""
    if not account.settings.esputnik_past_events_deletable:
        raise EsputnikRefusal(403, "Contact support to enable deleting of events")
    try:
        start, end = (read_date(call.text(name), account.settings.time_zone) for name in ("from", "to"))
    except ValueError as error:
        raise bad_request("from and to must be dates") from error
    account.events.forget_past(start, end)
    return Sentence()


def _send(account: Esputnik, call: Call, version: int) -> Sentence:
    if call.size > MOST_BYTES:
        raise bad_request("Event is larger than 20 KB")
    kind, key, params = _read(call.fields, version)
    leads = _leads(params)
    if not key and not leads:
        raise bad_request("keyValue or a parameter that identifies the contact is required")
    contact = _contact(account, key, leads)
    key = key or next(iter(leads.values()))
    contact_id = contact.id if contact is not None else None
    account.events.receive(kind, key, params, source="api", contact_id=contact_id, version=version)
    return Sentence()


def _past(account: Esputnik, call: Call, version: int) -> dict[str, Any]:
    entries = call.items("events")
    if not entries or len(entries) > MOST_EVENTS:
        raise bad_request(f"events must have from 1 to {MOST_EVENTS} items")
    read = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise bad_request("events must be objects")
        kind, key, params = _read(entry, version)
        if not key:
            raise bad_request("keyValue is required")
        read.append((kind, key, params, entry.get("occurred")))
    results = [_store_past(account, version, *event) for event in read]
    accepted = results.count("ACCEPTED")
    return {
        "results": [{"status": status} for status in results],
        "successCount": accepted,
        "errorCount": len(results) - accepted,
    }


def _store_past(account: Esputnik, version: int, kind: str, key: str, params: dict[str, Any], occurred: Any) -> str:
    settings, now = account.settings, account.clock.now()
    if not occurred:
        return "OCCURRED_DATE_IS_REQUIRED"
    try:
        moment = read_date(str(occurred), settings.time_zone)
    except ValueError:
        return "INCORRECT_OCCURRED_DATE_FORMAT"
    if moment > now:
        return "OCCURRED_TIME_IN_FUTURE"
    if settings.esputnik_past_event_days is not None and moment < now - timedelta(days=settings.esputnik_past_event_days):
        return "OCCURRED_TIME_TOO_DEPTH"
    if kind in settings.esputnik_past_event_types_off:
        return "EVENT_SEGMENTATION_DISABLED"
    contact = _contact(account, key, _leads(params))
    contact_id = contact.id if contact is not None else None
    account.events.receive(kind, key, params, source="past", contact_id=contact_id, version=version, at=moment)
    return "ACCEPTED"


def _read(fields: dict[str, Any], version: int) -> tuple[str, str, dict[str, Any]]:
    """Return type, key and parameters of an event, or refuse it."""
    kind, key, entries = read_name("eventTypeKey", fields.get("eventTypeKey")), fields.get("keyValue"), fields.get("params")
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if key not in (None, ""):
        key = read_name("keyValue", key, LONGEST_KEY)
    if entries is not None and not isinstance(entries, list):
        raise bad_request("params must be an array")
    params: dict[str, Any] = {}
    for entry in entries or []:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or "value" not in entry:
            raise bad_request("Each of params must have name and value")
        name, value = entry["name"], entry["value"]
        if not name or len(name) > 100 or name in params:
            raise bad_request("Names of params must have from 1 to 100 characters and be unique")
        if version == 1 and isinstance(value, dict | list):
            raise bad_request(f"Value of {name} must be a string")
        params[name] = value
    return kind, key or "", params


def _leads(params: dict[str, Any]) -> dict[str, str]:
    """Return what the parameters say of the contact, the most important first."""
    given = {name.lower(): value for name, value in params.items() if isinstance(value, str | int | float)}
    found = {}
    for kind, names in _LEADS.items():
        values = (str(given[name]).strip() for name in names if name in given)
        value = next((value for value in values if value not in ("", "null")), "")
        if value:
            found[kind] = value
    return found


def _contact(account: Esputnik, key: str, leads: dict[str, str]) -> Contact | None:
    for kind, value in leads.items():
        found = _by_id(account, value) if kind == "contact" else account.contacts.one(kind, value)
        if found is not None:
            return found
    if not key:
        return None
    return account.contacts.one("externalCustomerId", key) or account.contacts.one("email", key)


def _by_id(account: Esputnik, text: str) -> Contact | None:
    return account.contacts.get(int(text)) if text.isdecimal() else None


ROUTES = [
    endpoint("POST", "/v1/event", "events.send", send, limit="events", takes_token=True),
    endpoint("POST", "/v2/event", "events.send_v2", send_v2, limit="events_v2"),
    endpoint("POST", "/v1/past_events", "events.send_past", past, limit="past_events", takes_token=True),
    endpoint("POST", "/v2/past_events", "events.send_past_v2", past_v2, limit="past_events_v2"),
    endpoint(
        "DELETE",
        "/v1/past_events",
        "events.delete_past",
        forget_past,
        limit="past_event_deletions",
        takes_token=True,
    ),
]
