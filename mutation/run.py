# SPDX-License-Identifier: Apache-2.0
"""``make mutation``: change every line that decides what is sent, and see that a test fails each time."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from mutation.explained import Explained
from mutation.functions import mutate_functions
from mutation.mutant import Mutant
from mutation.subject import ROOT, SUBJECTS, Subject
from mutation.tables import mutate_tables

DOCUMENT = ROOT / "docs" / "mutation.md"


def main() -> int:
    """Print a line a file and every survivor that is not explained; 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a part of the path of the files to mutate")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    subjects = [subject for subject in SUBJECTS if not arguments.only or arguments.only in subject.path]
    if not subjects:
        parser.error(f"no such file: {arguments.only}")
    started = time.monotonic()
    explained = Explained(DOCUMENT)
    unexplained: list[Mutant] = []
    print(f"{'file':26}{'mutants':>9}{'killed':>9}{'explained':>11}{'survived':>10}{'seconds':>9}", flush=True)
    # Cosmic Ray runs one mutant at a time, so the files go side by side.
    with ThreadPoolExecutor(arguments.workers) as pool:
        tables = dict(zip(subjects, pool.map(_timed_tables, subjects), strict=True))
    for subject in subjects:
        began = time.monotonic()
        inside = mutate_functions(subject, arguments.workers)
        outside, seconds = tables[subject]
        mutants = [*inside, *outside]
        survivors = [mutant for mutant in mutants if not mutant.killed]
        unexplained += (left := [mutant for mutant in survivors if not explained.holds(mutant)])
        killed = len(mutants) - len(survivors)
        seconds += time.monotonic() - began
        print(
            f"{subject.path:26}{len(mutants):9}{killed:9}{len(survivors) - len(left):11}{len(left):10}{seconds:9.0f}",
            flush=True,
        )
    print(f"{time.monotonic() - started:.0f} s in all")
    for subject in subjects:
        for change in explained.unmet(subject.path):
            print(f"\nExplained in {DOCUMENT.name}, but not a survivor of {subject.path}:\n{change}")
    for mutant in unexplained:
        print(f"\nSurvived in {mutant.file}:\n{mutant}")
    return 1 if unexplained else 0


def _timed_tables(subject: Subject) -> tuple[list[Mutant], float]:
    began = time.monotonic()
    return mutate_tables(subject), time.monotonic() - began


if __name__ == "__main__":
    raise SystemExit(main())
