# SPDX-License-Identifier: Apache-2.0
"""The mutants that mutmut makes: inside functions and methods."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from mutation.mutant import Mutant
from mutation.subject import PACKAGE, Subject

_SETTINGS = """
[tool.mutmut]
source_paths = ["{package}"]
only_mutate = ["{file}"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "{chosen}"]
pytest_add_cli_args_test_selection = [{tests}]
timeout_multiplier = 6.0
timeout_constant = 15.0
"""
_KILLED = {"killed", "timeout", "segfault", "caught by type check"}


def mutate_functions(subject: Subject, workers: int) -> list[Mutant]:
    """Run every mutant of a module's functions; only the tests that reach a function are run for it."""
    folder = subject.copy("functions")
    tests = ", ".join(f'"{test}"' for test in subject.tests)
    with (folder / "pyproject.toml").open("a") as settings:
        settings.write(_SETTINGS.format(package=PACKAGE, file=subject.file, tests=tests, chosen=subject.chosen))
    log = folder / "mutmut.log"
    with log.open("w") as output:
        _mutmut(folder, "run", "--max-children", str(workers), stdout=output)
    mutants = []
    for line in _mutmut(folder, "results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        killed = status in _KILLED
        if status == "not checked":
            raise SystemExit(f"{subject.file}: mutmut has not finished, see {log}")
        diff = [] if killed else _mutmut(folder, "show", name).splitlines()
        mutants.append(Mutant.of(subject.path, diff, killed=killed))
    return mutants


def _mutmut(folder: Path, *arguments: str, stdout: int | IO[str] = subprocess.PIPE) -> str:
    # Not as a module: that would put the unmutated package before the mutated one.
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        told = done.stdout or f"see {folder}/mutmut.log"
        raise SystemExit(f"{' '.join(command)} failed: {told}")
    return done.stdout or ""
