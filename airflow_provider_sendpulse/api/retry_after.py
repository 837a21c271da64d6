# SPDX-License-Identifier: Apache-2.0
"""The ``Retry-After`` header (RFC 9110, section 10.2.3) in both its forms."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping

LONGEST = 3600.0
"""Seconds; what a service asks beyond an hour is cut to an hour."""


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait, from 0 to :data:`LONGEST`, or ``None`` without a header that makes sense.

    :param headers: answer headers, names in lower case
    :param now: seconds since the epoch, for the date form
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (TypeError, ValueError, OverflowError, OSError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST)


__all__ = ["LONGEST", "retry_after"]
