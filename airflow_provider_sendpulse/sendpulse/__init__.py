# SPDX-License-Identifier: Apache-2.0
"""The SendPulse API as calls: one module a resource.

Every function builds a :class:`~airflow_provider_sendpulse.api.call.Call` and does nothing else; a hook sends it::

    from airflow_provider_sendpulse import sendpulse as sp

    hook.send(sp.campaigns.read(1))
    for book in hook.pages(sp.address_books.list()):
        ...
"""

from __future__ import annotations

from airflow_provider_sendpulse.sendpulse import (
    address_books,
    addresses,
    balance,
    blacklist,
    campaigns,
    contacts,
    events,
    flows,
    senders,
    smtp,
    tags,
    templates,
    webhook_subscriptions,
    webhooks,
)
from airflow_provider_sendpulse.sendpulse.service import SENDPULSE

__all__ = [
    "SENDPULSE",
    "address_books",
    "addresses",
    "balance",
    "blacklist",
    "campaigns",
    "contacts",
    "events",
    "flows",
    "senders",
    "smtp",
    "tags",
    "templates",
    "webhook_subscriptions",
    "webhooks",
]
