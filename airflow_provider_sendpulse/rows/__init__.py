# SPDX-License-Identifier: Apache-2.0
"""Where contacts and events come from: row sources, and how a row becomes a person with variables."""

from __future__ import annotations

from airflow_provider_sendpulse.rows.source import RowSource
from airflow_provider_sendpulse.rows.sql import SqlRows

__all__ = ["RowSource", "SqlRows"]
