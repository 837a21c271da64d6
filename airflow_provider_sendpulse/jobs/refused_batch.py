# SPDX-License-Identifier: Apache-2.0
"""A batch that the service refused as a whole: what the task fails with."""

from __future__ import annotations

from airflow_provider_sendpulse.exceptions import DeliveryFailed, Refused
from airflow_provider_sendpulse.jobs.counts import Counts


def refused_batch(error: Refused, first: int, last: int, counts: Counts) -> DeliveryFailed:
    """Return the failure that says which rows were refused, and what became of the others so far.

    :param first, last: numbers of the first and the last row of the batch
    """
    failed = DeliveryFailed(
        f"Rows {first} to {last}: {error} So far: {counts}.",
        operation=error.operation,
        status=error.status,
        error_code=error.error_code,
        service_message=error.service_message,
    )
    failed.__cause__ = error
    return failed


__all__ = ["refused_batch"]
