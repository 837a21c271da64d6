# SPDX-License-Identifier: Apache-2.0
"""How much is imported at a time, and how long is waited for what."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_sendpulse.esputnik.import_sessions import MOST_CONTACTS
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_SESSIONS = 10
"""Sessions at a time; the rows of all of them are in memory."""

SETTLE_WINDOW = 600.0
"""Seconds in which an import is carried out that was taken; eSputnik says minutes, and nobody documents how many."""


@dataclass(frozen=True, slots=True)
class ImportPace:
    """How much is imported at a time, and how long is waited.

    :param batch_size: contacts in a session
    :param concurrency: sessions at a time; one after the other where a contact might be in two of them
    :param poll_interval: seconds between two looks at a session
    :param timeout: seconds that a session may take
    :param settle_window: seconds after which an import whose answer was lost has been carried out, if it ever will be
    :raises InvalidRequest: for numbers that cannot be meant
    """

    batch_size: int = MOST_CONTACTS
    concurrency: int = 4
    poll_interval: float = 10.0
    timeout: float = 7200.0
    settle_window: float = SETTLE_WINDOW

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= MOST_CONTACTS:
            raise InvalidRequest(f"batch_size is {self.batch_size}; it is a number from 1 to {MOST_CONTACTS}.")
        if not 1 <= self.concurrency <= MOST_SESSIONS:
            raise InvalidRequest(f"concurrency is {self.concurrency}; it is a number from 1 to {MOST_SESSIONS}.")


__all__ = ["MOST_SESSIONS", "SETTLE_WINDOW", "ImportPace"]
