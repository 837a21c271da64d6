# SPDX-License-Identifier: Apache-2.0
"""Personal data in a template field: Airflow stores what a field shows after rendering, and this shows a count only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload


class ConfidentialList(Sequence[Any]):
    """A list whose text is its length."""

    def __init__(self, items: Sequence[Any], noun: str) -> None:
        self._items = items
        self._noun = noun

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> ConfidentialList: ...

    def __getitem__(self, index: int | slice) -> Any:
        found = self._items[index]
        return ConfidentialList(found, self._noun) if isinstance(index, slice) else found

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{len(self._items)} {self._noun} (not shown)"


class ConfidentialValue:
    """A value whose text only says that there is one."""

    def __init__(self, value: Any, noun: str) -> None:
        self.value = value
        self._noun = noun

    def __repr__(self) -> str:
        return f"{self._noun} (not shown)"


def hide(value: Any, noun: str) -> Any:
    """Wrap what would show personal data; row sources and nothing at all stay as they are."""
    if value is None or isinstance(value, ConfidentialList | ConfidentialValue) or hasattr(value, "rows"):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ConfidentialList(value, noun)
    if isinstance(value, Mapping):
        return ConfidentialValue(value, f"{len(value)} {noun}")
    return ConfidentialValue(value, noun)


def reveal(value: Any) -> Any:
    """Return what :func:`hide` wrapped."""
    return value.value if isinstance(value, ConfidentialValue) else value


__all__ = ["ConfidentialList", "ConfidentialValue", "hide", "reveal"]
