# SPDX-License-Identifier: Apache-2.0
"""What must not arrive twice."""

from __future__ import annotations

import contextlib

import pytest
from deliveries import Journal, OtherRun, Sender, build, by_email, person, persons, refused, rows_of, total
from emulated_account import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    InvalidRequest,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.ledger import Entry
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.send_once import WINDOW, send_once
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules


def run(rows, store, sender=None, *, per_call=1, ledger=None):
    report = Report()
    items = screened(rows, report, by_email)
    send_once(
        sender or Sender(),
        items,
        build,
        ledger or Journal(store),
        report,
        per_call=per_call,
        outgoing=plain,
        clock=FakeClock(),
    )
    return report.counts


def entries(rows, store):
    keys = [item.key for item in screened(rows, Report(), by_email)]
    known = Journal(store).look_up(keys)
    return [known.get(key, Entry.NEW).value for key in keys]


def test_complaints_hold_no_address(caplog):
    rows = persons(1)
    run(rows, {}, Sender(errors={1: Refused("reader1@example.com is wrong, +380501234567", status=422, due_to_a_row=True)}))
    assert "reader1" not in caplog.text
    assert "38050" not in caplog.text


def test_check_claim_send_record():
    ledger = Journal({})
    counts = run(persons(2), {}, Sender(ledger), ledger=ledger)
    assert ledger.steps == [("look up", 2), ("claim", 2), ("send", 1), ("send", 1), ("settle", 2, 0)]
    assert counts.accepted == 2


def test_what_the_answers_have_told_is_kept_before_rows_are_recorded():
    ledger = Journal({})
    rules = SendingRules(after_window=lambda: ledger.steps.append("kept"))
    items = screened(persons(2), report := Report(), by_email)
    send_once(Sender(ledger), items, build, ledger, report, per_call=2, outgoing=plain, clock=FakeClock(), rules=rules)
    assert ledger.steps[1:] == [("claim", 2), ("send", 2), "kept", ("settle", 2, 0)]


def test_rows_are_recorded_also_when_nothing_can_be_kept():
    def full():
        raise OSError("full")

    store, report = {}, Report()
    items = screened(persons(2), report, by_email)
    rules = SendingRules(after_window=full)
    with pytest.raises(OSError, match="full"):
        send_once(
            Sender(), items, build, Journal(store), report, per_call=2, outgoing=plain, clock=FakeClock(), rules=rules
        )
    assert entries(persons(2), store) == ["recorded", "recorded"]


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
    assert entries(persons(3), store) == ["recorded", "in_doubt", "recorded"]
    counts = run(persons(3), store, sender)
    assert (sender.tried, counts.skipped, counts.in_doubt, total(counts)) == ([], 2, 1, 3)
    assert "Row 2: in doubt: lost" in caplog.text
    assert "Row 2: an earlier try or run ended while this row was being sent: not sent again" in caplog.text


def test_refused_rows_are_given_back():
    store, sender = {}, Sender()
    counts = run(persons(4), store, Sender(errors={2: refused(), 3: refused()}))
    assert (counts.accepted, counts.rejected, total(counts)) == (2, 2, 4)
    assert entries(persons(4), store) == ["recorded", "new", "new", "recorded"]
    run(persons(4), store, sender)
    assert sender.sent == [2, 3]


def test_the_first_three_refused_end_it():
    store, error, sender = {}, refused(message="no such event"), Sender()
    failing = Sender(errors=dict.fromkeys(range(1, 30), error))
    with pytest.raises(Refused) as caught:
        run(persons(30), store, failing)
    assert caught.value is error
    assert failing.tried == [[1], [2], [3]]
    run(persons(30), store, sender)
    assert sender.sent == [*range(1, 31)]


@pytest.mark.parametrize(
    "bad", [{1}, {20}, {1, 2, 3}, {4, 11, 19}, {1, 3, 5, 7, 9, 11, 13, 15, 17}, {21, 22, 23, 24}], ids=str
)
def test_of_a_refused_group_only_the_rows_that_are_refused_alone(bad):
    store, sender = {}, Sender(errors=dict.fromkeys(bad, refused()))
    counts = run(persons(25), store, sender, per_call=WINDOW)
    assert sorted(sender.sent) == [number for number in range(1, 26) if number not in bad]
    assert (counts.accepted, counts.rejected, total(counts)) == (25 - len(bad), len(bad), 25)
    assert sorted(row for tried in sender.tried if len(tried) == 1 for row in tried if row in bad) == sorted(bad)
    assert entries(persons(25), store).count("new") == len(bad)
    again = Sender()
    run(persons(25), store, again, per_call=WINDOW)
    assert sorted(again.sent) == sorted(bad)


def test_a_group_that_is_refused_row_by_row_ends_it():
    store, sender = {}, Sender(errors=dict.fromkeys(range(1, 41), refused()))
    with pytest.raises(Refused):
        run(persons(40), store, sender, per_call=WINDOW)
    assert sum(len(tried) == 1 for tried in sender.tried) == 3
    assert len(sender.tried) < 30
    assert entries(persons(40), store) == ["new"] * 40


def test_a_group_that_is_too_large_is_halved():
    class Small(Sender):
        def send(self, call):
            if len(rows_of(call)) > 4:
                raise refused(status=413, error_code=None, message="too large")
            super().send(call)

    sender = Small()
    assert run(persons(25), {}, sender, per_call=WINDOW).accepted == 25
    assert sorted(sender.sent) == [*range(1, 26)]


