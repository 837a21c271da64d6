# SPDX-License-Identifier: Apache-2.0
"""What a trigger tells the task it wakes: small, JSON, and checked on the other side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from airflow_provider_sendpulse import exceptions
from airflow_provider_sendpulse.exceptions import FinalFailure, ServiceError

SEEN = "seen"
TIMEOUT = "timeout"
ERROR = "error"


@dataclass(frozen=True, slots=True)
class WaitEvent:
    """The end of a wait.

    :param kind: ``seen``: what was seen ends the wait, for better or worse; ``timeout``: the deadline passed;
        ``error``: asking failed for good
    :param code: the status seen last
    :param history: ``[code, seconds since the epoch]`` for every status, from when it was first seen
    :param error: name of the exception class, for ``error``
    :param message: what went wrong; redacted
    :param figures: the figures that end the wait, where these were waited for
    """

    kind: str
    code: int | str | None = None
    history: list[list[Any]] = field(default_factory=list)
    error: str | None = None
    message: str = ""
    figures: dict[str, Any] | None = None

    @property
    def seen(self) -> int | str | dict[str, Any] | None:
        """What was seen last: a status or figures."""
        return self.code if self.figures is None else self.figures

    def payload(self) -> dict[str, Any]:
        """Return the event as JSON."""
        payload = asdict(self)
        if self.figures is None:
            del payload["figures"]
        return payload

    @classmethod
    def of(cls, payload: Any) -> Self:
        """Read an event.

        :raises FinalFailure: for anything that no trigger of this package sends; nothing passes for success
        """
        if not isinstance(payload, dict) or payload.get("kind") not in (SEEN, TIMEOUT, ERROR):
            raise FinalFailure(f"The trigger sent an event that cannot be understood ({type(payload).__name__}).")
        figures = payload.get("figures")
        if payload["kind"] == SEEN and not isinstance(payload.get("code"), int | str) and not isinstance(figures, dict):
            raise FinalFailure("The trigger sent an event without a status.")
        return cls(
            kind=payload["kind"],
            code=payload.get("code"),
            history=payload.get("history") or [],
            error=payload.get("error"),
            message=str(payload.get("message") or ""),
            figures=figures if isinstance(figures, dict) else None,
        )

    def failure(self) -> ServiceError:
        """Return the exception that an ``error`` event stands for."""
        kind = getattr(exceptions, str(self.error or ""), FinalFailure)
        if not (isinstance(kind, type) and issubclass(kind, ServiceError)):
            kind = FinalFailure
        return kind(self.message)


__all__ = ["ERROR", "SEEN", "TIMEOUT", "WaitEvent"]
