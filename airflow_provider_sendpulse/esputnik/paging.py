# SPDX-License-Identifier: Apache-2.0
"""How eSputnik pages: ``startindex`` counts from 1, and ``maxrows`` is at most 500.

The header ``TotalCount`` was seen to be wrong, so nothing relies on it: a page that is not full is the last one.
"""

from __future__ import annotations

from airflow_provider_sendpulse.api.call import Paging

PAGING = Paging(limit="maxrows", offset="startindex", first=1)

MOST_PER_PAGE = 500

__all__ = ["MOST_PER_PAGE", "PAGING"]
