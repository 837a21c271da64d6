# SPDX-License-Identifier: Apache-2.0
"""How to talk HTTP to a marketing service: calls as values, one policy, two transports.

Nothing here knows an endpoint or an Airflow task.
"""

from __future__ import annotations

from airflow_provider_sendpulse.api.call import Call, PagedCall, Repeat

__all__ = ["Call", "PagedCall", "Repeat"]
