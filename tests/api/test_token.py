# SPDX-License-Identifier: Apache-2.0
"""The shared token, step by step: who fetches it, who waits, when it is renewed, and what the record holds."""

from __future__ import annotations

import base64
import json
import math

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from airflow_provider_sendpulse.api.account import ClientCredentials
from airflow_provider_sendpulse.api.service import IssuedToken
from airflow_provider_sendpulse.api.shared import MemoryStore
from airflow_provider_sendpulse.api.steps import Mask, Update, Wait
from airflow_provider_sendpulse.api.token import LEASE, RENEW_BEFORE, UNUSABLE_BEFORE, Tokens
from airflow_provider_sendpulse.exceptions import ServiceUnavailable

KEY = "token-of-the-account"
START = 1_800_000_000.0
SOMEBODY = "somebody"


class Host:
    """A shared record, a clock, and a token endpoint that hands out token-1, token-2, …"""

    def __init__(self):
        self.store = MemoryStore()
        self.time = START
        self.lifetime = 3600.0
        self.issued = 0
        self.failing = False

    def process(self):
        return Process(self)

    @property
    def record(self):
        found = []
        self.store.try_update(KEY, lambda record: (None, found.append(record)))
        return found[0]

    def change(self, **fields):
        self.store.try_update(KEY, lambda record: ({**(record or {}), **fields}, None))

    def lease(self, until):
        self.change(lease={"owner": SOMEBODY, "until": until})


class Process:
    """One process that shares the token."""

    def __init__(self, host):
        self.host = host
        self.tokens = Tokens(ClientCredentials("id", "the-secret"), KEY, self._fetch, lambda: host.time)
        self.masked = []
        self.waits = []

    def _fetch(self):
        yield Wait(1.0)
        if self.host.failing:
            raise ServiceUnavailable("down")
        self.host.issued += 1
        return IssuedToken(f"token-{self.host.issued}", self.host.lifetime)

    def run(self, conversation):
        """Carry a conversation out and return its result."""
        reply = None
        while True:
            try:
                step = conversation.send(reply)
            except StopIteration as end:
                return end.value
            reply = self.carry_out(step)

    def carry_out(self, step):
        if isinstance(step, Update):
            return self.host.store.try_update(step.key, step.change)
        if isinstance(step, Wait):
            self.waits.append(step.seconds)
            self.host.time += step.seconds
        elif isinstance(step, Mask):
            self.masked.append(step.secret)
        return None

    def current(self, *arguments):
        return self.run(self.tokens.current(*arguments))

    def begin(self):
        """Begin to fetch a token and stop in the middle of the token call."""
        conversation = self.tokens.current()
        step = conversation.send(None)
        while not isinstance(step, Wait):
            step = conversation.send(self.carry_out(step))
        return conversation

    def finish(self, conversation):
        self.host.time += 1.0
        return self.run(conversation)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def process(host):
    return host.process()


def test_the_first_fetches_it_and_the_others_read_it(host, process):
    other = host.process()
    assert process.current() == ("token-1", True)
    assert other.current() == ("token-1", False)
    assert process.current() == ("token-1", False)
    assert host.issued == 1


def test_whoever_gets_it_hides_it_in_the_logs(host, process):
    other, third = host.process(), host.process()
    process.current()
    other.current()
    third.run(third.tokens.fresh())
    assert (process.masked, other.masked, third.masked) == (["token-1"], ["token-1"], ["token-2"])


def test_it_shows_in_no_repr(host, process):
    process.current()
    step = process.tokens.current().send(None)
    found = process.carry_out(step)
    assert found.value == "token-1"
    assert "token-1" not in f"{found!r} {step!r}"


def test_a_fresh_one_is_not_shared(host, process):
    assert process.run(process.tokens.fresh()) == "token-1"
    assert host.record is None


@pytest.mark.parametrize(
    ("lifetime", "renewed_before"), [(3600.0, RENEW_BEFORE), (100.0, 10.0), (1200.0, 120.0), (1210.0, 120.0)]
)
def test_it_is_renewed_a_little_before_its_end(host, process, lifetime, renewed_before):
    host.lifetime = lifetime
    process.current()
    end = host.time + lifetime
    host.time = end - renewed_before - 0.01
    assert process.current() == ("token-1", False)
    host.time = end - renewed_before
    assert process.current() == ("token-2", True)


def test_the_seconds_that_all_this_rests_on():
    assert (RENEW_BEFORE, UNUSABLE_BEFORE, LEASE) == (120.0, 5.0, 45.0)


