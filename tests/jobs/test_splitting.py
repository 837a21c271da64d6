# SPDX-License-Identifier: Apache-2.0
"""One batch: in smaller parts where the service wants that, and down to the rows it refuses."""

from __future__ import annotations

import pytest
from deliveries import Sender, build, by_email, persons, refused, rows_of
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import AuthenticationFailed, ServiceUnavailable
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.splitting import BatchSize, Splitter

ITEMS = [Item(row, by_email(row).digest.hex(), row.email) for row in persons(500)]


def nobody(number):
    return False


def split(sender, items=ITEMS, size=500, suspect=nobody):
    return Splitter(sender, build, BatchSize(size), suspect).send(items)


def outcome(sent):
    return [item.person.number for item in sent.accepted], [item.person.number for item, _ in sent.refused]


@given(st.data())
def test_every_row_gets_one_outcome(data):
    count = data.draw(st.integers(1, 60))
    wrong = set(data.draw(st.lists(st.integers(1, count))))
    sender = Sender(errors={number: refused() for number in wrong})
    sent = split(sender, ITEMS[:count])
    accepted, refusals = outcome(sent)
    if sent.complete:
        assert (sorted(accepted), sorted(refusals)) == (sorted({*range(1, count + 1)} - wrong), sorted(wrong))
        # No row that was accepted is sent again.
        assert sorted(sender.sent) == sorted(accepted)
    else:
        # Three rows were tried alone, far from one another, and none was taken.
        probes = {1, count // 2 + 1, count}
        assert len(probes) == 3
        assert probes <= wrong
        assert (accepted, refusals, sender.sent) == ([], [], [])
        assert len(sender.tried) == 4
        assert sent.error.error_code == 422


@pytest.mark.parametrize("wrong", [2, 100, 252, 499])
def test_what_one_bad_row_costs(wrong):
    sender = Sender(errors={wrong: refused()})
    assert outcome(split(sender))[1] == [wrong]
    assert 20 <= len(sender.tried) <= 22


@pytest.mark.parametrize("wrong", [1, 500])
def test_a_bad_row_that_is_tried_first_costs_little(wrong):
    sender = Sender(errors={wrong: refused()})
    assert outcome(split(sender))[1] == [wrong]
    assert [len(rows) for rows in sender.tried] == [500, 1, 1, 1, 497]


@pytest.mark.parametrize(
    "error",
    [refused(404, 213), refused(403, 3030303030), refused(403, None), refused(301, None), AuthenticationFailed("no")],
    ids=str,
)
def test_what_is_not_about_rows_is_not_split(error):
    sender = Sender(errors={9: error})
    sent = split(sender)
    assert (sent.error, sent.complete, len(sender.tried), outcome(sent)) == (error, False, 1, ([], []))


def test_what_is_known_when_it_ends_early_is_kept():
    class Failing(Sender):
        def send(self, call):
            if len(self.tried) == 8:
                raise ServiceUnavailable("down")
            super().send(call)

    sender = Failing(errors={400: refused()})
    sent = split(sender)
    assert str(sent.error) == "down"
    accepted, refusals = outcome(sent)
    assert accepted
    assert sorted(accepted) == sorted(sender.sent)
    assert (refusals, sent.complete) == ([], False)


def test_nothing_begins_once_it_is_stopped():
    sender = Sender()
    splitter = Splitter(sender, build, BatchSize(10), nobody)
    splitter.stop()
    sent = splitter.send(ITEMS)
    assert (sender.tried, sent.complete, sent.error) == ([], False, None)


def test_rows_that_were_refused_before_are_no_evidence():
    wrong = {number: refused() for number in (1, 2, 3, 4)}
    sent = split(Sender(errors=wrong), ITEMS[:4], suspect=wrong.__contains__)
    assert outcome(sent) == ([], [1, 2, 3, 4])
    assert split(Sender(errors=wrong), ITEMS[:4]).complete is False


class Small(Sender):
    """Takes so many rows and no more."""

    def __init__(self, most, error, **errors):
        super().__init__(**errors)
        self.most = most
        self.error = error

    def send(self, call):
        if len(rows_of(call)) > self.most:
            self.tried.append(rows_of(call))
            raise self.error
        super().send(call)


SAID = [
    ("Argument emails may not have more than 90 items", 90),
    ("Limit is exceeded. Max count: 90", 90),
    ("Limit is exceeded. Max count: 9000", 62),
    ("Limit is exceeded. Max count: 0", 62),
]


@pytest.mark.parametrize(("text", "size"), SAID)
def test_the_size_that_the_service_says(text, size):
    sender = Small(90, refused(422, 422, text))
    sent = split(sender)
    assert (len(sent.accepted), max(len(rows) for rows in sender.tried if len(rows) <= 90)) == (500, size)


@pytest.mark.parametrize("most", [1, 2, 3, 499])
def test_a_size_that_is_not_said(most):
    sender = Small(most, refused(413, None, "Request Entity Too Large"))
    assert len(split(sender).accepted) == 500


def test_bad_rows_in_batches_that_are_too_large():
    sender = Small(100, refused(413, None), errors={77: refused(), 333: refused()})
    accepted, refusals = outcome(split(sender))
    assert (len(accepted), refusals) == (498, [77, 333])


def test_a_size_is_only_lowered():
    size = BatchSize(500)
    size.lower(500, 100)
    size.lower(500, 200)
    size.lower(500, None)
    assert size.most == 100
