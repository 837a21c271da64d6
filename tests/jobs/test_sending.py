# SPDX-License-Identifier: Apache-2.0
"""How far a listing is read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_sendpulse.esputnik import broadcasts
from airflow_provider_sendpulse.esputnik.broadcasts import Broadcast
from airflow_provider_sendpulse.jobs.sending import as_far_back

NEW, OLD = "2026-03-02T10:00", "2026-01-02T10:00"


class Lists:
    """Gives pages of two, in the order that it holds."""

    def __init__(self, *listed):
        self.listed = listed
        self.pages = 0

    def send(self, call):
        self.pages += 1
        return [*self.listed[call.offset : call.offset + 2]]


def listed(sender):
    call = replace(broadcasts.list(), limit=2)
    found = as_far_back(sender, call, lambda one: one.id, lambda one: one.start_date or "", "2026-02-01T00:00")
    return [one.id for one in found]


def dated(*dates):
    """Broadcasts, the newest first."""
    return [Broadcast(len(dates) - place, start_date=date) for place, date in enumerate(dates)]


@pytest.mark.parametrize(
    ("found", "pages"),
    [
        (dated(NEW, None, OLD, None, OLD, OLD), 2),
        (dated(NEW, None, OLD, NEW, OLD, OLD), 3),
        # Nothing says how old these are, so all are read, and an empty page ends them.
        (dated(None, None, None, None), 3),
        (dated("0000-00-00", None, None), 3),
        # The oldest first: what is new comes last.
        (dated(NEW, None, OLD, OLD)[::-1], 3),
        ([], 1),
    ],
)
def test_how_far(found, pages):
    sender = Lists(*found)
    assert listed(sender) == [one.id for one in found][: 2 * pages]
    assert sender.pages == pages
