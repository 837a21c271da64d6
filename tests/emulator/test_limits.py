# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_campaigns_per_hour(api, emulator):
    book = api.book(1)
    for number in range(4):
        api.campaign(book, name=f"Campaign {number}")
        emulator.advance(600)
    assert api.refused("POST", "/campaigns", api.fields(book)) == (422, 791)
    assert len(emulator.state.campaigns) == 4
    emulator.advance(1200)
    api.campaign(book)
    emulator.configure(http_status_campaign_limit=429)
    assert api.refused("POST", "/campaigns", api.fields(book)) == (429, 791)


def test_what_counts_as_a_campaign_is_a_switch(api, emulator):
    book = api.book(1)
    emulator.configure(campaigns_per_window=1, drafts_use_campaign_limit=False, tests_use_campaign_limit=False)
    api.campaign(book, type="draft")
    api.campaign(book, is_test=True)
    assert api.refused("POST", "/campaigns", api.fields(book, subject="")) == (422, 720)
    api.campaign(book)
    emulator.reset()
    book = api.book(1)
    emulator.configure(campaigns_per_window=1, refused_use_campaign_limit=True)
    assert api.refused("POST", "/campaigns", api.fields(book, subject="")) == (422, 720)
    assert api.refused("POST", "/campaigns", api.fields(book)) == (422, 791)


@pytest.mark.parametrize(
    ("name", "window", "code"), [("requests_per_second", 1, 2020202020), ("requests_per_minute", 60, 429)]
)
def test_request_limits(api, emulator, name, window, code):
    # A stopped clock still lets real seconds pass, so the count is kept far above what fits in one.
    emulator.configure(**{name: 3})
    for _ in range(3):
        api.get("/balance")
    assert api.refused("GET", "/balance") == (429, code)
    emulator.advance(window)
    api.get("/balance")


def test_status_of_the_request_limit_is_a_setting(api, emulator):
    emulator.configure(requests_per_second=0, http_status_request_limit=422)
    assert api.refused("GET", "/balance") == (422, 2020202020)


def test_refused_requests_are_not_carried_out(api, emulator):
    emulator.configure(requests_per_second=0)
    api.refused("POST", "/addressbooks", {"bookName": "B"})
    assert len(emulator.state.books) == 0


def test_request_log(api, emulator):
    for _ in range(3):
        api.get("/balance")
    emulator.advance(5)
    api.post("/addressbooks", {"bookName": "B"})
    answer = api.control("GET", "/requests")
    assert answer["total"] == 4
    assert answer["by_operation"] == {"address_books.create": 1, "balance.read": 3}
    assert answer["busiest_second"] == 3
    last = answer["requests"][-1]
    assert (last["method"], last["path"], last["status"]) == ("POST", "/addressbooks", 200)
    assert last["body"] == {"bookName": "B"}
    assert last["time"].startswith("2026-03-02T07:00:05")


def test_secrets_stay_out_of_the_log(api):
    api.send("POST", "/oauth/access_token", {"client_id": "emulator-id", "client_secret": "s3cret"})
    assert "s3cret" not in api.send("GET", "/__emulator__/requests").text
