# SPDX-License-Identifier: Apache-2.0
"""What the account knows of addresses, as records: where they are, how they came there, what was sent to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.listing import is_mailable
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.splitting import BatchSize, Splitter
from airflow_provider_sendpulse.rows.output import Layout, Record
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.rows.spool import Spool
from airflow_provider_sendpulse.sendpulse import addresses
from airflow_provider_sendpulse.sendpulse.error_codes import UNKNOWN_ADDRESS, ErrorCode

PER_CALL = 100
"""Addresses in a call that takes many. No limit is documented; when the service refuses that many, fewer are asked for."""

_UNKNOWN = UNKNOWN_ADDRESS | {ErrorCode.ADDRESS_INVALID.code}

Found = Mapping[str, Iterable[dict[str, Any]]]
"""Address to what is known of it, without the address; nothing of those that are not known."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One kind of look-up.

    :param layout: of its records
    :param ask: makes the call for some addresses, which answers with what is found
    :param per_call: addresses in a call
    """

    layout: Layout
    ask: Callable[[Sequence[str]], Call[Found]]
    per_call: int = PER_CALL


def memberships() -> Lookup:
    """Return how the address books of addresses are looked up, with status and variables."""

    def one(found: addresses.Membership) -> dict[str, Any]:
        return {
            "address_book_id": found.book_id,
            "status": found.status,
            "status_explain": found.status_explain or None,
            "mailable": is_mailable(found.status),
            "variables": found.variables,
        }

    def ask(emails: Sequence[str]) -> Call[Found]:
        call = addresses.memberships_of_many(emails)
        return call.reading(lambda answer: {email: map(one, books) for email, books in call.read(answer).items()})

    columns = {"address_book_id": int, "status": int, "status_explain": str, "mailable": bool, "variables": dict}
    return Lookup(_layout("memberships", columns, "address_book_id"), ask)


def origins() -> Lookup:
    """Return how it is looked up when and how addresses came into their address books; a call for each."""

    def one(found: addresses.Origin) -> dict[str, Any]:
        return {
            "address_book_id": found.list_id,
            "address_book_name": found.list_name,
            "add_date": found.add_date,
            "source": found.source,
        }

    def ask(emails: Sequence[str]) -> Call[Found]:
        [email] = emails
        call = addresses.origins(email)
        return call.reading(lambda answer: {email: map(one, call.read(answer))})

    columns = {"address_book_id": int, "address_book_name": str, "add_date": str, "source": str}
    return Lookup(_layout("origins", columns, "address_book_id"), ask, 1)


def statistics() -> Lookup:
    """Return how it is looked up what was sent to addresses over all campaigns, and whether they are on the blacklist."""

    def of_one(found: addresses.AddressStatistics) -> list[dict[str, Any]]:
        if not (found.sent or found.blacklist or found.address_books):
            return []
        return [
            {
                "sent": found.sent,
                "opened": found.open,
                "links_followed": found.link,
                "blacklisted": found.blacklist,
                "address_books": [book.id for book in found.address_books],
            }
        ]

    def ask(emails: Sequence[str]) -> Call[Found]:
        call = addresses.statistics_of_many(emails)
        return call.reading(lambda answer: {email: of_one(found) for email, found in call.read(answer).items()})

    columns = {"sent": int, "opened": int, "links_followed": int, "blacklisted": bool, "address_books": dict}
    return Lookup(_layout("statistics", columns), ask)


def deliveries(campaign_id: int) -> Lookup:
    """Return how it is looked up what became of a campaign's messages to addresses; a call for each."""

    def one(found: addresses.Delivery) -> dict[str, Any]:
        return {
            "campaign_id": campaign_id,
            "sent_date": found.sent_date,
            "global_status": found.global_status,
            "global_status_explain": found.global_status_explain,
            "detail_status": found.detail_status,
            "detail_status_explain": found.detail_status_explain or None,
        }

    def ask(emails: Sequence[str]) -> Call[Found]:
        [email] = emails
        call = addresses.delivery(campaign_id, email)
        return call.reading(lambda answer: {email: [one(call.read(answer))]} if answer else {})

    columns = {
        "campaign_id": int,
        "sent_date": str,
        "global_status": int,
        "global_status_explain": str,
        "detail_status": int,
        "detail_status_explain": str,
    }
    return Lookup(_layout("deliveries", columns, "campaign_id"), ask, 1)


class Looking:
    """One kind of look-up under way: what it found is kept until it is written.

    :param clock: says when it was looked up
    """

    def __init__(self, sender: Sender, lookup: Lookup, clock: Clock) -> None:
        self.layout = lookup.layout
        self._lookup = lookup
        self._clock = clock
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._records = Spool()
        self._splitter = Splitter(sender, self._build, BatchSize(lookup.per_call), lambda _: False, _is_unknown)

    def look(self, items: Sequence[Item]) -> tuple[set[str], dict[str, str]]:
        """Look addresses up.

        :return: keys of those that are known, and of those that were refused with the reason
        :raises ServiceError: as the calls do
        """
        self._found.clear()
        sent = self._splitter.send(items)
        if sent.error is not None:
            raise sent.error
        at = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="seconds")
        known: set[str] = set()
        for item in items:
            email = item.person.email.lower()
            for record in self._found.get(email, ()):
                known.add(item.key)
                self._records.add({"email": email, **record, "looked_up_at": at})
        return known, {item.key: reason for item, reason in sent.refused}

    def records(self) -> Iterator[Record]:
        """Yield what was found."""
        self._records.flush()
        yield from self._records

    def close(self) -> None:
        """Forget what was found."""
        self._records.close()

    def _build(self, batch: Sequence[Person]) -> Call[None]:
        call = self._lookup.ask([person.email for person in batch])
        return call.reading(lambda answer: self._take(call.read(answer)))

    def _take(self, found: Found) -> None:
        self._found.update({email.lower(): [*records] for email, records in found.items()})


@dataclass
class Inquiry:
    """Addresses that are looked up in several ways.

    :param unknown: addresses so far of which none of them knows anything
    """

    ways: Sequence[Looking]
    unknown: int = field(default=0, init=False)

    def run(self, items: Iterable[Item], report: Report) -> None:
        """Look all addresses up, and settle them: those that are not known as well.

        :raises ServiceError: as the calls do
        """
        for chunk in chunks(items, PER_CALL):
            known: set[str] = set()
            refused: dict[str, str] = {}
            for way in self.ways:
                found, reasons = way.look(chunk)
                known |= found
                refused |= reasons
            for item in chunk:
                if item.key in refused:
                    report.settle(item.person, Outcome.REJECTED, refused[item.key], item.label)
                    continue
                self.unknown += item.key not in known
                report.settle(item.person, Outcome.ACCEPTED)


@contextlib.contextmanager
def looking(sender: Sender, lookups: Sequence[Lookup], clock: Clock) -> Iterator[list[Looking]]:
    """Begin look-ups; what they found is forgotten at the end."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Looking(sender, lookup, clock))) for lookup in lookups]


def _is_unknown(error_code: int | None, service_message: str | None) -> bool:
    return error_code in _UNKNOWN


def _layout(noun: str, columns: Mapping[str, type], *key: str) -> Layout:
    return Layout(noun, {"email": str, **columns, "looked_up_at": str}, ("email", *key))


__all__ = ["PER_CALL", "Inquiry", "Looking", "Lookup", "deliveries", "looking", "memberships", "origins", "statistics"]
