# SPDX-License-Identifier: Apache-2.0
"""The marker at the end of a campaign's name. It alone decides that a campaign exists.

Neither service knows an idempotency key, and names are the only thing we write that listings show: the name of a campaign,
the title of a broadcast.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

LONGEST_NAME = 120
"""Characters of a campaign's name with its marker."""

LEAST_LEFT = 16
"""Characters of a name that a service may have cut: nobody cuts names shorter, and shorter ones are alike by chance."""

_MARKED = re.compile(r"(?:\[af-edit-([0-9a-f]{8})\] )?\[af-([0-9a-f]{16})-g([1-9][0-9]*)\]\s*$")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a task writes into the name of the campaign it creates.

    :param digest: 16 hexadecimal digits: deployment, mailing key and edition, hashed
    :param generation: 1 for the first campaign of a mailing; more when one ended badly and was created anew
    """

    digest: str
    generation: int = 1

    @classmethod
    def of(cls, *, deployment: str, mailing_key: str, edition: int | str) -> Self:
        """Return the marker of a mailing."""
        text = "\0".join((deployment, mailing_key, str(edition)))
        return cls(hashlib.sha256(text.encode()).hexdigest()[:16])

    @classmethod
    def in_name(cls, name: str) -> Self | None:
        """Return the marker that a campaign's name ends in, if any."""
        match = _MARKED.search(name)
        return cls(match[2], int(match[3])) if match else None

    def marks(self, name: str) -> bool:
        """Whether a campaign's name says that it belongs to this mailing, whatever its generation."""
        found = Marker.in_name(name)
        return found is not None and found.digest == self.digest

    def is_cut_in(self, name: str, given: str) -> bool:
        """Whether a name without a marker may be what a service left of the name that we gave, whatever the generation.

        :param given: the name before the marker was added, see :meth:`name`
        """
        left = name.rstrip().rstrip(".…").rstrip()
        whole = self.name(given)
        stem = whole[: whole.rindex("-g") + 2]
        is_longer = left.startswith(stem) and left[len(stem) :].isdigit()
        return len(left) >= LEAST_LEFT and (stem.startswith(left) or is_longer)

    def least_cut(self, name: str, given: str) -> str | None:
        """Return the shortest name that a service has cut if it left this one of ours, see :meth:`is_cut_in`.

        :return: ``None`` for one that has the beginning of the marker too
        """
        whole = self.name(given)
        shown = name.rstrip()
        if len(shown.rstrip(".…").rstrip()) > len(plain_name(whole)):
            return None
        if not whole.startswith(shown):
            return whole  # who shows that something is missing may have cut at the end of a word, well before its limit
        left = len(whole) - len(whole[len(shown) :].lstrip())
        return whole[: left + 1]

    def __str__(self) -> str:
        return f"[af-{self.digest}-g{self.generation}]"

    def name(self, name: str, edit: str | None = None) -> str:
        """Return a campaign's name with the marker at its end, the name cut where both would be too long.

        Nobody documents how long a name may be, and one that the service cut would lose its marker.

        :param edit: 8 hexadecimal digits that say what it was changed to since its creation, see :func:`edit_in_name`
        """
        end = str(self) if edit is None else f"[af-edit-{edit}] {self}"
        longest = LONGEST_NAME - len(end) - 1
        name = name.strip()
        return f"{name if len(name) <= longest else name[: longest - 1].rstrip() + '…'} {end}"


def edit_in_name(name: str) -> str | None:
    """Return what a campaign's name says of its last edit, or ``None`` when it is as it was created."""
    match = _MARKED.search(name)
    return match[1] if match else None


def plain_name(name: str) -> str:
    """Return a campaign's name without its marker."""
    return _MARKED.sub("", name).strip()


__all__ = ["LEAST_LEFT", "LONGEST_NAME", "Marker", "edit_in_name", "plain_name"]
