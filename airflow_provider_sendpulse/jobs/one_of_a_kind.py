# SPDX-License-Identifier: Apache-2.0
"""One thing that reaches people and no second one: look for it by its marker, adopt it, or create it.

Nothing but the marker decides that it exists. The record of earlier tries only says how long to look before believing that
it does not: what was just created may not be listed yet.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    FinalFailure,
    Refused,
    ServiceError,
    ServiceUnavailable,
)
from airflow_provider_sendpulse.jobs.alone import HOLD, Renewing, Right
from airflow_provider_sendpulse.jobs.intent import Intent, IntentRecord
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.visibility import LONGEST_WAIT, LOOK_AGAIN, look_until_visible

Found = TypeVar("Found")
Created = TypeVar("Created")


@dataclass(frozen=True, slots=True)
class One(Generic[Created]):
    """The one thing that there is.

    :param created: what the service said on creating it; ``None`` when it existed already and was adopted
    """

    id: int
    created: Created | None = None


class RightLost(Exception):
    """The right to create was lost before anything was sent."""


class OneOfAKind(ABC, Generic[Found, Created]):
    """Makes sure that something exists once. A subclass says what it is.

    :param lease: shared with all who might create the same at the same time; its owner is the task, not the try
    :param marker: by what it is recognised
    :param window: seconds after which one that exists is certainly listed
    :param log: of whom it is that creates
    :param listed: whether one that exists is certainly listed; of another, what is not found may have been sent
    """

    noun: ClassVar[str]
    """What it is called."""

    likeness: ClassVar[str]
    """What :meth:`is_like` compares."""

    dashboard: ClassVar[str]
    """Where a person looks for it."""

    gone: ClassVar[type[FinalFailure]]
    """What is raised when it was created and is not there any more."""

    def __init__(
        self,
        sender: Sender,
        record: IntentRecord,
        clock: Clock,
        lease: Lease | None,
        *,
        marker: Marker,
        window: float,
        log: logging.Logger,
        listed: bool = True,
    ) -> None:
        self._right = Right(lease, clock, HOLD + window)
        self._sender = Renewing(sender, self._right)
        self._record = record
        self._clock = clock
        self._marker = marker
        self._window = window
        self._log = log
        self._listed = listed
        self._may_be_unlisted = False
        self._unmarked: list[Found] = []

    @abstractmethod
    def find(self) -> list[Found]:
        """Return all that bear the marker, the one that counts first; and behind them those that may have lost it.

        A service that cuts a name cuts off the marker at its end.
        """

    @abstractmethod
    def reading(self, number: int) -> Call[Found]:
        """Return the call that reads one."""

    @abstractmethod
    def creating(self, marker: Marker) -> Call[Created]:
        """Return the call that creates one; the place for a last look before that, which may raise."""

    @property
    @abstractmethod
    def operation(self) -> str:
        """The call that creates one, for messages."""

    @abstractmethod
    def compare(self, found: Found) -> None:
        """Raise when what was found is not what would be created."""

    @abstractmethod
    def is_like(self, found: Found) -> bool:
        """Whether one without a marker may be what would be created, by what both are."""

    @abstractmethod
    def found_id(self, found: Found) -> int:
        """Return the id of one that was found."""

    @abstractmethod
    def created_id(self, created: Created) -> int:
        """Return the id of one that was created."""

    @abstractmethod
    def generation(self, found: Found) -> int:
        """Return the generation in the marker of one that was found, or 0 where there is no marker."""

    def run(self) -> One[Created]:
        """Adopt it, or create it.

        :raises AmbiguousOutcome: it may exist and could not be found, or could not be looked for: it is not created then
        :raises ServiceUnavailable: another task has been creating it for too long; nothing was created
        :raises ServiceError: the service could not be asked, or refused; nothing was created
        """
        give_up_at = self._clock.now() + LONGEST_WAIT
        while True:
            if (found := self._await_right(give_up_at)) is not None:
                return self.adopt(found)
            try:
                return self._run()
            except RightLost:
                if self._clock.now() >= give_up_at:
                    raise self._not_alone() from None
                self._log.warning("Somebody else may have created the marker %s meanwhile: looking again.", self._marker)
                self._clock.sleep(LOOK_AGAIN)
            finally:
                # Others look only when it would be listed.
                self._right.leave(self._window if self._may_be_unlisted else 0.0)

    def settle(self, found: Found, intent: Intent | None) -> One[Created]:
        """Decide on one that was found.

        :param intent: what earlier tries have written down
        """
        return self.adopt(found)

    def is_enough(self, found: Found) -> bool:
        """Whether one that was found is the one that another task was creating."""
        intent = self._record.intent()
        return intent is None or self.generation(found) >= intent.generation

    def adopt(self, found: Found) -> One[Created]:
        """Take one that was found for the one that there is, if it is what would be created."""
        self.compare(found)
        number = self.found_id(found)
        self._record.keep_intent(Intent(self.generation(found), self._clock.now(), number))
        self._log.info("Adopted %s %s: one with the marker %s exists already.", self.noun, number, self._marker)
        return One(number)

    def create(self, marker: Marker, *, again: bool = False) -> One[Created]:
        """Create one, with an intent written directly before.

        :raises RightLost: when somebody else may have created it meanwhile
        """
        call = self.creating(marker)
        self._require_no_unmarked()
        if not self._right.is_held():
            raise RightLost
        intent = Intent(marker.generation, self._clock.now())
        self._record.keep_intent(intent)
        self._may_be_unlisted = True
        try:
            created = self._sender.send(call)
        except AmbiguousOutcome as doubt:
            self._log.warning("%s Looking for the marker %s.", doubt, marker)
            found = self.look_until_visible(intent, doubt)
            if found is not None and self.generation(found) >= marker.generation:
                what = " by an earlier request" if doubt.was_received else "; only the answer was lost"
                self._log.info("%s %s was created%s.", self.noun.capitalize(), self.found_id(found), what)
                return self.adopt(found)
            if doubt.was_received:
                raise self._not_established(
                    f"{self.dashboard} says that it has received the request that creates the {self.noun} before, and "
                    "lists none",
                    doubt,
                ) from None
            if again or not self._listed:
                raise self._not_established(
                    f"The request that creates the {self.noun} was sent twice, two minutes apart, and both answers were "
                    "lost"
                    if again
                    else "The request was sent, and its answer was lost",
                    doubt,
                ) from None
            self._log.warning(
                "No %s with the marker %s is there: the request did not arrive. Creating it.", self.noun, marker
            )
            return self.create(marker, again=True)
        except ServiceError:
            # Refused, throttled or not reached: certainly nothing was created.
            self._may_be_unlisted = False
            self._record.keep_intent(None)
            raise
        number = self.created_id(created)
        self._record.keep_intent(replace(intent, campaign_id=number))
        self._log.info("Created %s %s with the marker %s.", self.noun, number, marker)
        return One(number, created)

    def look(self) -> Found | None:
        """Look once."""
        listed = self.find()
        found = [one for one in listed if self.generation(one)]
        self._unmarked = [one for one in listed if not self.generation(one)]
        if len(found) > 1:
            numbers = [self.found_id(one) for one in found]
            self._log.info("%ss with the marker %s: %s.", self.noun.capitalize(), self._marker, numbers)
        return found[0] if found else None

    def look_until_visible(self, intent: Intent, doubt: AmbiguousOutcome | None = None) -> Found | None:
        """Look until what was intended would certainly be listed; ``None`` means that it was not created."""
        earlier: Found | None = None

        def look() -> Found | None:
            nonlocal earlier
            found = earlier = self.look()
            return found if found is not None and self.generation(found) >= intent.generation else None

        found, trouble = look_until_visible(
            look,
            thing=self.noun,
            sign=f"the marker {self._marker}",
            intended_at=intent.at,
            window=self._window,
            right=self._right,
            clock=self._clock,
            log=self._log,
        )
        if found is not None:
            self._may_be_unlisted = False
            return found
        if trouble is not None:
            raise self._not_established(
                f"An earlier request may have created the {self.noun}, and it could not be looked for ({trouble})", doubt
            )
        return earlier

    def _run(self) -> One[Created]:
        intent = self._record.intent()
        self._may_be_unlisted = intent is not None
        if not self._listed and intent is not None and intent.campaign_id is not None:
            return One(intent.campaign_id)
        found = self._remembered(intent)
        if found is None and intent is not None and intent.campaign_id is not None:
            found = self.look()
            if found is None or self.generation(found) < intent.generation:
                raise self.gone(
                    f"{self.noun.capitalize()} {intent.campaign_id}, which an earlier try of this task has created, is "
                    "gone: somebody deleted it. Nothing was created. To mail again on purpose, give the operator another "
                    "edition."
                )
        elif found is None:
            # Without an intent nothing of ours can be on its way, so a look-up that fails is just a failed look-up.
            found = self.look() if intent is None else self.look_until_visible(intent)
            if found is None and intent is not None and not self._listed:
                raise self._not_established("An earlier try may have sent it")
        return self.create(self._marker) if found is None else self.settle(found, intent)

    def _require_no_unmarked(self) -> None:
        """Check that nothing was seen that may be ours without its marker: nobody can tell it from another's."""
        alike = [self.found_id(one) for one in self._unmarked if self.is_like(one)]
        if not alike:
            return
        raise AmbiguousOutcome(
            f"No {self.noun} bears the marker {self._marker}, but {self.noun} {', '.join(map(str, alike))} has the "
            f"beginning of the name that this task gives, and {self.likeness} of this one: it may be this one, its name "
            f"cut by {self.dashboard}. Nothing was created. Look at it in the {self.dashboard} dashboard. If it is this "
            "one, no other is needed: mark the task as success, and give shorter names. If it is not, give the operator a "
            "name that begins otherwise.",
            operation=self.operation,
        )

    def _remembered(self, intent: Intent | None) -> Found | None:
        """Return what an earlier try has created and written down."""
        if intent is None or intent.campaign_id is None:
            return None
        try:
            return self._sender.send(self.reading(intent.campaign_id))
        except Refused as error:
            self._log.warning(
                "%s %s of an earlier try cannot be read: %s", self.noun.capitalize(), intent.campaign_id, error
            )
            return None

    def _await_right(self, give_up_at: float) -> Found | None:
        """Wait for the right to create; return what the other one has created meanwhile."""
        pause = 1.0
        while (left := self._right.take()) > 0:
            found: Found | None = None
            try:
                found = self.look()
                if found is not None and not self.is_enough(found):
                    found = None
            except ServiceError as error:
                self._log.warning("Looking for the marker %s failed: %s", self._marker, error)
            if found is not None:
                return found
            if self._clock.now() >= give_up_at:
                raise self._not_alone()
            self._log.info("Another task is creating the mailing %s: waiting for it.", self._marker)
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LOOK_AGAIN)
        return None

    def _not_alone(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"Another task has been creating the mailing {self._marker} for {LONGEST_WAIT / 60:.0f} minutes, and no "
            f"{self.noun} of it is listed. This task has created nothing."
        )

    def _not_established(self, what: str, doubt: AmbiguousOutcome | None = None) -> AmbiguousOutcome:
        advice = (
            f"Search the {self.noun}s in the {self.dashboard} dashboard for {self._marker}. Then clear the task: it adopts "
            f"the {self.noun} if it is there, and creates it if not."
            if self._listed
            else "Ask whoever was to get it. To send it on purpose, give the operator another edition."
        )
        return AmbiguousOutcome(
            f"{what}. Nothing more is sent. {advice}",
            operation=self.operation,
            status=doubt.status if doubt else None,
        )


__all__ = ["One", "OneOfAKind", "RightLost"]
