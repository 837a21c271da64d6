# SPDX-License-Identifier: Apache-2.0
"""Values that wait for their turn: in memory while they are few, then in a file without a name that only we can read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

_IN_MEMORY = 1_000_000
"""Bytes."""


class Spool:
    """Keeps JSON values in order. They may be personal data: the file has mode 0600, and is unlinked from the beginning."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._count = 0

    def __len__(self) -> int:
        """Values that were added."""
        return self._count

    def add(self, value: Any) -> None:
        """Keep a value.

        :raises OSError: when there is no room for it
        """
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        self._count += 1

    def flush(self) -> None:
        """Write what is still to be written.

        :raises OSError: when there is no room for it
        """
        self._file.flush()

    def __iter__(self) -> Iterator[Any]:
        """Yield every value, as often as it is asked; nothing is added meanwhile."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def close(self) -> None:
        """Forget everything."""
        self._file.close()


__all__ = ["Spool"]
