# SPDX-License-Identifier: Apache-2.0
"""Mailings to create, and records and senders that tell what was done in which order."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_sendpulse.api.call import Call, PagedCall
from airflow_provider_sendpulse.jobs.intent import GuessedRecord, MailingRecord, StoredRecord
from airflow_provider_sendpulse.jobs.mailing import Mailing, Outcome, create_once
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign

MARKER = Marker.of(deployment="production", mailing_key="weekly", edition=1)
POST = "POST /campaigns"


def list_unsent(monkeypatch: Any) -> None:
    """Let the emulator count what it has not sent, so that a campaign's figures tell that nothing went out."""
    from airflow_provider_sendpulse.emulator.api import campaign_answers

    counted = campaign_answers._counts
    monkeypatch.setattr(
        campaign_answers, "_counts", lambda state, campaign: counted(state, campaign) or {0: len(campaign.recipients)}
    )


def mailing_to(*books: Any, marker: Marker = MARKER, mailing: dict[str, Any] | None = None, **changes: Any) -> Mailing:
    """A mailing; ``mailing`` holds what is not part of the campaign."""
    fields = {
        "name": "Весна 🌻",
        "sender_name": "Shop",
        "sender_email": "shop@example.com",
        "subject": "Sale",
        "body": "<p>Hi</p>",
        "address_book_ids": [book.id for book in books],
        **changes,
    }
    since = dt.datetime.now(dt.UTC)
    return Mailing(**{"campaign": NewCampaign(**fields), "marker": marker, "since": since, **(mailing or {})})


class Store:
    """A state store of JSON values, with what was done in order.

    :param trail: what was written, with requests in between when a :class:`Watched` shares it
    :param failing: called with each value before it is kept; may raise
    """

    def __init__(self, failing: Callable[[Any], None] = lambda value: None) -> None:
        self.texts: dict[str, str] = {}
        self.trail: list[Any] = []
        self.failing = failing

    def get(self, name: str) -> Any:
        return json.loads(self.texts[name]) if name in self.texts else None

    def put(self, name: str, value: Any) -> None:
        self.failing(value)
        self.texts[name] = json.dumps(value)
        self.trail.append(value)

    def record(self, marker: Marker = MARKER) -> StoredRecord:
        """What a new try knows."""
        return StoredRecord(self.get, self.put, marker.digest)


class Watched:
    """A sender that writes down its requests, and may raise before or after passing one on.

    :param before: operation to what is raised in place of sending
    :param after: operation to what is raised once it was carried out
    """

    def __init__(self, sender: Any, trail: list[Any] | None = None, **raising: dict[str, BaseException]) -> None:
        self._sender = sender
        self.trail = [] if trail is None else trail
        self.before = raising.get("before", {})
        self.after = raising.get("after", {})

    def send(self, call: Call[Any]) -> Any:
        self.trail.append(call.operation)
        if call.operation in self.before:
            raise self.before[call.operation]
        answer = self._sender.send(call)
        if call.operation in self.after:
            raise self.after[call.operation]
        return answer

    def pages(self, call: PagedCall[Any]) -> Iterator[Any]:
        following: PagedCall[Any] | None = call
        while following is not None:
            page = self.send(following)
            yield from page
            following = following.after(page)


def create(sender: Any, mailing: Mailing, clock: Any, record: MailingRecord | None = None) -> Outcome:
    """Create or adopt; without a record it is a first try that knows nothing, so that the marker alone decides."""
    return create_once(sender, mailing, record or GuessedRecord(1, clock.now()), clock)
