# SPDX-License-Identifier: Apache-2.0
"""Names that messages are sent from. Source: eSputnik API, "Interfaces"."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.esputnik import wire


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender's address or name."""

    type: str
    value: str


def list(channel: Literal["email", "sms"]) -> Call[builtins.list[Sender]]:
    """List the senders of a channel; the API documents no paging."""
    return Call(method="GET", path=f"/v1/interfaces/{channel}", read=wire.listed(_sender), repeat=Repeat.ALWAYS)


def _sender(data: Mapping[str, Any]) -> Sender:
    return Sender(wire.text(data.get("type")), wire.text(data["value"]))


__all__ = ["Sender", "list"]
