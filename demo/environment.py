# SPDX-License-Identifier: Apache-2.0
"""The environment variables of the demo's Airflow: its configuration and its connections."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from demo import folders

TIME_ZONE = "Europe/Kyiv"
EVENT = "abandoned_cart"
"""Name of the hash URL that the example sends events to."""


@dataclass(frozen=True)
class Account:
    """The account in the emulator; nobody else's secrets are as random as these, so they are easy to look for."""

    client_id: str = "demo-shop"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    event_hash: str = field(default_factory=lambda: secrets.token_hex(16))
    user_id: str = "5000001"
    esputnik_key: str = field(default_factory=lambda: secrets.token_hex(20))

    @property
    def secrets(self) -> dict[str, str]:
        """What must not be found anywhere, by what it is."""
        return {
            "the API secret": self.client_secret,
            "the hash of the event URL": self.event_hash,
            "eSputnik's key": self.esputnik_key,
        }


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """Return this process's environment without what would change Airflow, or lead requests astray."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
    loopback = "127.0.0.1,localhost"
    return {**kept, "NO_PROXY": loopback, "no_proxy": loopback, "XDG_CACHE_HOME": str(folders.CACHE)}


def airflow_environment(port: int, more: Mapping[str, Mapping[str, object]] | None = None) -> dict[str, str]:
    """Return Airflow's configuration.

    :param port: where its API server is to listen
    :param more: options by section, beside these or in their place
    """
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": folders.DAGS,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "load_examples": False,
            "simple_auth_manager_all_admins": True,
            "execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        },
        # SQLite has one writer at a time; the others shall wait for longer than the five seconds of the driver.
        "database": {"sql_alchemy_conn": f"sqlite:///{folders.METADATA}?timeout=60"},
        "api": {"base_url": f"http://127.0.0.1:{port}", "port": port, "secret_key": secrets.token_urlsafe(32)},
        "api_auth": {"jwt_secret": secrets.token_urlsafe(64)},
        "dag_processor": {"refresh_interval": 5, "parsing_processes": 1},
        # Only the runs that the demo triggers: on a Monday the schedule would add one of its own.
        "scheduler": {"use_job_schedule": False, "scheduler_idle_sleep_time": 0.2},
        # A worker may look this late for the end of its task, and is occupied meanwhile.
        "workers": {"min_heartbeat_interval": 1},
        "logging": {"base_log_folder": folders.TASK_LOGS, "colored_console_log": False},
        "usage_data_collection": {"enabled": False},
    }
    variables = {
        f"AIRFLOW__{section.upper()}__{option.upper()}": str(value)
        for source in (sections, more or {})
        for section, options in source.items()
        for option, value in options.items()
    }
    return {"AIRFLOW_HOME": str(folders.AIRFLOW_HOME), "SCARF_ANALYTICS": "false", **variables}


def connections(emulator_url: str, account: Account) -> dict[str, str]:
    """Return the connections of the examples: to SendPulse and eSputnik, which are the emulator here, and to the shop."""
    sendpulse = {
        "conn_type": "sendpulse",
        "host": emulator_url,
        "login": account.client_id,
        "password": account.client_secret,
        "extra": {
            "account_timezone": TIME_ZONE,
            "deployment": "demo-shop",
            "event_urls": {EVENT: f"{emulator_url}/events/id/{account.event_hash}/{account.user_id}"},
            "campaign_link": f"{emulator_url}/ui/campaigns/{{id}}",
            "address_book_link": f"{emulator_url}/ui/books/{{id}}",
        },
    }
    esputnik = {
        "conn_type": "esputnik",
        "host": f"{emulator_url}/esputnik/api",
        "password": account.esputnik_key,
        "extra": {"account_timezone": TIME_ZONE, "deployment": "demo-shop"},
    }
    return {
        "AIRFLOW_CONN_SENDPULSE_DEFAULT": json.dumps(sendpulse),
        "AIRFLOW_CONN_ESPUTNIK_DEFAULT": json.dumps(esputnik),
        "AIRFLOW_CONN_SHOP": json.dumps({"conn_type": "sqlite", "host": str(folders.SHOP)}),
    }


__all__ = ["EVENT", "TIME_ZONE", "Account", "airflow_environment", "connections", "free_port", "plain_environment"]
