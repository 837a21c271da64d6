# SPDX-License-Identifier: Apache-2.0
"""Address books and what is loaded into them (SendPulse API: mailing lists)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_provider_sendpulse.emulator import webhook_events
from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import Contact, NewContact, type_of
from airflow_provider_sendpulse.emulator.errors import Refusal, book_not_found, invalid
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT, NEW_CONTACT
from airflow_provider_sendpulse.emulator.webhooks import Webhooks

FIRST_BOOK_ID = 1001
LOADING = 4
COPYING = 5


@dataclass
class Load:
    """One add call on its way into a book.

    Attributes:
        unlocked_reads: how many more reads of the book do not show yet that it is locked.
        is_quiet: whether no webhook tells of it.
        keeps_old: whether contacts that are there already stay as they are.
    """

    contacts: list[NewContact]
    ends_at: datetime
    visible: bool
    reads: int = 0
    unlocked_reads: int = 0
    is_quiet: bool = False
    keeps_old: bool = False


@dataclass
class Book:
    """An address book. Its status follows from what is going on with it, unless one was forced."""

    id: int
    name: str
    created_at: datetime
    contacts: dict[str, Contact] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    copying_to: set[int] = field(default_factory=set)
    forced_status: int | None = None
    activations: list[tuple[datetime, str]] = field(default_factory=list)
    hidden_until: datetime | None = None
    hidden_reads: int = 0

    @property
    def status(self) -> int:
        """0 when free, 4 while addresses are loaded, 5 while they are copied into a campaign."""
        if self.forced_status is not None:
            return self.forced_status
        if self.copying_to:
            return COPYING
        return LOADING if any(load.unlocked_reads == 0 for load in self.loads) else 0

    def count(self, status: int) -> int:
        """How many contacts have this status."""
        return sum(contact.status == status for contact in self.contacts.values())

    def put(self, new: NewContact, now: datetime, source: str = "panel") -> Contact:
        """Add a contact, or update the one there is. A status such as unsubscribed stays."""
        contact = self.contacts.get(new.email)
        if contact is None:
            contact = Contact(new.email, now, source=source, written=new.written)
            self.contacts[new.email] = contact
        contact.variables.update(new.variables)
        for name, value in new.variables.items():
            self.variables.setdefault(name, type_of(value))
        if new.phone is not None:
            contact.phone = new.phone
        return contact


class Books:
    """All address books of the account."""

    def __init__(self, settings: Settings, clock: Clock, webhooks: Webhooks) -> None:
        self._settings = settings
        self._clock = clock
        self._webhooks = webhooks
        self._books: dict[int, Book] = {}
        self._next_id = FIRST_BOOK_ID

    def __iter__(self) -> Iterator[Book]:
        return iter(list(self._books.values()))

    def __len__(self) -> int:
        return len(self._books)

    def get(self, book_id: int) -> Book | None:
        """Return the book with this id, if there is one."""
        return self._books.get(book_id)

    def find(self, book_id: int) -> Book:
        """Return the book with this id, or a refusal."""
        book = self._books.get(book_id)
        if book is None:
            raise book_not_found()
        return book

    def listed(self) -> list[Book]:
        """Return what a list call shows now; each call counts against the delay of the hidden ones."""
        shown = []
        for book in self:
            if book.hidden_until is not None and book.hidden_until > self._clock.now():
                continue
            if book.hidden_reads > 0:
                book.hidden_reads -= 1
                continue
            shown.append(book)
        return shown

    def create(self, name: str, *, at_once_visible: bool = False) -> Book:
        """Make an empty book; names are unique in an account."""
        self._check_name(name)
        settings, now = self._settings, self._clock.now()
        book = Book(self._next_id, name, now)
        if not at_once_visible:
            book.hidden_reads = settings.book_visibility_reads
            if settings.book_visibility_seconds:
                book.hidden_until = now + timedelta(seconds=settings.book_visibility_seconds)
        self._next_id += 1
        self._books[book.id] = book
        return book

    def rename(self, book: Book, name: str) -> None:
        """Give a book another name."""
        if name != book.name:
            self._check_name(name)
        book.name = name

    def remove(self, book: Book) -> None:
        """Delete a book with its contacts."""
        del self._books[book.id]

    def add_contacts(
        self, book: Book, contacts: list[NewContact], *, is_quiet: bool = False, keeps_old: bool = False
    ) -> None:
        """Start loading contacts; the book stays locked until the load is over."""
        now = self._clock.now()
        visible = not self._settings.contacts_visible_late
        seconds = self._settings.book_load_seconds
        if seconds is None:
            seconds = self._settings.seconds_per_status
        starts_at = max([now, *(load.ends_at for load in book.loads)])
        ends_at = starts_at + timedelta(seconds=seconds)
        # A read is counted before it is answered.
        late = self._settings.book_locked_late_reads
        load = Load(
            contacts, ends_at, visible, unlocked_reads=late + 1 if late else 0, is_quiet=is_quiet, keeps_old=keeps_old
        )
        if visible:
            self._place(book, load, now)
        book.loads.append(load)

    def end_load(self, book: Book, load: Load, at: datetime) -> None:
        """Finish a load, which is when late contacts come to be seen."""
        book.loads.remove(load)
        if not load.visible:
            self._place(book, load, at)

    def note_read(self, book: Book) -> None:
        """Count a read; where states move by reads, the load that was read often enough ends."""
        for load in book.loads:
            if load.unlocked_reads > 0:
                load.unlocked_reads -= 1
                return
        if self._settings.transitions != "reads" or not book.loads:
            return
        enough = self._settings.book_load_reads
        if enough is None:
            enough = self._settings.reads_per_status
        load = book.loads[0]
        if load.reads >= enough:
            self.end_load(book, load, self._clock.now())
        else:
            load.reads += 1

    def check_writable(self, book: Book) -> None:
        """Refuse to write to a locked book, if the settings say so."""
        if self._settings.locked_book_writes == "refuse" and book.status != 0:
            raise Refusal(self._settings.http_status_locked_book, 422, "The address book is locked")

    def activate(self, book: Book, at: datetime) -> None:
        """Activate the contacts whose delay is over."""
        due = [entry for entry in book.activations if entry[0] <= at]
        book.activations = [entry for entry in book.activations if entry[0] > at]
        for _, email in due:
            contact = book.contacts.get(email)
            if contact is not None and contact.status == NEW_CONTACT:
                contact.status = ACTIVE_CONTACT

    def take_out(self, book: Book, email: str) -> None:
        """Remove a contact, and tell of it."""
        del book.contacts[email]
        now = self._clock.now()
        self._webhooks.tell(now, webhook_events.deleted(now, email, book.id))

    def _place(self, book: Book, load: Load, at: datetime) -> None:
        delay = self._settings.contact_activation_seconds
        for new in load.contacts:
            is_new = new.email not in book.contacts
            if not is_new and load.keeps_old:
                continue
            book.put(new, at)
            if is_new and not load.is_quiet:
                told = webhook_events.new_email(at, new.email, book.id, new.variables, "address book")
                self._webhooks.tell(at, told)
            if is_new and delay is not None:
                book.activations.append((at + timedelta(seconds=delay), new.email))

    def _check_name(self, name: str) -> None:
        if any(book.name == name for book in self._books.values()):
            raise invalid("Name already in use", 203)
