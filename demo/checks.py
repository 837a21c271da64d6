# SPDX-License-Identifier: Apache-2.0
"""What must be true after two weeks, seen from the emulator and from the shop's database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from demo import folders, shop, traces
from demo.audience import Audience
from demo.emulator_api import EmulatorApi
from demo.environment import Account
from demo.shop import Person
from demo.week import Outcome

SEED = "digest@shop.example.com"
"""The example's ``seed_email``: the shop's own address, which gets every digest."""
_SHOWN = 6


class Checks:
    """Compares what was expected with what is seen, and goes on after a difference.

    :param say: is told the outcome of every check
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self.failures: list[str] = []
        self.count = 0

    def equal(self, title: str, expected: Any, seen: Any) -> None:
        """Check that two values are the same; collections other than tuples and mappings, without regard to order."""
        if isinstance(expected, Collection) and not isinstance(expected, str | dict | tuple):
            expected, seen = sorted(expected), sorted(seen)
        self._note(title, expected == seen, lambda: _difference(expected, seen))

    def _note(self, title: str, holds: bool, explain: Any) -> None:
        self.count += 1
        self._say("check", f"{'ok' if holds else 'FAILED':<7} {title}")
        if not holds:
            self.failures.append(f"{title}\n{explain()}")


def check(checks: Checks, weeks: Sequence[Outcome], emulator: EmulatorApi, account: Account) -> None:
    """Check everything."""
    now = emulator.account()
    checks.equal(
        "one campaign per week, created by one request each",
        ([week.campaign_id for week in weeks], len(weeks)),
        ([campaign.id for campaign in now.campaigns], len(emulator.requests("campaigns.create"))),
    )
    audiences = [audience_of(week) for week in weeks]
    for week, audience in zip(weeks, audiences, strict=True):
        _check_week(checks, week, audience, emulator)
    first, second = (set(audience) for audience in audiences)
    reached = [{message["to"] for message in messages_of(week)} for week in weeks]
    checks.equal("who bought in the first week only got no second digest", set[str](), reached[1] & (first - second))
    checks.equal("who bought in the second week only got no first digest", set[str](), reached[0] & (second - first))
    checks.equal(
        "the second week has deleted the address book of the first, and kept its own", [weeks[1].book_id], list(now.books)
    )
    checks.equal("no message beyond those", sum(len(messages_of(week)) for week in weeks), len(now.messages))
    checks.equal(
        "the shop has one row of statistics per campaign",
        [week.campaign_id for week in weeks],
        [row.campaign_id for row in shop.statistics(folders.SHOP)],
    )
    _check_traces(checks, account)


def _check_week(checks: Checks, outcome: Outcome, audience: dict[str, Person | None], emulator: EmulatorApi) -> None:
    label = outcome.week.label
    path = [13, 2, 7, 3] if len(audience) < 20 else [13, 1, 14, 2, 7, 3]
    checks.equal(
        f"{label}: the campaign took the way of {len(audience)} recipients", tuple(path), tuple(outcome.campaign.path)
    )
    loaded = [
        entry["email"]
        for request in emulator.requests("contacts.add")
        if request["path"].rstrip("/") == f"/addressbooks/{outcome.book_id}/emails"
        for entry in _entries(request["body"])
    ]
    checks.equal(f"{label}: every contact was loaded once", audience.keys(), loaded)
    checks.equal(
        f"{label}: one event for each abandoned cart",
        shop.abandoned_carts(outcome.shop, outcome.week.first_day, outcome.week.end),
        events_of(outcome),
    )
    check_mailing(checks, outcome, audience)
    checks.equal(f"{label}: the campaign was waited for in the triggerer", True, "wait_until_sent" in outcome.deferred)


def check_mailing(checks: Checks, outcome: Outcome, audience: dict[str, Person | None]) -> None:
    """Check what the readers and the shop got, which holds however often something had to be done again."""
    label = outcome.week.label
    contacts = outcome.account.books[outcome.book_id]["contacts"]
    checks.equal(f"{label}: the address book holds its audience", audience.keys(), [item["email"] for item in contacts])
    messages = messages_of(outcome)
    checks.equal(
        f"{label}: the campaign reached its audience, each once", audience.keys(), [item["to"] for item in messages]
    )
    checks.equal(
        f"{label}: every message greets its reader by name",
        [f"{person.name if person else 'The Shop'}, your week until {outcome.week.end} 🎁" for person in audience.values()],
        [item["subject"] for item in messages],
    )
    checks.equal(
        f"{label}: nothing was left to fill in", 0, sum("{{" in item["body"] or "[[" in item["body"] for item in messages)
    )
    noted = [item["variables"].get("Sent") for item in contacts if item["email"] == SEED]
    checks.equal(f"{label}: the variable of the shop's own contact was updated", [str(outcome.week.end)], noted)
    checks.equal(f"{label}: the statistics in the shop are the emulator's", _counted(outcome), _stored(outcome))


