# SPDX-License-Identifier: Apache-2.0
"""One batch: in smaller parts where the service wants that, and down to the rows it refuses."""

from __future__ import annotations

import pytest
from deliveries import Sender, build, by_email, persons, refused, rows_of
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import AuthenticationFailed, ServiceUnavailable
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.splitting import MOST_IN_A_ROW, BatchSize, Splitter

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


def test_what_was_found_alone_is_kept_when_a_later_row_ends_in_an_error():
    sender = Sender(errors={1: refused(), 251: ServiceUnavailable("down")})
    sent = split(sender)
    assert (outcome(sent), str(sent.error), sent.complete) == (([], [1]), "down", False)
    sender = Sender(errors={1: refused(), 500: ServiceUnavailable("down")})
    assert (outcome(split(sender)), sender.sent) == (([251], [1]), [251])


@pytest.mark.parametrize("wrong", [{21, 22, 23}, {21, 22}, {21}, {21, 23, 25, 22}, set(range(21, 40))])
def test_after_rows_were_taken_a_batch_of_bad_ones_is_no_verdict(wrong):
    sender = Sender(errors=dict.fromkeys(wrong, refused()))
    splitter = Splitter(sender, build, BatchSize(500), nobody)
    assert outcome(splitter.send(ITEMS[:20])) == ([*range(1, 21)], [])
    sent = splitter.send([item for item in ITEMS if item.person.number in wrong])
    assert (sent.error, sent.complete, sorted(outcome(sent)[1])) == (None, True, sorted(wrong))


def test_a_service_that_takes_nothing_any_more_ends_it():
    sender = Sender(errors=dict.fromkeys(range(2, 501), refused()))
    splitter = Splitter(sender, build, BatchSize(500), nobody)
    assert splitter.send(ITEMS[:1]).complete
    results = [splitter.send(ITEMS[1:51]), splitter.send(ITEMS[51:])]
    assert [(result.complete, result.error is None) for result in results] == [(True, True), (False, False)]
    assert sum(len(result.refused) for result in results) == MOST_IN_A_ROW - 1
    assert len(sender.tried) < 3 * MOST_IN_A_ROW


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
