# SPDX-License-Identifier: Apache-2.0
"""Which contact each key of an import belongs to, for whoever asks for it: in a file or a table, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_sendpulse.esputnik.import_sessions import Mapped
from airflow_provider_sendpulse.rows.output import Layout, Record
from airflow_provider_sendpulse.rows.spool import Spool

LAYOUT = Layout(
    noun="contact ids",
    columns={"dedupe_value": str, "contact_id": int, "session_id": str},
    key=("dedupe_value", "contact_id"),
)
"""``dedupe_value`` is what contacts were told apart by, such as the address. Several contacts may share one, where an
external id tells them apart first."""


class ContactIds:
    """Keeps what sessions say of their contacts, in little memory, until it is written."""

    def __init__(self) -> None:
        self._spool = Spool()

    def __len__(self) -> int:
        """Contacts that were added."""
        return len(self._spool)

    def add(self, session_id: str, mapping: Sequence[Mapped]) -> None:
        """Keep what a session says."""
        for item in mapping:
            self._spool.add([item.dedupe_value, item.contact_id, session_id])

    def records(self) -> Iterator[Record]:
        """Yield a record for each contact."""
        for dedupe_value, contact_id, session_id in self._spool:
            yield {"dedupe_value": dedupe_value, "contact_id": contact_id, "session_id": session_id}

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()


__all__ = ["LAYOUT", "ContactIds"]
