# SPDX-License-Identifier: Apache-2.0
"""Run email marketing with SendPulse from Apache Airflow."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
