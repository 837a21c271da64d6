# SPDX-License-Identifier: Apache-2.0
"""Rows that are imported into eSputnik through Airflow's task runner, and what comes of them."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportContactsOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

needs_state_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")

IMPORT, STATUS = "esputnik.contacts.import", "esputnik.imports.read"
ROWS = [
    {"email": "ada@example.com", "phone": "+380440000001", "name": "Ада"},
    {"email": "bob@example.com", "phone": "", "name": "Bob"},
    {"email": "eve@example.com", "phone": None, "name": "Eve"},
]
MAPPING = {"email": "email", "sms": "phone", "first_name": "name"}


def load(rows: Any = ROWS, **arguments: Any) -> EsputnikImportContactsOperator:
    """Return a task that imports rows."""
    dag = DAG("a_dag", schedule=None)  # another one each time: a file may have been changed between two tries
    return EsputnikImportContactsOperator(
        **{"task_id": "load", "dag": dag, "contacts": rows, "mapping": MAPPING, "poll_interval": 10, **arguments}
    )


def readers(count: int, first: int = 1) -> list[dict[str, Any]]:
    """Return rows of so many people."""
    return [{"email": f"reader{n}@example.com", "phone": "", "name": "Reader"} for n in range(first, first + count)]


def counts(**others: int) -> dict[str, int]:
    """Return the counts of a task, of which most are 0."""
    nothing = dict.fromkeys(["read", "accepted", "duplicate", "invalid", "rejected", "skipped", "in_doubt"], 0)
    return nothing | others
