# SPDX-License-Identifier: Apache-2.0
"""Rejected rows, and who rejected them."""

from __future__ import annotations

from airflow_provider_sendpulse.rows.rejects import RejectedRow, TaskRun
from airflow_provider_sendpulse.rows.rejects_spool import SpooledRejects

RUN = TaskRun("a_dag", "scheduled__2026-01-05", "add")


def row(number, outcome="rejected", reason="refused", key="", email=None, phone=""):
    return RejectedRow(number, outcome, reason, key, f"reader{number}@example.com" if email is None else email, phone)


def keep(place, *rows, run=RUN):
    """Write an account as one try of a task does."""
    place.prepare(run)
    rejects = SpooledRejects(place, run, place.retention)
    for one in rows:
        rejects.write(one)
    rejects.close()
