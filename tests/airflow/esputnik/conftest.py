# SPDX-License-Identifier: Apache-2.0
"""The emulated account of eSputnik."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from broadcasting import Newsletter
from esputnik_state import EsputnikState


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    return EsputnikState(emulator)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty ledger in ``ledger.db``: the id of its connection."""
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "ledger.db")}))
    return "ledger"


@pytest.fixture
def newsletter(emulator: Any, connect_esputnik: Any) -> Newsletter:
    """A prepared message, and a way to make segments and to see who was mailed."""
    emulator.configure(bounce_share=0, open_share=0)
    return Newsletter(emulator)
