# SPDX-License-Identifier: Apache-2.0
"""What becomes of rows whose call eSputnik refuses as a repeat."""

from __future__ import annotations

from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.send_once import Fate

REPEATED_FATE = Fate(
    Outcome.IN_DOUBT,
    "eSputnik says that it received the same request less than a minute ago; what became of that is not known",
)
"""Of every row of a call that is answered with 409."""

__all__ = ["REPEATED_FATE"]
