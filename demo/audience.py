# SPDX-License-Identifier: Apache-2.0
"""The same shop with eSputnik: its audience is imported, and the address book of SendPulse moves over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.airflow_api import AirflowApi
from demo.emulator_api import EmulatorApi
from demo.failure import DemoFailed
from demo.followed_run import FollowedRun, Run
from demo.processes import Processes
from demo.progress import Progress
from demo.week import Outcome

IMPORT = "esputnik_audience"
MOVE = "sendpulse_to_esputnik"
_START_TIMEOUT = 60.0


@dataclass(frozen=True)
class Audience:
    """What eSputnik holds after both runs.

    :param seconds: how long both took
    :param account: the account in eSputnik
    :param reported: what the import has reported
    """

    seconds: float
    account: Mapping[str, Any]
    reported: Mapping[str, int]

    def members(self, segment: str) -> list[str]:
        """Return the addresses of a segment's contacts."""
        emails = {contact["id"]: _email(contact) for contact in self.account["contacts"]}
        [found] = [item for item in self.account["segments"] if item["name"] == segment]
        return [emails[number] for number in found["contacts"]]

    def told(self, event_type: str) -> list[str]:
        """Return the keys of the events of a type."""
        return [event["keyValue"] for event in self.account["events"] if event["eventTypeKey"] == event_type]


class FollowedAudience:
    """Runs both examples, and says what changes in eSputnik.

    :param last: the week whose buyers are imported, and whose address book moves
    """

    def __init__(
        self, last: Outcome, airflow: AirflowApi, emulator: EmulatorApi, processes: Processes, progress: Progress
    ) -> None:
        self._last = last
        self._airflow = airflow
        self._emulator = emulator
        self._processes = processes
        self._progress = progress
        self._seen: dict[str, Any] = {}

    def run(self) -> Audience:
        """Trigger the runs, one after the other, and follow them.

        :raises DemoFailed: as soon as a task fails or is to be tried again, or a process has ended
        """
        begun = time.monotonic()
        imported = self._followed(IMPORT, {})
        self._followed(MOVE, {"address_book_id": self._last.book_id})
        account = self._emulator.esputnik()
        return Audience(time.monotonic() - begun, account, dict(imported.result("report")))

    def _followed(self, dag_id: str, conf: Mapping[str, object]) -> FollowedRun:
        run = Run(dag_id, f"{dag_id}-{self._last.week.end}", "eSputnik")
        start, end = self._last.week.interval
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._airflow.has_dag(dag_id):
            self._processes.require_running()
            if time.monotonic() > deadline:
                raise DemoFailed(f"Airflow has not read {dag_id} after {_START_TIMEOUT:.0f} s.")
            time.sleep(0.25)
        self._airflow.unpause(dag_id)
        followed = FollowedRun(run, self._airflow, self._processes, self._progress)
        followed.say(f"run of {dag_id}")
        self._airflow.trigger(dag_id, run_id=run.run_id, start=start, end=end, conf=conf)
        followed.to_its_end(lambda: self._look(followed))
        return followed

    def _look(self, followed: FollowedRun) -> None:
        account = self._emulator.esputnik()
        now = {
            "sessions": [f"{item['status']}" for item in account["imports"]],
            "contacts": len(account["contacts"]),
            "events": len(account["events"]),
        }
        for name, value in now.items():
            if self._seen.get(name, type(value)()) != value:
                followed.say(f"    eSputnik: {name} {', '.join(value) if isinstance(value, list) else value}")
        self._seen = now


def _email(contact: Mapping[str, Any]) -> str:
    return next(str(channel["value"]) for channel in contact["channels"] if channel["type"] == "email")


__all__ = ["IMPORT", "MOVE", "Audience", "FollowedAudience"]
