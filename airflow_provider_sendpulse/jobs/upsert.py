# SPDX-License-Identifier: Apache-2.0
"""Rows in batches, several at a time, where a repeat of any of them changes nothing."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import FinalFailure, Refused
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.crew import Crew, Done, crew
from airflow_provider_sendpulse.jobs.position import Mark, Prefix
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.refused_batch import refused_batch
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.splitting import BatchSize, Build, IsDone, Sent, Splitter, never

log = logging.getLogger(__name__)

Crews = Callable[[Callable[["Batch"], Sent], int], Crew["Batch", Sent]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are sent together.

    :param index: its place in the order, from 0
    :param mark: where reading stood when it was complete
    """

    index: int
    items: list[Item]
    mark: Mark


def nothing() -> None:
    """Do nothing."""


def nobody(item: Item) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """How rows are sent.

    At most ``concurrency`` batches are beyond the position at any time: sent, or about to be, and not part of the
    contiguous beginning that was written down. That is the *window*: what may be sent again after a kill.

    :param sender: carries out calls; with a concurrency above 1, from several threads
    :param build: makes the call for some rows
    :param batch_size: rows in a request, until the service wants fewer
    :param concurrency: requests at a time
    :param accepted: is told of every row that the service takes
    :param catch_up: is called now and then by the thread that runs this
    :param is_done: whether a refusal says that nothing was left to do
    :param crews: makes who does the work
    """

    sender: Sender
    build: Build
    batch_size: int
    clock: Clock
    concurrency: int = 1
    accepted: Callable[[Item], None] = nobody
    catch_up: Callable[[], None] = nothing
    is_done: IsDone = never
    crews: Crews = crew

    def run(self, items: Iterable[Item], report: Report, prefix: Prefix) -> None:
        """Send rows.

        When a batch fails, no other is begun; those under way are waited for, and what they come to is settled and kept.
        Only the calling thread reads the source, writes the report and the position, or waits for anything but answers.

        :param report: settles on; whoever yields the items has settled what was found wrong
        :param prefix: takes note of what was acknowledged
        :raises DeliveryFailed: the service refused a batch, and it is not the rows; the message says which ones it held
        :raises ServiceError: as the calls do
        """
        _Run(self, items, report, prefix).run()


class _Run:
    def __init__(self, how: Upsert, items: Iterable[Item], report: Report, prefix: Prefix) -> None:
        self._how = how
        self._items: Iterator[Item] = iter(items)
        self._report = report
        self._prefix = prefix
        self._progress = Progress(how.clock, "batch", report.expected, how.batch_size)
        self._size = BatchSize(how.batch_size)
        self._splitter = Splitter(how.sender, how.build, self._size, prefix.was_refused, how.is_done)
        self._crew: Crew[Batch, Sent] = how.crews(lambda batch: self._splitter.send(batch.items), how.concurrency)
        self._submitted = 0
        self._acknowledged = 0
        self._ended: dict[int, tuple[Batch, Sent]] = {}
        self._failures: list[tuple[Batch, BaseException]] = []

    def run(self) -> None:
        try:
            while not self._failures:
                self._hand_out()
                done = self._crew.take()
                if done is None:
                    return
                self._settle(done)
                self._settle_ended()
                self._advance()
                self._progress.per_request = self._size.most
                self._progress.tell(self._report.counts)
                self._how.catch_up()
        except Exception:
            self._end()
            raise
        except BaseException:
            # Told to end at once: what is known counts. The position is at most one batch behind, and writing it might
            # wait for an answer that the interruption has taken away.
            self._settle_ended()
            raise
        finally:
            self._splitter.stop()
            self._crew.dismiss()
        self._end()
        raise self._told(*_most_telling(self._failures))

    def _hand_out(self) -> None:
        while self._submitted - self._acknowledged < self._how.concurrency:
            items = list(itertools.islice(self._items, self._size.most))
            if not items:
                return
            self._crew.submit(Batch(self._submitted, items, self._prefix.mark()))
            self._submitted += 1

    def _end(self) -> None:
        """Wait for what is under way, which ends within the bounds of its requests, and keep what it comes to."""
        self._splitter.stop()
        while (done := self._crew.take()) is not None:
            self._settle(done)
        try:
            self._advance()
        except Exception as error:
            log.warning("The position could not be kept (%s).", type(error).__name__)

    def _settle_ended(self) -> None:
        while (done := self._crew.take(timeout=0)) is not None:
            self._settle(done)

    def _settle(self, done: Done[Batch, Sent]) -> None:
        sent = done.result or Sent(complete=False)
        for item in sent.accepted:
            self._report.settle(item.person, Outcome.ACCEPTED)
            self._how.accepted(item)
        for item, reason in sent.refused:
            self._report.settle(item.person, Outcome.REJECTED, reason, item.label)
        if sent.complete:
            self._ended[done.job.index] = (done.job, sent)
        error = done.error or sent.error
        if error is not None:
            self._failures.append((done.job, error))

    def _advance(self) -> None:
        """Move the position over all batches that have ended without a gap."""
        while self._acknowledged in self._ended:
            batch, sent = self._ended.pop(self._acknowledged)
            self._acknowledged += 1
            self._prefix.advance(
                batch.mark,
                accepted=(item.person.number for item in sent.accepted),
                refused=(item.person.number for item, _ in sent.refused),
            )
        self._prefix.save()

    def _told(self, batch: Batch, error: BaseException) -> BaseException:
        if not isinstance(error, Refused):
            return error
        return refused_batch(error, batch.items[0].person.number, batch.items[-1].person.number, self._report.counts)


def _most_telling(failures: Sequence[tuple[Batch, BaseException]]) -> tuple[Batch, BaseException]:
    """Return the first failure that no retry can cure, or the first one."""
    return next((failure for failure in failures if isinstance(failure[1], FinalFailure)), failures[0])


__all__ = ["Batch", "Upsert", "nobody", "nothing"]
