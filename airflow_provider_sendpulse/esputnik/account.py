# SPDX-License-Identifier: Apache-2.0
"""Whose account it is. Source: eSputnik API, "Account info"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.esputnik import wire


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """The account that a key belongs to."""

    organisation_name: str
    user_email: str = field(default="", repr=False)
    organisation_id: int | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Version:
    """The version of the service."""

    version: str
    protocol_version: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def info() -> Call[AccountInfo]:
    """Return whose account it is; every key has the right to ask."""
    return Call(method="GET", path="/v1/account/info", read=_info, repeat=Repeat.ALWAYS)


def version() -> Call[Version]:
    """Return the version of the service."""
    return Call(method="GET", path="/v1/version", read=_version, repeat=Repeat.ALWAYS)


def _info(answer: Any) -> AccountInfo:
    data = wire.record(answer)
    organisation = data.get("orgId")
    return AccountInfo(
        # Nothing else tells this answer from any other object.
        organisation_name=wire.text(data["organisationName"]),
        user_email=wire.text(data.get("userEmail")),
        organisation_id=None if organisation is None else wire.integer(organisation),
        extra=wire.rest(data, "organisationName", "userEmail", "orgId"),
    )


def _version(answer: Any) -> Version:
    data = wire.record(answer)
    return Version(
        wire.text(data["version"]), wire.text(data.get("protocolVersion")), wire.rest(data, "version", "protocolVersion")
    )


__all__ = ["AccountInfo", "Version", "info", "version"]
