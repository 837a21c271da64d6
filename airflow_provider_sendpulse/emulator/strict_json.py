# SPDX-License-Identifier: Apache-2.0
"""JSON as it comes in: only what can be kept and shown again."""

from __future__ import annotations

import json
import math
from typing import Any


class CannotBeKept(ValueError):
    """It is JSON for a lenient reader, and holds half a character or a number beyond all bounds."""


def loads(body: bytes | str) -> Any:
    """Read JSON.

    Raises:
        CannotBeKept: a text in it holds a lone surrogate, a number is infinite or none, or it is nested too deep.
        ValueError: it is not JSON in UTF-8.
    """
    text = body if isinstance(body, str) else body.decode("utf-8-sig")
    try:
        content = json.loads(text, parse_float=_finite, parse_int=_whole, parse_constant=_refuse)
        if "\\u" in text or isinstance(body, str):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise CannotBeKept("JSON that is nested too deep") from None
    except UnicodeEncodeError:
        raise CannotBeKept("JSON with half a character (a lone surrogate)") from None
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise CannotBeKept("JSON with a number beyond all bounds")
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def _refuse(text: str) -> float:
    raise CannotBeKept(f"JSON with {text}, which is no number of JSON")
