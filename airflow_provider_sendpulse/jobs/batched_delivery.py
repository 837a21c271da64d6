# SPDX-License-Identifier: Apache-2.0
"""Rows to the service where a repeat changes nothing: screened, in batches, from where an earlier try has got to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.position import PositionStore, Prefix, binding, resumed
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.splitting import Build, IsDone, never
from airflow_provider_sendpulse.jobs.upsert import Upsert, nobody, nothing
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person

MOST_BATCHES_AT_ONCE = 32
"""More than the account's budget of requests could ever keep busy."""


@dataclass(frozen=True, slots=True)
class BatchedDelivery:
    """How rows get to the service in batches, several at a time, where a repeat of any of them changes nothing.

    :param build: makes the call for some rows
    :param key: what a row is recognised by; it raises ``InvalidRequest`` for a row that cannot be sent
    :param bound_to: what is done and where: another try goes on only when that is the same
    :param batch_size: rows in a call, until the service wants fewer
    :param concurrency: calls at a time
    :param is_done: whether a refusal says that nothing was left to do
    :param reached: whether a row needs an address or a telephone number, and is not known by an id instead
    :raises InvalidRequest: for numbers that cannot be meant
    """

    build: Build
    key: Callable[[Person], Key]
    bound_to: Mapping[str, str | int]
    batch_size: int = 500
    concurrency: int = 4
    is_done: IsDone = never
    reached: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InvalidRequest(f"batch_size is {self.batch_size}; it is at least 1.")
        if not 1 <= self.concurrency <= MOST_BATCHES_AT_ONCE:
            raise InvalidRequest(f"concurrency is {self.concurrency}; it is a number from 1 to {MOST_BATCHES_AT_ONCE}.")

    def run(
        self,
        sender: Sender,
        audience: Audience,
        position: PositionStore,
        report: Report,
        clock: Clock,
        *,
        account: str,
        catch_up: Callable[[], None] = nothing,
        accepted: Callable[[Item], None] = nobody,
        skipped: Callable[[Item], None] = nobody,
    ) -> Prefix:
        """Deliver the rows, from where an earlier try has got to. Whoever calls this deletes the position at the end.

        :param sender: carries out calls, from several threads unless ``concurrency`` is 1
        :param position: kept for another try
        :param account: what tells one account from another; a digest, never a credential
        :param catch_up: is called now and then by the thread that runs this
        :param accepted: is told of every row that the service takes
        :param skipped: is told of every row that an earlier try has delivered
        :return: the beginning of the source that is behind us, which is all of it now
        """
        bound = binding(account=account, mapping=audience.mapping, **self.bound_to)
        prefix = Prefix(position, bound, resumed(position, bound, audience.reading()))
        upsert = Upsert(
            sender,
            self.build,
            batch_size=self.batch_size,
            concurrency=self.concurrency,
            clock=clock,
            accepted=accepted,
            catch_up=catch_up,
            is_done=self.is_done,
        )
        with (
            audience.reading() as persons,
            # Closed here and now, by the thread that has opened their temporary file.
            contextlib.closing(screened(prefix.reading(persons), report, self.key, reached=self.reached)) as items,
        ):
            upsert.run(_unsent(items, prefix, report, skipped), report, prefix)
        return prefix


def _unsent(items: Iterable[Item], prefix: Prefix, report: Report, skipped: Callable[[Item], None]) -> Iterator[Item]:
    """Leave out what an earlier try has delivered."""
    for item in items:
        if not prefix.has(item.person.number):
            yield item
            continue
        report.settle(item.person, Outcome.SKIPPED)
        skipped(item)


__all__ = ["MOST_BATCHES_AT_ONCE", "BatchedDelivery"]
