# SPDX-License-Identifier: Apache-2.0
"""Lists of one that become bare objects, and numbers that become text (eSputnik API: one element)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.settings import Settings


def shaped(settings: Settings, content: dict[str, Any], *lists: str) -> dict[str, Any]:
    """Return an answer with some of its lists as eSputnik writes them.

    A list of one becomes its element, and then numbers and truth values of the whole answer become text.

    :param lists: names of members that hold lists, at any depth
    """
    if not settings.esputnik_collapse:
        return content
    names = frozenset(lists)
    was_collapsed = False

    def collapse(value: Any) -> Any:
        nonlocal was_collapsed
        if isinstance(value, list):
            return [collapse(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {}
        for name, item in value.items():
            if name in names and isinstance(item, list) and len(item) == 1:
                was_collapsed = True
                found[name] = collapse(item[0])
            else:
                found[name] = collapse(item)
        return found

    collapsed: dict[str, Any] = collapse(content)
    return as_text(collapsed) if was_collapsed and settings.esputnik_text_values else collapsed


def as_text(value: Any) -> Any:
    """Return JSON whose numbers and truth values are text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    return value
