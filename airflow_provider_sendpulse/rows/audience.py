# SPDX-License-Identifier: Apache-2.0
"""The people of a source, who can be read from the beginning as often as needed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from airflow_provider_sendpulse.rows.people import Columns, Person, people
from airflow_provider_sendpulse.rows.source import RowSource, reading


@dataclass(frozen=True, slots=True)
class Audience:
    """A source, and what its columns mean."""

    source: RowSource
    columns: Columns

    @contextlib.contextmanager
    def reading(self) -> Iterator[Iterator[Person]]:
        """Read all people from the first one on; the source is closed at the end of the block."""
        with reading(self.source) as rows:
            yield people(rows, self.columns)

    @property
    def mapping(self) -> str:
        """How columns are read, as a text that is the same for equal mappings."""
        return json.dumps(asdict(self.columns), sort_keys=True, default=list)


__all__ = ["Audience"]
