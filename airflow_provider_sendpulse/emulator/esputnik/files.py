# SPDX-License-Identifier: Apache-2.0
"""Files of contacts, fetched from this machine and from no other (eSputnik API: upload)."""

from __future__ import annotations

import base64
import csv
import http.client
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from airflow_provider_sendpulse.emulator.esputnik.contact_data import ContactData, InvalidContact, read_contact
from airflow_provider_sendpulse.emulator.esputnik.contacts import ADDRESS
from airflow_provider_sendpulse.emulator.esputnik.custom_fields import CustomFields
from airflow_provider_sendpulse.emulator.webhook_delivery import NotLoopback, loopback_address

MOST_BYTES = 100_000_000
TIMEOUT = 10.0

# The exact headings are documented nowhere: case, spaces and underscores make no difference here.
_COLUMNS = {
    "firstname": "firstName",
    "lastname": "lastName",
    "address": "address",
    "region": "region",
    "city": "town",
    "town": "town",
    "postcode": "postcode",
    "languagecode": "languageCode",
    "timezone": "timeZone",
    "contactid": "id",
    "email": "email",
    "sms": "sms",
}


class FileRefused(Exception):
    """A file cannot be fetched or read."""


@dataclass(frozen=True)
class FileOfContacts:
    """What a file says.

    Attributes:
        names: members that it has columns for.
        field_ids: additional fields that it has columns for.
        people: its rows, without those that are no contacts.
    """

    names: frozenset[str]
    field_ids: frozenset[int]
    people: list[ContactData]


def fetch(link: str) -> bytes:
    """Fetch a file by HTTP, with the login and password that stand in its URL. Redirects are not followed.

    :raises FileRefused: it is not of this machine, nobody answers with it, or it is too large
    """
    try:
        address, port = loopback_address(link)
        parts = urlsplit(link)
        connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT)
    except (NotLoopback, ValueError) as error:
        raise FileRefused(f"File cannot be fetched: {error}") from error
    headers = {"Host": parts.netloc.rpartition("@")[2]}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise FileRefused(f"File cannot be fetched: {type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise FileRefused(f"File cannot be fetched: HTTP {answer.status}")
    if len(content) > MOST_BYTES:
        raise FileRefused("File is larger than 100 MB")
    return content


def without_login(link: str) -> str:
    """Return a URL without the login and password in it."""
    parts = urlsplit(link)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def read_file(content: bytes, fields: CustomFields) -> FileOfContacts:
    """Read a file of comma separated values in UTF-8 whose first row says what the columns are.

    :raises FileRefused: it is something else, or empty
    """
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused("File must be CSV in UTF-8") from error
    if not rows:
        raise FileRefused("File is empty")
    columns = {heading: _meaning(heading, fields) for heading in rows[0] if heading}
    known = {heading: meaning for heading, meaning in columns.items() if meaning}
    if not {"email", "sms", "id"} & set(known.values()):
        raise FileRefused("File has no column that identifies contacts")
    people = []
    for row in rows:
        try:
            people.append(_person(row, known, fields))
        except InvalidContact:
            continue
    names = frozenset(str(meaning) for meaning in known.values() if isinstance(meaning, str) and meaning != "id")
    return FileOfContacts(names, frozenset(meaning for meaning in known.values() if isinstance(meaning, int)), people)


def _meaning(heading: str, fields: CustomFields) -> str | int | None:
    profile, dot, key = heading.strip().partition(".")
    field = fields.by_keys(profile, key) if dot else None
    return field.id if field is not None else _COLUMNS.get(re.sub(r"[\W_]", "", heading).lower())


def _person(row: Mapping[str, str | None], columns: Mapping[str, str | int], fields: CustomFields) -> ContactData:
    entry: dict[str, Any] = {"channels": [], "fields": [], "address": {}}
    for heading, meaning in columns.items():
        value = (row.get(heading) or "").strip()
        if not value:
            continue
        if isinstance(meaning, int):
            entry["fields"].append({"id": meaning, "value": value})
        elif meaning in ("email", "sms"):
            entry["channels"].append({"type": meaning, "value": value})
        elif meaning in ADDRESS:
            entry["address"][meaning] = value
        else:
            entry[meaning] = value
    return read_contact(entry, fields, needs_channel="id" not in entry)
