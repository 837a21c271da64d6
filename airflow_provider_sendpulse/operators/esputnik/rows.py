# SPDX-License-Identifier: Apache-2.0
"""What the operators share whose rows say which contacts are meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikRowsOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.source import RowSource, source_of


class EsputnikKnownContactsOperator(EsputnikRowsOperator):
    """An operator whose rows say which contacts are meant.

    :param contacts: a row source such as :class:`~airflow_provider_sendpulse.rows.SqlRows`, a list of mappings, or a list
        of ids or addresses (templated; shows as a count in the UI)
    :param by: what rows say of a contact: ``contact_id``, eSputnik's id; ``external_customer_id``, your own; ``email`` or
        ``phone``, for which every contact is searched, a call each
    :param column: the column that says it, which is called like ``by`` when left out; other columns do not matter
        (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (*EsputnikRowsOperator.template_fields, "contacts", "column")
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {"contacts": "contacts"}

    def __init__(
        self,
        *,
        contacts: RowSource | Sequence[str | int | Mapping[str, Any]] | None,
        by: Literal["contact_id", "external_customer_id", "email", "phone"],
        column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.by = by
        self.column = column

    def _meant(self) -> tuple[By, Audience]:
        """Return what rows say of a contact, and the rows.

        :raises InvalidRequest: for what cannot be meant
        """
        by = By.of(self.by, "by")
        column = plain_text(self.column).strip() or str(by)
        contacts = reveal(self.contacts)
        if contacts is None:
            raise InvalidRequest("contacts is empty. Does the task it comes from return something?")
        if isinstance(contacts, Sequence) and not isinstance(contacts, str | bytes):
            rows = [{column: item} if isinstance(item, str | int) else item for item in contacts]
            return by, Audience(source_of(rows, "contacts"), by.columns(column))
        return by, Audience(source_of(contacts, "contacts"), by.columns(column))


__all__ = ["EsputnikKnownContactsOperator"]
