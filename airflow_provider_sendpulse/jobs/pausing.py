# SPDX-License-Identifier: Apache-2.0
"""A delivery that stops for a while, and goes on in the same try of its task."""

from __future__ import annotations


class Paused(Exception):
    """Nothing has failed: the task goes on with these rows later."""


__all__ = ["Paused"]
