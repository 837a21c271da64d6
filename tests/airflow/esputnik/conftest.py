# SPDX-License-Identifier: Apache-2.0
"""The emulated account of eSputnik."""

from __future__ import annotations

from typing import Any

import pytest
from broadcasting import Newsletter
from esputnik_state import EsputnikState


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    return EsputnikState(emulator)


@pytest.fixture
def newsletter(emulator: Any, connect_esputnik: Any) -> Newsletter:
    """A prepared message, and a way to make segments and to see who was mailed."""
    emulator.configure(bounce_share=0, open_share=0)
    return Newsletter(emulator)
