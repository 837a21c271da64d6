# SPDX-License-Identifier: Apache-2.0
"""The witness knows who waits for an answer, and whether they are dead."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import psutil

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from torture.witness import WitnessedRequests, is_over

TASK = "01a2013f-7c5c-7844-b703-501b4d1efaa7"
# A process with the title that Airflow gives to a task's.
ASK = """
import sys, httpx, setproctitle
setproctitle.setproctitle(f"airflow worker -- {sys.argv[2]}")
try:
    httpx.get(sys.argv[1] + "/addressbooks", trust_env=False)
except httpx.HTTPError:
    sys.exit(7)
"""


def test_sender_component_and_task_are_seen() -> None:
    with RunningEmulator() as emulator:
        witnessed = emulator.emulator.requests = WitnessedRequests({os.getsid(0): "scheduler"}.get)
        child = subprocess.Popen([sys.executable, "-c", ASK, emulator.url, TASK])
        assert child.wait(30) == 0
        httpx.get(emulator.url + "/balance", trust_env=False)
    first, second = (witnessed.senders[record.number] for record in witnessed.records())
    assert (first.process.pid, first.component, first.task_instance) == (child.pid, "scheduler", TASK)
    assert first.parent == psutil.Process()
    assert (second.process.pid, second.task_instance) == (os.getpid(), None)
    assert is_over(first.process)
    assert not is_over(second.process)


def test_the_process_that_a_fault_kills_is_the_one_that_was_seen() -> None:
    with RunningEmulator() as emulator:
        witnessed = emulator.emulator.requests = WitnessedRequests(lambda _: None)
        fault = emulator.faults.add("kill", operation="address_books.list")
        child = subprocess.Popen([sys.executable, "-c", ASK, emulator.url, TASK])
        assert child.wait(30) == -9
    [record] = witnessed.records()
    assert record.fault == fault.id
    assert witnessed.senders[record.number].process.pid == child.pid
    assert is_over(witnessed.senders[record.number].process)
