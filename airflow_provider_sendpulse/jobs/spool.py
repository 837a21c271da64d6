# SPDX-License-Identifier: Apache-2.0
"""Rows that wait for their turn: in memory while they are few, then in a file without a name that only we can read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any, Self

from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse.values import event_variable

_IN_MEMORY = 1_000_000


class Spool:
    """Keeps rows in order. The file holds personal data: mode 0600, and unlinked from the beginning."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._count = 0

    def __len__(self) -> int:
        """Rows that were added."""
        return self._count

    def add(self, item: Item, *, again: bool = False) -> None:
        """Keep a row, with the values as they go out.

        :param again: whether it is sent although it is in doubt
        """
        person = item.person
        kept = [
            person.number,
            person.email,
            person.phone,
            event_variable("automation_id", person.automation_id),
            {name: event_variable(name, value) for name, value in person.variables.items()},
            item.key,
            item.label,
            again,
        ]
        self._file.write(json.dumps(kept, separators=(",", ":")).encode() + b"\n")
        self._count += 1

    def __iter__(self) -> Iterator[tuple[Item, bool]]:
        """Yield every row, and whether it is sent although it is in doubt; nothing is added meanwhile."""
        self._file.seek(0)
        for line in self._file:
            yield _read(line)

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return it; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Forget everything."""
        self.close()


def _read(line: bytes) -> tuple[Item, bool]:
    kept: list[Any] = json.loads(line)
    number, email, phone, automation_id, variables, key, label, again = kept
    return Item(Person(number, email, phone, automation_id, variables), key, label), again


__all__ = ["Spool"]
