# SPDX-License-Identifier: Apache-2.0
"""Sets of row numbers, in a bit each."""

from __future__ import annotations

_BLOCK = 1024


class RowNumbers:
    """A set of row numbers that takes a bit for each, and nothing for those that have left it again."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        block, bit = self._place(number)
        return bool(self._blocks.get(block, 0) & bit)

    def add(self, number: int) -> bool:
        """Add a row, and say whether it is new."""
        block, bit = self._place(number)
        bits = self._blocks.get(block, 0)
        if bits & bit:
            return False
        self._blocks[block] = bits | bit
        self._count += 1
        return True

    def remove(self, number: int) -> bool:
        """Take a row out, and say whether it was there."""
        block, bit = self._place(number)
        bits = self._blocks.get(block, 0)
        if not bits & bit:
            return False
        if bits == bit:
            del self._blocks[block]
        else:
            self._blocks[block] = bits ^ bit
        self._count -= 1
        return True

    def first(self) -> int | None:
        """Return the lowest number, or ``None``."""
        if not self._blocks:
            return None
        block = min(self._blocks)
        bits = self._blocks[block]
        return block * _BLOCK + (bits & -bits).bit_length() - 1

    def clear(self) -> None:
        """Take all rows out."""
        self._blocks.clear()
        self._count = 0

    @staticmethod
    def _place(number: int) -> tuple[int, int]:
        block, offset = divmod(number, _BLOCK)
        return block, 1 << offset


__all__ = ["RowNumbers"]
