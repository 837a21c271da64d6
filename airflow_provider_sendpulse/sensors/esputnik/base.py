# SPDX-License-Identifier: Apache-2.0
"""What all eSputnik sensors share."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.sensors.service import ServiceSensor


class EsputnikSensor(ServiceSensor):
    """A sensor with an eSputnik connection.

    :param esputnik_conn_id: Airflow connection of type ``esputnik`` (templated)
    """

    template_fields: Collection[str] = ("esputnik_conn_id",)
    ui_color = "#e5e3f5"

    def __init__(self, *, esputnik_conn_id: str = EsputnikHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.esputnik_conn_id = esputnik_conn_id

    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""
        return {"esputnik_conn_id": self.esputnik_conn_id}

    @cached_property
    def hook(self) -> EsputnikHook:
        """The hook of this sensor's connection."""
        return EsputnikHook(self.esputnik_conn_id)


__all__ = ["EsputnikSensor"]
