# SPDX-License-Identifier: Apache-2.0
"""Creating what must not be there twice, with calls that a service does not recognise when they are repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, ServiceUnavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

PAUSES = (0.0, 2.0, 10.0, 30.0)
"""Seconds before each look for what may have been created: nobody documents when a listing shows it."""


def create_once(
    create: Callable[[], T],
    find: Callable[[], T | None],
    clock: Clock,
    *,
    what: str,
    taken: Collection[int] = (),
) -> T:
    """Create something; when the answer is lost, look for it instead of asking again.

    :param create: makes the call, once
    :param find: looks for what the call creates; ``None`` when it is not there
    :param what: what is created, for messages
    :param taken: error codes with which the service says that it is there already, as when somebody else was faster
    :raises Refused: when the service refuses to create it, or says that it is there already and it cannot be found
    :raises ServiceUnavailable: when the answer was lost and it is not found; another try of the task, which begins with
        looking, may create it
    """
    try:
        return create()
    except AmbiguousOutcome as error:
        log.warning("The answer was lost; looking whether %s was created.", what)
        failure: AmbiguousOutcome | Refused = error
    except Refused as error:
        if error.error_code not in taken:
            raise
        failure = error
    # What somebody else has created before is listed by now; what this call may have created, perhaps not yet.
    found = look(find, clock, PAUSES if isinstance(failure, AmbiguousOutcome) else PAUSES[:1])
    if found is not None:
        log.info("Found: %s.", what)
        return found
    if isinstance(failure, Refused):
        raise failure
    raise ServiceUnavailable(
        f"It is not known whether {what} was created: {failure} It is not found {sum(PAUSES):.0f} s later. Nothing was "
        "repeated; another try of the task looks again before it creates anything."
    )


def look(find: Callable[[], T | None], clock: Clock, pauses: Sequence[float] = PAUSES) -> T | None:
    """Look for what has been created, after each of the pauses; ``None`` when it is not there after all of them."""
    for pause in pauses:
        if pause:
            clock.sleep(pause)
        if (found := find()) is not None:
            return found
    return None


__all__ = ["PAUSES", "create_once", "look"]
