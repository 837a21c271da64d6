# SPDX-License-Identifier: Apache-2.0
"""Checked by mypy, never run: what a call answers with is what sending it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from airflow_provider_sendpulse.api.call import Call, PagedCall, nothing
from airflow_provider_sendpulse.api.client import AsyncClient, Client


class Book:
    """Something that is read."""


def read_book(answer: Any) -> Book:
    return Book()


def read_books(answer: Any) -> list[Book]:
    return []


BOOK = Call(method="GET", path="/book", read=read_book)
BOOKS = PagedCall(method="GET", path="/books", read=read_books)
NOTHING = Call(method="DELETE", path="/book", read=nothing)


def blocking(client: Client) -> None:
    assert_type(BOOK, Call[Book])
    assert_type(client.send(BOOK), Book)
    assert_type(client.send(BOOK, fresh_token=True), Book)
    assert_type(client.send(BOOKS), list[Book])
    assert_type(client.pages(BOOKS), Iterator[Book])
    assert_type(client.send(BOOK.reading(str)), str)
    assert_type(client.send(Call.raw("GET", "/x")), Any)
    client.pages(BOOK)  # type: ignore[arg-type]
    client.send("GET /x")  # type: ignore[arg-type]
    number: int = client.send(BOOK)  # type: ignore[assignment]
    del number


async def awaiting(client: AsyncClient) -> None:
    assert_type(await client.send(BOOK), Book)
    assert_type(await client.send(BOOKS), list[Book])
    assert_type(client.pages(BOOKS), AsyncIterator[Book])
    assert_type([book async for book in client.pages(BOOKS)], list[Book])
    client.pages(BOOK)  # type: ignore[arg-type]
    number: int = await client.send(BOOK)  # type: ignore[arg-type]
    del number


def returning_nothing(client: Client) -> None:
    client.send(NOTHING)
    assert_type(NOTHING, Call[None])
