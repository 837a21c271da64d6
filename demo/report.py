# SPDX-License-Identifier: Apache-2.0
"""The account of both weeks, and of the time."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_sendpulse.emulator.statuses import CAMPAIGN_STATUSES
from demo import folders, shop
from demo.checks import SEED
from demo.progress import Progress
from demo.week import Outcome


def weeks_report(weeks: Sequence[Outcome]) -> str:
    """Return a table with a column for each week."""
    columns = [_column(week) for week in weeks]
    labels = list(columns[0])
    width = max(len(label) for label in labels)
    widths = [max(len(text) for text in column.values()) for column in columns]
    lines = [
        "  "
        + f"{label:<{width}}  "
        + "  ".join(f"{column[label]:<{size}}" for column, size in zip(columns, widths, strict=True))
        for label in labels
    ]
    ways = [f"  {week.week.label}, campaign {week.campaign_id}: {_way(week)}" for week in weeks]
    return "\n".join(line.rstrip() for line in [*lines, "", *ways])


def time_report(progress: Progress) -> str:
    """Return where the time went."""
    total = progress.elapsed
    rest = total - sum(progress.phases.values())
    phases = {**progress.phases, "everything else": max(rest, 0.0), "together": total}
    return "\n".join(f"  {name:<18} {seconds:6.1f} s" for name, seconds in phases.items())


def _column(outcome: Outcome) -> dict[str, str]:
    [stored] = [row for row in shop.statistics(folders.SHOP) if row.campaign_id == outcome.campaign_id]
    noted = [
        str(contact["variables"].get("Sent", "no"))
        for contact in outcome.account.books[outcome.book_id]["contacts"]
        if contact["email"] == SEED
    ]
    return {
        "": outcome.week.label,
        "orders of": f"{outcome.week.first_day} to {outcome.week.end}",
        "audience selected": str(shop.audience_size(folders.SHOP, outcome.week.run_id)),
        "rows read": str(outcome.contacts["read"]),
        "contacts loaded": str(outcome.contacts["accepted"]),
        "campaign": str(outcome.campaign_id),
        "delivered": f"{stored.delivered} of {stored.recipients}",
        "opened": str(stored.opened),
        "clicked": str(stored.clicked),
        "cart events sent": str(outcome.events["accepted"]),
        "variable Sent": ", ".join(noted),
        "statistics stored": "yes",
        "took": f"{outcome.seconds:.1f} s",
    }


def _way(outcome: Outcome) -> str:
    steps = [f"{CAMPAIGN_STATUSES[code]} ({code}) {seconds:.1f} s" for code, seconds in outcome.campaign.durations]
    last = outcome.campaign.status
    return " → ".join([*steps, f"{CAMPAIGN_STATUSES[last]} ({last})"])


__all__ = ["time_report", "weeks_report"]
