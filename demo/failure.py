# SPDX-License-Identifier: Apache-2.0
"""Why a demo ends early."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoFailed(Exception):
    """Something did not go as it should; the message says what, and what to look at."""


class Stopped(BaseException):
    """Somebody asked the demo to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


def stop_on_signals() -> None:
    """From now on, end with :class:`Stopped` when somebody asks for it."""
    for number in SIGNALS:
        signal.signal(number, _stop)


def ignore_signals() -> None:
    """Let nothing disturb the clearing up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    ignore_signals()
    raise Stopped(number)


__all__ = ["DemoFailed", "Stopped", "ignore_signals", "stop_on_signals"]
