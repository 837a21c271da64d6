# SPDX-License-Identifier: Apache-2.0
"""One changed line of code, and what the tests said to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Mutant:
    """A change and its fate.

    :param file: path below the package
    :param removed: the lines that it changes, without indentation
    :param added: what it puts in their place
    :param killed: a test has failed, or none has ended in time
    """

    file: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    killed: bool

    @classmethod
    def of(cls, file: str, diff: Iterable[str], *, killed: bool) -> Self:
        """Read the lines of a unified diff."""
        lines = [line for line in diff if not line.startswith(("---", "+++"))]
        removed = tuple(line[1:].strip() for line in lines if line.startswith("-"))
        added = tuple(line[1:].strip() for line in lines if line.startswith("+"))
        return cls(file, removed, added, killed)

    @property
    def is_wording(self) -> bool:
        """Whether nothing but a sentence is changed: its case, or an ``XX`` at both ends."""
        before, after = "\n".join(self.removed), "\n".join(self.added)
        if before.casefold() != after.replace("XX", "").casefold():
            return False
        there = _TEXT.findall(after)
        changed = [text for text in _TEXT.findall(before) if text not in there]
        return bool(changed) and all(text.count(" ") >= 2 for text in changed)

    def __str__(self) -> str:
        return "\n".join([*(f"    - {line}" for line in self.removed), *(f"    + {line}" for line in self.added)])
