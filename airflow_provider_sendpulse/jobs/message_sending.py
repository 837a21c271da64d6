# SPDX-License-Identifier: Apache-2.0
"""One transactional message and no second one: nothing is sent again before it was looked for.

A message bears no mark of ours, so what earlier tries have written down decides: an id says that it was sent; an intent
without one, that it may have been. Then it is looked for among the messages of its sender and subject to its recipient that
were not there before the intent. Where these are a mark in themselves, the list alone decides.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    InvalidRequest,
    MessageConflict,
    ServiceError,
    ServiceUnavailable,
)
from airflow_provider_sendpulse.jobs.alone import HOLD, Renewing, Right
from airflow_provider_sendpulse.jobs.message_lookup import Likeness, find_alike, ids_since
from airflow_provider_sendpulse.jobs.message_record import MessageIntent, MessageRecord
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.visibility import (
    LONGEST_WAIT,
    LOOK_AGAIN,
    VISIBILITY_WINDOW,
    look_until_visible,
    require_window,
)
from airflow_provider_sendpulse.sendpulse import smtp

log = logging.getLogger(__name__)

_SIGN = "this sender, recipient and subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMessage:
    """A message that is to be sent once.

    :param message: what to send
    :param since: seconds since the epoch before which nothing of it can have been sent; asked where no try has told
    :param is_unique: whether there is no other message with its sender, first recipient and subject since then
    :param if_in_doubt: what to do when it may have been sent and is not listed: ``skip``, ``resend`` or ``fail``
    :param visibility_window: seconds after which a message that was sent is certainly listed; more than 0, at most an hour
    :param zone: the account's time zone, where it is known
    :raises InvalidRequest: for another window, or a unique subject that SendPulse fills in
    """

    message: smtp.Message
    since: float
    if_in_doubt: str
    is_unique: bool = False
    visibility_window: float = VISIBILITY_WINDOW
    zone: dt.tzinfo | None = None

    def __post_init__(self) -> None:
        require_window(self.visibility_window)
        if self.is_unique and "{{" in self.message.subject:
            raise InvalidRequest(
                "A subject in which SendPulse fills in {{ … }} cannot be told from others: it is not unique."
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    :param message_id: its id; ``None`` when it is in doubt and was left alone
    :param adopted: an earlier request has sent it
    :param doubt: why it is in doubt
    """

    message_id: str | None
    adopted: bool = False
    doubt: str = ""


def send_message_once(
    sender: Sender,
    one: OneMessage,
    record: MessageRecord,
    clock: Clock,
    lease: Callable[[str], Lease] | None = None,
) -> Outcome:
    """Make sure that a message is sent, and that there is no second one.

    :param lease: returns the lease of a name, shared with all who might send a message like it at the same time; its owner
        is the task, not the try
    :raises InvalidRequest: for a message that SendPulse does not take; nothing was sent
    :raises MessageConflict: an earlier try of this task was about to send, or has sent, another message
    :raises AmbiguousOutcome: it may have been sent, and is not sent again
    :raises Throttled: the service takes no message now; nothing was sent
    :raises ServiceUnavailable: the list could not be read, another task has been sending for too long, or only the second
        try can tell whether it may be sent again; a retry looks for it
    :raises ServiceError: the service refused the message, or could not be asked; nothing was sent
    """
    return _Sending(sender, one, record, clock, lease).run()


def lease_name(message: smtp.Message) -> str:
    """Return the name of the right to send a message like this one."""
    return f"message-{Likeness.of(message).digest}"


class _RightLost(Exception):
    """The right to send was lost before anything was sent."""


