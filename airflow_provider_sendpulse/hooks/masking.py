# SPDX-License-Identifier: Apache-2.0
"""Secrets that threads come by, such as a renewed token: hidden at once, and told on by the thread that may."""

from __future__ import annotations

import threading
from collections.abc import Callable

from airflow_provider_sendpulse.version_compat import mask_in_process


class Masking:
    """Hides secrets in logs, from any thread.

    Hiding a value takes two steps: this process hides it in what it logs, and the process that started the task is told.
    The second goes over a channel that only the task's own thread may use: Airflow 3.1 has no lock around it, and where
    Airflow runs a task in its own process, it replaces the channel while a message is under way. So a secret that
    another thread comes by is hidden at once, and told on when the owner calls :meth:`tell`. Each is told once.

    :param tell: hides a value here and tells it on; called by the thread that makes this object only
    :param hide: hides a value here
    """

    def __init__(self, tell: Callable[[str], None], hide: Callable[[str], None] = mask_in_process) -> None:
        self._owner = threading.get_ident()
        self._tell = tell
        self._hide = hide
        self._lock = threading.Lock()
        self._hidden: set[str] = set()
        self._untold: list[str] = []

    def __call__(self, secret: str) -> None:
        """Hide a secret; on return nothing that this process logs shows it."""
        with self._lock:
            if secret not in self._hidden:
                self._hide(secret)
                self._hidden.add(secret)
                self._untold.append(secret)
        if threading.get_ident() == self._owner:
            self.tell()

    def tell(self) -> None:
        """Tell on what other threads have hidden. Only for the thread that made this object."""
        with self._lock:
            untold, self._untold = self._untold, []
        for secret in untold:
            self._tell(secret)


__all__ = ["Masking"]
