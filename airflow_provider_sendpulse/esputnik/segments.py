# SPDX-License-Identifier: Apache-2.0
"""Segments, which the API calls groups as well. Source: eSputnik API, "Segments".

No call creates, renames or deletes one: a static segment appears when contacts join it by its name.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, PagedCall, Repeat, SplitCall, nothing, split
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.contact_data import Contact, contact
from airflow_provider_sendpulse.esputnik.paging import MOST_PER_PAGE, PAGING
from airflow_provider_sendpulse.esputnik.segments_data import Segment, SegmentType, segment
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_IDS = 500
"""Contacts that one request attaches or detaches."""


def list(name: str | None = None, *, limit: int = MOST_PER_PAGE) -> PagedCall[Segment]:
    """List the account's segments.

    :param name: only those with such a name; whether the service compares it exactly is not documented, so compare again
    """
    return PagedCall(
        method="GET",
        path="/v1/groups",
        query={"name": name},
        read=wire.page_of(segment),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
    )


def contacts(segment_id: int, *, limit: int = MOST_PER_PAGE) -> PagedCall[Contact]:
    """List the contacts of a segment."""
    return PagedCall(
        method="GET",
        path="/v1/group/{id}/contacts",
        values={"id": segment_id},
        read=wire.page_of(contact),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
    )


def attach(
    segment_id: int,
    *,
    contact_ids: Sequence[int] | None = None,
    external_customer_ids: Sequence[str] | None = None,
) -> SplitCall[None]:
    """Let contacts join a static segment, by one kind of id; :data:`MOST_IDS` go into one request.

    :raises InvalidRequest: for no ids, or both kinds
    """
    return _change("/v1/group/{id}/contacts/attach", segment_id, contact_ids, external_customer_ids)


def detach(
    segment_id: int,
    *,
    contact_ids: Sequence[int] | None = None,
    external_customer_ids: Sequence[str] | None = None,
) -> SplitCall[None]:
    """Let contacts leave a static segment, by one kind of id; :data:`MOST_IDS` go into one request.

    Without ids the service would empty the segment: that is what :func:`empty` is for, and here it is refused.

    :raises InvalidRequest: for no ids, or both kinds
    """
    return _change("/v1/group/{id}/contacts/detach", segment_id, contact_ids, external_customer_ids)


def empty(segment_id: int) -> Call[None]:
    """Let all contacts leave a static segment. The contacts themselves stay."""
    return _request("/v1/group/{id}/contacts/detach", segment_id, {}, ())


def _change(
    path: str, segment_id: int, contact_ids: Sequence[int] | None, external_customer_ids: Sequence[str] | None
) -> SplitCall[None]:
    if (contact_ids is None) == (external_customer_ids is None):
        raise InvalidRequest("Name the contacts by contact_ids or by external_customer_ids: one of them, and not both.")
    parts: tuple[Call[None], ...]
    if contact_ids is not None:
        own = [_contact_id(item) for item in wire.many(contact_ids)]
        parts = split(own, MOST_IDS, lambda some: _request(path, segment_id, {"contactIds": [*some]}, ()))
    else:
        external = [_external_id(item) for item in wire.many(external_customer_ids or ())]
        parts = split(
            external, MOST_IDS, lambda some: _request(path, segment_id, {"externalCustomerIds": [*some]}, tuple(some))
        )
    return SplitCall(parts, nothing)


def _request(path: str, segment_id: int, ids: dict[str, builtins.list[Any]], private: tuple[str, ...]) -> Call[None]:
    return Call(
        method="POST",
        path=path,
        values={"id": segment_id},
        body=JsonBody(ids),
        read=nothing,
        repeat=Repeat.ALWAYS,
        expect=Expect.TEXT,
        private=private,
    )


def _contact_id(value: Any) -> int:
    # What a service makes of an id that is none is not known; of a list with nothing else in it, it might make nothing.
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise InvalidRequest("An id of a contact is not a whole number above 0.")
    return value


def _external_id(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequest("An external id of a contact is empty, or no text.")
    return value


__all__ = ["MOST_IDS", "Segment", "SegmentType", "attach", "contacts", "detach", "empty", "list"]
