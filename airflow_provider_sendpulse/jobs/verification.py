# SPDX-License-Identifier: Apache-2.0
"""Whether contacts that the service took are in the address book, and can be mailed.

The service says nothing of single contacts when it takes them: what it holds for no address, and what is on the account's
blacklist, it leaves out without a word. So the book is read back.

There are three ways to read, and the cheaper of two is taken: one contact a call, or the whole book, a hundred contacts a
page. The third, asking for many addresses in one call, would never be cheaper than the list for a book that was filled by
this delivery; it searches all books of the account, and neither how many addresses it takes nor what it says of unknown
ones is documented.

Who is missing is looked for once more after a pause: a book may be locked a moment after it has taken contacts, and a list
that is read while others change the book can leave one out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import DeadlinePassed, Refused, ServiceUnavailable
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.polling import wait_until_over
from airflow_provider_sendpulse.jobs.position import Prefix
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key
from airflow_provider_sendpulse.jobs.seen import temporary_database
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.waiting import Decision, History, judge_address_book
from airflow_provider_sendpulse.rows.addresses import comparable_email
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import address_books, contacts
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.statuses import ContactClass, ContactStatus

log = logging.getLogger(__name__)

LONGEST_LOCK = 900.0
"""Seconds for which a book may be locked before it is read back."""

PAUSE = 30.0
"""Seconds before missing contacts are looked for once more."""

_LOOK_EVERY = 10.0
_A_PAGE = 100
_ARRIVED = frozenset({ContactClass.MAILABLE, ContactClass.NEW})
"""New contacts cannot be mailed yet; the service activates them by itself."""

_MISSING = "accepted, but not in the address book: SendPulse leaves out what it takes for no address, and its blacklist"


class Arrivals:
    """Who should be in the book and who is there, for any number of contacts in little memory.

    It is a temporary file that has no name any more, and holds row numbers, digests of addresses, and statuses.
    """

    def __init__(self) -> None:
        self._database = temporary_database()
        self._database.execute(
            "CREATE TABLE expected (digest BLOB PRIMARY KEY, number INTEGER, skipped INTEGER, status INTEGER, "
            "told INTEGER) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def expect(self, item: Item, *, skipped: bool = False) -> None:
        """Note a contact that the service took.

        :param skipped: whether that was in an earlier try
        """
        values = (bytes.fromhex(item.key), item.person.number, skipped)
        self._database.execute("INSERT OR REPLACE INTO expected VALUES (?, ?, ?, NULL, FALSE)", values)

    def meet(self, digest: bytes, status: int) -> None:
        """Note a contact that is in the book; others than those that were taken do not matter."""
        self._database.execute("UPDATE expected SET status = ? WHERE digest = ?", (status, digest))

    @property
    def expected(self) -> int:
        """How many contacts should be in the book."""
        return self._count("SELECT count(*) FROM expected")

    @property
    def missing(self) -> int:
        """How many of them have not been met."""
        return self._count("SELECT count(*) FROM expected WHERE status IS NULL")

    def is_missing(self, digest: bytes) -> bool:
        """Whether a contact should be in the book and has not been met."""
        return self._row("SELECT 1 FROM expected WHERE digest = ? AND status IS NULL", digest) is not None

    def totals(self) -> list[tuple[int | None, int]]:
        """Return how many contacts have which status; ``None`` is for those that were not met."""
        return self._database.execute("SELECT status, count(*) FROM expected GROUP BY status").fetchall()

    def untold(self, digest: bytes) -> tuple[int, int | None, bool] | None:
        """Return row number, status and whether it was skipped, of a contact that should be there and was not told of."""
        query = "SELECT number, status, skipped FROM expected WHERE digest = ? AND NOT told"
        found: tuple[int, int | None, bool] | None = self._database.execute(query, (digest,)).fetchone()
        return found

    def all_untold(self) -> Iterator[tuple[int, int | None, bool]]:
        """Yield the same of all contacts that were not told of, in the order of rows."""
        yield from self._database.execute("SELECT number, status, skipped FROM expected WHERE NOT told ORDER BY number")

    def tell(self, digest: bytes) -> None:
        """Note that a contact was told of."""
        self._database.execute("UPDATE expected SET told = TRUE WHERE digest = ?", (digest,))

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def _count(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def _row(self, query: str, digest: bytes) -> tuple[int] | None:
        found: tuple[int] | None = self._database.execute(query, (digest,)).fetchone()
        return found


@dataclass(frozen=True, slots=True)
class Verification:
    """Reads an address book back.

    :param sender: carries out calls
    :param arrivals: who should be there
    :param audience: read again for the addresses, which nothing has kept
    """

    sender: Sender
    address_book_id: int
    arrivals: Arrivals
    audience: Audience
    clock: Clock

    def run(self, report: Report, prefix: Prefix) -> None:
        """Count contacts that did not arrive, or that cannot be mailed, as rejected.

        :param prefix: remembers those that did not arrive, for another try to send them again
        :raises ServiceUnavailable: when the book stays locked; another try reads it back
        :raises ServiceError: as the calls do
        """
        if not self.arrivals.expected:
            return
        for pause in (0.0, PAUSE):
            if pause:
                self.clock.sleep(pause)
            size = self._wait_until_unlocked()
            if self.arrivals.missing <= math.ceil(size / _A_PAGE):
                self._read_one_by_one()
            else:
                self._read_all()
            if not self.arrivals.missing:
                break
        self._tell(report, prefix)

    def _wait_until_unlocked(self) -> int:
        """Return how many contacts are in the book."""
        size = 0

        def look() -> Decision:
            nonlocal size
            book = self.sender.send(address_books.read(self.address_book_id))
            size = book.all_email_qty
            return judge_address_book(self.address_book_id, book.status, contacts=size)

        try:
            decision = wait_until_over(
                f"Address book {self.address_book_id}",
                look,
                poll_interval=_LOOK_EVERY,
                deadline=self.clock.now() + LONGEST_LOCK,
                clock=self.clock,
                history=History(),
            )
        except DeadlinePassed as error:
            raise ServiceUnavailable(f"{error} The contacts were accepted; another try only reads them back.") from None
        if decision.error is not None:
            raise decision.error
        return size

    def _read_all(self) -> None:
        for contact in self.sender.pages(contacts.list(self.address_book_id, order="asc", limit=_A_PAGE)):
            self.arrivals.meet(contact_key(self.address_book_id, contact.email).digest, contact.status)

    def _read_one_by_one(self) -> None:
        left = self.arrivals.missing
        asked: set[bytes] = set()
        with self.audience.reading() as persons:
            for person in persons:
                digest = contact_key(self.address_book_id, person.email).digest
                if digest in asked or not self.arrivals.is_missing(digest):
                    continue
                asked.add(digest)
                try:
                    contact = self.sender.send(contacts.read(self.address_book_id, person.email))
                except Refused as error:
                    if error.error_code != ErrorCode.ADDRESS_NOT_IN_BOOK.code:
                        raise
                else:
                    self.arrivals.meet(digest, contact.status)
                if len(asked) == left:
                    return
        # The source does not have these rows any more, and nothing else knows their addresses: only the list tells.
        self._read_all()

    def _tell(self, report: Report, prefix: Prefix) -> None:
        """Settle again what was settled as accepted; the rows' addresses go to the rejects, and only there."""
        faults = {status: (reason, rows) for status, rows in self.arrivals.totals() if (reason := _fault(status))}
        missing = faults[None][1] if None in faults else 0
        left = sum(rows for _, rows in faults.values())
        unmailable = left - missing

        def settle(person: Person, status: int | None, skipped: bool) -> None:
            if status is None:
                prefix.resend(person.number)
            was = Outcome.SKIPPED if skipped else Outcome.ACCEPTED
            report.correct(person, was, Outcome.REJECTED, faults[status][0], person.email)

        if left:
            with self.audience.reading() as persons:
                for person in persons:
                    digest = contact_key(self.address_book_id, person.email).digest
                    found = self.arrivals.untold(digest)
                    if found is None or found[1] not in faults:
                        continue
                    self.arrivals.tell(digest)
                    number, status, skipped = found
                    # Rows may have moved since; a row keeps the number under which it was counted.
                    settle(replace(person, number=number), status, skipped)
                    left -= 1
                    if not left:
                        break
        if left:
            for number, status, skipped in self.arrivals.all_untold():
                if status in faults:
                    settle(Person(number, "", "", None, {}), status, skipped)
        log.info(
            "Read back %s contacts: %s are not in address book %s, %s are there and cannot be mailed.",
            f"{self.arrivals.expected:,}",
            f"{missing:,}",
            self.address_book_id,
            f"{unmailable:,}",
        )


def contact_key(address_book_id: int, email: str) -> Key:
    """Return what a contact of an address book is recognised by; case makes no difference."""
    return Key(f"{address_book_id}\0{comparable_email(email)}", email)


def _fault(code: int | None) -> str | None:
    if code is None:
        return _MISSING
    status = next((status for status in ContactStatus if status.code == code), None)
    # A status that is not documented says nothing against the contact.
    if status is None or status.contact_class in _ARRIVED:
        return None
    return f"accepted, but it cannot be mailed: status {code}, {status.meaning}"


__all__ = ["LONGEST_LOCK", "PAUSE", "Arrivals", "Verification", "contact_key"]
