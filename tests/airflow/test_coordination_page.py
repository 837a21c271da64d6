# SPDX-License-Identifier: Apache-2.0
"""What docs/coordination.md says in figures: what is kept of an account, and what is left of the limits for a host."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.coordination import _stores
from airflow_provider_sendpulse.api.sql_store import TABLE
from airflow_provider_sendpulse.esputnik.limits import CONTACT_SEARCH, EVENTS_V2, MESSAGE_READS, SHARED
from airflow_provider_sendpulse.exceptions import ServiceError
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "coordination.md").read_text().split())
HOSTS = 5
"""Four workers and a triggerer, as the page has it."""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Counter[str]]]:
    """Let both connections share through a database; returns how to count the records of each kind there."""
    path = tmp_path / "coordination.db"
    monkeypatch.setenv("AIRFLOW_CONN_COORDINATION", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    engine = sa.create_engine(f"sqlite:///{path}")

    def count() -> Counter[str]:
        with engine.connect() as connection:
            names = connection.execute(sa.text(f"SELECT name FROM {TABLE}")).scalars()
            return Counter(name.partition("-")[0] for name in names)

    yield count
    engine.dispose()
    for store in _stores.values():
        store._far.close()
    _stores.clear()


def test_records_of_an_account_of_sendpulse(kept: Any, connect: Any) -> None:
    connect(extra={"coordination_conn_id": "coordination"})
    with SendPulseHook() as hook:
        hook.send(sp.balance.read())
        hook.lease("mailing-x", "the_run").take(10)
        hook.quota("test_messages", sp.campaigns.TEST_MESSAGES).take(1)
    assert kept() == {"token": 1, "budget": 1, "leases": 1, "quotas": 1}
    assert "at most four small rows an account of SendPulse" in PAGE


def test_records_of_an_account_of_esputnik(kept: Any, connect_esputnik: Any) -> None:
    connect_esputnik(extra={"coordination_conn_id": "coordination"})
    event = es.events.Event("left", key="k")
    past = es.events.PastEvent(event, datetime(2026, 1, 1, tzinfo=UTC))
    day = "2026-01-01"
    with EsputnikHook() as hook:
        hook.lease("mailing-x", "the_run").take(10)
        for call in (
            es.account.info(),
            es.events.send(event),
            es.events.send_as_text(event),
            es.events.add_past([past]),
            es.events.add_past_as_text([past]),
            es.events.delete_past(day, day),
        ):
            with contextlib.suppress(ServiceError):
                hook.send(call)
        for pages in (
            es.contacts.search(email="ada@example.com"),
            es.activity.messages(day, day, email="ada@example.com"),
            es.templates.list("email"),
        ):
            with contextlib.suppress(ServiceError):
                list(hook.pages(pages))
    assert kept() == {"budget": 9, "leases": 1}
    assert "ten an account of eSputnik" in PAGE


def test_what_is_left_for_a_host() -> None:
    extras = [float(value) for value in re.findall(r'`"requests_per_(?:second|minute)": ([\d.]+)`', PAGE)]
    assert extras == [8 / HOSTS, 1000 / HOSTS, SHARED.requests / HOSTS]
    [search] = CONTACT_SEARCH.limits
    assert f"`{search.requests / HOSTS:.0f}` where they look for contacts" in PAGE
    assert [limit.requests for limit in EVENTS_V2.limits] == [350]
    assert "350 a second otherwise, and contact searches, 50" in PAGE
    assert [(limit.requests, limit.seconds) for limit in MESSAGE_READS.limits] == [(10, 1.0), (500, 3600.0)]


@pytest.mark.parametrize("say", [True, False])
def test_what_somebody_says_bounds_events_too(connect_esputnik: Any, say: bool) -> None:
    connect_esputnik(extra={"requests_per_second": 40} if say else {})
    _, limits = EsputnikHook().settings.account.budget_of(
        es.events.send(es.events.Event("left", key="k", parameters={"email": "ada@example.com"}))
    )
    assert min(limit.requests for limit in limits) == (40 if say else 350)


def test_no_operator_reads_prepared_messages() -> None:
    page = (Path(__file__).parents[2] / "docs" / "esputnik-endpoints.md").read_text()
    reads = [line.split("|") for line in page.splitlines() if line.startswith("| `GET /v1/messages/")]
    assert len(reads) > 5
    assert {cells[3].strip() for cells in reads} == {""}
