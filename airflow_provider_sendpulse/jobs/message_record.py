# SPDX-License-Identifier: Apache-2.0
"""What a task knows of its own earlier tries: that it was about to send a message, and which one came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from airflow_provider_sendpulse.jobs.stored_values import StoredValues


@dataclass(frozen=True, slots=True)
class MessageIntent:
    """Written directly before the request that sends a message, and completed directly after it.

    :param at: seconds since the epoch when the request was about to be sent
    :param likeness: digest of sender, recipient and subject; ``None`` where it is only assumed that a try has sent anything
    :param before: ids of the messages like it that were listed already; ``None`` where nobody has looked
    :param message_id: the message that came of it, as soon as that is known
    :param resent: whether it is about sending again what may have been sent before, which happens once
    """

    at: float
    likeness: str | None = None
    before: tuple[str, ...] | None = None
    message_id: str | None = None
    resent: bool = False


class MessageRecord(Protocol):
    """Where a task keeps what its next try has to know.

    :ivar outlives_try: whether the next try learns of it
    """

    outlives_try: ClassVar[bool]

    def intent(self) -> MessageIntent | None:
        """Return the intent of this or an earlier try."""
        ...

    def keep_intent(self, intent: MessageIntent | None) -> None:
        """Keep an intent, or that there is none any more."""
        ...


class StoredMessageRecord(StoredValues):
    """A record in a store that outlives the tries of a task.

    :param name: tells the messages of one task apart: a changed edition begins with nothing
    """

    outlives_try: ClassVar[bool] = True

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], name: str) -> None:
        super().__init__(get, put, f"message-{name}")

    def intent(self) -> MessageIntent | None:
        """Return the intent of this or an earlier try."""
        stored = self.value("intent")
        if not stored:
            return None
        before = stored["before"]
        return MessageIntent(**{**stored, "before": None if before is None else tuple(before)})

    def keep_intent(self, intent: MessageIntent | None) -> None:
        """Keep an intent, or that there is none any more."""
        if intent is None:
            self.keep("intent", None)
        else:
            # The store takes what JSON knows.
            self.keep("intent", {**asdict(intent), "before": None if intent.before is None else [*intent.before]})


class GuessedMessageRecord:
    """A record where nothing outlives a try (below Airflow 3.3): a retry has to assume that the try before it has sent.

    Only the number of the try says how often that may have been: the second may send again, and each later one has to
    assume that it did.

    :param try_number: number of this try, from 1
    :param now: seconds since the epoch; an assumed intent counts from here, so that a message has had time to be listed
    """

    outlives_try: ClassVar[bool] = False

    def __init__(self, try_number: int, now: float) -> None:
        self._intent = MessageIntent(at=now, resent=try_number > 2) if try_number > 1 else None

    def intent(self) -> MessageIntent | None:
        """Return the assumed intent."""
        return self._intent

    def keep_intent(self, intent: MessageIntent | None) -> None:
        """Remember an intent until this try ends."""
        self._intent = intent


__all__ = ["GuessedMessageRecord", "MessageIntent", "MessageRecord", "StoredMessageRecord"]
