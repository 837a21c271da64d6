# SPDX-License-Identifier: Apache-2.0
"""A bound on how many rows something is done to, for what a wrong query must not be able to do to everybody."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Columns, cell_text
from airflow_provider_sendpulse.rows.source import Row, reading
from airflow_provider_sendpulse.rows.spool import Spool


class KeptRows:
    """Rows that were read already, with the values of the columns that say whom each is for."""

    def __init__(self, columns: Columns) -> None:
        self._wanted = {columns.email, columns.phone, *(columns.variables or ())}
        self._spool = Spool()

    def __len__(self) -> int:
        return len(self._spool)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"{len(self)} rows"

    def add(self, row: Row) -> None:
        """Keep a row. The names of all its columns stay, for what is said of a column that is not there."""
        self._spool.add({column: _kept(value) if column in self._wanted else "" for column, value in row.items()})

    def rows(self) -> Iterator[Row]:
        """Yield every row; nothing is added meanwhile."""
        for row in self._spool:
            yield {column: bytes.fromhex(value[0]) if isinstance(value, list) else value for column, value in row.items()}

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()


def _kept(value: Any) -> Any:
    """Return a cell as JSON holds it: what is wrong with it is still to be seen, so bytes are not to become text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return [bytes(value).hex()]
    return value if isinstance(value, str | int | float) else cell_text(value)


@contextlib.contextmanager
def bounded(audience: Audience, most: int | None, done: str) -> Generator[Audience, None, None]:
    """Read all rows and count them, and give those that were counted: what comes to a source later is not among them.

    Only for rows of which nothing matters but whom they are for. They are kept in little memory until the block ends.

    :param most: rows that there may be; without a bound the source is left as it is
    :param done: what would be done to them, as a participle
    :raises InvalidRequest: when there are more
    """
    if most is None:
        yield audience
        return
    with contextlib.closing(KeptRows(audience.columns)) as kept:
        with reading(audience.source) as rows:
            for row in rows:
                if len(kept) == most:
                    raise InvalidRequest(
                        f"There are more than max_contacts={most:,} rows, and a wrong query must not reach everybody. "
                        f"Nothing was {done}: if all of them are meant, allow more."
                    )
                kept.add(row)
        yield Audience(kept, audience.columns)


__all__ = ["KeptRows", "bounded"]
