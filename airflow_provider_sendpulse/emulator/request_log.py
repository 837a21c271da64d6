# SPDX-License-Identifier: Apache-2.0
"""What was asked of the emulator."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

KEPT_REQUESTS = 20000


@dataclass
class RequestRecord:
    """One request to the API.

    Attributes:
        status: HTTP status the client received, None when it got no answer.
        handled_status: status of the work done, None when the call was not carried out.
        client_port: tells connections apart.
        ticks: running seconds, for rates.
    """

    number: int
    time: datetime
    ticks: float
    method: str
    path: str
    query: str
    operation: str
    client_port: int | None
    body: Any = None
    status: int | None = None
    handled_status: int | None = None
    fault: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON."""
        record = asdict(self)
        record["time"] = self.time.isoformat()
        return record


class RequestLog:
    """The latest requests, and counts of all of them."""

    def __init__(self) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=KEPT_REQUESTS)
        self._by_operation: Counter[str] = Counter()
        self.total = 0

    def open(self, record: RequestRecord) -> RequestRecord:
        """Note a request that has just arrived."""
        self.total += 1
        record.number = self.total
        self._records.append(record)
        self._by_operation[record.operation] += 1
        return record

    def __len__(self) -> int:
        return self.total

    def records(self, operation: str | None = None) -> list[RequestRecord]:
        """Return the kept requests, oldest first, of one operation or of all."""
        return [record for record in self._records if operation in (None, record.operation)]

    def counts(self) -> dict[str, int]:
        """How many requests each operation got."""
        return dict(sorted(self._by_operation.items()))

    def busiest_second(self) -> int:
        """Return the largest number of kept requests in any one second."""
        most = 0
        window: deque[float] = deque()
        for record in self._records:
            window.append(record.ticks)
            while window[0] <= record.ticks - 1:
                window.popleft()
            most = max(most, len(window))
        return most
