# SPDX-License-Identifier: Apache-2.0
"""Where the demo keeps what it generates: everything below ``.demo/``, made anew by every run."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.failure import DemoFailed

PROJECT = Path(__file__).resolve().parents[1]
ROOT = PROJECT / ".demo"
AIRFLOW_HOME = ROOT / "airflow"
TASK_LOGS = AIRFLOW_HOME / "logs"
METADATA = AIRFLOW_HOME / "airflow.db"
DAGS = ROOT / "dags"
OUTPUT = ROOT / "output"
CACHE = ROOT / "cache"
SHOP = ROOT / "shop.db"
EXAMPLES = ("weekly_digest.py", "weekly_digest.html", "esputnik_audience.py", "sendpulse_to_esputnik.py")


@contextmanager
def fresh_folders() -> Iterator[None]:
    """Remove what an earlier run left, and keep other runs out meanwhile."""
    ROOT.mkdir(exist_ok=True)
    with (ROOT / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(f"Another demo is running in {ROOT}. End it first.") from None
        for folder in (AIRFLOW_HOME, DAGS, OUTPUT, CACHE):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for leftover in ROOT.glob(SHOP.name + "*"):
            leftover.unlink()
        for name in EXAMPLES:
            shutil.copy(PROJECT / "example_dags" / name, DAGS / name)
        yield


def shown(path: Path) -> str:
    """Return a path as a person in the project's folder would type it."""
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)


__all__ = [
    "AIRFLOW_HOME",
    "CACHE",
    "DAGS",
    "METADATA",
    "OUTPUT",
    "PROJECT",
    "ROOT",
    "SHOP",
    "TASK_LOGS",
    "fresh_folders",
    "shown",
]
