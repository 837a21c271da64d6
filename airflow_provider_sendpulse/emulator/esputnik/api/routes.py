# SPDX-License-Identifier: Apache-2.0
"""All routes of eSputnik's API."""

from __future__ import annotations

from airflow_provider_sendpulse.emulator.esputnik.api import account, contacts, events, imports, segments

ROUTES = [
    *account.ROUTES,
    *contacts.ROUTES,
    *imports.ROUTES,
    *segments.ROUTES,
    *events.ROUTES,
]
