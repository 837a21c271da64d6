# SPDX-License-Identifier: Apache-2.0
"""No process of the demo stays behind, in whatever way it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo import processes as subject
from demo.failure import DemoFailed
from demo.processes import Processes

PROJECT = Path(__file__).resolve().parents[2]

# Like a scheduler: starts a task, which moves into a process group of its own and does not listen when asked to end.
FAMILY = """
import os, signal, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""

# A demo that is about to be killed.
DEMO = """
import sys, time
from pathlib import Path
from demo import processes
processes.OUTPUT = Path(sys.argv[1]).parent
processes.Processes({}).start("family", sys.executable, "-c", sys.argv[2], sys.argv[1])
time.sleep(60)
"""


def task_of(place: Path) -> int:
    deadline = time.monotonic() + 10
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(place.read_text())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(subject, "OUTPUT", tmp_path)
    monkeypatch.setattr(subject, "PATIENCE", 0.5)
    return tmp_path / "task"


def test_ending_ends_tasks_in_groups_of_their_own(place: Path) -> None:
    with Processes({}) as running:
        child = running.start("family", sys.executable, "-c", FAMILY, str(place))
        task = task_of(place)
    assert not is_running(task)
    assert child.process.returncode is not None


def test_a_task_is_ended_though_its_parent_was_killed(place: Path) -> None:
    with Processes({}) as running:
        child = running.start("family", sys.executable, "-c", FAMILY, str(place))
        task = task_of(place)
        child.process.kill()
        child.process.wait()
        with pytest.raises(DemoFailed, match="SIGKILL"):
            running.require_running()
    assert not is_running(task)


def test_others_are_left_alone(place: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with Processes({}) as running:
            running.start("family", sys.executable, "-c", FAMILY, str(place))
            task_of(place)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_keeper_clears_up_after_a_killed_demo(tmp_path: Path) -> None:
    place = tmp_path / "task"
    command = [sys.executable, "-c", DEMO, str(place), FAMILY.replace("signal.SIG_IGN", "signal.SIG_DFL")]
    demo = subprocess.Popen(command, cwd=PROJECT)
    task = task_of(place)
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    deadline = time.monotonic() + 15
    while is_running(task):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_a_failed_process_said_is_told(place: Path) -> None:
    with Processes({}) as running, pytest.raises(DemoFailed, match=r"exit status 3(.|\n)*no such table"):
        running.run("step", sys.executable, "-c", "print('no such table'); raise SystemExit(3)", timeout=10)
