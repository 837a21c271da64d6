# SPDX-License-Identifier: Apache-2.0
"""What all SendPulse operators share."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.service import ServiceOperator, plain_text


class SendPulseOperator(ServiceOperator):
    """An operator with a SendPulse connection.

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse`` (templated)
    """

    template_fields: Collection[str] = ("sendpulse_conn_id",)

    ui_color = "#d9f0ee"

    def __init__(self, *, sendpulse_conn_id: str = SendPulseHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sendpulse_conn_id = sendpulse_conn_id

    @cached_property
    def hook(self) -> SendPulseHook:
        """The hook of this operator's connection."""
        return SendPulseHook(self.sendpulse_conn_id)


__all__ = ["SendPulseOperator", "plain_text"]
