# SPDX-License-Identifier: Apache-2.0
"""Tries of a mailing in any order, with any failure, against a model of what may exist: never a second mail.

The list never lags behind by more than the window: more than that is promised nowhere.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from emulated_account import SharedClock, add_book, connected
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from mailings import POST, Store, Watched, list_unsent, mailing_to

from airflow_provider_sendpulse.exceptions import CampaignNotSent, ServiceError
from airflow_provider_sendpulse.jobs.intent import GuessedRecord
from airflow_provider_sendpulse.jobs.mailing import ENDED_BADLY, VISIBILITY_WINDOW, create_once
from airflow_provider_sendpulse.jobs.marker import Marker

READERS = 4
RECREATE = frozenset(status.code for status in ENDED_BADLY)
CREATE, LIST, BOOK_LIST, READ = "campaigns.create", "campaigns.list", "address_books.campaigns", "campaigns.read"

# A refusal, a limit and a 401 are given only where nothing was done: that is what they say.
ON_CREATING = st.sampled_from(
    [
        {"kind": "lose_answer"},
        {"kind": "lose_answer", "reset": True},
        {"kind": "cut_answer"},
        {"kind": "truncate"},
        {"kind": "drop"},
        {"kind": "drop", "times": 2},
        {"kind": "drop", "reset": True},
        {"kind": "html"},
        {"kind": "html", "status": 200},
        {"kind": "html", "status": 200, "after_effect": True},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "after_effect": True},
        {"kind": "status", "status": 502, "after_effect": True},
        {"kind": "status", "status": 503, "retry_after": "20"},
        {"kind": "status", "status": 503, "after_effect": True, "retry_after": "20"},
        {"kind": "status", "status": 429, "retry_after": "50", "times": 2},
        {"kind": "status", "status": 429, "times": 20},
        {"kind": "status", "status": 422, "error_code": 791},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 401, "times": 9},
        {"kind": "revoke_tokens"},
        {"kind": "is_error", "error_code": 707},
        {"kind": "result_false"},
    ]
)
ON_ASKING = st.sampled_from(
    [
        {"kind": "status", "status": 503, "times": 1},
        {"kind": "status", "status": 500, "times": 30},
        {"kind": "drop", "times": 6},
        {"kind": "html", "status": 200, "times": 11},
        {"kind": "html", "times": None},
        {"kind": "is_error", "times": None},
        {"kind": "truncate", "times": 2},
        {"kind": "status", "status": 429, "times": 6, "retry_after": "30"},
        {"kind": "is_error", "times": 3},
        {"kind": "status", "status": 401, "times": 1},
        {"kind": "revoke_tokens"},
    ]
)
OFTEN = st.sampled_from([True, True, True, False])


class Mailings(RuleBasedStateMachine):
    """Two editions of one mailing, each with its tries."""

    emulator = None
    stored = True

    def __init__(self):
        super().__init__()
        self.emulator.reset()
        self.emulator.configure(clock="manual", campaigns_per_window=None)
        self.book = add_book(self.emulator, contacts=READERS)
        self.clock = SharedClock(self.emulator)
        self.client = connected(self.emulator, self.clock)
        self.store = Store()
        self.tries = Counter()
        self.late = 0.0
        self.edition = 1
        self.returned = {}

    def teardown(self):
        """When nothing fails any more, the next try ends well, or says what is the matter."""
        try:
            self.nothing_fails_any_more()
            for _ in range(2):
                outcome = self.run_a_try(recreate=False)
                assert outcome is not None
                self.at_most_one_of_a_generation()
                self.at_most_one_mail_each()
        finally:
            self.client.close()

    # What happens.

    @initialize(late=st.sampled_from([0.0, 15.0, VISIBILITY_WINDOW - 1, VISIBILITY_WINDOW]))
    def the_list_lags_behind(self, late):
        self.late = late
        self.emulator.configure(campaign_visibility_seconds=late)

    @rule(recreate=OFTEN)
    def a_try(self, recreate):
        self.run_a_try(recreate)

    @rule(recreate=OFTEN, when=st.sampled_from(["before", "after"]), ending=st.sampled_from([SystemExit, MemoryError]))
    def a_try_that_ends_in_the_request_that_creates(self, recreate, when, ending):
        # Not after a pause that the service asks for: the intent does not know how long the request was held back.
        for fault in self.emulator.faults.as_list():
            if (fault["operation"], fault["status"]) == (CREATE, 429):
                self.emulator.faults.remove(fault["id"])
        self.run_a_try(recreate, **{when: {POST: ending()}})

    @rule(recreate=OFTEN, when=st.sampled_from(["before", "after"]))
    def a_try_that_ends_while_looking(self, recreate, when):
        self.run_a_try(recreate, **{when: {"GET /campaigns": SystemExit()}})

    @rule(recreate=OFTEN, after_effect=st.booleans(), looks=st.integers(0, 5))
    def a_try_that_is_killed_in_doubt(self, recreate, after_effect, looks):
        self.emulator.faults.add("lose_answer" if after_effect else "drop", operation=CREATE)
        self.run_a_try(recreate, dies_after=looks)

    @precondition(lambda self: self.stored)
    @rule(recreate=OFTEN, only_the_id=st.booleans())
    def a_try_that_was_replaced(self, recreate, only_the_id):
        """Airflow takes no values from it: from the beginning, or from when it had sent its request."""

        def refuse(value):
            if not only_the_id or (value["intent"] or {}).get("campaign_id"):
                raise PermissionError

        self.store.failing = refuse
        try:
            self.run_a_try(recreate)
        finally:
            self.store.failing = lambda value: None

    @rule(fault=ON_CREATING)
    def creating_will_fail(self, fault):
        self.emulator.faults.add(**fault, operation=CREATE)

    @rule(fault=ON_ASKING, operation=st.sampled_from([LIST, BOOK_LIST, READ]), after=st.integers(0, 14))
    def asking_will_fail(self, fault, operation, after):
        self.emulator.faults.add(**fault, operation=operation, after=after)

    @rule()
    def nothing_fails_any_more(self):
        self.emulator.faults.clear()

    @rule(seconds=st.sampled_from([1, 20, 110, 300, 4000]))
    def time_passes(self, seconds):
        self.clock.sleep(seconds)

    @rule()
    def the_list_catches_up(self):
        self.clock.sleep(self.late)

    @precondition(lambda self: len(self.emulator.state.campaigns))
    @rule(data=st.data(), steps=st.integers(1, 5))
    def a_campaign_goes_on(self, data, steps):
        campaign = self.one_of_them(data)
        with self.emulator.emulator.lock:
            for _ in range(steps):
                self.emulator.state.course.step(campaign, self.emulator.state.clock.now())

    @precondition(lambda self: len(self.emulator.state.campaigns))
    @rule(data=st.data())
    def somebody_cancels(self, data):
        campaign = self.one_of_them(data)
        # It is refused when there is nothing left to cancel.
        with self.emulator.emulator.lock, contextlib.suppress(Exception):
            self.emulator.state.course.cancel(campaign)

    @precondition(lambda self: len(self.emulator.state.campaigns))
    @rule(data=st.data(), status=st.sampled_from([5, 12]))
    def moderation_stops_one(self, data, status):
        campaign = self.one_of_them(data)
        if campaign.status in (1, 2, 13, 14):
            with self.emulator.emulator.lock:
                self.emulator.state.course.force(campaign, status, [])

    @rule(edition=st.integers(1, 2))
    def the_edition_is_another_one(self, edition):
        self.edition = edition

    # What must hold.

    @invariant()
    def at_most_one_of_a_generation(self):
        there = Counter(str(Marker.in_name(campaign.content.name)) for campaign in self.emulator.state.campaigns)
        assert max(there.values(), default=0) <= 1, there

    @invariant()
    def at_most_one_mail_each(self):
        """Also across generations: a next one is there only because nothing of the one before went out."""
        mails = Counter((self.digest_of(message.campaign_id), message.to) for message in self.emulator.state.mailbox)
        assert max(mails.values(), default=0) <= 1, mails

    @invariant()
    def a_next_generation_follows_a_bad_end(self):
        generations = {}
        for campaign in self.emulator.state.campaigns:
            marker = Marker.in_name(campaign.content.name)
            generations.setdefault(marker.digest, {})[marker.generation] = campaign
        for digest, made in generations.items():
            assert sorted(made) == [*range(1, len(made) + 1)], (digest, made)
            for campaign in [made[number] for number in sorted(made)][:-1]:
                assert (campaign.status in RECREATE, campaign.mailed) == (True, set())

    # How it is done.

    def marker(self):
        return Marker.of(deployment="d", mailing_key="k", edition=self.edition)

    def one_of_them(self, data):
        return data.draw(st.sampled_from([*self.emulator.state.campaigns]))

    def digest_of(self, campaign_id):
        return Marker.in_name(self.emulator.state.campaigns.get(campaign_id).content.name).digest

    def run_a_try(self, recreate, *, dies_after=None, **raising):
        marker = self.marker()
        self.tries[self.edition] += 1
        guessed = GuessedRecord(self.tries[self.edition], self.clock.now())
        record = self.store.record(marker) if self.stored else guessed
        wanted = mailing_to(self.book, marker=marker, mailing={"recreate": RECREATE if recreate else frozenset()})
        sender = Watched(self.client, **raising) if dies_after is None else Mortal(self.client, dies_after)
        before = {campaign.id for campaign in self.emulator.state.campaigns}
        try:
            outcome = create_once(sender, wanted, record, self.clock)
        except CampaignNotSent as error:
            raise AssertionError("nobody has deleted anything") from error
        except (ServiceError, SystemExit, MemoryError, PermissionError):
            return None
        campaign = self.emulator.state.campaigns.get(outcome.campaign_id)
        assert campaign is not None
        assert self.digest_of(campaign.id) == marker.digest
        # A lost answer makes an adopted one of what this very try has created.
        assert outcome.adopted or campaign.id not in before
        self.stays_the_same_one(marker, campaign, recreate)
        return outcome

    def stays_the_same_one(self, marker, campaign, recreate):
        """Once returned, a campaign is the mailing's until it ends badly."""
        earlier = self.returned.get(marker.digest)
        # A try that knows nothing and recreates nothing may take the one that ended badly while the next is not listed yet.
        if not self.stored and not recreate and campaign.status in RECREATE:
            return
        if earlier is not None and earlier != campaign.id:
            assert self.emulator.state.campaigns.get(earlier).status in RECREATE
        self.returned[marker.digest] = campaign.id


class Mortal(Watched):
    """A sender whose process ends at a look after it has created, whether that is known to it or not."""

    def __init__(self, sender, looks):
        super().__init__(sender)
        self.looks = looks

    def send(self, call):
        if POST in self.trail and call.operation == "GET /campaigns":
            self.looks -= 1
            if self.looks < 0:
                raise SystemExit
        return super().send(call)


@pytest.mark.parametrize("stored", [True, False], ids=["with a store", "without a store"])
def test_never_a_second_mail(emulator, stored, monkeypatch):
    # Without figures a bad end is not replaced, and the machine would not see next generations.
    list_unsent(monkeypatch)
    kind = type("Tries", (Mailings,), {"emulator": emulator, "stored": stored})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=45,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )
