# SPDX-License-Identifier: Apache-2.0
"""What all SendPulse sensors share."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.sensors.service import ServiceSensor


class SendPulseSensor(ServiceSensor):
    """A sensor with a SendPulse connection.

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse`` (templated)
    """

    template_fields: Collection[str] = ("sendpulse_conn_id",)
    ui_color = "#d9f0ee"

    def __init__(self, *, sendpulse_conn_id: str = SendPulseHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sendpulse_conn_id = sendpulse_conn_id

    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""
        return {"sendpulse_conn_id": self.sendpulse_conn_id}

    @cached_property
    def hook(self) -> SendPulseHook:
        """The hook of this sensor's connection."""
        return SendPulseHook(self.sendpulse_conn_id)


__all__ = ["SendPulseSensor"]
