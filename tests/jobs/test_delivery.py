# SPDX-License-Identifier: Apache-2.0
"""Rows on their way: upserts in batches, and what must not arrive twice."""

from __future__ import annotations

import logging

import pytest
from emulated_account import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.call import Call, nothing
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    DeliveryFailed,
    InvalidRequest,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.counts import Counts, conclude, require_ratio
from airflow_provider_sendpulse.jobs.delivery import WINDOW, Item, keyed, send_once, upsert
from airflow_provider_sendpulse.jobs.ledger import Entry, KeyValueLedger
from airflow_provider_sendpulse.rows.people import Person


def person(number, email=None, phone=""):
    return Person(number, f"reader{number}@example.com" if email is None else email, phone, None, {})


def persons(count):
    return [person(number) for number in range(1, count + 1)]


def build(batch):
    return Call(method="POST", path="/x", read=nothing, values={"rows": ",".join(str(row.number) for row in batch)})


class Sender:
    """Carries calls out as told: an error by row number, to be raised when a call holds that row."""

    def __init__(self, ledger=None, **errors):
        self.errors = errors.pop("errors", {})
        self.sent = []
        self.tried = []
        self.steps = getattr(ledger, "steps", [])

    def send(self, call):
        rows = [int(text) for text in call.values["rows"].split(",")]
        self.tried.append(rows)
        self.steps.append(("send", len(rows)))
        for row in rows:
            if row in self.errors:
                raise self.errors[row]
        self.sent += rows


class Journal(KeyValueLedger):
    """A ledger that says what it is asked."""

    def __init__(self, store):
        super().__init__(store.get, store.__setitem__)
        self.steps = []

    def look_up(self, key):
        self.steps.append(("look up", 1))
        return super().look_up(key)

    def claim(self, keys):
        self.steps.append(("claim", len(keys)))
        super().claim(keys)

    def settle(self, recorded, released):
        self.steps.append(("settle", len(recorded), len(released)))
        super().settle(recorded, released)


def run(rows, store, sender=None, *, per_call=1, ledger=None):
    counts, ledger = Counts(), ledger or Journal(store)
    items = keyed(rows, counts, lambda row: row.email)
    return send_once(sender or Sender(), items, build, ledger, counts, per_call=per_call, clock=FakeClock())


def total(counts):
    return sum(counts.as_dict().values()) - counts.read


def entries(rows, store):
    ledger = Journal(store)
    return [ledger.look_up(item.key).value for item in keyed(rows, Counts(), lambda row: row.email)]


# Upserts.


def send_upserts(rows, sender, batch_size=10, clock=None):
    counts = Counts()
    items = keyed(rows, counts, lambda row: row.email.lower())
    try:
        upsert(sender, items, build, counts, batch_size=batch_size, clock=clock or FakeClock())
    finally:
        assert total(counts) <= counts.read
    return counts


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
        "So far: 20 read, 20 accepted", "So far: 40 read, 40 accepted", "So far: 60 read, 60 accepted",
    ]  # fmt: skip


def test_complaints_end_after_twenty(caplog):
    send_upserts([person(number, "no") for number in range(1, 40)], Sender())
    assert len(caplog.records) == 21
    assert "only the counts" in caplog.records[-1].getMessage()


def test_complaints_hold_no_address(caplog):
    rows = persons(1)
    run(rows, {}, Sender(errors={1: Refused("reader1@example.com is wrong, +380501234567")}))
    assert "reader1" not in caplog.text
    assert "38050" not in caplog.text


@pytest.mark.parametrize("text", ["a\ud83d@example.com", "\ud83d"])
def test_broken_text_is_one_bad_row(text):
    sender = Sender()
    counts = send_upserts([person(1, text), person(2)], sender)
    assert (sender.sent, counts.invalid) == ([2], 1)


# Once.


def test_check_claim_send_record():
    ledger = Journal({})
    counts = run(persons(2), {}, Sender(ledger), ledger=ledger)
    assert ledger.steps == [("look up", 1), ("look up", 1), ("claim", 2), ("send", 1), ("send", 1), ("settle", 2, 0)]
    assert counts.accepted == 2