def test_while_somebody_fetches_one_the_others_wait_for_it(host, process):
    other = host.process()
    fetching = process.begin()
    waiting = other.tokens.current()
    assert isinstance(waiting.send(other.carry_out(waiting.send(None))), Wait)
    assert process.finish(fetching) == ("token-1", True)
    assert other.run(waiting) == ("token-1", False)
    assert host.issued == 1


def test_those_who_wait_look_again_soon_and_not_in_step(host, process):
    host.lease(host.time + LEASE)
    process.current()
    *waits, token_call = process.waits
    assert token_call == 1.0
    assert len(waits) > 200
    assert all(0.05 <= seconds <= 0.2 for seconds in waits)
    assert len(set(waits)) > 100
    assert sum(waits) == pytest.approx(LEASE, abs=0.2)


def test_nobody_waits_for_others_beyond_the_end_of_the_effort(host, process):
    host.lease(host.time + LEASE)
    with pytest.raises(ServiceUnavailable, match="Other processes are trying to get a token"):
        process.current(None, host.time)
    assert process.waits == []
    with pytest.raises(ServiceUnavailable):
        process.current(None, host.time + 10.0)
    assert sum(process.waits) == pytest.approx(10.0, abs=0.2)
    assert process.current(None, math.inf) == ("token-1", True)


@pytest.mark.parametrize(
    ("seconds", "believed"), [(-1.0, False), (0.0, False), (0.01, True), (LEASE, True), (LEASE + 0.01, False)]
)
def test_a_lease_is_believed_until_it_ends_and_if_it_can_be_one(host, process, seconds, believed):
    host.lease(host.time + seconds)
    assert process.current() == ("token-1", True)
    assert (len(process.waits) > 1) is believed


def test_a_lease_lasts_as_long_as_it_says(host, process):
    fetching = process.begin()
    assert host.record["lease"]["until"] == host.time + LEASE
    other = host.process()
    assert other.current() == ("token-1", True), "the first one seems to have died"
    assert sum(other.waits) == pytest.approx(LEASE + 1.0, abs=0.2)
    assert process.finish(fetching) == ("token-2", True), "it was only slow"


@pytest.mark.parametrize(("before_its_end", "is_used"), [(5.01, True), (5.0, False), (1.0, False)])
def test_while_somebody_renews_it_the_old_one_serves_as_long_as_it_lives(host, process, before_its_end, is_used):
    process.current()
    end = host.time + host.lifetime
    host.time = end - before_its_end
    host.lease(host.time + LEASE)
    process.waits.clear()
    assert process.current() == (("token-1", False) if is_used else ("token-2", True))
    assert bool(process.waits) is not is_used


def test_a_rejected_one_is_not_returned(host, process):
    process.current()
    assert process.current("token-1") == ("token-2", True)
    assert process.current("token-1") == ("token-2", False)
    assert process.current("token-2") == ("token-3", True)


def test_a_failed_renewal_frees_the_lease_and_leaves_the_old_one(host, process):
    process.current()
    host.time += host.lifetime - 60.0
    host.failing = True
    with pytest.raises(ServiceUnavailable):
        process.current()
    assert host.record["lease"] is None
    host.lease(host.time + LEASE)
    assert host.process().current() == ("token-1", False)


def test_a_failure_leaves_the_lease_of_somebody_else_alone(host, process):
    late = process.begin()
    host.time += LEASE
    other = host.process()
    fetching = other.begin()
    leased = host.record
    host.failing = True
    with pytest.raises(ServiceUnavailable):
        process.finish(late)
    assert host.record == leased
    host.failing = False
    assert other.finish(fetching) == ("token-1", True)


def test_a_new_one_ends_the_lease(host, process):
    process.current()
    assert not host.record.get("lease")
    host.time += host.lifetime
    began = host.time
    assert host.process().current() == ("token-2", True)
    assert host.time == began + 1.0


def test_what_the_record_holds(host, process):
    """Also for another release of this package: both may run on one host."""
    process.current()
    derived = HKDF(SHA256(), 32, None, b"airflow-provider-sendpulse token record").derive(b"the-secret")
    cipher = Fernet(base64.urlsafe_b64encode(derived))
    now = host.time
    assert json.loads(cipher.decrypt(host.record["token"])) == {
        "value": "token-1",
        "expires_at": now + 3600.0,
        "renew_at": now + 3480.0,
    }
    assert "token-1" not in json.dumps(host.record)
    stored = {"value": "token-9", "expires_at": now + 3600.0, "renew_at": now + 3480.0}
    host.change(token=cipher.encrypt(json.dumps(stored).encode()).decode())
    assert host.process().current() == ("token-9", False)
