# SPDX-License-Identifier: Apache-2.0
"""One request to a service, as a value: what to send, whether it may be repeated, how to read the answer."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from airflow_provider_sendpulse.api.budget import Allowance
from airflow_provider_sendpulse.exceptions import ServiceError

T = TypeVar("T")
Item = TypeVar("Item")

QueryValue = str | int | bool | list[str] | list[int] | None


class Repeat(enum.Enum):
    """Whether a call may be sent again when its outcome is not known."""

    ALWAYS = "always"
    """Reads, upserts and writes that set a state: a repeat changes nothing."""

    IF_NOT_EXECUTED = "if not executed"
    """A repeat is allowed only when the first request provably had no effect."""


class Host(enum.Enum):
    """Which of the connection's addresses a call goes to."""

    API = "api"
    EVENTS = "events"


class Expect(enum.Enum):
    """What the body of a good answer is."""

    JSON = "json"

    TEXT = "text"
    """A sentence, nothing, or JSON: the service does not say. The status alone tells that the call was carried out."""


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A complete URL that is itself a credential, such as an event's hash URL. It never shows in a ``repr``."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A body sent as ``application/json``."""

    value: Any = field(repr=False)

    def encode(self) -> tuple[str, bytes]:
        """Return the content type and the bytes."""
        text = json.dumps(self.value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return "application/json", text.encode()


@dataclass(frozen=True, slots=True)
class FormBody:
    """A body sent as a form; ``multipart`` chooses ``multipart/form-data`` over URL encoding. A list is repeated."""

    fields: Mapping[str, str | list[str]] = field(repr=False)
    multipart: bool = False

    def encode(self) -> tuple[str, bytes]:
        """Return the content type and the bytes."""
        if not self.multipart:
            return "application/x-www-form-urlencoded", urlencode(self.fields, doseq=True).encode()
        from urllib3.filepost import encode_multipart_formdata

        pairs = [
            (name, item) for name, value in self.fields.items() for item in (value if isinstance(value, list) else [value])
        ]
        body, content_type = encode_multipart_formdata(pairs)
        return content_type, body


def as_is(answer: Any) -> Any:
    """Read an answer by handing over its decoded JSON."""
    return answer


def nothing(answer: Any) -> None:
    """Read an answer that says no more than that the call was carried out."""
    return


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how to read its answer.

    :param method: HTTP method
    :param path: path template below the host, such as ``/addressbooks/{id}/emails/{email}``
    :param values: what goes into the template; percent-encoded on the way. Numbers show in messages, text never does
    :param query: query parameters; a list is repeated, ``None`` left out, a boolean sent as ``1`` or ``0``
    :param body: what goes into the body
    :param read: turns the decoded JSON answer into the result; raises ``LookupError``, ``TypeError`` or ``ValueError``
        when the answer is not of the documented shape
    :param repeat: what to do when the outcome of a request is not known
    :param reaches_people: whether a message may go out to people because of this call
    :param host: which of the connection's hosts, or a complete URL that is a credential
    :param authorised: whether to send the connection's credentials
    :param result_is_data: ``result: false`` in the answer is data, not a refusal
    :param secrets: parts of the request that are not to show in messages, should the service repeat them
    :param done_on_repeat: error codes that mean "done already" when the outcome of an earlier attempt is not known; only
        for calls that answer with nothing
    :param gone_on_repeat: HTTP statuses that mean the same, for a service without error codes
    :param accepted: HTTP statuses that mean that the same request was accepted a moment ago, on the first attempt too,
        with the result to give then
    :param expect: what the body of a good answer is; ``read`` is given the text where that is no JSON
    :param allowance: the limits that this endpoint has to itself; without it the call draws on the account's budget
    :param private: texts in the request that must not show, should the service repeat them in a refusal
    :param empty_on: error codes of a refusal that say no more than that nothing was found: read as an empty list
    """

    method: str
    path: str
    read: Callable[[Any], T]
    values: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    query: Mapping[str, QueryValue] = field(default_factory=dict, repr=False)
    body: JsonBody | FormBody | None = None
    repeat: Repeat = Repeat.IF_NOT_EXECUTED
    reaches_people: bool = False
    host: Host | SecretUrl = Host.API
    authorised: bool = True
    result_is_data: bool = False
    secrets: Sequence[str] = field(default=(), repr=False)
    done_on_repeat: frozenset[int] = frozenset()
    gone_on_repeat: frozenset[int] = frozenset()
    accepted: Mapping[int, T] = field(default_factory=dict, repr=False)
    expect: Expect = Expect.JSON
    allowance: Allowance | None = None
    private: tuple[str, ...] = field(default=(), repr=False)
    empty_on: frozenset[int] = frozenset()

    @property
    def operation(self) -> str:
        """The call for logs and errors, such as ``GET /addressbooks/7/emails/{email}``: no personal data, no secret."""
        if isinstance(self.host, SecretUrl):
            return f"{self.method} (event URL)"
        shown = {name: str(value) for name, value in self.values.items() if isinstance(value, int)}
        return f"{self.method} {_fill(self.path, shown)}"

    @property
    def target(self) -> str:
        """Path and query as sent, percent-encoded.

        :raises ValueError: when a value would change the path: an empty one or dots would address something above it
        """
        path = _fill(self.path, {name: _segment(str(value)) for name, value in self.values.items()})
        pairs: list[tuple[str, str]] = []
        for name, value in self.query.items():
            for item in value if isinstance(value, list) else [value]:
                if item is not None:
                    pairs.append((name, str(int(item)) if isinstance(item, bool) else str(item)))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def reading(self, read: Callable[[Any], Item]) -> Call[Item]:
        """Return the same request with another way to read its answer.

        :raises TypeError: when some results are given without reading an answer
        """
        if self.accepted:
            raise TypeError("not every result of this call is read from an answer")
        return replace(self, read=read)  # type: ignore[arg-type, return-value]

    @staticmethod
    def raw(
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json_body: Any = None,
        repeat: Repeat | None = None,
        reaches_people: bool = True,
    ) -> Call[Any]:
        """Build a call to an endpoint this package does not know.

        A ``GET`` is repeated when it fails in passing; anything else only when it provably had no effect, unless
        ``repeat`` says otherwise. It counts as reaching people unless told that it does not.
        """
        read_only = method.upper() == "GET"
        return Call(
            method=method.upper(),
            path=path,
            read=as_is,
            query=query or {},
            body=None if json_body is None else JsonBody(json_body),
            repeat=repeat or (Repeat.ALWAYS if read_only else Repeat.IF_NOT_EXECUTED),
            reaches_people=reaches_people and not read_only,
        )


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service calls the size and the beginning of a page, and which number its first item has."""

    limit: str = "limit"
    offset: str = "offset"
    first: int = 0


@dataclass(frozen=True, kw_only=True)
class PagedCall(Call[list[Item]]):
    """A call that lists things page by page; sent as it is, it answers with one page.

    :param limit: how many items to ask for at a time
    :param offset: how many items stand before the page
    :param paging: the names of both in the query
    :param cursor: for a service that goes on behind the last item rather than behind a number of items: reads from an
        item what ``offset`` is for the next page
    """

    limit: int = 100
    offset: int = 0
    paging: Paging = Paging()
    cursor: Callable[[Item], int] | None = None

    @property
    def target(self) -> str:
        """Path and query as sent, with this page's size and beginning."""
        page: dict[str, QueryValue] = {self.paging.limit: self.limit}
        if self.cursor is None or self.offset:
            page[self.paging.offset] = self.offset + self.paging.first
        return replace(_plain(self), query={**self.query, **page}).target

    def items(self, send: Callable[[PagedCall[Item]], list[Item]]) -> Iterator[Item]:
        """Yield the items of this page and of those behind it, each page when it is needed.

        :param send: carries out a call
        """
        following: PagedCall[Item] | None = self
        while following is not None:
            page = send(following)
            yield from page
            following = following.after(page)

    def after(self, page: list[Item]) -> PagedCall[Item] | None:
        """Return the call for the page behind ``page``, or ``None`` when it was the last.

        The services name no total: a page that is not full is the last one, and with a cursor an empty one.

        :raises ServiceError: when a cursor leads nowhere new, so that the listing would never end
        """
        if self.cursor is None:
            return None if len(page) < self.limit else replace(self, offset=self.offset + len(page))
        if not page:
            return None
        following = self.cursor(page[-1])
        if following <= self.offset:
            raise ServiceError(
                f"{self.operation} does not advance: the page behind {self.offset} ends there again. What was listed may "
                "not be everything; ask for a shorter period.",
                operation=self.operation,
            )
        return replace(self, offset=following)


@dataclass(frozen=True, slots=True)
class SplitCall(Generic[T]):
    """Several calls for one purpose: a list that is longer than the service takes at once.

    They are sent one after another. When one fails, the earlier ones have been carried out; so this is only for calls
    that may be repeated.

    :param parts: at least one call
    :param combine: makes one result of the parts' results
    """

    parts: tuple[Call[T], ...]
    combine: Callable[[list[T]], T]


def split(items: Sequence[Item], most: int, build: Callable[[Sequence[Item]], Call[T]]) -> tuple[Call[T], ...]:
    """Build one call for every ``most`` items."""
    return tuple(build(items[start : start + most]) for start in range(0, len(items), most))


def _plain(call: PagedCall[Item]) -> Call[list[Item]]:
    return Call(method=call.method, path=call.path, read=call.read, values=call.values, query=call.query)


def _segment(value: str) -> str:
    # HTTP libraries resolve dots: DELETE /addressbooks/7/emails/.. would be DELETE /addressbooks/7.
    if value in {"", ".", ".."}:
        raise ValueError("a value of the path is empty or consists of dots")
    return quote(value, safe="")


def _fill(template: str, values: Mapping[str, str]) -> str:
    # Not str.format: a name in braces that is absent stays as it stands.
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)


__all__ = [
    "Call",
    "Expect",
    "FormBody",
    "Host",
    "JsonBody",
    "PagedCall",
    "Paging",
    "Repeat",
    "SecretUrl",
    "SplitCall",
    "as_is",
    "nothing",
    "split",
]
