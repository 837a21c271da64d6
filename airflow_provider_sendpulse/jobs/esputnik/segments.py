# SPDX-License-Identifier: Apache-2.0
"""Segments by their ids, or by the names that the dashboard shows."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.esputnik import segments
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.sending import Sender


def segments_named(sender: Sender, name: str) -> list[segments.Segment]:
    """Return the segments of a name; the service may compare names in part."""
    return [segment for segment in sender.pages(segments.list(name)) if segment.name == name]


def segment_references(value: Any, name: str) -> tuple[int | str, ...]:
    """Return the ids and exact names of segments that a value holds; nothing is asked.

    :param value: an id, an exact name, a list of them, or the text of one that a template makes; digits are an id
    :param name: what it is called in messages
    :raises InvalidRequest: for what is neither
    """
    return tuple(_reference(item, name) for item in _items(value, name))


def resolved(sender: Sender, references: Sequence[int | str], name: str) -> list[int]:
    """Return the ids that ids and exact names stand for, each once and in their order.

    :raises InvalidRequest: when there is no segment with a name, or several have it
    """
    return list(dict.fromkeys(_id(sender, reference, name) for reference in references))


def _items(value: Any, name: str) -> list[Any]:
    if value is None or value in ("", "None"):
        return []
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            raise InvalidRequest(f"{name} is {value!r}, which is not a list of segments.") from None
    return [*value] if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _reference(item: Any, name: str) -> int | str:
    text = str(item).strip()
    if not isinstance(item, str) or (text.isascii() and text.isdigit()):
        return whole_number(item, name)
    return text


def _id(sender: Sender, reference: int | str, name: str) -> int:
    if isinstance(reference, int):
        return reference
    named = [segment.id for segment in segments_named(sender, reference)]
    if len(named) == 1:
        return named[0]
    told = f"there are several: {named}. Give the id of one" if named else "there is none"
    raise InvalidRequest(f"{name} names the segment {reference!r}, and {told}.")


__all__ = ["resolved", "segment_references", "segments_named"]