def test_one_window_after_another():
    ledger = Journal({})
    run(persons(2 * WINDOW + 1), {}, Sender(ledger), ledger=ledger, per_call=WINDOW)
    steps = [step for step in ledger.steps if step[0] != "look up"]
    assert steps == [("claim", 20), ("send", 20), ("settle", 20, 0)] * 2 + [("claim", 1), ("send", 1), ("settle", 1, 0)]


def test_the_next_run_sends_nothing():
    store = {}
    run(persons(30), store)
    sender = Sender()
    counts = run(persons(30), store, sender)
    assert (sender.tried, counts.skipped, total(counts)) == ([], 30, 30)


def test_the_next_run_sends_only_what_is_new():
    store, sender = {}, Sender()
    run(persons(3), store)
    run(persons(5), store, sender)
    assert sender.sent == [4, 5]


def test_a_row_in_doubt_is_not_sent_again(caplog):
    store, sender = {}, Sender()
    counts = run(persons(3), store, Sender(errors={2: AmbiguousOutcome("lost")}))
    assert (counts.accepted, counts.in_doubt, total(counts)) == (2, 1, 3)
    assert entries(persons(3), store) == ["recorded", "claimed", "recorded"]
    counts = run(persons(3), store, sender)
    assert (sender.tried, counts.skipped, counts.in_doubt, total(counts)) == ([], 2, 1, 3)
    assert "Row 2: in doubt: lost" in caplog.text
    assert "Row 2: an earlier try ended while this row was being sent: not sent again" in caplog.text


def test_refused_rows_are_given_back():
    store, sender = {}, Sender()
    counts = run(persons(4), store, Sender(errors={2: Refused("no"), 3: Refused("no")}))
    assert (counts.accepted, counts.rejected, total(counts)) == (2, 2, 4)
    assert entries(persons(4), store) == ["recorded", "new", "new", "recorded"]
    run(persons(4), store, sender)
    assert sender.sent == [2, 3]


def test_the_first_three_refused_end_it():
    store, refused, sender = {}, Refused("no such event"), Sender()
    failing = Sender(errors=dict.fromkeys(range(1, 30), refused))
    with pytest.raises(Refused) as caught:
        run(persons(30), store, failing)
    assert caught.value is refused
    assert failing.tried == [[1], [2], [3]]
    run(persons(30), store, sender)
    assert sender.sent == [*range(1, 31)]


@pytest.mark.parametrize("accepted", [1, 2, 3])
def test_three_refused_among_others_do_not(accepted):
    errors = {number: Refused("no") for number in range(1, 30) if number != accepted}
    counts = run(persons(29), {}, Sender(errors=errors))
    assert (counts.accepted, counts.rejected) == (1, 28)


@pytest.mark.parametrize("per_call", [1, 3, 20])
@pytest.mark.parametrize("broken", [1, 7, 20, 21, 30])
@pytest.mark.parametrize(
    "error", [Throttled("slow"), ServiceUnavailable("down"), AuthenticationFailed("no"), InvalidRequest("bad")]
)
def test_when_going_on_is_no_use_the_rest_is_for_the_next_run(per_call, broken, error):
    store, sender, rest = {}, Sender(errors={broken: error}), Sender()
    with pytest.raises(type(error)):
        run(persons(30), store, sender, per_call=per_call)
    assert broken not in sender.sent
    assert len(sender.sent) >= (broken - 1) // per_call * per_call - WINDOW
    counts = run(persons(30), store, rest, per_call=per_call)
    assert sender.sent + rest.sent == [*range(1, 31)]
    assert (counts.skipped, counts.accepted, counts.in_doubt) == (len(sender.sent), len(rest.sent), 0)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("broken", [1, 7, 20, 21])
def test_an_interruption_leaves_one_row_in_doubt(interruption, broken):
    store, sender, rest = {}, Sender(errors={broken: interruption()}), Sender()
    with pytest.raises(interruption):
        run(persons(30), store, sender)
    counts = run(persons(30), store, rest)
    assert counts.in_doubt == 1
    assert sender.sent + rest.sent == [number for number in range(1, 31) if number != broken]


def test_a_crash_leaves_a_window_in_doubt():
    # Nothing runs any more: what is in the store is what was claimed.
    store, sender = {}, Sender()
    run(persons(20), store)
    rows = persons(40)
    Journal(store).claim([item.key for item in keyed(rows[20:], Counts(), lambda row: row.email)])
    counts = run(rows, store, sender)
    assert (sender.tried, counts.skipped, counts.in_doubt) == ([], 20, 20)


