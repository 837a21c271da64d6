# SPDX-License-Identifier: Apache-2.0
"""What holds for rows that must not arrive twice, beyond that."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from airflow_provider_sendpulse.exceptions import InvalidRequest


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row of the ledger, seen by its contact.

    :param recorded: whether it was sent; it may have been if not
    :param at: when, in seconds since the epoch
    """

    contact: str
    key: str
    recorded: bool
    at: float


class ContactLedger(Protocol):
    """A ledger that can be asked by contact."""

    def seen_since(self, contacts: Iterable[str], since: float) -> list[Sighting]:
        """Return the rows of some contacts that were claimed since a moment, in seconds since the epoch."""
        ...


@dataclass(frozen=True, slots=True)
class ContactInterval:
    """How long a contact is left in peace after a row.

    :param seconds: how long
    """

    ledger: ContactLedger
    seconds: float

    def reached(self, contacts: Mapping[str, str], now: float) -> set[str]:
        """Return the keys whose contact got another row lately.

        :param contacts: key of every row to the digest of its contact
        """
        seen = self._seen(contacts, now)
        return {key for key, contact in contacts.items() if any(other.key != key for other in seen.get(contact, ()))}

    def overtaken(self, contacts: Mapping[str, str], now: float) -> set[str]:
        """Return the keys, claimed by us, whose contact has a row that somebody else has claimed or sent.

        To be asked after the claim: of two processes that claim for one contact, whoever claims last sees the other's
        claim, whatever their clocks say. So never do both go on; when both ask after both claims, neither does, and the
        next run sends. Of several rows that we have claimed at once, the one with the first key goes on.

        :param contacts: key of every row that we have claimed just now to the digest of its contact
        """
        found: set[str] = set()
        for sightings in self._seen(contacts, now).values():
            for own in sightings:
                others = [other for other in sightings if other.key != own.key]
                if any(other.recorded or other.key not in contacts or other.key < own.key for other in others):
                    found.add(own.key)
        return found & contacts.keys()

    def _seen(self, contacts: Mapping[str, str], now: float) -> dict[str, list[Sighting]]:
        by_contact: dict[str, list[Sighting]] = {}
        for sighting in self.ledger.seen_since({*contacts.values()}, now - self.seconds):
            by_contact.setdefault(sighting.contact, []).append(sighting)
        return by_contact


@dataclass(frozen=True, slots=True)
class SendingRules:
    """What holds for rows that must not arrive twice.

    :param noun: what the rows are, for messages
    :param concurrency: calls at once
    :param if_in_doubt: ``skip`` a row that an earlier try may have sent, or ``resend`` it
    :param interval: how long a contact is left in peace
    :param max_rows: with more to send, nothing is sent
    :param rate: calls a second that the budget allows
    :param max_duration: seconds; when it would take longer, nothing is sent
    :param before_window: is called before every few rows; what it raises ends the sending
    :param after_window: is called when the calls for these have ended, before the rows are recorded
    :raises InvalidRequest: for values that cannot be meant
    """

    noun: str = "rows"
    concurrency: int = 1
    if_in_doubt: Literal["skip", "resend"] = "skip"
    interval: ContactInterval | None = None
    max_rows: int | None = None
    rate: float = math.inf
    max_duration: float | None = None
    before_window: Callable[[], None] | None = None
    after_window: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.concurrency <= 20:
            raise InvalidRequest(f"concurrency is {self.concurrency}; it is 1 to 20.")

    def require_moderate(self, rows: int, calls: int) -> str:
        """Check how much there is to send, before anything is sent, and return what to say about it.

        :raises InvalidRequest: when there are too many rows, or it would take too long
        """
        seconds = calls / self.rate
        amount = f"{rows:,} {self.noun.removesuffix('s') if rows == 1 else self.noun}"
        if rows and self.rate < math.inf:
            amount += f", {duration(seconds)} at {self.rate:{'.3g' if self.rate < 100 else '.0f'}}/s"
        if self.max_rows is not None and rows > self.max_rows:
            raise InvalidRequest(f"{amount}: more than max_{self.noun}={self.max_rows:,}. Nothing was sent.")
        if self.max_duration is not None and seconds > self.max_duration:
            raise InvalidRequest(f"{amount}: longer than max_duration={duration(self.max_duration)}. Nothing was sent.")
        return amount


def duration(seconds: float) -> str:
    """Return a length of time for people, such as ``6 min 15 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    parts = ((whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    told = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(told[:2])


__all__ = ["ContactInterval", "ContactLedger", "SendingRules", "Sighting", "duration"]
