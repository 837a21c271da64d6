# SPDX-License-Identifier: Apache-2.0
"""``make torture``: kill the examples wherever they ask something of a service, and count what arrived."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Self

from demo.failure import DemoFailed, Stopped, stop_on_signals
from demo.processes import end_sessions
from torture.airflow_matrix import AirflowMatrix, RunningAirflow
from torture.subjects.every import SUBJECTS, subjects_of
from torture.subjects.subject import Subject

LONGEST = 90 * 60.0
"""Seconds after which it stops by itself."""


def main() -> int:
    """Run the tables and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m torture.run", description=__doc__)
    names = sorted({name for subject in SUBJECTS for name in (subject.name, subject.file)})
    parser.add_argument(
        "--example", choices=names, help="only this one, or those of this file; all without it", metavar="NAME"
    )
    parser.add_argument("--part", type=int, choices=(1, 2), help="1: every request; 2: every kind of call, under Airflow")
    parser.add_argument("--rows", type=numbers, default=frozenset(), help="numbers in the first column, such as 3,8-11")
    parser.add_argument("--beside", action="store_true", help="end when the standard input ends")
    options = parser.parse_args()
    first, second = subjects_of(options.example), subjects_of(options.example, under_airflow=True)
    if options.rows and (not options.part or len(first if options.part == 1 else second) != 1):
        parser.error("--rows needs --part and --example: every example of either part counts from the beginning")
    if options.part == 2 and not second:
        parser.error(f"there is no part 2 of {options.example}")
    # Airflow and the emulator run within this process, too. The table is what is wanted here.
    logging.disable(logging.CRITICAL)
    stop_on_signals()
    if options.beside:
        threading.Thread(target=end_with_input, daemon=True).start()
    began = time.monotonic()
    deadline = began + LONGEST
    try:
        if options.part == 1 or not second:
            failed = part_1(first, options.rows, deadline)
        elif options.part == 2:
            failed = part_2(second, options.rows, deadline)
        else:
            # Each has its own accounts and its own records, and waits for something most of the time.
            chosen = ("--example", options.example) if options.example else ()
            with Beside("--part", "1", *chosen) as beside:
                failed = part_2(second, options.rows, deadline) + beside.failed()
    except DemoFailed as failure:
        print(f"\nThe torture has failed: {failure}", file=sys.stderr, flush=True)
        return 1
    except Stopped as stopped:
        print(f"\nStopped by {signal.Signals(stopped.signal_number).name}.", file=sys.stderr, flush=True)
        return 128 + stopped.signal_number
    if not options.beside:
        well = "Nobody was reached twice, and whoever was not is said to be in doubt."
        say(f"\n{f'{failed} rows failed.' if failed else well}")
    say(f"{time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def part_1(subjects: Sequence[Subject], only: Collection[int], deadline: float) -> int:
    """Run the first part in a folder of its own, and return how many rows failed."""
    say("Part 1: every request, in Airflow's task runner\n")
    failed = 0
    with quiet_processes(), tempfile.TemporaryDirectory(prefix="sendpulse-torture-") as folder:
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        from torture.requests_matrix import RequestsMatrix  # this imports Airflow, which wants its folder to exist

        for subject in subjects:
            began = time.monotonic()
            with RequestsMatrix(subject, say, Path(folder)) as matrix:
                failed += told(*matrix.run(only, deadline), began)
    return failed


def part_2(subjects: Sequence[Subject], only: Collection[int], deadline: float) -> int:
    """Run the second part under one Airflow, and return how many rows failed."""
    say("Part 2: every kind of call, under Airflow's scheduler, worker and triggerer\n")
    failed = 0
    with RunningAirflow(subjects) as running:
        for subject in subjects:
            began = time.monotonic()
            failed += told(*AirflowMatrix(subject, running, say).run(only, deadline), began)
    return failed


@contextlib.contextmanager
def quiet_processes() -> Iterator[None]:
    """Keep what task processes print, which is what Airflow's listeners have to say, out of the table."""
    terminal, printing = os.dup(1), sys.stdout
    silence = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    os.dup2(silence, 1)
    sys.stdout = os.fdopen(os.dup(terminal), "w")
    try:
        yield
    finally:
        sys.stdout.close()
        sys.stdout = printing
        os.dup2(terminal, 1)
        os.close(silence)
        os.close(terminal)


def told(rows: int, failed: int, began: float) -> int:
    """Say what a table has come to, and return how many of its rows failed."""
    say(f"\n{rows} rows, {failed} failed, {time.monotonic() - began:.0f} s\n")
    return failed


class Beside:
    """A part that runs beside this process, and ends with it at the latest. Its table is printed when it is whole."""

    def __init__(self, *options: str) -> None:
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed on leaving the block
        command = [sys.executable, "-m", "torture.run", "--beside", *options]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def failed(self) -> int:
        """Wait for its end, print what it had to say, and return 1 if not all was well."""
        stop_on_signals()  # the other part has cleared up, undisturbed
        code = self._process.wait()
        self._output.seek(0)
        say("\n" + self._output.read().rstrip())
        return 1 if code else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        end_sessions({self._process.pid}, reap=[self._process])
        self._output.close()


def end_with_input() -> None:
    """End this process when its standard input ends, which is when whoever has started it does."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def numbers(text: str) -> frozenset[int]:
    """Return the numbers of a list such as ``3,8-11``."""
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        chosen.update(range(int(first), int(last or first) + 1))
    return frozenset(chosen)


def say(line: str) -> None:
    """Print a line of the table."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
