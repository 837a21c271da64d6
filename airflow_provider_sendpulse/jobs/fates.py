# SPDX-License-Identifier: Apache-2.0
"""What is known of rows that were claimed."""

from __future__ import annotations

from collections.abc import Iterable


class Fates:
    """Keys of a window: those sent, and those certainly not sent; all others are in doubt, and some of these listed."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.recorded: set[str] = set()
        self.listed: set[str] = set()
        self.unsent = {*keys}

    def leave(self, keys: Iterable[str]) -> None:
        """Count keys as in doubt."""
        self.unsent.difference_update(keys)


__all__ = ["Fates"]
