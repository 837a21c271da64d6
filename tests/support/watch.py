# SPDX-License-Identifier: Apache-2.0
"""Looks for what must not show in everything that a task tells, and in all files."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from canaries import CANARIES
from told import told

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS


class Watch:
    """A search for canaries.

    :param capfd: pytest's capture of what is written to the process's outputs
    :param written: a folder with all files that a task can write, and where none may hold a canary
    :param kept: a folder for what is meant to hold what is known of people
    :param others: returns what else must not show, such as tokens that were given meanwhile
    """

    def __init__(self, capfd: Any, written: Path, kept: Path, others: Callable[[], Iterable[str]] = tuple) -> None:
        self._capfd = capfd
        self.written = written
        self.kept = kept
        self._others = others

    def begin(self) -> None:
        """Forget what was written to the outputs so far."""
        self._capfd.readouterr()

    def result(self, result: Any, *upstream: str) -> None:
        """Look into what a task told, and into the files.

        :param upstream: tasks whose XComs hold people
        """
        self.words(
            {
                "log": result.log,
                "rendered": json.dumps(result.rendered, ensure_ascii=False),
                "XCom": str({place: value for place, value in result.api.xcoms.items() if place[0] not in upstream}),
                "state store": json.dumps(result.api.store, ensure_ascii=False),
                "reports, with the arguments of triggers": json.dumps(result.api.reported, ensure_ascii=False),
                "event": json.dumps(result.event, ensure_ascii=False),
                "error": told(result.error),
                "reason of a retry": retry_reason(result.error),
                **self._outputs(),
            }
        )
        self.files()

    def texts(self, **places: str) -> None:
        """Look into texts, the process's outputs and the files."""
        self.words({**places, **self._outputs()})
        self.files()

    def words(self, places: dict[str, str]) -> None:
        """Look into texts by where they were found."""
        canaries = (*CANARIES, *self._others())
        for place, text in places.items():
            if not any(canary in text for canary in canaries):
                continue
            # The emulator's own server writes the paths that it serves.
            ours = "\n".join(line for line in text.splitlines() if "uvicorn" not in line)
            for canary in canaries:
                assert canary not in ours, f"{canary} in {place}"

    def files(self) -> None:
        """Look into the files, and at who may read them."""
        canaries = [canary.encode() for canary in (*CANARIES, *self._others())]
        for path in self.written.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            if path.is_file():
                assert mode & 0o177 == 0, f"{path} has mode {mode:o}"
                content = path.read_bytes()
                assert not any(canary in content for canary in canaries), path
            elif "cache" in path.name or "cache" in path.parent.name:
                assert mode == 0o700 or path.name == "cache", f"{path} has mode {mode:o}"
        for path in self.kept.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert not path.is_file() or mode & 0o177 == 0, f"{path} has mode {mode:o}"

    def _outputs(self) -> dict[str, str]:
        output = self._capfd.readouterr()
        return {"stdout": output.out, "stderr": output.err}


def retry_reason(error: BaseException | None) -> str:
    """What Airflow is told by the retry policy, which it logs and stores."""
    if error is None or not AIRFLOW_V_3_3_PLUS:
        return ""
    from airflow_provider_sendpulse.retry_policy import SendPulseRetryPolicy

    return repr(SendPulseRetryPolicy(unavailable_delay=5.0).evaluate(error, 1, 3))


__all__ = ["Watch", "retry_reason"]
