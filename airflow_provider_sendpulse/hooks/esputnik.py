# SPDX-License-Identifier: Apache-2.0
"""The eSputnik hook: a connection, and everything the API can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.esputnik import account
from airflow_provider_sendpulse.hooks.esputnik_settings import EsputnikSettings
from airflow_provider_sendpulse.hooks.service import ServiceHook

if TYPE_CHECKING:
    from airflow.sdk import Connection


class EsputnikHook(ServiceHook[EsputnikSettings]):
    """Carries out calls to eSputnik (Yespo) with the key, budget and host of an Airflow connection.

    ::

        hook = EsputnikHook()
        hook.send(esputnik.import_sessions.read(session_id))
        for segment in hook.pages(esputnik.segments.list()): ...

    :param esputnik_conn_id: Airflow connection of type ``esputnik``
    """

    conn_name_attr = "esputnik_conn_id"
    default_conn_name = "esputnik_default"
    conn_type = "esputnik"
    hook_name = "eSputnik"

    def __init__(self, esputnik_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(esputnik_conn_id, **kwargs)
        self.esputnik_conn_id = esputnik_conn_id

    def _read_settings(self, connection: Connection) -> EsputnikSettings:
        return EsputnikSettings.of(connection)

    def _try_out(self, client: Client) -> str:
        info = client.send(account.info())
        return f"organisation {info.organisation_name or 'without a name'}"


__all__ = ["EsputnikHook"]
