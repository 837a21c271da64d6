# SPDX-License-Identifier: Apache-2.0
"""What the operators share that deliver rows: where rows come from, and the account of what became of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.thresholds import Thresholds
from airflow_provider_sendpulse.operators.base import SendPulseOperator


class SendPulseRowsOperator(SendPulseOperator):
    """An operator that delivers rows, and returns the counts.

    :param max_rejected: rows that may go wrong: up to it the task warns, above it fails; no such bound when left out
    :param max_rejected_ratio: share of the rows that may go wrong: up to it the task warns, above it fails
    """

    def __init__(self, *, max_rejected: int | None = None, max_rejected_ratio: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio

    @contextlib.contextmanager
    def _accounted(self, noun: str) -> Iterator[Report]:
        """Give every row an outcome, say the counts last, and judge them by the thresholds.

        :param noun: what the rows are, for the log
        :raises DeliveryFailed: when more went wrong than is allowed
        """
        thresholds = Thresholds(self.max_rejected, self.max_rejected_ratio)
        report = Report()
        try:
            yield report
        except BaseException:
            report.abandon()
            raise
        finally:
            self.log.info("%s: %s", noun, report.counts)
        thresholds.conclude(report.counts, noun)


__all__ = ["SendPulseRowsOperator"]
