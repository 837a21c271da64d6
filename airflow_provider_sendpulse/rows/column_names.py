# SPDX-License-Identifier: Apache-2.0
"""Names of columns in messages: of a file without its header these are the first row's values, which nobody may see."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"[^\W\d]\w*(?:[ .'’-]+[^\W\d]\w*)*")
_LONGEST = 40
_MOST_DIGITS = 4


def are_names(columns: Iterable[str]) -> bool:
    """Whether all of these look like names of columns; one that may be a value makes all of them suspect."""
    return all(
        len(name) <= _LONGEST and _NAME.fullmatch(name) and sum(map(str.isdigit, name)) <= _MOST_DIGITS
        for name in map(str, columns)
    )


def listed(columns: Iterable[str]) -> str:
    """Return columns for a message: their names, or only how many there are where these may be values of a row."""
    names = [str(name) for name in columns]
    if are_names(names):
        return ", ".join(names)
    return f"{len(names)} columns, whose names look like values (a CSV file without a header needs columns=[…])"


__all__ = ["are_names", "listed"]
