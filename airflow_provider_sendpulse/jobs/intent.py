# SPDX-License-Identifier: Apache-2.0
"""What a task knows of its own earlier tries: that it was about to create a campaign, and which one came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from airflow_provider_sendpulse.jobs.stored_values import StoredValues

ANY_GENERATION = 0
"""Generation of an intent that is only assumed: nobody knows which one the try before was about to create."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Written directly before the request that creates a campaign, and completed directly after it.

    :param generation: generation of the marker in the campaign's name, or :data:`ANY_GENERATION`
    :param at: seconds since the epoch when the request was about to be sent
    :param campaign_id: the campaign that came of it, as soon as that is known
    """

    generation: int
    at: float
    campaign_id: int | None = None


class IntentRecord(Protocol):
    """Where a task keeps what its next try has to know.

    An error while writing is never swallowed: Airflow refuses to write for a try that it has replaced, and such a try must
    not send anything.
    """

    def intent(self) -> Intent | None:
        """Return the intent of this or an earlier try."""
        ...

    def keep_intent(self, intent: Intent | None) -> None:
        """Keep an intent, or that there is none any more."""
        ...


class MailingRecord(IntentRecord, Protocol):
    """The same, and what a task knows of the campaign that it waits for, or cancels.

    What is called a campaign here may be another thing that is created once, such as a broadcast.
    """

    def deadline(self, proposed: float, clearing: int) -> float:
        """Return when the wait for the campaign is to be given up: as decided by an earlier try, else as proposed now.

        :param proposed: seconds since the epoch
        :param clearing: how often the run was cleared; a decision from before that does not count
        """
        ...

    def killable(self) -> int | None:
        """Return the campaign that an earlier try was ready to cancel when killed, and never said that it was not."""
        ...

    def keep_killable(self, campaign_id: int | None) -> None:
        """Keep that the end of this try may cancel a campaign, or that it no longer can.

        Written ahead, because a trigger cannot write, and Airflow may refuse what a killed task writes.
        """
        ...

    def cancelled(self, campaign_id: int) -> bool | None:
        """Whether this task has cancelled a campaign itself; ``None`` when the end of an earlier try may have done so."""
        ...

    def keep_cancelled(self, campaign_id: int) -> None:
        """Keep that this task has cancelled a campaign before it went out."""
        ...


class StoredRecord(StoredValues):
    """A record in a store of small values that outlives the tries of a task, such as Airflow's task state store.

    :param get: returns the value of a name, or ``None``
    :param put: keeps a value under a name
    :param name: tells the mailings of one task apart: a changed edition begins with nothing
    """

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], name: str) -> None:
        super().__init__(get, put, f"mailing-{name}")

    def intent(self) -> Intent | None:
        """Return the intent of this or an earlier try."""
        stored = self.value("intent")
        return Intent(**stored) if stored else None

    def keep_intent(self, intent: Intent | None) -> None:
        """Keep an intent, or that there is none any more."""
        self.keep("intent", None if intent is None else asdict(intent))

    def deadline(self, proposed: float, clearing: int) -> float:
        """Return the deadline decided by an earlier try, else keep the proposed one."""
        decided = self.value("deadline")
        if decided is not None and decided["clearing"] == clearing:
            return float(decided["at"])
        self.keep("deadline", {"at": proposed, "clearing": clearing})
        return proposed

    def killable(self) -> int | None:
        """Return the campaign that a try may have cancelled when it was killed."""
        campaign_id: int | None = self.value("killable")
        return campaign_id

    def keep_killable(self, campaign_id: int | None) -> None:
        """Keep that the end of this try may cancel a campaign, or that it no longer can."""
        if campaign_id != self.killable():
            self.keep("killable", campaign_id)

    def cancelled(self, campaign_id: int) -> bool | None:
        """Whether this task has cancelled a campaign itself; ``None`` when the end of a try may have done so."""
        if self.value("cancelled") == campaign_id:
            return True
        return None if self.killable() == campaign_id else False

    def keep_cancelled(self, campaign_id: int) -> None:
        """Keep that this task has cancelled a campaign before it went out."""
        self.keep("cancelled", campaign_id)


class GuessedRecord:
    """A record where nothing outlives a try (below Airflow 3.3): a retry has to assume that the try before it has sent.

    :param try_number: number of this try, from 1
    :param now: seconds since the epoch; an assumed intent counts from here, so that a campaign has had time to be listed
    """

    def __init__(self, try_number: int, now: float) -> None:
        self._intent = Intent(ANY_GENERATION, at=now) if try_number > 1 else None
        self._is_retry = try_number > 1
        self._cancelled: int | None = None

    def intent(self) -> Intent | None:
        """Return the assumed intent."""
        return self._intent

    def keep_intent(self, intent: Intent | None) -> None:
        """Remember an intent until this try ends."""
        self._intent = intent

    def deadline(self, proposed: float, clearing: int) -> float:
        """Return the proposed deadline: every try has its own."""
        return proposed

    def killable(self) -> int | None:
        """Return ``None``: no trigger cancels anything below Airflow 3.3, so nothing is cancelled behind a try's back."""
        return None

    def keep_killable(self, campaign_id: int | None) -> None:
        """Do nothing: it would not outlive this try."""

    def cancelled(self, campaign_id: int) -> bool | None:
        """Whether this try has cancelled a campaign; for a retry, the try before may always have done so."""
        if self._cancelled == campaign_id:
            return True
        return None if self._is_retry else False

    def keep_cancelled(self, campaign_id: int) -> None:
        """Remember until this try ends that it has cancelled a campaign."""
        self._cancelled = campaign_id


__all__ = ["ANY_GENERATION", "GuessedRecord", "Intent", "IntentRecord", "MailingRecord", "StoredRecord"]
