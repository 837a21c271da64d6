# SPDX-License-Identifier: Apache-2.0
"""Everything that an exception and those behind it would show to anybody who logs, pickles or inspects them."""

from __future__ import annotations

import traceback


def told(error: BaseException | None) -> str:
    """Return the words, representations, attributes and notes of an exception and of its whole chain, hidden or not."""
    if error is None:
        return ""
    parts: list[str] = []
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        parts += [str(one), repr(one), repr(one.args), repr(vars(one)), *getattr(one, "__notes__", [])]
        pending += [one.__cause__, one.__context__]
    return "\n".join([*parts, *traceback.format_exception(error)])