def check_audience(checks: Checks, outcome: Outcome, audience: Audience) -> None:
    """Check what the examples for eSputnik have left there."""
    buyers = [person.email for person in shop.buyers(outcome.shop, outcome.week.first_day, outcome.week.end)]
    checks.equal("eSputnik: who has bought is in the segment", buyers, audience.members("Buyers of the week"))
    checks.equal("eSputnik: everybody new got the event for that", buyers, audience.told("newBuyer"))
    checks.equal("eSputnik: the scenario starts once for everybody", len(buyers), len({*audience.told("weeklyBuyer")}))
    checks.equal("eSputnik: and not twice for anybody", len(buyers), len(audience.told("weeklyBuyer")))
    checks.equal(
        "eSputnik: the report counts them", {"imported": len(buyers), "left": 0, "started": len(buyers)}, audience.reported
    )
    active = [item["email"] for item in outcome.account.books[outcome.book_id]["contacts"] if item["status"] == 1]
    checks.equal("eSputnik: who is active in SendPulse has moved", active, audience.members("Readers of the shop"))


def _check_traces(checks: Checks, account: Account) -> None:
    texts = dict(account.secrets)
    for number, person in enumerate(shop.customers(folders.SHOP), start=1):
        texts[f"the address of customer {number}"] = person.email
        texts[f"the name of customer {number}"] = person.name
        if person.phone:
            texts[f"the number of customer {number}"] = person.phone.lstrip("+")
    wanted = traces.Wanted(texts)
    # The shop's own address is no secret: it stands in the DAG's parameters. So it shows that the search finds things.
    _, found = traces.in_database(traces.Wanted({"the seed": SEED}), folders.METADATA)
    checks.equal(
        "the search for traces finds what is there", True, "rendered_task_instance_fields.rendered_fields" in found
    )
    count, found = traces.in_files(wanted, folders.TASK_LOGS, folders.OUTPUT)
    checks.equal(f"no customer and no secret in {count} log files", {}, _listed_by_place(found))
    count, found = traces.in_database(wanted, folders.METADATA)
    checks.equal(
        f"no customer and no secret in Airflow's database (XComs, rendered fields, all of {count:,} texts)",
        {},
        _listed_by_place(found),
    )


def audience_of(outcome: Outcome) -> dict[str, Person | None]:
    """Return who is to be mailed, by address; the shop's own address is nobody."""
    people: dict[str, Person | None] = {
        person.email: person for person in shop.buyers(outcome.shop, outcome.week.first_day, outcome.week.end)
    }
    return {**people, SEED: None}


def messages_of(outcome: Outcome) -> list[dict[str, Any]]:
    """Return what was mailed."""
    return [message for message in outcome.account.messages if message["campaign_id"] == outcome.campaign_id]


def events_of(outcome: Outcome) -> list[tuple[int, str]]:
    """Return the events of the week: number and address of each cart."""
    return [
        (event["body"].get("cart_id"), event["body"].get("email"))
        for event in outcome.account.events
        if outcome.week.first_day.isoformat() <= str(event["body"].get("left_on")) < outcome.week.end.isoformat()
    ]


def _entries(body: Any) -> list[dict[str, Any]]:
    entries = body["emails"]
    return list(json.loads(entries) if isinstance(entries, str) else entries)


def _counted(outcome: Outcome) -> dict[str, int]:
    """Count what became of the messages: whoever clicked has opened, and whoever opened was delivered to."""
    reached = Counter(int(message["status"]) for message in messages_of(outcome))
    clicked = reached[4]
    opened = clicked + reached[3]
    return {"recipients": reached.total(), "delivered": opened + reached[2], "opened": opened, "clicked": clicked}


def _stored(outcome: Outcome) -> dict[str, int]:
    for row in shop.statistics(outcome.shop):
        if row.campaign_id == outcome.campaign_id:
            return {"recipients": row.recipients, "delivered": row.delivered, "opened": row.opened, "clicked": row.clicked}
    return {}


def _difference(expected: Any, seen: Any) -> str:
    if isinstance(expected, list) and isinstance(seen, list):
        wanted, there = Counter(map(repr, expected)), Counter(map(repr, seen))
        return (
            f"    expected {len(expected)}, seen {len(seen)}\n"
            f"    missing:    {_listed(wanted - there)}\n"
            f"    unexpected: {_listed(there - wanted)}"
        )
    return f"    expected: {expected}\n    seen:     {seen}"


def _listed_by_place(found: dict[str, set[str]]) -> dict[str, str]:
    return {place: _listed(Counter(what)) for place, what in found.items()}


def _listed(items: Counter[str]) -> str:
    shown = [*items.elements()]
    return (", ".join(shown[:_SHOWN]) or "nothing") + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")


__all__ = ["Checks", "audience_of", "check", "check_mailing", "events_of", "messages_of"]
