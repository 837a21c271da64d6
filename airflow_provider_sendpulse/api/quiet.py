# SPDX-License-Identifier: Apache-2.0
"""Keeps the HTTP libraries from logging the URLs of our requests: paths hold addresses, event URLs are credentials.

``httpx`` logs every URL at level INFO, ``urllib3`` at DEBUG and, with a malformed answer, at WARNING. What other code
sends through them is logged as ever.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

_ours: ContextVar[bool] = ContextVar("ours", default=False)


class _NotOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not _ours.get()


# A filter on a logger does not see the records of its children, so each that logs a URL has it.
for _name in ("httpx", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_NotOurs())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let the libraries log nothing for the time of one request."""
    before = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(before)


__all__ = ["quiet"]
