# SPDX-License-Identifier: Apache-2.0
"""The row-source protocol."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Any, Protocol, runtime_checkable

from airflow_provider_sendpulse.exceptions import InvalidRequest

Row = Mapping[str, Any]


@runtime_checkable
class RowSource(Protocol):
    """Something that can be read row by row, from the beginning, as often as needed.

    A source that knows how many rows it will yield has a ``__len__``, and the progress of a delivery then shows a total.

    A source with ``template_fields`` has these rendered when it is a template field of an operator. Its ``str`` appears
    in Airflow's rendered fields, so it says where rows come from and never shows one.
    """

    def rows(self) -> Iterator[Row]:
        """Yield every row as a mapping of column to value."""
        ...


class InlineRows:
    """Rows that are there already: addresses, or mappings.

    A mapping is either ``{"email": …, "phone": …, "variables": {…}}`` or flat, a column each.
    """

    def __init__(self, items: Sequence[str | Row]) -> None:
        self._items = items

    def rows(self) -> Iterator[Row]:
        """Yield every item as a flat mapping."""
        for item in self._items:
            if isinstance(item, str):
                yield {"email": item}
            elif isinstance(item.get("variables"), Mapping):
                yield {**item["variables"], **{key: value for key, value in item.items() if key != "variables"}}
            else:
                yield {key: value for key, value in item.items() if key != "variables"}

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"{len(self._items)} rows"


@contextlib.contextmanager
def reading(source: RowSource) -> Iterator[Iterator[Row]]:
    """Read a source and close it in the end, also when reading stops early.

    A generator that is only forgotten is closed whenever and wherever the garbage collector runs, with the cursors and
    connections it holds; some databases mind the thread.
    """
    rows = source.rows()
    try:
        yield rows
    finally:
        if callable(close := getattr(rows, "close", None)):
            close()


def length_of(source: RowSource) -> int | None:
    """Return how many rows a source will yield, or ``None`` where it does not know."""
    return len(source) if isinstance(source, Sized) else None


def source_of(value: Any, name: str) -> RowSource:
    """Return a row source for what an operator was given.

    :raises InvalidRequest: for anything but a row source or a list of addresses or mappings
    """
    if isinstance(value, RowSource):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if all(isinstance(item, str | Mapping) for item in value):
            return InlineRows(value)
        raise InvalidRequest(f"{name} is a list that holds more than addresses and mappings.")
    raise InvalidRequest(f"{name} is a {type(value).__name__}; it is a row source, or a list of addresses or mappings.")


__all__ = ["InlineRows", "Row", "RowSource", "length_of", "reading", "source_of"]
