# SPDX-License-Identifier: Apache-2.0
"""What all eSputnik operators share."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.operators.rows import RowsOperator
from airflow_provider_sendpulse.operators.service import ServiceOperator


class EsputnikOperator(ServiceOperator):
    """An operator with an eSputnik connection.

    :param esputnik_conn_id: Airflow connection of type ``esputnik`` (templated)
    """

    template_fields: Collection[str] = ("esputnik_conn_id",)

    ui_color = "#e5e3f5"

    def __init__(self, *, esputnik_conn_id: str = EsputnikHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.esputnik_conn_id = esputnik_conn_id

    @cached_property
    def hook(self) -> EsputnikHook:
        """The hook of this operator's connection."""
        return EsputnikHook(self.esputnik_conn_id)


class EsputnikRowsOperator(RowsOperator, EsputnikOperator):
    """An operator that delivers rows to eSputnik; see :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`."""

    template_fields: Collection[str] = (*EsputnikOperator.template_fields, *RowsOperator.template_fields)


__all__ = ["EsputnikOperator", "EsputnikRowsOperator"]
