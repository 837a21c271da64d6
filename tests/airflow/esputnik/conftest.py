# SPDX-License-Identifier: Apache-2.0
"""The emulated account of eSputnik."""

from __future__ import annotations

from typing import Any

import pytest
from esputnik_state import EsputnikState


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    return EsputnikState(emulator)
