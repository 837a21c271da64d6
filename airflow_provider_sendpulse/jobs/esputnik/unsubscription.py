# SPDX-License-Identifier: Apache-2.0
"""Addresses that get no e-mail any more."""

from __future__ import annotations

from airflow_provider_sendpulse.esputnik import unsubscribed
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, key_of


def unsubscription(batch_size: int, concurrency: int) -> BatchedDelivery:
    """Return how addresses are unsubscribed."""
    return BatchedDelivery(
        lambda batch: unsubscribed.add([person.email for person in batch]),
        key_of(By.EMAIL),
        {"deed": "unsubscribe"},
        batch_size,
        concurrency,
    )


__all__ = ["unsubscription"]
