# SPDX-License-Identifier: Apache-2.0
"""What was sent already, in a table of a database, for many runs at once."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from emulated_account import FakeClock
from ledgers import DATABASES, database

from airflow_provider_sendpulse.exceptions import InvalidRequest, ServiceUnavailable
from airflow_provider_sendpulse.jobs import ledger_table as tables
from airflow_provider_sendpulse.jobs.database_ledger import CLAIM_LIFE
from airflow_provider_sendpulse.jobs.ledger import Entry

NEW, DOUBT, LISTED, TAKEN, RECORDED = Entry.NEW, Entry.IN_DOUBT, Entry.LISTED, Entry.TAKEN, Entry.RECORDED


@pytest.fixture(params=DATABASES)
def base(request, tmp_path):
    with database(request.param, tmp_path) as held:
        yield held


@pytest.fixture
def file(tmp_path):
    with database("sqlite", tmp_path) as held:
        yield held


def entries(ledger, keys):
    known = ledger.look_up([*keys])
    return [known.get(key, NEW) for key in keys]


def claim(ledger, keys, again=()):
    return ledger.claim({key: f"contact of {key}" for key in keys}, again=again)


def test_a_key_goes_its_way(base, clock):
    ledger = base.ledger(clock)
    assert claim(ledger, "abc") == {*"abc"}
    assert entries(ledger, "abcd") == [DOUBT, DOUBT, DOUBT, NEW]
    ledger.settle(["a"], ["b"])
    assert entries(ledger, "abc") == [RECORDED, NEW, DOUBT]
    ledger.close()


def test_other_runs_know_it(base, clock):
    first = base.ledger(clock, "first run")
    claim(first, "abc")
    first.settle(["a"], ["b"])
    second = base.ledger(clock, "second run")
    assert entries(second, "abcd") == [RECORDED, NEW, TAKEN, NEW]
    assert claim(second, "abcd") == {"b", "d"}


def test_a_claim_of_another_run_is_in_doubt_when_it_is_old(base, clock):
    claim(base.ledger(clock, "first run"), "a")
    second = base.ledger(clock, "second run")
    clock.time += CLAIM_LIFE
    assert entries(second, "a") == [TAKEN]
    assert claim(second, "a", again="a") == set()
    clock.time += 2
    assert entries(second, "a") == [DOUBT]
    assert claim(second, "a") == set()
    assert claim(second, "a", again="a") == {"a"}


def test_a_claim_of_an_earlier_try_is_in_doubt_at_once(base, clock):
    claim(base.ledger(clock), "a")
    again = base.ledger(clock)
    assert entries(again, "a") == [DOUBT]
    assert claim(again, "a") == set()
    assert claim(again, "a", again="a") == {"a"}
    again.settle("a", [])
    assert entries(again, "a") == [RECORDED]
    assert claim(base.ledger(clock), "a", again="a") == set()


def test_what_is_in_doubt_is_listed_by_one_run(base, clock):
    claim(base.ledger(clock, "first"), "ab")
    second, third = base.ledger(clock, "second"), base.ledger(clock, "third")
    # A claim that is young is left alone.
    second.note_listed("ab")
    assert entries(third, "ab") == [TAKEN, TAKEN]
    clock.time += CLAIM_LIFE + 2
    second.note_listed("a")
    assert entries(second, "ab") == [DOUBT, DOUBT]
    assert entries(base.ledger(clock, "second"), "ab") == [DOUBT, DOUBT]
    assert entries(third, "ab") == [LISTED, DOUBT]
    assert claim(third, "ab") == set()
    assert claim(third, "ab", again="ab") == {"a", "b"}
    third.settle("ab", [])
    assert entries(second, "ab") == [RECORDED, RECORDED]


def test_who_was_only_slow_records_what_was_listed(base, clock):
    slow = base.ledger(clock, "slow")
    claim(slow, "ab")
    clock.time += CLAIM_LIFE + 2
    base.ledger(clock, "other").note_listed("ab")
    slow.settle("a", "b")
    assert entries(base.ledger(clock, "third"), "ab") == [RECORDED, LISTED]


def test_what_was_taken_over_is_not_settled_by_the_one_before(base, clock):
    slow, fast = base.ledger(clock, "slow"), base.ledger(clock, "fast")
    claim(slow, "ab")
    clock.time += CLAIM_LIFE + 2
    assert claim(fast, "ab", again="ab") == {"a", "b"}
    slow.settle(["a"], ["b"])
    assert entries(fast, "ab") == [DOUBT, DOUBT]
    fast.settle(["a", "b"], [])
    assert entries(fast, "ab") == [RECORDED, RECORDED]


def test_accounts_and_events_do_not_share_keys(base, clock):
    claim(base.ledger(clock), "a")
    assert entries(base.ledger(clock, account="other"), "a") == [NEW]
    assert entries(base.ledger(clock, event="other"), "a") == [NEW]


def test_what_is_older_than_the_retention_is_forgotten(base, clock):
    ledger = base.ledger(clock, retention=100)
    other = base.ledger(clock, event="other", retention=1000)
    for held in (ledger, other):
        claim(held, "a")
        held.settle("a", [])
    clock.time += 101
    # Before it is deleted, too.
    assert entries(ledger, "a") == [NEW]
    assert claim(ledger, "a") == {"a"}
    clock.time += 101
    ledger.open()
    assert [(row["event"], row["row_key"]) for row in base.rows()] == [("other", "a")]


def test_a_shorter_retention_of_another_task_forgets_nothing_sooner(base, clock):
    long, short = base.ledger(clock, "long", retention=1000), base.ledger(clock, "short", retention=100)
    claim(long, "a")
    long.settle("a", [])
    claim(short, "b")
    short.settle("b", [])
    clock.time += 101
    assert entries(short, "ab") == entries(long, "ab") == [RECORDED, NEW]
    assert claim(short, "a") == set()
    short.open()
    assert [row["row_key"] for row in base.rows()] == ["a"]
    clock.time += 900
    assert entries(short, "a") == [NEW]


def test_taking_a_row_over_does_not_shorten_its_time(base, clock):
    claim(base.ledger(clock, "long", retention=10_000), "a")
    clock.time += CLAIM_LIFE + 2
    short = base.ledger(clock, "short", retention=100)
    assert claim(short, "a", again="a") == {"a"}
    short.settle("a", [])
    clock.time += 101
    assert entries(short, "a") == [RECORDED]


def test_expired_rows_are_deleted_in_bounded_batches(file, clock, monkeypatch):
    from airflow_provider_sendpulse.jobs import database_ledger

    monkeypatch.setattr(database_ledger, "_EXPIRED_AT_ONCE", 10)
    monkeypatch.setattr(database_ledger, "_EXPIRED_ROUNDS", 3)
    ledger = file.ledger(clock, retention=100)
    claim(ledger, [f"{number:03}" for number in range(45)])
    clock.time += 101
    for left in (15, 0):
        ledger.open()
        assert len(file.rows()) == left


def test_rows_of_a_contact(base, clock):
    ledger = base.ledger(clock)
    start = clock.time
    ledger.claim({"a": "ada", "b": "bob"})
    ledger.settle("a", [])
    clock.time += 60
    ledger.claim({"c": "ada"})
    seen = {(row.contact, row.key, row.recorded, row.at - start) for row in ledger.seen_since(["ada"], start - 1)}
    assert seen == {("ada", "a", True, 0), ("ada", "c", False, 60)}
    assert {row.key for row in ledger.seen_since(["ada", "bob"], start + 1)} == {"c"}
    assert base.ledger(clock, event="other").seen_since(["ada"], 0) == []


def test_two_who_create_the_table_at_once(base, clock):
    ledgers = [base.unopened(clock, f"run {number}") for number in range(4)]
    start, errors = threading.Barrier(4), []

    def open_at_once(ledger):
        start.wait()
        try:
            ledger.open()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_at_once, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    indexes = {index["name"] for index in sa.inspect(base.engine).get_indexes(base.table)}
    assert indexes == {f"{base.table}_by_contact", f"{base.table}_by_expiry"}
    assert claim(ledgers[0], "a") == {"a"}


def test_an_index_that_was_not_made_is_made_later(file, clock):
    with file.engine.begin() as connection:
        connection.execute(sa.schema.CreateTable(tables.ledger_table(file.table)))
    file.ledger(clock)
    assert len(sa.inspect(file.engine).get_indexes(file.table)) == 2


def test_whoever_claims_first_has_it(base):
    ledgers = [base.ledger(FakeClock(), f"run {number}") for number in range(4)]
    keys = [f"{number:04}" for number in range(100)]
    start, won, errors = threading.Barrier(4), [], []

    def claim_all(ledger, turned):
        start.wait()
        try:
            for first in range(0, 100, 20):
                window = keys[first : first + 20]
                won.extend(claim(ledger, reversed(window) if turned else window))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=claim_all, args=(ledger, number % 2)) for number, ledger in enumerate(ledgers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(won) == keys


def test_a_database_without_a_way_to_insert_what_is_missing(file, clock, monkeypatch):
    def insert(connection, table, rows):
        monkeypatch.setattr(connection.dialect, "name", "other")
        try:
            tables.insert_missing(connection, table, rows)
        finally:
            monkeypatch.setattr(connection.dialect, "name", "sqlite")

    monkeypatch.setattr("airflow_provider_sendpulse.jobs.database_ledger.insert_missing", insert)
    first, second = file.ledger(clock, "first"), file.ledger(clock, "second")
    assert claim(first, "ab") == {"a", "b"}
    assert claim(second, "abc") == {"c"}


def test_a_commit_whose_answer_was_lost_is_repeated(file, clock, monkeypatch):
    ledger = file.ledger(clock)
    begin = sa.Engine.begin
    lost = []

    class Lost:
        def __init__(self, held):
            self.context = begin(held)

        def __enter__(self):
            return self.context.__enter__()

        def __exit__(self, *error):
            self.context.__exit__(*error)
            if not lost and error[0] is None:
                lost.append(True)
                raise sa.exc.OperationalError("", {}, ConnectionError("server closed the connection"))

    monkeypatch.setattr(sa.Engine, "begin", lambda held: Lost(held))
    assert claim(ledger, "ab") == {"a", "b"}
    lost.clear()
    ledger.settle(["a"], ["b"])
    assert entries(ledger, "ab") == [RECORDED, NEW]
    assert len(clock.sleeps) == 2


def test_a_database_that_is_gone(tmp_path, clock):
    with database("sqlite", tmp_path) as held:
        ledger = held.ledger(clock)
        tables.ledger_table(held.table).drop(held.engine)
        with pytest.raises(ServiceUnavailable, match=r"The ledger in ledger_\w+ cannot be used: OperationalError"):
            claim(ledger, "a")
    assert len(clock.sleeps) == 3


@pytest.mark.parametrize("name", ["", " ", "schema."])
def test_a_table_has_a_name(name):
    with pytest.raises(InvalidRequest):
        tables.ledger_table(name)


def test_a_table_in_a_schema():
    table = tables.ledger_table("marketing.sent")
    assert (table.schema, table.name) == ("marketing", "sent")
