# SPDX-License-Identifier: Apache-2.0
"""Who is told of what happens, and what is still to be told (SendPulse API: webhooks)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_sendpulse.emulator import webhook_events
from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import Refusal
from airflow_provider_sendpulse.emulator.messages import Message
from airflow_provider_sendpulse.emulator.settings import Settings

FIRST_SUBSCRIPTION_ID = 162001


@dataclass
class Subscription:
    """One event that one URL is told of."""

    id: int
    url: str
    action: str


@dataclass
class Push:
    """A batch on its way to a URL."""

    url: str
    events: list[dict[str, Any]]
    due_at: datetime
    attempt: int = 1


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a batch.

    Attributes:
        status: HTTP status of the answer, None when there was none.
        error: why there was none.
    """

    url: str
    events: list[dict[str, Any]]
    at: datetime
    attempt: int
    status: int | None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as JSON."""
        return {
            "url": self.url,
            "events": self.events,
            "at": self.at.isoformat(),
            "attempt": self.attempt,
            "status": self.status,
            "error": self.error,
        }


@dataclass
class _Queue:
    """What one URL is to be told, in order of time."""

    events: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)


class Webhooks:
    """Subscriptions, and events on their way to them.

    Attributes:
        deliveries: every attempt made so far.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._subscriptions: dict[int, Subscription] = {}
        self._next_id = FIRST_SUBSCRIPTION_ID
        self._coming: list[tuple[datetime, int, dict[str, Any]]] = []
        self._order = count()
        self._queues: dict[str, _Queue] = {}
        self._again: list[Push] = []
        self._chance = Random(f"{settings.seed}:webhooks")
        self.deliveries: list[Delivery] = []

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._subscriptions.values()))

    def __len__(self) -> int:
        return len(self._subscriptions)

    def find(self, subscription_id: int) -> Subscription:
        """Return the subscription with this id, or a refusal."""
        found = self._subscriptions.get(subscription_id)
        if found is None:
            raise Refusal(self._settings.http_status_unknown_webhook, 404, "Webhook not found")
        return found

    def subscribe(self, url: str, actions: list[str]) -> list[Subscription]:
        """Subscribe a URL to events: one row for each. A second one of the same kind is made, or is the first."""
        rows, url = [], self.stored(url)
        for action in actions:
            row = next((item for item in self if (item.url, item.action) == (url, action)), None)
            if row is None or self._settings.webhook_twice == "duplicate":
                row = Subscription(self._next_id, url, action)
                self._subscriptions[row.id] = row
                self._next_id += 1
            rows.append(row)
        return rows

    def stored(self, url: str) -> str:
        """Return a URL as the list shows it."""
        parts = urlsplit(url)
        match self._settings.webhook_urls:
            case "slash":
                parts = parts._replace(path=f"{parts.path.rstrip('/')}/")
            case "normal":
                default = {"http": ":80", "https": ":443"}[parts.scheme]
                user, at, host = parts.netloc.rpartition("@")
                parts = parts._replace(netloc=f"{user}{at}{host.lower().removesuffix(default)}")
            case "cut":
                parts = parts._replace(query="")
            case _:
                return url
        return parts.geturl()

    def remove(self, subscription_id: int) -> None:
        """End a subscription; what waits for its URL is still delivered."""
        if self._settings.webhook_delete_again == "accept":
            self._subscriptions.pop(subscription_id, None)
        else:
            del self._subscriptions[self.find(subscription_id).id]

    def tell(self, at: datetime, event: dict[str, Any]) -> None:
        """Note that something happens, now or later."""
        heapq.heappush(self._coming, (at, next(self._order), event))

    def tell_of_message(self, message: Message) -> None:
        """Note everything that becomes of a message."""
        as_text = self._settings.webhook_link_id == "text"
        for at, event in webhook_events.of_message(message, link_id_as_text=as_text):
            self.tell(at, event)

    def next_push(self, now: datetime) -> Push | None:
        """Take the earliest batch that is due: a minute after its first event, or with its hundredth."""
        self.settle(now)
        due = [(push.due_at, push.url) for push in self._again]
        due += [(self._due_at(queue), url) for url, queue in self._queues.items() if queue.events]
        if not due or min(due)[0] > now:
            return None
        due_at, url = min(due)
        for push in self._again:
            if (push.due_at, push.url) == (due_at, url):
                self._again.remove(push)
                return push
        return self._batch(url, due_at)

    def pushed(self, push: Push, status: int | None, error: str = "", *, final: bool = False) -> None:
        """Note what came of a push; anything but 2xx is tried again, unless that cannot help."""
        self.deliveries.append(Delivery(push.url, push.events, push.due_at, push.attempt, status, error))
        delivered = status is not None and 200 <= status < 300
        if not delivered and not final and push.attempt < self._settings.webhook_attempts:
            due_at = push.due_at + timedelta(seconds=self._settings.webhook_retry_seconds)
            self._again.append(Push(push.url, push.events, due_at, push.attempt + 1))

    def settle(self, now: datetime) -> None:
        """Put what has happened by now into the queues of those who are subscribed to it."""
        while self._coming and self._coming[0][0] <= now:
            at, _, event = heapq.heappop(self._coming)
            for row in self._subscriptions.values():
                if row.action == event.get("event"):
                    is_told_twice = self._chance.random() < self._settings.webhook_duplicate_share
                    self._queues.setdefault(row.url, _Queue()).events.extend([(at, event)] * (2 if is_told_twice else 1))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "subscriptions": [{"id": row.id, "url": row.url, "action": row.action} for row in self],
            "waiting": sum(len(queue.events) for queue in self._queues.values()),
            "retries": len(self._again),
            "deliveries": [delivery.as_dict() for delivery in self.deliveries],
        }

    def _due_at(self, queue: _Queue) -> datetime:
        settings = self._settings
        due_at = queue.events[0][0] + timedelta(seconds=settings.webhook_batch_seconds)
        if len(queue.events) >= settings.webhook_batch_events:
            due_at = min(due_at, queue.events[settings.webhook_batch_events - 1][0])
        return due_at

    def _batch(self, url: str, due_at: datetime) -> Push:
        waiting = self._queues[url].events
        ready = [entry for entry in waiting if entry[0] <= due_at][: self._settings.webhook_batch_events]
        del waiting[: len(ready)]
        events = [event for _, event in ready]
        if self._settings.webhook_order == "shuffled":
            self._chance.shuffle(events)
        return Push(url, events, due_at)
