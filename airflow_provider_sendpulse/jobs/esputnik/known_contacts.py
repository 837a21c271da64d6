# SPDX-License-Identifier: Apache-2.0
"""Rows whose contact is there already: what is sent to anybody else would make a confirmed contact of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, hits
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)


def known_only(
    sender: Sender,
    items: Iterable[Item],
    by: Iterable[By],
    report: Report,
    noun: str,
    unless: Callable[[Item], bool] = lambda _: False,
) -> Iterator[Item]:
    """Yield the rows whose contact the account has; the others are skipped, and counted in the log.

    :param by: by what contacts are looked for: any of these is enough
    :param noun: what the rows are, in the plural
    :param unless: says of a row that it makes no contact, and needs no search
    """
    kinds = [*by]
    unknown = 0
    for item in items:
        if unless(item) or any(_is_known(sender, kind, item) for kind in kinds):
            yield item
        else:
            unknown += 1
            report.settle(item.person, Outcome.SKIPPED)
    if unknown:
        log.info("%s %s are for nobody whom the account has, and create_contacts is False: skipped.", f"{unknown:,}", noun)


def _is_known(sender: Sender, by: By, item: Item) -> bool:
    value = {
        By.EXTERNAL_CUSTOMER_ID: item.person.external_customer_id,
        By.EMAIL: item.person.email,
        By.PHONE: item.person.phone,
    }[by]
    return bool(value) and bool(hits(sender, by, value))


__all__ = ["known_only"]
