# SPDX-License-Identifier: Apache-2.0
"""What the statuses of all services mean for somebody who waits."""

from __future__ import annotations

from enum import Enum


class StatusClass(Enum):
    """What a status means for somebody who waits."""

    IN_PROGRESS = "in progress"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    NEEDS_HUMAN = "needs a human"
    DRAFT = "draft"


__all__ = ["StatusClass"]
