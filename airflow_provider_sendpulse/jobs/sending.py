# SPDX-License-Identifier: Apache-2.0
"""What a job is given to talk to a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

from airflow_provider_sendpulse.api.call import Call, PagedCall, SplitCall

T = TypeVar("T")
Item = TypeVar("Item")


class Sender(Protocol):
    """Carries out calls: a hook, or a client."""

    def send(self, call: Call[T] | SplitCall[T]) -> T:
        """Carry out a call."""
        ...

    def pages(self, call: PagedCall[Item]) -> Iterator[Item]:
        """Carry out a listing page by page and yield its items."""
        ...


__all__ = ["Sender"]
