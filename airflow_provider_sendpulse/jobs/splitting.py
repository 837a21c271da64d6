# SPDX-License-Identifier: Apache-2.0
"""One batch of rows: sent as it is, in smaller parts where the service wants that, or down to the rows it refuses."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from airflow_provider_sendpulse.api.call import Call, SplitCall
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

Build = Callable[[Sequence[Person]], Call[None] | SplitCall[None]]
"""Makes the call for some rows."""

IsDone = Callable[[int | None, str | None], bool]
"""Whether a refusal, by its code and its words, says that nothing was left to do for the rows."""


def never(error_code: int | None, service_message: str | None) -> bool:
    """Take no refusal for good news."""
    return False


PROBES = 3
"""Rows of a refused batch that are tried alone first; when all of them are refused and none was ever taken, it is not the
rows."""

MOST_IN_A_ROW = 100
"""Rows that may be refused alone, one after the other, once the service has taken some. With more of them it takes nothing
any more, and every row to come would cost two requests."""


@dataclass(slots=True)
class Sent:
    """What became of a batch, as far as it got.

    :param error: what ended it early; the rows that are in neither list are not known to have been sent
    :param complete: whether every row has an outcome
    """

    accepted: list[Item] = field(default_factory=list)
    refused: list[tuple[Item, str]] = field(default_factory=list)
    error: Exception | None = None
    complete: bool = True


class BatchSize:
    """How many rows one request may hold: what was asked for, until the service wants fewer. Threads share it.

    :param most: rows
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        """Rows that one request may hold."""
        return self._most

    def lower(self, tried: int, said: int | None) -> None:
        """Take fewer rows from now on, after a request that held too many.

        :param tried: rows in that request, at least 2
        :param said: rows that the service says it takes, if it does
        """
        fewer = said if said and said < tried else tried // 2
        with self._lock:
            if fewer < self._most:
                log.warning("The service refuses %s rows in a request; going on with %s.", tried, fewer)
                self._most = fewer


class _Stopped(Exception):
    pass


class Splitter:
    """Sends batches, from any number of threads.

    A refusal that can be due to some of the rows is followed down to these: three rows alone (the first, one in the
    middle, the last), then one half after the other. One bad row in 500 costs about twenty requests. It ends the delivery
    when it cannot be the rows: three were refused alone and none was taken so far, or very many in a row.

    :param build: makes the call for some rows
    :param suspect: whether a row was refused alone in an earlier try: that it is again says nothing of the others
    :param is_done: whether a refusal says that nothing was left to do
    """

    def __init__(
        self,
        sender: Sender,
        build: Build,
        size: BatchSize,
        suspect: Callable[[int], bool],
        is_done: IsDone = never,
    ) -> None:
        self._sender = sender
        self._build = build
        self._size = size
        self._suspect = suspect
        self._is_done = is_done
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._any_accepted = False
        self._refused_in_a_row = 0

    def stop(self) -> None:
        """Let no further request begin."""
        self._stop.set()

    def send(self, items: Sequence[Item]) -> Sent:
        """Send a batch; what goes wrong is in the result."""
        sent = Sent()
        try:
            self._send(items, sent, self._probe)
        except _Stopped:
            sent.complete = False
        except Exception as error:
            sent.error, sent.complete = error, False
        return sent

    def _send(
        self, items: Sequence[Item], sent: Sent, when_refused: Callable[[Sequence[Item], Refused, Sent], None]
    ) -> None:
        for part in chunks(items, self._size.most):
            if self._stop.is_set():
                raise _Stopped
            try:
                self._sender.send(self._build([item.person for item in part]))
            except Refused as error:
                if self._is_done(error.error_code, error.service_message):
                    log.info("Nothing was left to do for %s rows: %s", len(part), error.service_message)
                    self._accept(part, sent)
                elif error.is_too_large and len(part) > 1:
                    self._size.lower(len(part), error.most_items)
                    self._send(part, sent, when_refused)
                elif not error.is_too_large and not error.due_to_a_row:
                    raise
                elif len(part) > 1:
                    when_refused(part, error, sent)
                else:
                    self._refuse(part[0], error, sent)
            else:
                self._accept(part, sent)

    def _accept(self, items: Sequence[Item], sent: Sent) -> None:
        with self._lock:
            self._any_accepted = True
            self._refused_in_a_row = 0
        sent.accepted += items

    def _probe(self, items: Sequence[Item], error: Refused, sent: Sent) -> None:
        """Find out whether it is the rows, then look for them."""
        places = self._places(items)
        found = Sent()
        try:
            for place in places:
                self._send(items[place : place + 1], found, self._halve)
        finally:
            sent.accepted += found.accepted
            if not self._is_not_the_rows:
                sent.refused += found.refused
        rest = [item for place, item in enumerate(items) if place not in places]
        if found.refused:
            self._send(rest, sent, self._halve)
        elif rest:
            self._halve(rest, error, sent)

    def _places(self, items: Sequence[Item]) -> list[int]:
        places = [place for place, item in enumerate(items) if not self._suspect(item.person.number)]
        return sorted({places[0], places[len(places) // 2], places[-1]}) if places else []

    def _halve(self, items: Sequence[Item], error: Refused, sent: Sent) -> None:
        middle = (len(items) + 1) // 2
        for half in (items[:middle], items[middle:]):
            self._send(half, sent, self._halve)

    def _refuse(self, item: Item, error: Refused, sent: Sent) -> None:
        with self._lock:
            # Counted beyond the batch: with one or two rows a batch, none has three to try.
            self._refused_in_a_row += not self._suspect(item.person.number)
            if self._is_not_the_rows:
                raise error
        sent.refused.append((item, str(error)))

    @property
    def _is_not_the_rows(self) -> bool:
        return self._refused_in_a_row >= (MOST_IN_A_ROW if self._any_accepted else PROBES)


__all__ = ["MOST_IN_A_ROW", "PROBES", "BatchSize", "Build", "IsDone", "Sent", "Splitter", "never"]
