# SPDX-License-Identifier: Apache-2.0
"""Looking for what a lost request may have made, for as long as it may exist without being listed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest, ServiceError
from airflow_provider_sendpulse.jobs.alone import Right

Found = TypeVar("Found")

VISIBILITY_WINDOW = 120.0
"""Seconds for which something may exist without being listed; nobody documents how long that really takes."""

LONGEST_WINDOW = 3600.0
"""The largest visibility window: a right to create that is held much longer counts as forgotten."""

LONGEST_HOLD = 3600.0
"""Seconds after its intent beyond which a request is certainly not sent any more."""

LOOK_AGAIN = 10.0
"""Seconds between two looks for what is in doubt."""

LONGEST_WAIT = 1800.0
"""Seconds to wait for another task that has the right to do the same."""


def require_window(seconds: float) -> None:
    """Check a visibility window.

    :raises InvalidRequest: unless it is more than 0, and at most :data:`LONGEST_WINDOW`
    """
    if not 0 < seconds <= LONGEST_WINDOW:
        window, most = f"{seconds:g}", f"{LONGEST_WINDOW:g}"
        raise InvalidRequest(f"visibility_window is {window} seconds; it is more than 0 and at most {most}.")


def look_until_visible(
    look: Callable[[], Found | None],
    *,
    thing: str,
    sign: str,
    intended_at: float,
    window: float,
    right: Right,
    clock: Clock,
    log: logging.Logger,
) -> tuple[Found | None, ServiceError | None]:
    """Look until what was intended would certainly be listed.

    :param look: returns what it has found
    :param thing: what is looked for, and ``sign``: by what, for the log
    :param intended_at: when the request was about to be sent, in seconds since the epoch
    :param window: seconds within which it would be listed
    :param right: renewed meanwhile
    :param log: of whom it is that looks
    :return: what was found, and what was wrong with the last look: without that, nothing found means that there is nothing
    """
    # Not from the intent: the request may have been held back for minutes after that was written, by the budget or
    # because the service asked for it, before the process that was sending it ended.
    end = min(clock.now(), intended_at + LONGEST_HOLD) + window
    while True:
        trouble: ServiceError | None = None
        try:
            if (found := look()) is not None:
                return found, None
        except ServiceError as error:
            trouble = error
            log.warning("Looking for %s failed: %s", sign, error)
        left = end - clock.now()
        if left <= 0:
            return None, trouble
        right.keep()
        log.info(
            "No %s with %s yet; it would be listed within %.0f s. Looking again.",
            thing,
            sign,
            left,
        )
        clock.sleep(min(LOOK_AGAIN, left))


__all__ = [
    "LONGEST_HOLD",
    "LONGEST_WAIT",
    "LONGEST_WINDOW",
    "LOOK_AGAIN",
    "VISIBILITY_WINDOW",
    "look_until_visible",
    "require_window",
]