def test_nothing_is_sent_when_the_claim_fails():
    class Full(Journal):
        def claim(self, keys):
            raise ConnectionError

    sender = Sender()
    with pytest.raises(ConnectionError):
        run(persons(3), {}, sender, ledger=Full({}))
    assert sender.tried == []


def test_rows_stay_claimed_when_the_record_fails():
    class Full(Journal):
        def settle(self, recorded, released):
            raise ConnectionError

    store, sender = {}, Sender()
    with pytest.raises(ConnectionError):
        run(persons(3), store, ledger=Full(store))
    assert run(persons(3), store, sender).in_doubt == 3
    assert sender.tried == []


def test_a_call_that_cannot_be_built_leaves_nothing_in_doubt():
    store, sender = {}, Sender()

    def broken(batch):
        if batch[0].number == 2:
            raise InvalidRequest("bad")
        return build(batch)

    counts = Counts()
    items = keyed(persons(3), counts, lambda row: row.email)
    with pytest.raises(InvalidRequest):
        send_once(sender, items, broken, Journal(store), counts, per_call=1, clock=FakeClock())
    assert entries(persons(3), store) == ["recorded", "new", "new"]


ROWS = st.lists(
    st.sampled_from(["a@example.com", "b@example.com", "c@example.com", "d@example.com", "no", ""])
    | st.integers(0, 60).map(lambda number: f"reader{number}@example.com"),
    max_size=60,
)
FATES = st.sampled_from([None, None, "refused", "in doubt", "slow", "killed"])


@given(rows=ROWS, fates=st.dictionaries(st.integers(1, 60), FATES), per_call=st.sampled_from([1, 2, 20]), data=st.data())
def test_counts_add_up_and_nothing_arrives_twice(rows, fates, per_call, data):
    store, arrived = {}, []
    read = [person(number, email) for number, email in enumerate(rows, start=1)]
    for _ in range(data.draw(st.integers(1, 4))):
        errors = {
            number: {
                "refused": Refused("no"),
                "in doubt": AmbiguousOutcome("lost"),
                "slow": Throttled("slow"),
                "killed": KeyboardInterrupt(),
            }[fate]
            for number, fate in fates.items()
            if fate is not None
        }
        sender = Sender(errors=errors)
        try:
            counts = run(read, store, sender, per_call=per_call)
        except (Refused, Throttled, KeyboardInterrupt):
            pass
        else:
            assert total(counts) == counts.read == len(rows)
            assert min(counts.as_dict().values()) >= 0
        # Whatever was in doubt may have arrived.
        doubtful = [row for tried in sender.tried for row in tried if fates.get(row) in ("in doubt", "killed")]
        arrived += [rows[number - 1] for number in [*sender.sent, *doubtful]]
        assert len(arrived) == len(set(arrived))
        fates = data.draw(st.dictionaries(st.integers(1, 60), FATES))


# The account of it.


@pytest.mark.parametrize(
    ("counts", "ratio", "fails"),
    [
        (Counts(read=100, accepted=100), 0.0, False),
        (Counts(read=100, accepted=99, invalid=1), 0.01, False),
        (Counts(read=100, accepted=98, invalid=1, rejected=1), 0.01, True),
        (Counts(read=100, accepted=99, in_doubt=1), 0.0, True),
        (Counts(read=100, duplicate=50, skipped=50), 0.0, False),
        (Counts(read=1, invalid=1), 1.0, False),
        (Counts(), 0.0, False),
    ],
)
def test_conclusion(counts, ratio, fails, caplog):
    if fails:
        with pytest.raises(DeliveryFailed, match="max_rejected_ratio"):
            conclude(counts, ratio, "Contacts")
    else:
        conclude(counts, ratio, "Contacts")
        assert any(record.levelno == logging.WARNING for record in caplog.records) is (counts.bad > 0)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_is_a_share(ratio):
    with pytest.raises(InvalidRequest):
        require_ratio(ratio)


def test_counts_as_text():
    assert str(Counts(read=1200, accepted=1199, in_doubt=1)) == "1,200 read, 1,199 accepted, 1 in doubt"


def test_an_item_shows_nothing_of_a_person():
    assert "reader1" not in repr(Item(person(1), "k"))
    assert Entry("claimed") is Entry.CLAIMED
