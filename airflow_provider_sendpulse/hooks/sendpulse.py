# SPDX-License-Identifier: Apache-2.0
"""The SendPulse hook: a connection, and everything the API can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.hooks.sendpulse_settings import SendPulseSettings
from airflow_provider_sendpulse.hooks.service import ServiceHook
from airflow_provider_sendpulse.sendpulse import balance

if TYPE_CHECKING:
    from airflow.sdk import Connection


class SendPulseHook(ServiceHook[SendPulseSettings]):
    """Carries out calls to SendPulse with the credentials, budget and host of an Airflow connection.

    ::

        hook = SendPulseHook()
        hook.send(sendpulse.campaigns.read(1))
        for book in hook.pages(sendpulse.address_books.list()): ...

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse``
    """

    conn_name_attr = "sendpulse_conn_id"
    default_conn_name = "sendpulse_default"
    conn_type = "sendpulse"
    hook_name = "SendPulse"
    secret_name = "API secret"

    def __init__(self, sendpulse_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(sendpulse_conn_id, **kwargs)
        self.sendpulse_conn_id = sendpulse_conn_id

    def _read_settings(self, connection: Connection) -> SendPulseSettings:
        return SendPulseSettings.of(connection)

    def _try_out(self, client: Client) -> str:
        detail = client.send(balance.detail(), fresh_token=True)
        money = f"balance {detail.main:g} {detail.currency} and {detail.bonus:g} bonus"
        if detail.email is None:
            return f"no email plan, {money}"
        return f"plan {detail.email.tariff_name or 'without a name'}, {money}, {detail.email.emails_left:,} emails left"


__all__ = ["SendPulseHook"]
