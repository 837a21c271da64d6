# SPDX-License-Identifier: Apache-2.0
"""Rejects in a file: on this machine, readable by its owner only, or in a store behind an Airflow connection."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.rejects import RETENTION, Entry, TaskRun, as_text
from airflow_provider_sendpulse.rows.rejects_format import NotOurs, format_of
from airflow_provider_sendpulse.rows.replaced_files import replacing, why_not_writable
from airflow_provider_sendpulse.rows.storage import as_template, is_local, storage_path


class RejectsFile:
    """Rejected rows in one file per task instance, CSV or JSON Lines by its suffix.

    :param path: an absolute path, or a URL such as ``s3://my_connection@bucket/rejects/{{ run_id }}.csv`` (templated). With
        the run's id in it every run has a file; without it, the file holds what the last run wrote. A mapped task needs
        ``{{ ti.map_index }}`` in it.
    :param retention: after this time the file is deleted by this task, or by another one that writes to the same folder and
        keeps its files no longer; ``None`` keeps it
    """

    template_fields: Sequence[str] = ("path",)

    def __init__(self, path: str | os.PathLike[str], *, retention: timedelta | None = RETENTION) -> None:
        self.path: str | os.PathLike[str] = as_template(path)
        self.retention = retention

    def prepare(self, run: TaskRun) -> None:
        """See whether the file may be written.

        :raises InvalidRequest: when there is another file, or that of another task
        """
        path = self._place()
        self._check(path, run)
        if trouble := why_not_writable(path, str(self)):
            raise InvalidRequest(trouble)

    def replace(self, run: TaskRun, entries: Iterable[Entry]) -> None:
        """Write the file anew; when there is nothing to write there is none."""
        path = self._place()
        _, form = format_of(path.name)
        self._check(path, run)
        if next(iter(entries), None) is None:
            path.unlink(missing_ok=True)
            return
        with replacing(path) as stream:
            form.write(stream, entries)

    def expire(self, now: datetime) -> int:
        """Delete the rejects in the same folder whose time has come; any other file stays."""
        place = self._place()
        suffix, form = format_of(place.name)
        if self.retention is None or not place.parent.exists():
            return 0
        deleted = 0
        # What was written since cannot be old. That spares reading all of a big folder.
        since = (now - self.retention).timestamp()
        for path in place.parent.iterdir():
            if not path.name.endswith(suffix) or not _is_plain(path) or _changed(path) > since:
                continue
            with contextlib.suppress(FileNotFoundError, NotOurs):  # somebody else has deleted it, or it is not ours
                expires = (_first(path, form) or {}).get("expires_at")
                if isinstance(expires, str) and expires < as_text(now):
                    path.unlink()
                    deleted += 1
        return deleted

    def _place(self) -> Any:
        path = storage_path(self.path, "rejects")
        format_of(path.name)
        return path

    def _check(self, path: Any, run: TaskRun) -> None:
        if not path.exists():
            return
        _, form = format_of(path.name)
        try:
            first = _first(path, form) if path.is_file() else {}
        except NotOurs:
            first = {}
        if first is None:
            return
        if not first:
            raise InvalidRequest(f"{self} exists and holds no rejects: it is not overwritten.")
        same = ("dag_id", "task_id", "map_index")
        if any(first[name] != run.as_entry()[name] for name in same):
            whose = " ".join(f"{name}={first[name]}" for name in same)
            raise InvalidRequest(
                f"{self} holds the rejects of another task ({whose}): it is not overwritten. Every task needs a file of "
                "its own, and a mapped one {{ ti.map_index }} in its path."
            )

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"RejectsFile({str(self.path)!r})"


def _is_plain(path: Any) -> bool:
    return bool(path.is_file()) and not (is_local(path) and Path(path.path).is_symlink())


def _changed(path: Any) -> float:
    """Return when a file was changed, in seconds since the epoch; 0.0 where the store does not tell."""
    try:
        return float(path.stat().st_mtime)
    except (AttributeError, KeyError, TypeError, ValueError, FileNotFoundError):
        return 0.0


def _first(path: Any, form: Any) -> Entry | None:
    """Return the first entry of a file, or ``None`` for a file without any content.

    :raises NotOurs: for a file that was not written here
    """
    with path.open("rb") as raw:
        if not raw.read(1):
            return None
    with _reading(path) as stream:
        found: Entry | None = next(form.read(stream), None)
    if found is None:
        raise NotOurs
    return found


@contextlib.contextmanager
def _reading(path: Any) -> Iterator[TextIO]:
    with path.open("rb") as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        yield stream
        stream.detach()


__all__ = ["RejectsFile"]
