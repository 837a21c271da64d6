# SPDX-License-Identifier: Apache-2.0
"""The mutants that Cosmic Ray makes, of what mutmut leaves out: constants, tables of enumerations, properties."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult

from mutation.mutant import Mutant
from mutation.subject import Subject

_SETTINGS = """
[cosmic-ray]
module-path = "{file}"
timeout = 120.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider -k '{chosen}' {tests}"

[cosmic-ray.distributor]
name = "local"
"""


def mutate_tables(subject: Subject) -> list[Mutant]:
    """Run every mutant of a module outside the functions that mutmut changes. Each needs a process of its own."""
    folder = subject.copy("tables")
    settings = _SETTINGS.format(
        file=subject.file, python=sys.executable, tests=" ".join(subject.tests), chosen=subject.chosen
    )
    (folder / "cosmic-ray.toml").write_text(settings)
    _cosmic_ray(folder, "init", "cosmic-ray.toml", "session.sqlite")
    session = str(folder / "session.sqlite")
    with use_db(session, WorkDB.Mode.open) as database:
        left_out = _left_out(ast.parse((folder / subject.file).read_text("utf-8")))
        for item in database.pending_work_items:
            if any(_within(mutation, left_out) for mutation in item.mutations):
                database.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
    _cosmic_ray(folder, "exec", "cosmic-ray.toml", "session.sqlite")
    mutants = []
    with use_db(session, WorkDB.Mode.open) as database:
        for _, result in database.results:
            if result.worker_outcome is WorkerOutcome.SKIPPED:
                continue
            if result.worker_outcome is not WorkerOutcome.NORMAL:
                raise SystemExit(f"{subject.file}: Cosmic Ray failed: {result.output}")
            killed = result.test_outcome is TestOutcome.KILLED
            mutants.append(Mutant.of(subject.path, (result.diff or "").splitlines(), killed=killed))
    return mutants


def _left_out(module: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where not to mutate: in the functions that mutmut mutates, and in annotations, which nobody evaluates."""
    members = [*module.body, *(member for node in module.body if isinstance(node, ast.ClassDef) for member in node.body)]
    nodes: list[ast.AST] = [member for member in members if isinstance(member, ast.FunctionDef) and _is_plain(member)]
    for node in ast.walk(module):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            nodes.append(node.annotation)
        if isinstance(node, ast.FunctionDef) and node.returns:
            nodes.append(node.returns)
    return [((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in nodes]  # type: ignore[attr-defined]


def _is_plain(function: ast.FunctionDef) -> bool:
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return not decorators or decorators in (["classmethod"], ["staticmethod"])


def _within(mutation: MutationSpec, spans: list[tuple[tuple[int, int], tuple[int, int]]]) -> bool:
    return any(begin <= tuple(mutation.start_pos) and tuple(mutation.end_pos) <= end for begin, end in spans)


def _cosmic_ray(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("cosmic-ray")), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
