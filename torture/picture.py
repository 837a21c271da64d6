# SPDX-License-Identifier: Apache-2.0
"""Everything in the emulated accounts and in the shop's database, in words that two runs share: no ids, no dates."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo import shop as shops

Picture = dict[str, Counter[str]]
"""What there is, by its kind, and how many of each."""

_IDS = re.compile(r"\b5\d{8}\b")
_NOT_SAID = frozenset({"id", "segments", "created_at", "updated_at"})


def picture_of(account: Mapping[str, Any], shop: Path, tables: Mapping[str, str], words: Mapping[str, str]) -> Picture:
    """Return a picture.

    :param account: everything in the emulator, as JSON
    :param tables: tables of the shop's database, with the columns to look at; one that is not there is empty
    :param words: what stands for texts that differ between two runs, such as the days that they are for
    """
    esputnik, names = account["esputnik"], _names(account["esputnik"])
    found: Picture = {
        "contacts": Counter(_contact(contact) for contact in esputnik["contacts"]),
        "content of contacts": Counter(
            _text({name: value for name, value in contact.items() if name not in _NOT_SAID}, names)
            for contact in esputnik["contacts"]
        ),
        "unsubscribed": Counter(esputnik["unsubscribed"]),
        "orders": Counter(str(order["externalOrderId"]) for order in esputnik["orders"]),
        "content of orders": Counter(_text(_without(order, "orderId"), names) for order in esputnik["orders"]),
        "broadcasts": Counter(_text(_without(one, "id"), names) for one in esputnik["broadcasts"]),
        "messages": Counter(
            f"{send['kind']} {send['messageId']} to {send['to']}, {send['externalRequestId']}" for send in esputnik["sends"]
        ),
        "mails": Counter(
            f"{mail['kind']} to {mail['to']}: {mail['subject']} | {mail['body']}" for mail in account["messages"]
        ),
        "address books": Counter(
            _text([book["name"], [_without(contact, "added_at") for contact in book["contacts"]]], names)
            for book in account["books"]
        ),
    }
    for segment in esputnik["segments"]:
        found[f"contacts in {segment['name']!r}"] = Counter(names[number] for number in segment["contacts"])
    for event in esputnik["events"]:
        kind, key = f"{event['eventTypeKey']} events", _named(str(event["keyValue"]), names)
        found.setdefault(kind, Counter())[key] += 1
        said = _text([key, _without(event["params"], "orderId")], names)
        found.setdefault(f"content of {kind}", Counter())[said] += 1
    for table, columns in tables.items():
        found[f"rows of {table}"] = Counter(_text(row, names) for row in _rows(shop, table, columns))
    return {kind: _said(texts, words) for kind, texts in found.items()}


def differences(seen: Picture, wanted: Picture, missing_allowed: Mapping[str, int]) -> list[str]:
    """Return what there is too much, and what is missing, in a few words each.

    :param missing_allowed: how many of a kind may be missing
    """
    found = []
    for kind in sorted({*seen, *wanted}):
        there, due = seen.get(kind, Counter()), wanted.get(kind, Counter())
        if repeated := sum(min(count, (there - due)[what]) for what, count in there.items() if due[what]):
            found.append(f"{repeated} {kind.upper()} TWICE")
        if strange := sum(count for what, count in there.items() if not due[what]):
            found.append(f"{strange} {kind} too many or changed")
        missing, allowed = (due - there).total(), missing_allowed.get(kind, 0)
        if due and not there and missing > allowed:
            found.append(f"NO {kind} at all")
        elif missing > allowed:
            found.append(f"{missing} {kind} missing{f', and only {allowed} said to be in doubt' if allowed else ''}")
    return found


def contact_line(email: str, phone: str | None = None, language: str | None = None, *, confirmed: bool = True) -> str:
    """Return how a contact stands among the ``contacts`` of a picture."""
    return ", ".join([email, phone or "-", language or "-", "confirmed" if confirmed else "not confirmed"])


def _contact(contact: Mapping[str, Any]) -> str:
    of_kind = {kind: [one["value"] for one in contact["channels"] if one["type"] == kind] for kind in ("email", "sms")}
    email, phone = (" and ".join(of_kind[kind]) for kind in ("email", "sms"))
    line = contact_line(email, phone, contact.get("languageCode"), confirmed=contact["confirmed"])
    return f"{line}, deleted" if contact["deleted"] else line


def _names(esputnik: Mapping[str, Any]) -> dict[int, str]:
    """Return a name for every contact."""
    names = {}
    for contact in esputnik["contacts"]:
        channels = sorted(str(channel["value"]) for channel in contact["channels"] if channel["type"] == "email")
        channels += sorted(str(channel["value"]) for channel in contact["channels"])
        names[int(contact["id"])] = next(iter(channels), str(contact.get("externalCustomerId") or contact["id"]))
    return names


def _said(texts: Counter[str], words: Mapping[str, str]) -> Counter[str]:
    said: Counter[str] = Counter()
    for text, count in texts.items():
        for own, common in words.items():
            text = text.replace(own, common)
        said[text] += count
    return said


def _without(one: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in names}


def _text(value: Any, names: Mapping[int, str]) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return _named(text, names)


def _named(text: str, names: Mapping[int, str]) -> str:
    """Put names in place of the ids of contacts."""
    return _IDS.sub(lambda match: names.get(int(match[0]), match[0]), text)


def _rows(shop: Path, table: str, columns: str) -> list[Any]:
    with shops.opened(shop) as database:
        try:
            return [list(row) for row in database.execute(f"SELECT {columns} FROM {table}")]  # noqa: S608
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []


__all__ = ["Picture", "contact_line", "differences", "picture_of"]
