# SPDX-License-Identifier: Apache-2.0
"""Where contacts and events come from, how a row becomes a person, and where rejects and exports are written to."""

from __future__ import annotations

from airflow_provider_sendpulse.rows.files import FileRows
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable
from airflow_provider_sendpulse.rows.rejects_file import RejectsFile
from airflow_provider_sendpulse.rows.rejects_table import RejectsTable
from airflow_provider_sendpulse.rows.source import RowSource
from airflow_provider_sendpulse.rows.sql import SqlRows

__all__ = ["FileRows", "OutputFile", "OutputTable", "RejectsFile", "RejectsTable", "RowSource", "SqlRows"]
