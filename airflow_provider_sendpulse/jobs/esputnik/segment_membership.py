# SPDX-License-Identifier: Apache-2.0
"""Contacts that join a static segment, or leave it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airflow_provider_sendpulse.api.call import SplitCall
from airflow_provider_sendpulse.esputnik import segments
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, identifier, key_of
from airflow_provider_sendpulse.jobs.esputnik.segments import segments_named
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

Change = Callable[..., SplitCall[None]]


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """Which segment is meant: by its id, or by its exact name.

    :raises InvalidRequest: unless it is one of them
    """

    id: int | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if (self.id is None) == (not self.name.strip()):
            raise InvalidRequest("Give segment_id or segment_name: one of them, and not both.")

    def __str__(self) -> str:
        return f"{self.id}" if self.id is not None else repr(self.name)

    def found(self, sender: Sender) -> segments.Segment:
        """Return the segment.

        :raises InvalidRequest: when there is none, or several of that name, or it is not a static one
        """
        if self.id is None:
            hits = segments_named(sender, self.name)
        else:
            # No call reads one segment.
            hits = [segment for segment in sender.pages(segments.list()) if segment.id == self.id]
        if not hits:
            raise InvalidRequest(
                f"The account has no segment {self}. A static one appears when contacts join it by its name: in an import, "
                "or on subscribing."
            )
        if len(hits) > 1:
            ids = ", ".join(str(segment.id) for segment in hits)
            raise InvalidRequest(f"The account has more than one segment {self}: give segment_id, one of {ids}.")
        [segment] = hits
        if segment.type.casefold() != segments.SegmentType.STATIC.casefold():
            raise InvalidRequest(
                f"The segment {self} is of the type {segment.type or 'unknown'}: its conditions say who is in it. Contacts "
                "only join and leave static segments."
            )
        return segment


def attaching(segment_id: int, by: By, batch_size: int, concurrency: int) -> BatchedDelivery:
    """Return how contacts join a segment.

    :param by: one of the ids
    """
    return _delivery(segments.attach, "attach", segment_id, by, batch_size, concurrency)


def detaching(segment_id: int, by: By, batch_size: int, concurrency: int) -> BatchedDelivery:
    """Return how contacts leave a segment. No call of it is without ids, which would empty the segment.

    :param by: one of the ids
    """
    return _delivery(segments.detach, "detach", segment_id, by, batch_size, concurrency)


def _delivery(change: Change, deed: str, segment_id: int, by: By, batch_size: int, concurrency: int) -> BatchedDelivery:
    if batch_size > segments.MOST_IDS:
        raise InvalidRequest(f"batch_size is {batch_size}; eSputnik takes {segments.MOST_IDS} contacts in a request.")

    def build(batch: Sequence[Person]) -> SplitCall[None]:
        ids = [identifier(person, by) for person in batch]
        if by is By.CONTACT_ID:
            return change(segment_id, contact_ids=[int(text) for text in ids])
        return change(segment_id, external_customer_ids=ids)

    return BatchedDelivery(
        build,
        key_of(by),
        {"deed": deed, "segment": segment_id, "by": by},
        batch_size,
        concurrency,
        reached=False,
    )


__all__ = ["SegmentChoice", "attaching", "detaching"]
