# SPDX-License-Identifier: Apache-2.0
"""What a job is given to talk to a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def as_far_back(
    sender: Sender, call: PagedCall[Item], number: Callable[[Item], int], date: Callable[[Item], str], oldest: str
) -> Iterator[Item]:
    """Carry out a listing of what has numbers that grow, until all that follows is older than what is looked for.

    :param number: returns the number of an item
    :param date: returns its date, which is never before its creation; empty or of zeros where it has none
    :param oldest: what is looked for was not created before this date, written in the same way
    """
    for page in every_page(sender, call):
        yield from page
        # If the service does not list the newest first, the first page is the oldest, and stopping there finds nothing.
        numbers = [number(item) for item in page]
        if len(numbers) > 1 and numbers == sorted(numbers, reverse=True):
            dated = [text for item in page if (text := date(item))[:2] == "20"]
            if dated and max(dated) < oldest:
                return


__all__ = ["Sender", "as_far_back", "every_page"]
