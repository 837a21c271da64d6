# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong, and however often the task is run again: never two campaigns of one mailing."""

from __future__ import annotations

import datetime as dt

from emulated_account import SharedClock, add_book, add_campaign, connected
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailings import Store

from airflow_provider_sendpulse.exceptions import ServiceError
from airflow_provider_sendpulse.jobs.mailing import VISIBILITY_WINDOW, Mailing, create_once
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign

# What can meet a request that creates. A refusal or a 401 is given only where nothing was done, as the service promises.
ON_CREATION = st.sampled_from(
    [
        {"kind": "lose_answer"},
        {"kind": "lose_answer", "reset": True},
        {"kind": "cut_answer"},
        {"kind": "truncate"},
        {"kind": "drop"},
        {"kind": "html"},
        {"kind": "html", "after_effect": True},
        {"kind": "html", "status": 200, "after_effect": True},
        {"kind": "status", "status": 500, "after_effect": True},
        {"kind": "status", "status": 504},
        {"kind": "status", "status": 200, "body": {"result": True}, "after_effect": True},
        {"kind": "status", "status": 429, "times": 2},
        {"kind": "status", "status": 422, "error_code": 791},
        {"kind": "status", "status": 422, "error_code": 707},
        {"kind": "status", "status": 401},
        {"kind": "revoke_tokens"},
    ]
)
ON_LOOKING = st.sampled_from(
    [
        {"kind": "status", "status": 503, "times": 1},
        {"kind": "status", "status": 503, "times": 30},
        {"kind": "drop", "times": 5},
        {"kind": "status", "status": 429, "times": 9},
        {"kind": "truncate", "times": 2},
        {"kind": "html", "times": None},
    ]
)
LOOKS = st.sampled_from(["campaigns.list", "address_books.campaigns"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from([1, 2, 1])),
        st.tuples(st.just("creation fails"), ON_CREATION),
        st.tuples(st.just("looking fails"), LOOKS, ON_LOOKING, st.integers(0, 3)),
        st.tuples(st.just("faults end")),
        st.tuples(st.just("time passes"), st.sampled_from([1, 60, 4000])),
        st.tuples(st.just("others mail")),
    ),
    min_size=3,
    max_size=10,
)


@given(
    steps=STEPS,
    late=st.sampled_from([0, 15, VISIBILITY_WINDOW - 1]),
    reads=st.sampled_from([0, 2]),
    books=st.integers(1, 2),
)
@settings(
    max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_at_most_one_campaign_each(emulator, steps, late, reads, books):
    emulator.reset()
    emulator.configure(
        clock="manual", campaigns_per_window=None, campaign_visibility_seconds=late, campaign_visibility_reads=reads
    )
    chosen = [add_book(emulator, f"Book {number}", contacts=1) for number in range(books)]
    clock = SharedClock(emulator)
    client = connected(emulator, clock)
    store = Store()
    since = dt.datetime.now(dt.UTC)
    created: dict[str, set[int]] = {}
    try:
        for step, *details in [*steps, ("faults end",), ("time passes", VISIBILITY_WINDOW), ("run", 1)]:
            if step == "run":
                marker = Marker.of(deployment="d", mailing_key="k", edition=details[0])
                content = NewCampaign(
                    name="Sale",
                    sender_name="Shop",
                    sender_email="shop@example.com",
                    subject="Sale",
                    body="<p>Hi</p>",
                    address_book_ids=[book.id for book in chosen],
                )
                try:
                    outcome = create_once(client, Mailing(content, marker, since), store.record(marker), clock)
                except ServiceError:
                    pass
                else:
                    created.setdefault(marker.digest, set()).add(outcome.campaign_id)
                # A list that lags by reads, not by time, has caught up when Airflow comes back.
                for _ in range(reads):
                    emulator.state.campaigns.listed()
            elif step == "creation fails":
                emulator.faults.add(**details[0], operation="campaigns.create")
            elif step == "looking fails":
                operation, fault, after = details
                emulator.faults.add(**fault, operation=operation, after=after)
            elif step == "faults end":
                emulator.faults.clear()
            elif step == "time passes":
                clock.sleep(details[0])
            else:
                add_campaign(emulator, chosen[0], "Somebody else's")
            there: dict[str, list[int]] = {}
            for campaign in emulator.state.campaigns:
                if found := Marker.in_name(campaign.content.name):
                    there.setdefault(found.digest, []).append(campaign.id)
            assert all(len(ids) == 1 for ids in there.values()), there
            assert all({*there[digest]} == ids for digest, ids in created.items())
        assert there, "the last run creates or adopts, as nothing fails any more"
    finally:
        client.close()
