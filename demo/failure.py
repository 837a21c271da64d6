# SPDX-License-Identifier: Apache-2.0
"""Why a demo ends early."""

from __future__ import annotations


class DemoFailed(Exception):
    """Something did not go as it should; the message says what, and what to look at."""


class Stopped(BaseException):
    """Somebody asked the demo to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


__all__ = ["DemoFailed", "Stopped"]
