# SPDX-License-Identifier: Apache-2.0
"""What a store on another host ends in when it cannot be asked."""

from __future__ import annotations

from typing import Self


class Unreachable(Exception):
    """A store cannot be asked, for the moment or as it is set up. What it says never holds an address or a secret."""

    @classmethod
    def because(cls, error: BaseException) -> Self:
        """Say why by the kind of error only: the words of drivers hold addresses, users and what was to be written."""
        cause = getattr(error, "orig", None) or error
        number = next((arg for arg in cause.args[:1] if isinstance(arg, int)), None)
        return cls(type(cause).__name__ + (f" {number}" if number is not None else ""))


__all__ = ["Unreachable"]
