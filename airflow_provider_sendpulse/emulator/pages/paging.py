# SPDX-License-Identifier: Apache-2.0
"""Long lists in parts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

PAGE_LENGTH = 100


def offset_of(request: Request) -> int:
    """Return how many entries of a list come before the part that was asked for."""
    text = request.query_params.get("offset", "0")
    return int(text) if text.isdecimal() else 0


def paging(request: Request, offset: int, total: int) -> dict[str, Any]:
    """Links to the neighbouring parts of a long list; empty where there is none."""

    def link(start: int) -> str:
        return "?" + urlencode({**request.query_params, "offset": start})

    return {
        "total": total,
        "first": min(offset + 1, total),
        "last": min(offset + PAGE_LENGTH, total),
        "newer": link(max(0, offset - PAGE_LENGTH)) if offset else "",
        "older": link(offset + PAGE_LENGTH) if offset + PAGE_LENGTH < total else "",
    }
