# SPDX-License-Identifier: Apache-2.0
"""Turning views into HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.statuses import (
    BOOK_STATUSES,
    CAMPAIGN_STATUSES,
    CONTACT_STATUSES,
    DELIVERY_STATUSES,
    explain,
)

View = Callable[[Request, Emulator], Response]
TEMPLATES = Path(__file__).parent / "templates"
# No scripts at all, and nothing from elsewhere.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"
# A message may show pictures and styles of its own, but runs nothing and reaches nothing.
MESSAGE_POLICY = "sandbox; default-src 'none'; img-src * data:; style-src * 'unsafe-inline'; font-src *"

SERVICES = {"sendpulse": "SendPulse", "esputnik": "eSputnik"}
"""The services by the names that they have in addresses, and as people write them."""

_EVENT_HASH = re.compile(r"(/events/id/[^/]{1,6})[^/]*")
_GOOD = frozenset({3, 8})
_BAD = frozenset({5, 6, 12, 16, 25})
_WAITING_FOR_A_PERSON = frozenset({11, 26, 27, 33})


def campaign_tone(status: int) -> str:
    """Return the colour of a campaign's status."""
    if status in _GOOD:
        return "good"
    if status in _BAD:
        return "bad"
    return "warn" if status in _WAITING_FOR_A_PERSON or status == 23 else "busy"


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


def json_text(value: Any) -> str:
    """Write a value as it looked on the wire, letters of all scripts readable."""
    return json.dumps(value, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Put a length of time into words."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def short(text: str, length: int = 10) -> str:
    """Return the beginning of something long, such as a hash."""
    return text if len(text) <= length else text[:length] + "…"


def hide_hash(path: str) -> str:
    """Return a path without the whole of an event hash, which lets anybody send that event."""
    return _EVENT_HASH.sub(r"\1…", path)


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    campaign_tone=campaign_tone,
    json_type=json_type,
    json_text=json_text,
    duration=duration,
    short=short,
    hide_hash=hide_hash,
    book_status=lambda code: explain(BOOK_STATUSES, code),
    contact_status=lambda code: explain(CONTACT_STATUSES, code),
    campaign_status=lambda code: explain(CAMPAIGN_STATUSES, code),
    delivery_status=lambda code: explain(DELIVERY_STATUSES, code),
)


def page(request: Request, template: str, **values: Any) -> HTMLResponse:
    """Make a page, with what every page shows."""
    emulator: Emulator = request.app.state.emulator
    zone = ZoneInfo(emulator.settings.time_zone)
    now = emulator.clock.now()

    def clock_time(moment: datetime) -> str:
        local = moment.astimezone(zone)
        is_today = local.date() == now.astimezone(zone).date()
        return local.strftime("%H:%M:%S" if is_today else "%d.%m.%Y %H:%M:%S")

    refresh = request.query_params.get("refresh", "")
    query = {name: value for name, value in request.query_params.items() if name != "refresh"}
    if not refresh.isdecimal():
        query["refresh"] = "2"
    html = _ENVIRONMENT.get_template(template).render(
        **values,
        now=now.astimezone(zone),
        zone=emulator.settings.time_zone,
        is_manual_clock=emulator.clock.is_manual,
        time=clock_time,
        refresh=refresh if refresh.isdecimal() else "",
        refresh_link="?" + urlencode(query),
        here=request.url.path,
        services=SERVICES,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"})


def show(path: str, view: View) -> Route:
    """Make a route to a page. Looking at a page counts as no request and no read."""

    async def answer(request: Request) -> Response:
        emulator: Emulator = request.app.state.emulator
        with emulator.lock:
            emulator.state.settle()
            try:
                return view(request, emulator)
            except HTTPException as error:
                missing = page(request, "missing.html")
                missing.status_code = error.status_code
                return missing

    return Route(path, answer, methods=["GET"])
