# SPDX-License-Identifier: Apache-2.0
"""What all triggers that wait for something of SendPulse share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.service import PollingTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook


class SendPulseTrigger(PollingTrigger):
    """A trigger with a SendPulse connection.

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse``
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(self, *, sendpulse_conn_id: str, **others: Any) -> None:
        super().__init__(**others)
        self.sendpulse_conn_id = sendpulse_conn_id

    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""
        return {"sendpulse_conn_id": self.sendpulse_conn_id}

    def make_hook(self) -> SendPulseHook:
        """Return a hook of the connection."""
        from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

        return SendPulseHook(self.sendpulse_conn_id)


__all__ = ["SendPulseTrigger"]