@pytest.mark.parametrize("per_call", [1, 20])
@pytest.mark.parametrize("broken", [1, 30])
@pytest.mark.parametrize(("status", "code"), [(403, None), (404, 404), (422, 213), (None, None)])
def test_a_refusal_that_cannot_be_due_to_a_row_ends_it_at_once(per_call, broken, status, code):
    store, rest = {}, Sender()
    sender = Sender(errors=dict.fromkeys(range(broken, 61), refused(status, code)))
    with pytest.raises(Refused):
        run(persons(60), store, sender, per_call=per_call)
    assert len([tried for tried in sender.tried if tried[-1] >= broken]) == 1
    counts = run(persons(60), store, rest, per_call=per_call)
    assert (sorted(sender.sent + rest.sent), counts.in_doubt) == ([*range(1, 61)], 0)


@pytest.mark.parametrize(
    ("looks", "fate", "outcome", "slept"),
    [
        (5, Entry.RECORDED, "skipped", 12.0),
        (5, Entry.NEW, "accepted", 12.0),
        (5, Entry.IN_DOUBT, "in_doubt", 12.0),
        (1000, Entry.NEW, "skipped", 60.0),
    ],
)
def test_what_another_run_is_sending_is_waited_for_a_while(looks, fate, outcome, slept, caplog):
    report, clock, sender = Report(), FakeClock(), Sender()
    caplog.set_level("INFO")
    ledger = OtherRun({}, looks, fate)
    items = screened(persons(3), report, by_email)
    send_once(sender, items, build, ledger, report, per_call=1, outgoing=plain, clock=clock)
    report.finish()
    counts = report.counts.as_dict()
    assert counts["accepted"] == 2 + (outcome == "accepted")
    assert counts[outcome] == 1 + 2 * (outcome == "accepted")
    assert sum(clock.sleeps) == slept
    assert ("1 rows are being sent by another run" in caplog.text) == (looks == 1000)


@pytest.mark.parametrize(("thing", "sent"), [(2, [1, 3, 4, 5]), (3, [1, 3, 4, 5, 2])])
def test_what_another_run_gives_back_is_not_sent_after_a_later_row(thing, sent):
    report, sender = Report(), Sender()
    items = screened(persons(5), report, by_email)
    ledger = OtherRun({}, 1, Entry.NEW)
    about = {1: 1, 2: 2, 3: thing}
    send_once(
        sender,
        items,
        build,
        ledger,
        report,
        per_call=1,
        outgoing=plain,
        clock=FakeClock(),
        thing=lambda row: f"{about.get(row.number)}",
    )
    report.finish()
    assert sender.sent == sent


def test_nothing_is_sent_before_what_another_run_is_sending():
    report, sender = Report(), Sender()
    ledger = OtherRun({}, 1000, Entry.NEW)
    items = screened(persons(3), report, by_email)
    send_once(
        sender,
        items,
        build,
        ledger,
        report,
        per_call=1,
        outgoing=plain,
        clock=FakeClock(),
        thing=lambda row: f"{row.number > 2}",
    )
    report.finish()
    assert sender.sent == [3]


@pytest.mark.parametrize("accepted", [1, 2, 3])
def test_three_refused_among_others_do_not(accepted):
    errors = {number: refused() for number in range(1, 30) if number != accepted}
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
    Journal(store).claim({item.key: "" for item in screened(rows[20:], Report(), by_email)})
    counts = run(rows, store, sender)
    assert (sender.tried, counts.skipped, counts.in_doubt) == ([], 20, 20)


def test_nothing_is_sent_when_the_claim_fails():
    class Full(Journal):
        def claim(self, contacts, *, again=()):
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

    report = Report()
    items = screened(persons(3), report, by_email)
    with pytest.raises(InvalidRequest):
        send_once(sender, items, broken, Journal(store), report, per_call=1, outgoing=plain, clock=FakeClock())
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
                "refused": refused(),
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
        lost = [
            tried
            for tried in sender.tried
            if next((fates[row] for row in tried if fates.get(row)), None) in ("in doubt", "killed")
        ]
        doubtful = [row for tried in lost for row in tried if fates.get(row) in ("in doubt", "killed")]
        arrived += [rows[number - 1] for number in [*sender.sent, *doubtful]]
        assert len(arrived) == len(set(arrived))
        fates = data.draw(st.dictionaries(st.integers(1, 60), FATES))


@given(
    things=st.lists(st.integers(0, 5), min_size=1, max_size=40),
    fates=st.lists(st.dictionaries(st.integers(1, 40), FATES), min_size=1, max_size=4),
    per_call=st.sampled_from([1, 2, 20]),
    concurrency=st.sampled_from([1, 4]),
)
def test_no_thing_falls_back(things, fates, per_call, concurrency):
    store, last, read = {}, {}, persons(len(things))
    for some in fates:
        errors = {
            number: {
                "refused": refused(),
                "in doubt": AmbiguousOutcome("lost"),
                "slow": Throttled("slow"),
                "killed": KeyboardInterrupt(),
            }[fate]
            for number, fate in some.items()
            if fate is not None
        }

        class Service(Sender):
            def send(self, call):
                rows = rows_of(call)
                about = [things[row - 1] for row in rows]
                assert len(set(about)) == len(about)
                # Whatever is in doubt may have arrived.
                arrives = all(isinstance(self.errors.get(row), AmbiguousOutcome | None) for row in rows)
                for row, thing in zip(rows, about, strict=True):
                    if arrives:
                        assert last.get(thing, 0) < row
                        last[thing] = row
                super().send(call)

        report = Report()
        with contextlib.suppress(Refused, Throttled, KeyboardInterrupt, ServiceUnavailable):
            send_once(
                Service(errors=errors),
                screened(read, report, by_email),
                build,
                Journal(store),
                report,
                per_call=per_call,
                outgoing=plain,
                clock=FakeClock(),
                rules=SendingRules(concurrency=concurrency),
                thing=lambda row: str(things[row.number - 1]),
            )
            report.finish()
