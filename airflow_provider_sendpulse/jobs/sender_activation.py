# SPDX-License-Identifier: Apache-2.0
"""A sender that campaigns may come from: there, and activated by whoever reads its mailbox.

Adding a sender, and asking for a code, mail something to its address. So a sender is added once, and a code is asked for at
most once by all tries of a task; SendPulse mails none within a quarter of an hour of the last.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    InvalidRequest,
    NeedsHuman,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.create_once import create_once
from airflow_provider_sendpulse.jobs.sending import Sender as Service
from airflow_provider_sendpulse.sendpulse import senders
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.senders import Sender

log = logging.getLogger(__name__)

_EXISTS = frozenset({ErrorCode.SENDER_ADDRESS_USED.code, ErrorCode.ADDRESS_EXISTS.code})


class CodeRequests(Protocol):
    """Remembers, for all tries of a task, that an activation code was asked for."""

    def were_made(self) -> bool:
        """Whether this try or an earlier one may have asked for a code."""
        ...

    def note(self) -> None:
        """Remember that this one is about to."""
        ...

    def forget(self) -> None:
        """Remember that it was not carried out after all."""
        ...


@dataclass(frozen=True, slots=True)
class SenderActivation:
    """Adds and activates one sender.

    :param service: carries out calls
    :param requests: whether a code was asked for
    """

    service: Service
    requests: CodeRequests
    clock: Clock

    def ensure(self, email: str, name: str, code: str | None) -> None:
        """Return when the sender is active.

        :param code: the activation code that was mailed, if somebody has it
        :raises InvalidRequest: for an empty address or name; nothing was sent
        :raises NeedsHuman: when somebody has to activate the sender, or the code is not accepted
        :raises Refused: when the service does not take the sender
        :raises ServiceUnavailable: when it is not known what a call has done; another try looks first
        """
        email, name = email.strip(), name.strip()
        if not email or not name:
            raise InvalidRequest("A sender needs an address and a name.")
        found = self._find(email)
        if found is None:
            self._call_for_help(self._add(email, name), "SendPulse mails an activation code when a sender is added.")
        elif found.active:
            log.info("The sender is active.")
        elif code:
            self._activate(email, code)
        else:
            self._call_for_help(found, self._mailed(email))

    def _find(self, email: str) -> Sender | None:
        known = self.service.send(senders.list())
        return next((sender for sender in known if sender.email.strip().lower() == email.lower()), None)

    def _add(self, email: str, name: str) -> Sender:
        # The service mails a code along with this.
        self.requests.note()

        def create() -> Sender:
            self.service.send(senders.add(email, name))
            return Sender(name, email, "added")

        added = create_once(create, lambda: self._find(email), self.clock, what="the sender", taken=_EXISTS)
        log.info("Added the sender.")
        return added

    def _activate(self, email: str, code: str) -> None:
        try:
            self.service.send(senders.activate(email, code))
        except AmbiguousOutcome:
            log.warning("The answer was lost; looking whether the sender was activated.")
        except Refused as error:
            raise NeedsHuman(
                f"SendPulse does not accept activation_code: {error} Use the latest code that was mailed to the sender's "
                "mailbox, or activate the sender in the SendPulse dashboard."
            ) from None
        found = self._find(email)
        if found is None or not found.active:
            status = "is not listed" if found is None else f"has the status {found.status!r}"
            raise ServiceUnavailable(f"The code was sent, and the sender {status}. Another try looks again.")
        log.info("Activated the sender.")

    def _call_for_help(self, found: Sender, mailed: str) -> None:
        if found.active:  # somebody else was faster
            return
        raise NeedsHuman(
            f"The sender is not active (status {found.status!r}). {mailed} Somebody who reads the mail of sender_email has "
            "to confirm it: by the link in the message, or in the SendPulse dashboard, in the list of senders of the email "
            "service; or run this task again with activation_code= set to the code. Another code can be had in the "
            "dashboard, or from the next run of the DAG, a quarter of an hour after the last."
        )

    def _mailed(self, email: str) -> str:
        """Let a code be mailed, if none was asked for, and say what is known of it."""
        if self.requests.were_made():
            return "A code is asked for once by all tries of a task, so this one has not asked for another."
        self.requests.note()
        try:
            return self._request(email)
        except ServiceError:
            # Whatever it is, nothing was mailed.
            self.requests.forget()
            raise

    def _request(self, email: str) -> str:
        try:
            self.service.send(senders.request_code(email))
        except AmbiguousOutcome:
            return "A code was asked for, and the answer was lost: SendPulse may have mailed it to the sender's mailbox."
        except Throttled as error:
            if error.error_code != ErrorCode.CODE_SENT_ALREADY.code:
                raise
            return "SendPulse has mailed an activation code to the sender's mailbox within the last quarter of an hour."
        return "SendPulse has just mailed an activation code to the sender's mailbox."


__all__ = ["CodeRequests", "SenderActivation"]
