# SPDX-License-Identifier: Apache-2.0
"""Upserts in batches, and what is left out before."""

from __future__ import annotations

import logging

import pytest
from deliveries import Sender, build, by_email, person, persons, total
from emulated_account import FakeClock

from airflow_provider_sendpulse.exceptions import (
    AuthenticationFailed,
    DeliveryFailed,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.upsert import upsert


def send_upserts(rows, sender, batch_size=10, clock=None):
    report = Report()
    items = screened(rows, report, by_email)
    try:
        upsert(sender, items, build, report, batch_size=batch_size, clock=clock or FakeClock())
    finally:
        assert report.counts.settled <= report.counts.read
    return report.counts


@pytest.mark.parametrize(
    ("count", "size", "batches"), [(0, 10, []), (1, 10, [1]), (10, 10, [10]), (25, 10, [10, 10, 5]), (3, 1, [1] * 3)]
)
def test_batches(count, size, batches):
    sender = Sender()
    counts = send_upserts(persons(count), sender, size)
    assert [len(rows) for rows in sender.tried] == batches
    assert (counts.read, counts.accepted) == (count, count)


def test_duplicates_and_faults_are_left_out(caplog):
    sender = Sender()
    rows = [
        person(1, "A@example.com"),
        person(2, "a@example.com"),
        person(3, "no"),
        person(4, ""),
        person(5, "", "+38"),
        person(6),
    ]
    counts = send_upserts(rows, sender)
    assert sender.sent == [1, 6]
    assert counts.as_dict() == {
        "read": 6,
        "accepted": 2,
        "duplicate": 1,
        "invalid": 3,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
    }
    assert total(counts) == 6
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Row 3: not an address", "Row 4: neither address nor telephone number", "Row 5: not a telephone number"]


def test_a_refused_batch_names_its_rows_and_keeps_the_reason():
    refused = Refused(
        "The service said no.", operation="POST /x", status=422, error_code=21356, service_message="Malformed"
    )
    with pytest.raises(DeliveryFailed, match=r"Rows 11 to 20: The service said no. So far: 20 read, 10 accepted") as caught:
        send_upserts(persons(25), Sender(errors={13: refused}))
    error = caught.value
    assert (error.operation, error.status, error.error_code, error.service_message) == ("POST /x", 422, 21356, "Malformed")


@pytest.mark.parametrize(
    "error", [Throttled("slow"), ServiceUnavailable("down"), AuthenticationFailed("no"), KeyboardInterrupt()]
)
def test_other_failures_of_a_batch_pass_through(error):
    with pytest.raises(type(error)) as caught:
        send_upserts(persons(25), Sender(errors={13: error}))
    assert caught.value is error


def test_rows_are_read_as_they_are_needed():
    def rows():
        yield from persons(20)
        raise RuntimeError("read too far")

    sender = Sender()
    with pytest.raises(RuntimeError):
        send_upserts(rows(), sender)
    assert len(sender.sent) == 20


def test_progress_is_told_every_half_minute(caplog):
    clock = FakeClock()

    class Slow(Sender):
        def send(self, call):
            clock.sleep(20)
            super().send(call)

    with caplog.at_level(logging.INFO):
        send_upserts(persons(60), Slow(), clock=clock)
    assert [record.message for record in caplog.records] == [
        "batch 2 · 20 sent · 0 rejected · 0.1 req/s",
        "batch 4 · 40 sent · 0 rejected · 0.1 req/s",
        "batch 6 · 60 sent · 0 rejected · 0.1 req/s",
    ]  # fmt: skip


def test_complaints_end_after_twenty(caplog):
    send_upserts([person(number, "no") for number in range(1, 40)], Sender())
    assert len(caplog.records) == 21
    assert "only the counts" in caplog.records[-1].getMessage()


@pytest.mark.parametrize("text", ["a\ud83d@example.com", "\ud83d"])
def test_broken_text_is_one_bad_row(text):
    sender = Sender()
    counts = send_upserts([person(1, text), person(2)], sender)
    assert (sender.sent, counts.invalid) == ([2], 1)
