# SPDX-License-Identifier: Apache-2.0
"""What a job is given to talk to a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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


def every_page(sender: Sender, call: PagedCall[Item]) -> Iterator[list[Item]]:
    """Carry out a listing until a page is empty.

    Elsewhere a page that is not full is the last one. But a service that gives fewer at a time than it is asked for must
    not hide what is looked for.
    """
    page: list[Item] | None = None
    while page is None or page:
        page = sender.send(call)
        call = replace(call, offset=call.offset + len(page))
        yield page


__all__ = ["Sender", "every_page"]
