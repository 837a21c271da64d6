# SPDX-License-Identifier: Apache-2.0
"""SendPulse's own clients, fetched for the length of a test and spoken to in a process of their own.

A client is driven by a small program of ours: it reads a call as JSON from each line of its input and writes what the
client answers to it as JSON into a line of its output.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from services import unavailable

ANSWER_TIMEOUT = 20.0
INSTALL_TIMEOUT = 120.0


class ForeignClient:
    """A client in a process of its own. Calling it calls a method of the client, by name."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )

    def __call__(self, method: str, *given: Any) -> Any:
        """Return what the client answers."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"method": method, "given": given}) + "\n")
        stdin.flush()
        # Only one answer is ever under way, so nothing can wait in the buffer where select() does not see it.
        ready, _, _ = select.select([stdout], [], [], ANSWER_TIMEOUT)
        line = stdout.readline() if ready else ""
        assert line, f"{method}: the client gave no answer\n{self._said()}"
        return json.loads(line)

    def __enter__(self) -> ForeignClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def _said(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()[-4000:]


@contextmanager
def from_npm(package: str) -> Iterator[str]:
    """Install a package and give the folder with its modules; or skip the test, or fail it where ``CI`` is true."""
    quiet = ["--no-save", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error"]
    with tempfile.TemporaryDirectory(prefix="npm-") as folder:
        own = ["--prefix", folder, "--cache", f"{folder}/cache", "--logs-max=0"]
        _run(package, ["node", "--version"])
        _run(package, ["npm", "install", *quiet, *own, package])
        yield folder


@contextmanager
def from_pip(*packages: str) -> Iterator[str]:
    """Install packages and give the folder with their modules; or skip the test, or fail it where ``CI`` is true.

    :param packages: all that is needed and not in the environment of the tests: nothing else is installed for them
    """
    quiet = ["-q", "--disable-pip-version-check", "--no-cache-dir", "--no-compile"]
    with tempfile.TemporaryDirectory(prefix="pip-") as folder:
        _run(packages[0], [sys.executable, "-m", "pip", "install", *quiet, "--no-deps", "--target", folder, *packages])
        yield folder


def called_in(test_file: str, client: str) -> set[str]:
    """Return the methods that a file of tests calls of a client by its name there."""
    return set(re.findall(rf"\b{client}\(\s*\"(\w+)\"", Path(test_file).read_text()))


def _run(package: str, command: list[str]) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        unavailable(f"{package} cannot be installed: {error}")
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if "error" in line.lower()] or ["no word of it"]
        unavailable(f"{package} cannot be installed: {Path(command[0]).name} ended with {ended.returncode}, {said[0]}")
