# SPDX-License-Identifier: Apache-2.0
"""Webhook subscriptions: a URL is told of an event by exactly one of them, or by none.

Nothing says that SendPulse refuses a second subscription of the same kind, and with two every event is pushed twice. So the
list is read before anything is created, and what is there twice is ended but for the first. Nor does anything say that
the list shows a URL as it was given, so it is also known by what cannot make a difference to whoever receives it; and what
was created has to be in the list. No URL gets into logs or messages: it often holds a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import FinalFailure, InvalidRequest, Refused
from airflow_provider_sendpulse.jobs.create_once import create_once, look
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import webhook_subscriptions as subscriptions
from airflow_provider_sendpulse.sendpulse.webhook_subscriptions import ACTIONS, Subscription

log = logging.getLogger(__name__)

_GONE = 404
_DEFAULT_PORTS = {"http": 80, "https": 443}


def require_url(url: str) -> str:
    """Return a URL that can be pushed to, without space around it.

    :raises InvalidRequest: for any other text, which is not quoted
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url or any(character.isspace() for character in url):
        raise InvalidRequest(
            "url is not a complete URL that begins with https:// (it is not shown, as it may hold a secret)."
        )
    return url


def require_actions(actions: Collection[str]) -> list[str]:
    """Return events to be told of, each once.

    :raises InvalidRequest: when there is none, or one that is not documented
    """
    if not actions:
        raise InvalidRequest("actions is empty; give at least one event.")
    if unknown := sorted({str(action) for action in actions} - {*ACTIONS}):
        raise InvalidRequest(f"There is no event {', '.join(unknown)}; there are {', '.join(ACTIONS)}.")
    return [*dict.fromkeys(actions)]


def ensure(sender: Sender, url: str, actions: Sequence[str], clock: Clock) -> dict[str, int]:
    """Let a URL be told of events, each by one subscription, and return their ids by event.

    :raises ServiceUnavailable: when it is not known whether subscriptions were created; another try looks first
    :raises FinalFailure: when what was created is not in the list, by which the next run would know it
    """
    there = _of_url(sender, url)
    missing = [action for action in actions if not _ids(there, action)]
    if missing:

        def create() -> list[Subscription]:
            return sender.send(subscriptions.create(url, missing))

        def find() -> list[Subscription] | None:
            found = _of_url(sender, url)
            return found if all(_ids(found, action) for action in missing) else None

        made = create_once(create, find, clock, what=f"the subscription to {', '.join(missing)}")
        log.info("Subscribed to %s.", ", ".join(missing))
        # Somebody else may have looked at the same time, and created the same.
        listed = look(find, clock)
        if listed is None:
            raise FinalFailure(
                f"SendPulse confirmed the subscriptions {', '.join(str(row.id) for row in made)} to {', '.join(missing)}, "
                "and its list does not show them with this URL: another run would create them again. See in the SendPulse "
                "dashboard which URL they have. If it is another form of yours, give url in that form; if they are not "
                "there, ask SendPulse. End these subscriptions before you run the task again."
            )
        there = listed
    ids = {}
    for action in actions:
        ids[action], *surplus = _ids(there, action)
        for number in surplus:
            _end(sender, number)
            log.warning("Event %s was pushed twice: ended subscription %s, kept %s.", action, number, ids[action])
    return ids


def remove(sender: Sender, url: str, actions: Collection[str] | None) -> int:
    """End a URL's subscriptions, and return how many there were.

    :param actions: the events that it is no longer told of; all when left out
    """
    ended = [row for row in _of_url(sender, url) if actions is None or row.action in actions]
    for row in ended:
        _end(sender, row.id)
        log.info("Ended subscription %s to %s.", row.id, row.action)
    if not ended:
        log.info("There is no such subscription (any more).")
    return len(ended)


def _of_url(sender: Sender, url: str) -> list[Subscription]:
    """List a URL's subscriptions: as it was given and, for events without such a one, as it may be stored."""
    listing = replace(subscriptions.list(), secrets=subscriptions.secrets_of(url))
    same = [row for row in sender.send(listing) if _normal(row.url) == _normal(url)]
    exact = {row.action for row in same if row.url.strip() == url}
    return [row for row in same if row.url.strip() == url or row.action not in exact]


def _normal(url: str) -> str:
    """Return a URL without what may change as it is stored: case of scheme and host, default port, slash at the end."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    user = parts.netloc.rpartition("@")[0]
    port = None if port == _DEFAULT_PORTS.get(parts.scheme) else port
    return parts._replace(netloc=f"{user}@{host}:{port}", path=parts.path.rstrip("/")).geturl()


def _ids(rows: Sequence[Subscription], action: str) -> list[int]:
    return sorted(row.id for row in rows if row.action == action)


def _end(sender: Sender, subscription_id: int) -> None:
    try:
        sender.send(subscriptions.delete(subscription_id))
    except Refused as error:
        if error.status != _GONE:
            raise
        log.info("Subscription %s is gone already.", subscription_id)


__all__ = ["ensure", "remove", "require_actions", "require_url"]