class _Sending:
    def __init__(
        self,
        sender: Sender,
        one: OneMessage,
        record: MessageRecord,
        clock: Clock,
        lease: Callable[[str], Lease] | None,
    ) -> None:
        self._call = smtp.send(one.message)
        held = None if lease is None else lease(lease_name(one.message))
        self._right = Right(held, clock, HOLD + one.visibility_window)
        self._sender = Renewing(sender, self._right)
        self._one = one
        self._likeness = Likeness.of(one.message)
        self._record = record
        self._clock = clock
        self._may_be_unlisted = False
        self._requested = False

    def run(self) -> Outcome:
        give_up_at = self._clock.now() + LONGEST_WAIT
        while True:
            self._await_right(give_up_at)
            try:
                return self._run()
            except _RightLost:
                if self._clock.now() >= give_up_at:
                    raise self._not_alone() from None
                self._clock.sleep(LOOK_AGAIN)
            finally:
                # Others must be able to tell this one from theirs.
                self._right.leave(self._one.visibility_window if self._may_be_unlisted else 0.0)

    def _await_right(self, give_up_at: float) -> None:
        """Wait while another task is sending a message like this one: neither could tell which is whose."""
        pause = 1.0
        while (left := self._right.take()) > 0:
            if self._clock.now() >= give_up_at:
                raise self._not_alone()
            log.info("Another task is sending a message with %s: waiting for it.", _SIGN)
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LOOK_AGAIN)

    def _not_alone(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"Another task has been sending a message with {_SIGN} for {LONGEST_WAIT / 60:.0f} minutes. {self._told()}"
        )

    def _told(self) -> str:
        return "A request of this try may have arrived." if self._requested else "This try has sent nothing."

    def _run(self) -> Outcome:
        intent = self._record.intent()
        if intent is None:
            return self._send()
        if intent.likeness not in (None, self._likeness.digest):
            what = f"has sent message {intent.message_id}" if intent.message_id else "was about to send a message"
            raise MessageConflict(
                f"An earlier try of this task {what}, and that one had another sender, recipient or subject. Nothing was "
                "sent. If this is meant to be another message, give the operator another edition or message_key."
            )
        if intent.message_id is not None:
            log.info("Message %s was sent by an earlier try.", intent.message_id)
            return Outcome(intent.message_id, adopted=True)
        return self._settle(intent)

    def _send(self, earlier: MessageIntent | None = None) -> Outcome:
        """Send it.

        :param earlier: what may have been sent before, where this is the second time
        """
        now = self._clock.now()
        before = find_alike(self._sender, self._likeness, self._one.since if self._one.is_unique else now)
        if self._one.is_unique and before:
            return self._adopt(MessageIntent(now), _first(before))
        if not self._right.is_held():
            raise _RightLost
        intent = MessageIntent(now, self._likeness.digest, tuple(sorted(before)), resent=earlier is not None)
        self._record.keep_intent(intent)
        self._may_be_unlisted = self._requested = True
        try:
            message_id = self._sender.send(self._call)
        except AmbiguousOutcome as doubt:
            log.warning("%s Looking for it by %s.", doubt, _SIGN)
            return self._settle(intent, doubt)
        except ServiceError:
            # Refused, throttled or not reached: certainly nothing was sent by this request.
            self._may_be_unlisted = earlier is not None
            self._record.keep_intent(earlier)
            raise
        self._may_be_unlisted = False
        self._record.keep_intent(replace(intent, message_id=message_id))
        log.info("Sent message %s.", message_id)
        return Outcome(message_id)

    def _settle(self, intent: MessageIntent, doubt: AmbiguousOutcome | None = None) -> Outcome:
        """Find out what became of an intent, and send again only where that is certain and wanted."""
        self._may_be_unlisted = True
        ids, trouble = look_until_visible(
            lambda: self._look(intent),
            thing="message",
            sign=_SIGN,
            intended_at=intent.at,
            window=self._one.visibility_window,
            right=self._right,
            clock=self._clock,
            log=log,
        )
        if trouble is not None:
            raise ServiceUnavailable(
                f"The message may have been sent, and could not be looked for ({trouble}). {self._told()} A retry of the "
                "task looks again.",
                operation=trouble.operation,
                status=trouble.status,
            )
        if ids is None:
            return self._missing(intent, doubt)
        if len(ids) > 1:
            return self._in_doubt(
                f"Messages {', '.join(ids)} have the sender, the recipient and the subject of this one, and which of them "
                "is this one cannot be told",
                doubt,
            )
        return self._adopt(intent, ids[0])

    def _adopt(self, intent: MessageIntent, message_id: str) -> Outcome:
        self._may_be_unlisted = False
        self._record.keep_intent(replace(intent, likeness=self._likeness.digest, message_id=message_id))
        log.info("Message %s was sent by an earlier request.", message_id)
        return Outcome(message_id, adopted=True)

    def _look(self, intent: MessageIntent) -> list[str] | None:
        since = self._one.since if intent.before is None or self._one.is_unique else intent.at
        found = find_alike(self._sender, self._likeness, since)
        if self._one.is_unique:
            return [_first(found)] if found else None
        return ids_since(found.values(), since, intent.before, self._one.zone) or None

    def _missing(self, intent: MessageIntent, doubt: AmbiguousOutcome | None) -> Outcome:
        listed = f"none with {_SIGN} was listed within {self._one.visibility_window:g} s"
        if intent.resent:
            return self._in_doubt(f"The message may have been sent, and sent again; {listed}", doubt)
        if self._one.if_in_doubt != "resend":
            return self._in_doubt(f"The message may have been sent; {listed}", doubt)
        if self._requested and not self._record.outlives_try:
            # The next try could not tell one request from two, and would send a third time.
            raise ServiceUnavailable(
                f"The message may have been sent; {listed}. The second try of the task looks for it once more and sends it "
                "again if it is not there; no later one does."
            )
        log.warning("No message with %s is there: sending it again, once.", _SIGN)
        return self._send(intent)

    def _in_doubt(self, what: str, doubt: AmbiguousOutcome | None) -> Outcome:
        if self._one.if_in_doubt == "skip":
            return Outcome(None, doubt=what)
        raise AmbiguousOutcome(
            f"{what}. Nothing more is sent. Look for it in the SMTP section of the SendPulse dashboard. If it was not "
            "sent, give the operator another edition to send it. A cleared task looks for it again.",
            operation="POST /smtp/emails",
            status=doubt.status if doubt else None,
        )


def _first(found: Mapping[str, smtp.SentMessage]) -> str:
    return min(found.values(), key=lambda message: (message.send_date, message.id)).id


__all__ = ["OneMessage", "Outcome", "lease_name", "send_message_once"]
