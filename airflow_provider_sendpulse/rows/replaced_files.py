# SPDX-License-Identifier: Apache-2.0
"""Files that are written as a whole: on this machine readable by their owner only, or in a store."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from airflow_provider_sendpulse.rows.storage import is_local


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[TextIO]:
    """Open a file that is to be replaced; on this machine that happens at once, when all of it is written.

    :param path: an ``ObjectStoragePath``; folders that are missing are made
    """
    if is_local(path):
        with _replacing_here(Path(path.path)) as stream:
            yield stream
        return
    try:
        raw = path.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = path.open("wb")
    with raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        yield stream
        stream.flush()
        stream.detach()


def why_not_writable(path: Any, told: str) -> str | None:
    """Return why a file of this machine cannot be written, or ``None``; of a store nothing is known before.

    :param told: the path as it is told in messages
    """
    if not is_local(path):
        return None
    folder = next(folder for folder in Path(path.path).parents if folder.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return None
    return f"{told} cannot be written: {folder} is not a folder that this task may write to."


@contextlib.contextmanager
def _replacing_here(path: Path) -> Iterator[TextIO]:
    """Write beside the file and put it into its place when it is complete."""
    for folder in reversed([folder for folder in path.parents if not folder.exists()]):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=stat.S_IRWXU)
    # The suffix stays the same, so that rejects which a killed process left are deleted in their time like any other.
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(part, flags, stat.S_IRUSR | stat.S_IWUSR), "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


__all__ = ["replacing", "why_not_writable"]
