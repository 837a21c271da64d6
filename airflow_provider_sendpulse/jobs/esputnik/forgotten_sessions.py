# SPDX-License-Identifier: Apache-2.0
"""Import sessions that have finished, and of which eSputnik says nothing any more: their contacts are looked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import DedupeOn, ImportSession, Mapped
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, find
from airflow_provider_sendpulse.jobs.esputnik.recognition import Recognition
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import EndedSession
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)

_BY = {
    DedupeOn.EXTERNAL_CUSTOMER_ID: By.EXTERNAL_CUSTOMER_ID,
    DedupeOn.SMS: By.PHONE,
    DedupeOn.EMAIL: By.EMAIL,
}
"""What can be searched for, in the order in which it is told apart."""


class ForgottenSessions:
    """Tells which contacts the rows of ended sessions belong to: as the session says, or as a search does.

    :param recognition: what tells the contacts apart
    :param mapped: is told
    """

    def __init__(self, sender: Sender, recognition: Recognition, mapped: Callable[[str, Sequence[Mapped]], None]) -> None:
        self._sender = sender
        self._recognition = recognition
        self._mapped = mapped
        self._forgotten: list[EndedSession] = []
        self._missing = 0

    def read(self, ended: Sequence[EndedSession]) -> None:
        """Tell what the sessions say of their contacts, as far as they can be read."""
        for session in (item for item in ended if item.finished):
            try:
                read = self._sender.send(import_sessions.read(session.id))
            except Refused:
                read = ImportSession("")
            if read.status:
                self._mapped(session.id, read.mapping)
                continue
            log.warning(
                "Import session %s cannot be read any more: the contacts of its rows are looked for, with a request each.",
                session.id,
            )
            self._forgotten.append(session)

    def delivered(self, number: int, contact: Callable[[], Contact]) -> None:
        """Look for the contact of a row that was delivered before, if nothing else says which it is.

        :param number: the row's
        :param contact: what was sent for it
        """
        session = next((item for item in self._forgotten if item.after < number <= item.rows), None)
        if session is None:
            return
        sent = contact()
        found = self._find(sent)
        if found is None:
            self._missing += 1
        else:
            self._mapped(session.id, [Mapped(self._recognition.value(sent), found)])

    def tell(self) -> None:
        """Say how many contacts were not found."""
        if self._missing:
            log.warning("%s contacts of such sessions were not found, or more than once.", f"{self._missing:,}")

    def _find(self, sent: Contact) -> int | None:
        values = {By.EXTERNAL_CUSTOMER_ID: sent.external_customer_id, By.PHONE: sent.sms, By.EMAIL: sent.email}
        for kind in self._recognition.kinds:
            value = values.get(_BY[kind]) if kind in _BY else None
            if value and (hits := find(self._sender, _BY[kind], value)):
                return hits[0] if len(hits) == 1 else None
        return None


__all__ = ["ForgottenSessions"]
