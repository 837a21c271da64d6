# SPDX-License-Identifier: Apache-2.0
"""What Airflow reads about this provider: data only, loaded by every process, so nothing heavy is imported."""

from __future__ import annotations

from typing import Any

_FIELDS: dict[str, dict[str, Any]] = {
    "events_host": {
        "label": "Events host",
        "description": "Host that takes Automation 360 events by name. Empty: the same as API URL.",
        "schema": {"type": ["string", "null"]},
    },
    "event_urls": {
        "label": "Event URLs",
        "description": (
            "Hash URLs from the Events Manager as a JSON object, name to URL. Such a URL is a credential: whoever has "
            "it can send the event."
        ),
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "timeout": {
        "label": "Timeout",
        "description": "Seconds until an answer must be complete. Default 60.",
        "schema": {"type": ["number", "null"], "minimum": 1, "maximum": 600},
    },
    "requests_per_second": {
        "label": "Requests per second",
        "description": (
            "Budget of everything that uses this account: on this host, or on all that share a coordination connection. "
            "SendPulse allows 10; default 8."
        ),
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "requests_per_minute": {
        "label": "Requests per minute",
        "description": "SendPulse allows 1000 on free, 2000 on paid and 3000 on enterprise plans. Default 1000.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "account": {
        "label": "Account",
        "description": (
            "Your name for the account. With it, what was sent stays known when another API ID or static key takes the "
            "place of this one. The same in every connection to the account, and in no other. Empty: the API ID or static "
            "key tells accounts apart."
        ),
        "schema": {"type": ["string", "null"]},
    },
    "account_timezone": {
        "label": "Account time zone",
        "description": "Time zone set in the SendPulse account, such as Europe/Kyiv. Needed to schedule a campaign.",
        "schema": {"type": ["string", "null"]},
    },
    "deployment": {
        "label": "Deployment",
        "description": (
            "Name that tells Airflow installations on one SendPulse account apart, such as production and staging: "
            "it goes into the marker by which a campaign is recognised."
        ),
        "schema": {"type": ["string", "null"]},
    },
    "coordination_conn_id": {
        "label": "Coordination connection",
        "description": (
            "Id of a Redis, PostgreSQL, MySQL or MariaDB connection through which tasks on many hosts share one token, "
            "one request budget and the right to create a campaign. Empty: the tasks of each host share through files."
        ),
        "schema": {"type": ["string", "null"]},
    },
    "campaign_link": {
        "label": "Campaign link",
        "description": "Pattern of a campaign's page in the dashboard, with {id}; used where the API gives no permalink.",
        "schema": {"type": ["string", "null"]},
    },
    "address_book_link": {
        "label": "Address book link",
        "description": "Pattern of an address book's page in the dashboard, with {id}.",
        "schema": {"type": ["string", "null"]},
    },
}


_ESPUTNIK_FIELDS: dict[str, dict[str, Any]] = {
    "timeout": _FIELDS["timeout"],
    "requests_per_second": {
        "label": "Requests per second",
        "description": (
            "Nothing goes faster than this, on this host or on all that share a coordination connection. Empty: as fast as "
            "eSputnik allows, which is 200 for all calls together, 50 for searching contacts and 350 for events."
        ),
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "account": {
        "label": "Account",
        "description": (
            "Your name for the account. With it, what was sent stays known when another API key takes the "
            "place of this one. The same in every connection to the account, and in no other. Empty: the API key "
            "tells accounts apart."
        ),
        "schema": {"type": ["string", "null"]},
    },
    "account_timezone": {
        "label": "Organisation time zone",
        "description": "Time zone set for the organisation, such as Europe/Kyiv. Needed to schedule a broadcast.",
        "schema": {"type": ["string", "null"]},
    },
    "deployment": {
        "label": "Deployment",
        "description": (
            "Name that tells Airflow installations on one eSputnik account apart, such as production and staging: "
            "it goes into the marker by which a broadcast is recognised."
        ),
        "schema": {"type": ["string", "null"]},
    },
    "coordination_conn_id": {
        "label": "Coordination connection",
        "description": (
            "Id of a Redis, PostgreSQL, MySQL or MariaDB connection through which tasks on many hosts share the request "
            "budgets and the right to create a broadcast. Empty: the tasks of each host share through files."
        ),
        "schema": {"type": ["string", "null"]},
    },
}


_MODULES: dict[str, dict[str, tuple[str, ...]]] = {
    "SendPulse": {
        "hooks": ("sendpulse",),
        "operators": (
            "address_books",
            "contacts",
            "contact_removal",
            "erasure",
            "contact_statistics",
            "blacklist",
            "campaigns",
            "emails",
            "events",
            "senders",
            "templates",
            "webhooks",
        ),
        "sensors": (
            "address_books",
            "balance",
            "campaigns",
            "emails",
            "flows",
        ),
        "triggers": (
            "address_books",
            "balance",
            "campaigns",
            "emails",
            "flows",
        ),
    },
    "eSputnik": {
        "hooks": ("esputnik",),
        "operators": (
            "esputnik.activity",
            "esputnik.broadcasts",
            "esputnik.contacts",
            "esputnik.erasure",
            "esputnik.events",
            "esputnik.imports",
            "esputnik.messages",
            "esputnik.orders",
            "esputnik.segments",
        ),
        "sensors": (
            "esputnik.balance",
            "esputnik.imports",
            "esputnik.messages",
        ),
        "triggers": (
            "esputnik.balance",
            "esputnik.imports",
            "esputnik.messages",
        ),
    },
}
"""What users import from, by floor."""


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as Airflow's ``provider_info.schema.json`` describes it."""
    return {
        "package-name": "airflow-provider-sendpulse",
        "name": "SendPulse",
        "description": (
            "Email marketing with `SendPulse <https://sendpulse.com/>`__ (address books, campaigns, events) and "
            "`eSputnik <https://esputnik.com/>`__ (contacts, segments, events, messages)."
        ),
        "integrations": [
            {
                "integration-name": "SendPulse",
                "external-doc-url": "https://sendpulse.com/integrations/api",
                "tags": ["service"],
            },
            {
                "integration-name": "eSputnik",
                "external-doc-url": "https://docs.esputnik.com/",
                "tags": ["service"],
            },
        ],
        **{floor: _modules(floor) for floor in ("hooks", "operators", "sensors", "triggers")},
        "extra-links": [
            "airflow_provider_sendpulse.links.sendpulse.SendPulseCampaignLink",
            "airflow_provider_sendpulse.links.sendpulse.SendPulseAddressBookLink",
        ],
        "connection-types": [
            {
                "connection-type": "sendpulse",
                "hook-class-name": "airflow_provider_sendpulse.hooks.sendpulse.SendPulseHook",
                "hook-name": "SendPulse",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"login": "API ID", "password": "API secret or static API key", "host": "API URL"},
                    "placeholders": {
                        "host": "https://api.sendpulse.com",
                        "login": "empty when the password is a static API key",
                    },
                },
                "conn-fields": _FIELDS,
            },
            {
                "connection-type": "esputnik",
                "hook-class-name": "airflow_provider_sendpulse.hooks.esputnik.EsputnikHook",
                "hook-name": "eSputnik",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"login": "User name", "password": "API key", "host": "API URL"},
                    "placeholders": {"host": "https://esputnik.com/api", "login": "may be empty"},
                },
                "conn-fields": _ESPUTNIK_FIELDS,
            },
        ],
    }


def _modules(floor: str) -> list[dict[str, Any]]:
    return [
        {
            "integration-name": integration,
            "python-modules": [f"airflow_provider_sendpulse.{floor}.{name}" for name in floors[floor]],
        }
        for integration, floors in _MODULES.items()
        if floor in floors
    ]


__all__ = ["get_provider_info"]
