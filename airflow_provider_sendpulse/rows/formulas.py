# SPDX-License-Identifier: Apache-2.0
"""Values that a spreadsheet would run as formulas."""

from __future__ import annotations

import re
from typing import TypeVar

T = TypeVar("T")

# What a spreadsheet would take for a formula, and what would look as if it had been kept from that. A telephone number
# begins with a plus and is none.
_FORMULA = re.compile(r"(?!\+[\d\s().-]*\Z)[=+\-@\t\r']")


def guarded(value: T) -> T | str:
    """Return a value of a CSV file; a formula gets an apostrophe in front, as one would type it."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


__all__ = ["guarded"]
