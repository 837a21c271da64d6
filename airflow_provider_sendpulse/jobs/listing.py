# SPDX-License-Identifier: Apache-2.0
"""Lists of the account as records: the contacts of an address book, the blacklist."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.jobs.seen import Seen
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.output import Layout, Record
from airflow_provider_sendpulse.sendpulse import blacklist, contacts
from airflow_provider_sendpulse.sendpulse.statuses import ContactStatus

log = logging.getLogger(__name__)

CONTACTS = Layout(
    "contacts",
    {
        "address_book_id": int,
        "email": str,
        "phone": str,
        "status": int,
        "status_explain": str,
        "mailable": bool,
        "variables": dict,
    },
    ("address_book_id", "email"),
)

BLACKLIST = Layout(
    "blacklisted addresses",
    {"sendpulse_conn_id": str, "email": str},
    ("sendpulse_conn_id", "email"),
)


@dataclass
class ContactList:
    """The contacts of an address book, page by page.

    The list is read by offset: while others change the book, a contact can be met twice, which is left out, or not at
    all, which a count afterwards may show.

    :param only_active: leave out those that cannot be mailed
    :param written: contacts that were yielded so far
    :param mailable: how many of them can be mailed
    """

    sender: Sender
    address_book_id: int
    only_active: bool = False
    written: int = 0
    mailable: int = 0

    def records(self) -> Generator[Record, None, None]:
        """Yield the contacts. To be closed by the thread that reads it, also when that stops early."""
        self.written = self.mailable = 0
        with contextlib.closing(Seen()) as seen:
            for contact in self.sender.pages(contacts.list(self.address_book_id, active=self._active, order="asc")):
                if not seen.add(Key(contact.email.lower()).digest):
                    continue
                mailable = is_mailable(contact.status)
                self.written += 1
                self.mailable += mailable
                yield {
                    "address_book_id": self.address_book_id,
                    "email": contact.email,
                    "phone": contact.phone or None,
                    "status": contact.status,
                    "status_explain": contact.status_explain,
                    "mailable": mailable,
                    "variables": contact.variables,
                }

    def check(self) -> None:
        """Say so when the book has another number of contacts than were met: it has changed meanwhile."""
        total = self.sender.send(contacts.total(self.address_book_id, active=self._active))
        if total != self.written:
            log.warning(
                "Address book %s has %s contacts, and %s were listed: it has changed meanwhile.",
                self.address_book_id,
                f"{total:,}",
                f"{self.written:,}",
            )

    @property
    def _active(self) -> bool | None:
        return True if self.only_active else None


def blacklisted(sender: Sender, conn_id: str) -> Iterator[Record]:
    """Yield the addresses of the account's blacklist, each once.

    :param conn_id: which account it is
    """
    emails: list[str] = sender.send(blacklist.read())
    for email in dict.fromkeys(emails):
        yield {"sendpulse_conn_id": conn_id, "email": email}


def is_mailable(status: int) -> bool:
    """Whether a campaign reaches a contact of a status; one that is not documented does not count."""
    return any(known.code == status and known.mailable for known in ContactStatus)


__all__ = ["BLACKLIST", "CONTACTS", "ContactList", "blacklisted", "is_mailable"]
