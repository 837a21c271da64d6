# SPDX-License-Identifier: Apache-2.0
"""Operators for the contacts of a static segment of eSputnik."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.arguments import NOT_GIVEN, NotGiven, given, optional_number
from airflow_provider_sendpulse.esputnik import segments
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.counts import Counts
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, Located
from airflow_provider_sendpulse.jobs.esputnik.segment_membership import SegmentChoice, attaching, detaching
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.operators.esputnik.rows import EsputnikKnownContactsOperator
from airflow_provider_sendpulse.operators.rows import BatchedRowsOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.source import RowSource

if TYPE_CHECKING:
    from airflow.sdk import Context

Delivery = Callable[[int, By, int, int], BatchedDelivery]


class EsputnikSegmentOperator(BatchedRowsOperator, EsputnikKnownContactsOperator):
    """An operator that changes who is in a static segment, many contacts in a call and several calls at a time.

    :param segment_id: id of the segment; instead of ``segment_name`` (templated)
    :param segment_name: its exact name; spaces at its ends only matter where two segments differ by them (templated)
    :param batch_size: contacts per call, at most 500
    :param concurrency, max_contacts: see :class:`~airflow_provider_sendpulse.operators.rows.BatchedRowsOperator`
    :param contacts, by, column: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.rows.EsputnikKnownContactsOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikKnownContactsOperator.template_fields,
        "segment_id",
        "segment_name",
        "max_contacts",
    )

    def __init__(
        self,
        *,
        segment_id: int | str | None = None,
        segment_name: str | None = None,
        batch_size: int = segments.MOST_IDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.segment_id = segment_id
        self.segment_name = segment_name
        self.batch_size = batch_size

    def _segment(self) -> SegmentChoice:
        return SegmentChoice(optional_number(self.segment_id, "segment_id"), plain_text(self.segment_name))

    def _change(self, context: Context, make: Delivery, noun: str) -> dict[str, int]:
        choice = self._segment()
        by, audience = self._meant()
        # Contacts are found by address or number before they are sent, and sent by the service's id.
        sent_by = by if by.is_id else By.CONTACT_ID
        # Wrong numbers are told before anything is asked for.
        make(0, sent_by, self.batch_size, self.concurrency)

        def delivery(sender: Sender) -> BatchedDelivery:
            return make(choice.found(sender).id, sent_by, self.batch_size, self.concurrency)

        def located(audience: Audience) -> Audience:
            return audience if by.is_id else Located(audience.source, audience.columns, self.hook, by)

        return self._deliver_batches(context, self.hook, audience, noun, delivery, located)


class EsputnikAttachToSegmentOperator(EsputnikSegmentOperator):
    """Let contacts join a static segment, and return the counts. Who is in it already stays.

    A segment appears when contacts join it by its name, in an import or on subscribing; no call makes an empty one.
    eSputnik gives no outcome per contact: *accepted* means that it took them, also ids that no contact has.

    :param segment_id, segment_name, batch_size, concurrency, max_contacts, contacts, by, column, max_rejected,
        max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.segments.EsputnikSegmentOperator`
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Let the contacts join.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt. Whose address or telephone
            number no contact has, or several have, is invalid
        :raises InvalidRequest: there is no such segment, several of the name, or it is not a static one; or
            there are more rows than ``max_contacts``; nobody joined
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        return self._change(context, attaching, "Contacts to attach")


class EsputnikDetachFromSegmentOperator(EsputnikSegmentOperator):
    """Let contacts leave a static segment, and return the counts. The contacts themselves stay.

    eSputnik empties a segment when it is told to detach nobody in particular. This operator never does so because of rows:
    without any, nobody leaves. To empty the segment, say ``empty_segment=True``, and give no contacts.

    :param empty_segment: let everybody leave the segment
    :param max_contacts: with more rows than that nobody leaves and the task fails: nothing says afterwards whom a wrong
        query has detached. ``None`` allows any number (templated)
    :param segment_id, segment_name, batch_size, concurrency, contacts, by, column, max_rejected, max_rejected_ratio,
        rejects: see :class:`~airflow_provider_sendpulse.operators.esputnik.segments.EsputnikSegmentOperator`
    """

    def __init__(
        self,
        *,
        contacts: RowSource | Sequence[str | int | Mapping[str, Any]] | NotGiven | None = NOT_GIVEN,
        by: Literal["contact_id", "external_customer_id", "email", "phone"] = "contact_id",
        empty_segment: bool = False,
        max_contacts: int | str | None = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(contacts=given(contacts), by=by, max_contacts=max_contacts, **kwargs)
        self.empty_segment = empty_segment
        # What renders to nothing, or is mapped to nothing, was meant to say who leaves.
        self._names_contacts = contacts is not NOT_GIVEN

    def execute(self, context: Context) -> dict[str, int]:
        """Let the contacts leave.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt; all of them 0 when the segment
            was emptied. Whose address or telephone number no contact has, or several have, is invalid
        :raises InvalidRequest: there is no such segment, several of the name, or it is not a static one; there
            are more rows than ``max_contacts``; or ``empty_segment`` came together with contacts; nobody left
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        if self.empty_segment is not True:
            return self._change(context, detaching, "Contacts to detach")
        if self._names_contacts:
            raise InvalidRequest(
                "empty_segment lets everybody leave, and contacts says who is to leave: give one of them. Nobody left."
            )
        choice = self._segment()
        with self.hook as hook:
            segment = choice.found(hook)
            hook.send(segments.empty(segment.id))
        self.log.info("Everybody has left segment %s.", segment.id)
        return Counts().as_dict()


__all__ = ["EsputnikAttachToSegmentOperator", "EsputnikDetachFromSegmentOperator"]
