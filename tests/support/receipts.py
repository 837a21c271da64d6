# SPDX-License-Identifier: Apache-2.0
"""Receipts of an erasure, as they are in their file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """Return the receipts of a file of JSON lines."""
    return [*map(json.loads, path.read_text().splitlines())]


def digest(text: str) -> str:
    """Return what stands for a contact in a receipt."""
    return hashlib.sha256(text.encode()).hexdigest()
