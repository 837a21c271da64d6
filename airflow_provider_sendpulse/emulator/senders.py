# SPDX-License-Identifier: Apache-2.0
"""Sender addresses and their activation (SendPulse API: senders)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid
from airflow_provider_sendpulse.emulator.settings import Settings

DEFAULT_SENDER = ("Shop", "shop@example.com")
CODE_INTERVAL = timedelta(minutes=15)
FREE_MAILBOXES = frozenset({"gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "ukr.net", "mail.ru"})


@dataclass
class Sender:
    """An address campaigns can be sent from, once activated."""

    name: str
    email: str
    active: bool
    code: str
    code_sent_at: datetime | None = None


class Senders:
    """The senders of the account."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._senders: dict[str, Sender] = {}
        self.put(*DEFAULT_SENDER)

    def __iter__(self) -> Iterator[Sender]:
        return iter(list(self._senders.values()))

    def put(self, name: str, email: str, *, active: bool = True) -> Sender:
        """Set a sender up without any confirmation."""
        sender = Sender(name, email, active, code=f"code-{len(self._senders) + 1:04d}")
        self._senders[email.lower()] = sender
        return sender

    def active(self, email: str) -> Sender | None:
        """Return the sender with this address, if it is activated."""
        sender = self._senders.get(email.lower())
        return sender if sender is not None and sender.active else None

    def request(self, name: str, email: str) -> None:
        """Ask for a new sender, which has to be activated by a code."""
        if not name:
            raise self._refusal(901, "Sender name is missing")
        if not email:
            raise self._refusal(903, "Sender address is missing")
        if not is_address(email):
            raise self._refusal(906, "Sender address has a syntax error")
        if email.lower() in self._senders:
            raise self._refusal(902, "Sender address is already used")
        if email.lower().rpartition("@")[2] in FREE_MAILBOXES:
            raise self._refusal(20, "Addresses of free mailbox providers are not allowed")
        self.put(name, email, active=False).code_sent_at = self._clock.now()

    def remove(self, email: str) -> None:
        """Delete a sender."""
        self._find(email)
        del self._senders[email.lower()]

    def send_code(self, email: str) -> None:
        """Send the activation code again, at most once in a quarter of an hour."""
        sender = self._find(email)
        now = self._clock.now()
        if sender.code_sent_at is not None and now - sender.code_sent_at < CODE_INTERVAL:
            raise self._refusal(1004, "The activation code was already sent, wait 15 minutes")
        sender.code_sent_at = now

    def activate(self, email: str, code: str) -> None:
        """Activate a sender by its code."""
        sender = self._find(email)
        if not code:
            raise self._refusal(1104, "Activation code is missing")
        if code != sender.code:
            raise invalid("Argument code is invalid")
        sender.active = True

    def _find(self, email: str) -> Sender:
        sender = self._senders.get(email.lower())
        if sender is None:
            raise self._refusal(1003, "Sender not found")
        return sender

    def _refusal(self, code: int, message: str) -> Refusal:
        return Refusal(self._settings.http_status_sender_refused, code, message)
