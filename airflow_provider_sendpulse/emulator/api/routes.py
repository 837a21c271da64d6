# SPDX-License-Identifier: Apache-2.0
"""All routes of the API."""

from __future__ import annotations

from airflow_provider_sendpulse.emulator.api import (
    account,
    address_books,
    addresses,
    authorization,
    campaigns,
    contacts,
    events,
    flows,
    smtp,
    tags,
    templates,
    webhooks,
)

ROUTES = [
    *authorization.ROUTES,
    *address_books.ROUTES,
    *contacts.ROUTES,
    *addresses.ROUTES,
    *campaigns.ROUTES,
    *events.ROUTES,
    *account.ROUTES,
    *templates.ROUTES,
    *tags.ROUTES,
    *webhooks.ROUTES,
    *smtp.ROUTES,
    *flows.ROUTES,
]
