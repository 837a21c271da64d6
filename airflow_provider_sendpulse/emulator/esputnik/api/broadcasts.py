# SPDX-License-Identifier: Apache-2.0
"""Broadcasts (eSputnik API: broadcasts)."""

from __future__ import annotations

from typing import Any, cast

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.broadcasts import INTERVALS, Broadcast, Interval
from airflow_provider_sendpulse.emulator.esputnik.dates import read_date
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found

FEW_ROWS = 10


def create(account: Esputnik, call: Call) -> dict[str, Any]:
    """Make a broadcast of a prepared message to segments."""
    number = str(call.fields.get("messageId") or "")
    message = account.messages.get(int(number)) if number.isdecimal() else None
    if message is None:
        raise bad_request("messageId is required" if not number else f"Message with id='{number}' not found")
    segments, excluded = call.numbers("groups"), call.numbers("excludedGroups")
    if not segments:
        raise bad_request("groups is required")
    unknown = [segment for segment in (*segments, *excluded) if account.segments.get(segment) is None]
    if unknown:
        raise bad_request(f"Group with id='{unknown[0]}' not found")
    start, size, unit = call.optional_text("startDate"), call.fields.get("batchSize"), call.fields.get("batchIntervalUnit")
    try:
        starts_at = read_date(start, account.settings.time_zone) if start else None
    except ValueError as error:
        raise bad_request("startDate must be a date") from error
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise bad_request("batchSize must be a number from 1")
    if size is not None and (not isinstance(unit, str) or unit not in INTERVALS):
        raise bad_request(f"batchIntervalUnit must be one of {', '.join(INTERVALS)}")
    title = call.optional_text("title") or message.name
    interval = cast(Interval, unit) if size is not None else None
    broadcast = account.broadcasts.create(message.id, segments, excluded, title, starts_at, size, interval)
    return account.broadcasts.view(broadcast)


def read(account: Esputnik, call: Call) -> dict[str, Any]:
    """Show a broadcast."""
    return account.broadcasts.view(_broadcast(account, call))


def list_all(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List the broadcasts."""
    return [account.broadcasts.view(broadcast) for broadcast in call.part(account.broadcasts.listed(), FEW_ROWS)]


def delete(account: Esputnik, call: Call) -> Sentence:
    """Cancel a broadcast that is not over."""
    broadcast = _broadcast(account, call)
    if broadcast.status == "IDLE":
        raise bad_request("Only a scheduled broadcast can be deleted")
    account.broadcasts.remove(broadcast)
    return Sentence()


def _broadcast(account: Esputnik, call: Call) -> Broadcast:
    broadcast = account.broadcasts.get(call.path_int("broadcast_id"))
    if broadcast is None:
        raise not_found("Broadcast", call.path_int("broadcast_id"))
    return broadcast


_BROADCAST = "/v1/broadcast/{broadcast_id:int}"
ROUTES = [
    endpoint("POST", "/v1/broadcast", "broadcasts.create", create),
    endpoint("GET", _BROADCAST, "broadcasts.read", read),
    endpoint("DELETE", _BROADCAST, "broadcasts.delete", delete),
    endpoint("GET", "/v1/broadcasts", "broadcasts.list", list_all),
]
