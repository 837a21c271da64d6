# SPDX-License-Identifier: Apache-2.0
"""Failures on request: which call fails, how, and how many times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_sendpulse.emulator.fault_kinds import (
    ALWAYS_AFTER_EFFECT,
    Becomes,
    FaultKind,
    InvalidFault,
    Victim,
    check,
)


@dataclass
class Fault:
    """One failure and the calls it meets.

    Attributes:
        kind: what goes wrong; the README lists the kinds and which of the fields below each has.
        method: HTTP method to match, or None for any.
        path: regular expression searched for in the path, or None for any.
        operation: name of the operation, such as ``campaigns.create``, or None for any.
        after: how many matching calls pass before the first failure.
        times: how many calls fail; None means all that follow.
        after_effect: whether the call is carried out before it fails.
        status: HTTP status of the answer.
        retry_after: value of a Retry-After header, sent exactly as given.
        body: body of the answer in place of the usual one; a string goes out as it is.
        error_code: application code in the body, where there is one.
        message: text in the body, where there is one.
        field: name of the fields of the answer that are of another type, wherever they stand; None for all of it.
        becomes: what they are instead.
        code: the status code that nobody documents.
        seconds: length of the delay of the slow kinds, or of the outage.
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
    field: str | None = None
    becomes: Becomes | None = None
    code: int = 99
    seconds: float = 1.0
    reset: bool = False
    victim: Victim = "client"
    id: int = 0
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        """Settle what the kind implies."""
        if self.kind in ALWAYS_AFTER_EFFECT:
            self.after_effect = True
        if self.retry_after is not None:
            self.retry_after = str(self.retry_after)

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
    """The faults in force, in the order they were set.

    :param operations: answers with the names of the API's operations
    """

    def __init__(self, operations: Callable[[], frozenset[str]]) -> None:
        self._operations = operations
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, kind: FaultKind, **how: Any) -> Fault:
        """Set a fault up; takes the fields of :class:`Fault` that its kind has.

        :raises InvalidFault: for anything else, with the names that there are
        """
        check(kind, how, self._operations())
        fault = Fault(kind, **how)
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
