# SPDX-License-Identifier: Apache-2.0
"""A segment, which the API calls group as well. Source: eSputnik API, "Segments"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_sendpulse.esputnik import wire


class SegmentType(StrEnum):
    """Kind of a segment; contacts are attached to and detached from static ones only."""

    STATIC = "Static"
    DYNAMIC = "Dynamic"
    COMBINED = "Combined"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment; the API tells no number of contacts.

    :param type: one of :class:`SegmentType`
    """

    id: int
    name: str
    type: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def segment(data: Mapping[str, Any]) -> Segment:
    """Read a segment."""
    return Segment(
        wire.integer(data["id"]),
        wire.text(data.get("name")),
        wire.text(data.get("type")),
        wire.rest(data, "id", "name", "type"),
    )


__all__ = ["Segment", "SegmentType", "segment"]
