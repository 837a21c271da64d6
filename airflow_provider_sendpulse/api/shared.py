# SPDX-License-Identifier: Apache-2.0
"""Small pieces of state that all processes of a host share, as files under the user's cache directory.

A file is only ever replaced whole and readable by its owner alone; a lock is held for the few microseconds of one
change and never while anything waits. Where no directory can be used, the state lives in this process's memory and one
warning says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import random
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from airflow_provider_sendpulse.api.clock import Clock

R = TypeVar("R")
Record = dict[str, Any]
Change = Callable[[Record | None], tuple[Record | None, R]]

log = logging.getLogger(__name__)


class Busy(Exception):
    """Somebody else is changing the same record at this moment; try again in a few milliseconds."""


class Store(Protocol):
    """Named records that many may change."""

    remote: bool
    """Whether a change may have to wait for a network, so that it has no place in an event loop's own thread."""

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record without ever waiting.

        :param change: receives the record or ``None``, answers with the new one (``None`` leaves it as it is) and a
            result; it must be free of side effects
        :raises Busy: when the record is locked
        """
        ...


def update(store: Store, key: str, change: Change[R], clock: Clock) -> R:
    """Change one record, and wait a moment whenever somebody else is changing it."""
    while True:
        try:
            return store.try_update(key, change)
        except Busy:
            clock.sleep(random.uniform(0.001, 0.01))


class MemoryStore:
    """Records in this process's memory."""

    remote = False

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._lock = threading.Lock()

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record."""
        with self._lock:
            record, result = change(self._records.get(key))
            if record is not None:
                self._records[key] = record
            return result


class FileStore:
    """Records as files in one directory.

    :param directory: created with mode 0700 when it is missing
    :raises OSError: when the directory cannot be used or could be changed by other users
    """

    remote = False

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        owned = directory.stat()
        if owned.st_uid != os.geteuid():
            raise PermissionError(f"{directory} belongs to another user")
        if stat.S_IMODE(owned.st_mode) & 0o077:
            directory.chmod(0o700)
        self._directory = directory

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record, holding its lock only for the change."""
        path = self._directory / f"{key}.json"
        with self._locked(key):
            record, result = change(_read(path))
            if record is not None:
                _replace(path, record)
            return result

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        # A file of its own: the record itself is replaced by renaming, so a lock on it would lock a ghost.
        descriptor = os.open(self._directory / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(key) from None
            yield
        finally:
            os.close(descriptor)


class HostStore:
    """The directory of this user on this host, or memory when there is none that can be used."""

    remote = False

    def __init__(self, directory: Path | None = None) -> None:
        self._memory = MemoryStore()
        self._files: FileStore | None = None
        try:
            self._files = FileStore(directory or cache_directory())
        except (OSError, RuntimeError) as error:
            self._give_up(error)

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record; when the files fail, go on in memory."""
        if self._files is not None:
            try:
                return self._files.try_update(key, change)
            except OSError as error:
                self._give_up(error)
        return self._memory.try_update(key, change)

    def _give_up(self, error: Exception) -> None:
        self._files = None
        log.warning(
            "No cache directory can be used (%s): every process fetches its own token and counts its own requests. "
            "Set XDG_CACHE_HOME to a directory that only this user can write, or use a static API key and divide "
            "requests_per_second among the processes.",
            error.__class__.__name__ if not isinstance(error, OSError) else error.strerror or error,
        )


def cache_directory() -> Path:
    """Return where the records live: ``$XDG_CACHE_HOME`` or ``~/.cache``, then the package's name."""
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "airflow-provider-sendpulse"


_host_stores: dict[Path | None, HostStore] = {}


def host_store() -> HostStore:
    """Return this process's one :class:`HostStore`, so that its warning is given once."""
    try:
        directory: Path | None = cache_directory()
    except RuntimeError:  # no home directory
        directory = None
    if directory not in _host_stores:
        _host_stores[directory] = HostStore(directory)
    return _host_stores[directory]


def _read(path: Path) -> Record | None:
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # a damaged record is as good as none
        return None
    return value if isinstance(value, dict) else None


def _replace(path: Path, record: Record) -> None:
    # mkstemp creates with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(record).encode())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


__all__ = [
    "Busy",
    "Change",
    "FileStore",
    "HostStore",
    "MemoryStore",
    "Record",
    "Store",
    "cache_directory",
    "host_store",
    "update",
]
