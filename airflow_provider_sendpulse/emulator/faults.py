# SPDX-License-Identifier: Apache-2.0
"""Failures on request: which call fails, how, and how many times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

FaultKind = Literal[
    "status",
    "html",
    "drop",
    "lose_answer",
    "cut_answer",
    "truncate",
    "is_error",
    "result_false",
    "slow",
    "slow_bytes",
    "revoke_tokens",
    "kill",
]

# Kinds that by their nature come after the work is done.
_ALWAYS_AFTER_EFFECT = frozenset({"lose_answer", "cut_answer", "truncate", "slow_bytes"})


class InvalidFault(ValueError):
    """A fault cannot be set up as asked."""


@dataclass
class Fault:
    """One failure and the calls it meets.

    Attributes:
        kind: what goes wrong; the README lists the kinds.
        method: HTTP method to match, or None for any.
        path: regular expression searched for in the path, or None for any.
        operation: name of the operation, such as ``campaigns.create``, or None for any.
        after: how many matching calls pass before the first failure.
        times: how many calls fail; None means all that follow.
        after_effect: whether the call is carried out before it fails.
        status: HTTP status of the kinds ``status`` and ``html``.
        retry_after: value of a Retry-After header, sent exactly as given.
        body: body of the answer in place of the usual one; a string goes out as it is.
        error_code: application code in the body, where there is one.
        message: text in the body, where there is one.
        seconds: length of the delay of the slow kinds.
        reset: whether a dropped connection ends with a TCP reset instead of an orderly close.
        victim: whom the kind ``kill`` kills: the process that sent the request, or the one that started it.
    """

    kind: FaultKind
    method: str | None = None
    path: str | None = None
    operation: str | None = None
    after: int = 0
    times: int | None = 1
    after_effect: bool = False
    status: int | None = None
    retry_after: str | None = None
    body: Any = None
    error_code: int | None = None
    message: str | None = None
    seconds: float = 1.0
    reset: bool = False
    victim: Literal["client", "parent"] = "client"
    id: int = 0
    seen: int = field(default=0)
    fired: int = field(default=0)

    def __post_init__(self) -> None:
        """Check the values and settle what the kind implies."""
        if self.kind not in get_args(FaultKind):
            raise InvalidFault(f"there is no fault of kind {self.kind!r}")
        if self.kind in _ALWAYS_AFTER_EFFECT:
            self.after_effect = True
        if self.kind == "status" and self.status is None:
            raise InvalidFault("a fault of kind 'status' needs a status")
        if self.victim not in ("client", "parent"):
            raise InvalidFault(f"{self.victim!r} is nobody who can be killed")
        if self.status is not None and not 200 <= self.status <= 599:
            raise InvalidFault(f"{self.status} is not the status of an answer")
        if self.retry_after is not None:
            self.retry_after = str(self.retry_after)
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise InvalidFault(f"the path {self.path!r} is not a regular expression: {error}") from error

    def matches(self, method: str, path: str, operation: str | None) -> bool:
        """Whether this call is one the fault is meant for, leaving counts aside."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.operation is None or self.operation == operation)
        )

    @property
    def is_spent(self) -> bool:
        """Whether it has failed as many calls as it was told to."""
        return self.times is not None and self.fired >= self.times

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as JSON, with how often it was met."""
        return asdict(self)


class Faults:
    """The faults in force, in the order they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, kind: FaultKind, **how: Any) -> Fault:
        """Set a fault up; takes the fields of :class:`Fault`."""
        known = {item.name for item in fields(Fault)} - {"id", "seen", "fired"}
        for name in how:
            if name not in known:
                raise InvalidFault(f"a fault has no field {name!r}")
        try:
            fault = Fault(kind, **how)
        except TypeError as error:
            raise InvalidFault(str(error)) from error
        self._last_id += 1
        fault.id = self._last_id
        self._faults.append(fault)
        return fault

    def add_from(self, description: Mapping[str, Any]) -> Fault:
        """Set a fault up from JSON."""
        how = dict(description)
        if "kind" not in how:
            raise InvalidFault("a fault needs a kind")
        return self.add(how.pop("kind"), **how)

    def meet(self, method: str, path: str, operation: str | None) -> Fault | None:
        """Return the fault that this call runs into, if any. Counts the meeting."""
        for fault in self._faults:
            if fault.is_spent or not fault.matches(method, path, operation):
                continue
            fault.seen += 1
            if fault.seen > fault.after:
                fault.fired += 1
                return fault
        return None

    def remove(self, fault_id: int) -> bool:
        """Take one fault away."""
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault.id != fault_id]
        return len(self._faults) < before

    def clear(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def as_list(self) -> list[dict[str, Any]]:
        """All faults as JSON, spent ones included."""
        return [fault.as_dict() for fault in self._faults]
