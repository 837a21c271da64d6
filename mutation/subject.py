# SPDX-License-Identifier: Apache-2.0
"""What is mutated, and the fast tests that must notice."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "airflow_provider_sendpulse"
ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "mutation"
_NEEDED = (PACKAGE, "tests", "pyproject.toml")


@dataclass(frozen=True)
class Subject:
    """A module and its tests.

    :param path: below the package
    :param tests: files of tests
    :param chosen: which of them, as for ``pytest -k``
    """

    path: str
    tests: tuple[str, ...]
    chosen: str = "test"

    @property
    def file(self) -> str:
        """The module's path from the project's root."""
        return f"{PACKAGE}/{self.path}"

    def copy(self, name: str) -> Path:
        """Return a copy of the project to mutate; the work tree itself is never touched."""
        folder = BUILD / f"{Path(self.path).stem}-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__")
        for needed in _NEEDED:
            source = ROOT / needed
            if source.is_dir():
                shutil.copytree(source, folder / needed, ignore=ignored)
            else:
                shutil.copy(source, folder / needed)
        return folder


_MAILING = (
    "tests/jobs/test_mailing_log.py",
    "tests/jobs/test_mailing.py",
    "tests/jobs/test_generations.py",
    "tests/jobs/test_intent.py",
)
_POLICY = ("tests/api/test_policy.py", "tests/api/test_redact.py::test_no_failure_shows_anything")
# The policy does no I/O, so one of its two drivers will do.
_ONE_DRIVER = "not httpx"

SUBJECTS = (
    Subject("sendpulse/statuses.py", ("tests/sendpulse/test_statuses.py",)),
    Subject("jobs/one_of_a_kind.py", _MAILING),
    Subject("jobs/mailing.py", _MAILING),
    Subject("jobs/waiting.py", ("tests/jobs/test_waiting.py",)),
    Subject("api/policy.py", _POLICY, _ONE_DRIVER),
    Subject("api/token.py", ("tests/api/test_token.py", *_POLICY), _ONE_DRIVER),
)
