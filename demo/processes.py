# SPDX-License-Identifier: Apache-2.0
"""The demo's own processes: each in a session of its own, and none left when the demo is over.

A task that Airflow starts moves into a process group of its own, and outlives a scheduler that is killed. It stays in
the session of whoever started it, though, so it is whole sessions that are ended here, and no others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.failure import DemoFailed
from demo.folders import OUTPUT, PROJECT, shown

PATIENCE = 5.0
"""Seconds that a process may take to end when asked to."""


class Child:
    """A running process, with its output in a file."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self.name = name
        self.output = output
        self._command = command
        self._environment = environment
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process, anew if it has ended."""
        with self.output.open("ab") as file:
            self.process = subprocess.Popen(  # noqa: S603
                self._command,
                cwd=PROJECT,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def require_running(self) -> None:
        """Fail when the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise DemoFailed(
                f"The {self.name} has ended ({_described(code)}) while it was needed. The end of {shown(self.output)}:\n"
                + tail(self.output)
            )


class Processes:
    """Everything the demo started. Leaving the block ends it all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._children: list[Child] = []
        # Ends the sessions if this process is killed before it can do so itself.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "demo.keeper"], cwd=PROJECT, stdin=subprocess.PIPE, start_new_session=True
        )

    def start(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start a process."""
        child = Child(name, command, {**self._environment, **(environment or {})}, OUTPUT / f"{name}.log")
        self._tell_keeper(f"+{child.process.pid}")
        self._children.append(child)
        return child

    def start_again(self, child: Child) -> None:
        """Start a process that has ended once more, as a process manager would: what it has left behind ends first."""
        session = child.process.pid
        end_sessions({session}, reap=[child.process])
        self._tell_keeper(f"-{session}")
        self._tell_keeper(f"+{child.start().pid}")

    def child(self, name: str) -> Child:
        """Return the running process of a name."""
        return next(child for child in self._children if child.name == name)

    def name_of(self, session: int) -> str | None:
        """Return which of these processes a session was begun by."""
        return next((child.name for child in self._children if child.process.pid == session), None)

    def run(self, name: str, *command: str, timeout: float) -> None:
        """Run a process to its end."""
        child = self.start(name, *command)
        self.finish(child, timeout=timeout)

    def finish(self, child: Child, *, timeout: float) -> None:
        """Wait until a process has done its work."""
        try:
            code = child.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise DemoFailed(
                f"{child.name} took more than {timeout:.0f} s. The end of {shown(child.output)}:\n" + tail(child.output)
            ) from None
        if code != 0:
            raise DemoFailed(
                f"{child.name} failed ({_described(code)}). The end of {shown(child.output)}:\n" + tail(child.output)
            )
        self._children.remove(child)
        self._tell_keeper(f"-{child.process.pid}")

    def require_running(self) -> None:
        """Fail when anything that should be running is not."""
        for child in self._children:
            child.require_running()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """End every process, by force where asking does not help."""
        sessions = {child.process.pid for child in self._children}
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        end_sessions(sessions, reap=[child.process for child in self._children])
        self._children.clear()
        for session in sessions:
            self._tell_keeper(f"-{session}")
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()

    def _tell_keeper(self, line: str) -> None:
        if self._keeper.stdin is None:
            return
        try:
            self._keeper.stdin.write(f"{line}\n".encode())
            self._keeper.stdin.flush()
        except BrokenPipeError:
            # Somebody ended the keeper. It is needed only if this process is killed as well.
            self._keeper.stdin = None


def end_sessions(sessions: set[int], *, reap: Iterable[subprocess.Popen[bytes]] = ()) -> None:
    """Wait for the end of all processes of some sessions, and kill what does not end.

    :param sessions: the ids, which are those of the processes that were started
    :param reap: those processes, to collect their exit codes
    """
    children = list(reap)
    begun = time.monotonic()
    asked: set[int] = set()
    while members := _members(sessions):
        for child in children:
            child.poll()
        waited = time.monotonic() - begun
        if waited > PATIENCE:
            for pid in members:
                _signal(pid, signal.SIGKILL)
        elif not sessions.intersection(members):
            # Nobody is left who would end these.
            for pid in set(members) - asked:
                ask_to_end(pid)
                asked.add(pid)
        if waited > 2 * PATIENCE:
            # Only the dead remain, and whoever should collect them does not.
            return
        time.sleep(0.05)


def _members(sessions: set[int]) -> list[int]:
    """Return the processes of some sessions."""
    return [pid for pid in _all_processes() if _session(pid) in sessions]


def _all_processes() -> list[int]:
    processes = Path("/proc")
    if (processes / "self").exists():
        return [int(entry.name) for entry in processes.iterdir() if entry.name.isdigit()]
    listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)  # noqa: S607
    return [int(pid) for pid in listing.stdout.split()]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def ask_to_end(pid: int) -> None:
    """Ask a process to end."""
    _signal(pid, signal.SIGTERM)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def tail(path: Path, lines: int = 12, width: int = 180) -> str:
    """Return the last lines of a file, long ones cut."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return "    (no output)"
    return "\n".join("    " + line[:width] for line in text.splitlines()[-lines:]) or "    (no output)"


def airflow(*arguments: str) -> Sequence[str]:
    """Return the command line of an Airflow command of this environment."""
    return [str(Path(sys.executable).with_name("airflow")), *arguments]


def _described(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"


__all__ = ["Child", "Processes", "airflow", "ask_to_end", "end_sessions", "tail"]
