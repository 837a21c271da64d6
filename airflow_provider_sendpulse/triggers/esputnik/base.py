# SPDX-License-Identifier: Apache-2.0
"""What all triggers that wait for something of eSputnik share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.service import PollingTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook


class EsputnikTrigger(PollingTrigger):
    """A trigger with an eSputnik connection.

    :param esputnik_conn_id: Airflow connection of type ``esputnik``
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(self, *, esputnik_conn_id: str, **others: Any) -> None:
        super().__init__(**others)
        self.esputnik_conn_id = esputnik_conn_id

    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""
        return {"esputnik_conn_id": self.esputnik_conn_id}

    def make_hook(self) -> EsputnikHook:
        """Return a hook of the connection."""
        from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook

        return EsputnikHook(self.esputnik_conn_id)


__all__ = ["EsputnikTrigger"]
