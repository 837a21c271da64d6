# SPDX-License-Identifier: Apache-2.0
"""Which keys were there already, for any number of keys in little memory."""

from __future__ import annotations

import sqlite3


class Seen:
    """A set of digests that goes to a temporary file when it grows; SQLite deletes the file by itself."""

    def __init__(self) -> None:
        self._database = temporary_database()
        self._database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, digest: bytes) -> bool:
        """Add a digest, and say whether it is new."""
        return self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,)).rowcount == 1

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def temporary_database() -> sqlite3.Connection:
    """Return a database that ends with its connection, without transactions of its own.

    It is in memory while it is small. Then SQLite makes a file that only this user can read (mode 0600) and removes its
    name at once, so that nothing is left over, however the process ends.
    """
    # A reader that is forgotten is closed by the garbage collector, whichever thread that runs in.
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    return database


__all__ = ["Seen", "temporary_database"]
