# SPDX-License-Identifier: Apache-2.0
"""The mutants that need not be killed, as ``docs/mutation.md`` lists and explains them."""

from __future__ import annotations

import re
from pathlib import Path

from mutation.mutant import Mutant

_HEADING = re.compile(r"^### `(.+)`$")

Change = tuple[str, tuple[str, ...], tuple[str, ...]]


class Explained:
    """What a document explains: the ``diff`` blocks below the headings that name a file.

    In a block, each ``+`` line below a single ``-`` line is a mutant of its own.

    :param document: Markdown
    """

    def __init__(self, document: Path) -> None:
        self._changes: set[Change] = set()
        self._met: set[Change] = set()
        file, removed, added = "", [], []  # type: str, list[str], list[str]
        inside = False
        for line in [*document.read_text("utf-8").splitlines(), ""]:
            if not inside:
                file = match[1] if (match := _HEADING.match(line)) else file
                inside = line == "```diff"
                continue
            if line.startswith("+"):
                added.append(line[1:].strip())
                continue
            if removed and (added or not line.startswith("-")):
                self._add(file, removed, added)
                removed, added = [], []
            if line.startswith("-"):
                removed.append(line[1:].strip())
            inside = line != "```"

    def _add(self, file: str, removed: list[str], added: list[str]) -> None:
        if len(removed) == 1 and added:
            self._changes |= {(file, (removed[0],), (one,)) for one in added}
        else:
            self._changes.add((file, tuple(removed), tuple(added)))

    def holds(self, mutant: Mutant) -> bool:
        """Whether a survivor is explained."""
        change = (mutant.file, mutant.removed, mutant.added)
        if change in self._changes:
            self._met.add(change)
            return True
        return mutant.is_wording

    def unmet(self, file: str) -> list[str]:
        """Return what is explained for a file and was not among its survivors."""
        return [str(Mutant(*change, killed=True)) for change in sorted(self._changes - self._met) if change[0] == file]
