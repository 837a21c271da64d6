# SPDX-License-Identifier: Apache-2.0
"""How often eSputnik may be asked, as data. Source: eSputnik API, "Rate limits", and the descriptions of the endpoints.

What is not listed shares one budget. A 429 follows whoever exceeds a limit, until its window is over.
"""

from __future__ import annotations

from airflow_provider_sendpulse.api.budget import Allowance, Limit

SHARED = Limit(200, 1.0)
"""Everything that has no limits of its own, together."""

CONTACT_SEARCH = Allowance("contact search", (Limit(50, 1.0),))

EVENTS_V1 = Allowance("events v1", (Limit(350, 1.0),))
EVENTS_V2 = Allowance("events v2", (Limit(350, 1.0),))

PAST_EVENTS_V1 = Allowance("past events v1", (Limit(100, 1.0),))
PAST_EVENTS_V2 = Allowance("past events v2", (Limit(100, 1.0),))
PAST_EVENTS_DELETION = Allowance("deletion of past events", (Limit(5, 1.0),))

CONTACT_MESSAGES = Allowance("messages of a contact", (Limit(10, 1.0),))

MESSAGE_READS = Allowance("reading of messages", (Limit(10, 1.0), Limit(500, 3600.0, burst=50)))
"""Lists and single messages of every channel: the manual does not say that each channel has 500 of its own."""

__all__ = [
    "CONTACT_MESSAGES",
    "CONTACT_SEARCH",
    "EVENTS_V1",
    "EVENTS_V2",
    "MESSAGE_READS",
    "PAST_EVENTS_DELETION",
    "PAST_EVENTS_V1",
    "PAST_EVENTS_V2",
    "SHARED",
]
