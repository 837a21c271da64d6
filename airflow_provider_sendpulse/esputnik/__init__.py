# SPDX-License-Identifier: Apache-2.0
"""The API of eSputnik (Yespo) as calls: one module a resource.

Every function builds a :class:`~airflow_provider_sendpulse.api.call.Call` and does nothing else; a hook sends it::

    from airflow_provider_sendpulse import esputnik as es

    hook.send(es.contacts.upsert(es.contacts.Contact.reached(email="ada@example.com")))
    for segment in hook.pages(es.segments.list()):
        ...
"""

from __future__ import annotations

from airflow_provider_sendpulse.esputnik import (
    account,
    activity,
    address_books,
    balance,
    broadcasts,
    contacts,
    events,
    import_sessions,
    messages,
    orders,
    segments,
    senders,
    subscriptions,
    templates,
    unsubscribed,
    uploads,
    workflows,
)
from airflow_provider_sendpulse.esputnik.service import ESPUTNIK

__all__ = [
    "ESPUTNIK",
    "account",
    "activity",
    "address_books",
    "balance",
    "broadcasts",
    "contacts",
    "events",
    "import_sessions",
    "messages",
    "orders",
    "segments",
    "senders",
    "subscriptions",
    "templates",
    "unsubscribed",
    "uploads",
    "workflows",
]
