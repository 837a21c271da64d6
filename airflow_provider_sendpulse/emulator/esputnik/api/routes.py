# SPDX-License-Identifier: Apache-2.0
"""All routes of eSputnik's API."""

from __future__ import annotations

from airflow_provider_sendpulse.emulator.esputnik.api import (
    account,
    activity,
    broadcasts,
    contacts,
    events,
    imports,
    messages,
    orders,
    segments,
    sends,
    subscriptions,
)

ROUTES = [
    *account.ROUTES,
    *contacts.ROUTES,
    *imports.ROUTES,
    *segments.ROUTES,
    *events.ROUTES,
    *messages.ROUTES,
    *sends.ROUTES,
    *broadcasts.ROUTES,
    *orders.ROUTES,
    *activity.ROUTES,
    *subscriptions.ROUTES,
]
