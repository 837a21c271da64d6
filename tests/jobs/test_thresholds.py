# SPDX-License-Identifier: Apache-2.0
"""The account of a delivery, and how many bad rows it may have."""

from __future__ import annotations

import logging

import pytest
from deliveries import person

from airflow_provider_sendpulse.exceptions import DeliveryFailed, InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Counts
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.thresholds import Thresholds


@pytest.mark.parametrize(
    ("counts", "ratio", "fails"),
    [
        (Counts(read=100, accepted=100), 0.0, False),
        (Counts(read=100, accepted=99, invalid=1), 0.01, False),
        (Counts(read=100, accepted=98, invalid=1, rejected=1), 0.01, True),
        (Counts(read=100, accepted=99, in_doubt=1), 0.0, True),
        (Counts(read=100, duplicate=50, skipped=50), 0.0, False),
        (Counts(read=1, invalid=1), 1.0, False),
        # What was not tried does not make the share smaller.
        (Counts(read=1000, skipped=900, accepted=98, rejected=2), 0.01, True),
        (Counts(read=1000, duplicate=900, accepted=98, rejected=2), 0.01, True),
        (Counts(read=1000, skipped=450, duplicate=450, accepted=99, rejected=1), 0.01, False),
        (Counts(read=1000, skipped=999, invalid=1), 0.01, True),
        (Counts(), 0.0, False),
        # Products of fractions are not what they seem: 0.29 * 100 is less than 29.
        (Counts(read=100, accepted=71, rejected=29), 0.29, False),
        (Counts(read=100, accepted=70, rejected=30), 0.29, True),
        (Counts(read=1000, accepted=993, rejected=7), 0.007, False),
    ],
)
def test_conclusion(counts, ratio, fails, caplog):
    if fails:
        with pytest.raises(DeliveryFailed, match="max_rejected_ratio"):
            Thresholds(max_rejected_ratio=ratio).conclude(counts, "Contacts")
    else:
        Thresholds(max_rejected_ratio=ratio).conclude(counts, "Contacts")
        assert any(record.levelno == logging.WARNING for record in caplog.records) is (counts.bad > 0)


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_the_message_says_where_the_rows_are(ratio, caplog):
    counts = Counts(read=2, accepted=1, rejected=1)
    try:
        Thresholds(max_rejected_ratio=ratio).conclude(counts, "Contacts", "/rejects/today.csv")
    except DeliveryFailed as error:
        message = str(error)
    else:
        [message] = [record.getMessage() for record in caplog.records]
    assert message.endswith("They are in /rejects/today.csv.")


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_is_a_share(ratio):
    with pytest.raises(InvalidRequest):
        Thresholds(max_rejected_ratio=ratio)


def test_counts_as_text():
    assert str(Counts(read=1200, accepted=1199, in_doubt=1)) == "1,200 read, 1,199 accepted, 1 in doubt"


def test_an_item_shows_nothing_of_a_person():
    assert "reader1" not in repr(Item(person(1), "k"))


def test_what_an_earlier_try_has_sent_was_tried():
    counts = Counts(read=1000, skipped=999, rejected=1)
    Thresholds().conclude(counts, "Contacts", resumed=True)
    with pytest.raises(DeliveryFailed, match="1 of 1 rows went wrong"):
        Thresholds().conclude(counts, "Events")
