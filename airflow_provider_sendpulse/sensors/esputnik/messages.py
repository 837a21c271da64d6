# SPDX-License-Identifier: Apache-2.0
"""Sensors on eSputnik's messages to single contacts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from airflow_provider_sendpulse.arguments import optional_number, texts
from airflow_provider_sendpulse.esputnik import messages
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.message_waiting import Expected, figures_of, judge_messages
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.sensors.esputnik.base import EsputnikSensor
from airflow_provider_sendpulse.sensors.service import FiguresSensor
from airflow_provider_sendpulse.triggers.esputnik.messages import EsputnikMessageTrigger


class EsputnikMessageSensor(FiguresSensor, EsputnikSensor):
    """Wait until messages to single contacts have arrived or failed.

    eSputnik's own ``failed`` and ``delivered`` decide; where both are false its status does, by the documented meaning, and
    a status that is not documented counts as pending. So does a message that eSputnik does not list (any more).

    It returns the figures: ``messages``, ``delivered``, ``failed``, ``pending``, and ``statuses``, how many are at which.
    It fails at once with :class:`~airflow_provider_sendpulse.exceptions.MessageNotDelivered` when more than ``max_failed``
    have failed, and with ``until="any"`` when all have. For an empty list there is nothing to wait for.

    :param request_ids: ids of the messages: one, several, or the XCom ``request_ids`` of
        :class:`~airflow_provider_sendpulse.operators.esputnik.messages.EsputnikSendMessageOperator` (templated)
    :param until: ``all``: until each has arrived or failed; ``any``: until one has arrived
    :param max_failed: messages that may fail, with ``until="all"``; ``None`` is any number (templated)
    """

    template_fields: Collection[str] = (*EsputnikSensor.template_fields, "request_ids", "max_failed")

    def __init__(
        self,
        *,
        request_ids: str | Sequence[str],
        until: Literal["all", "any"] = "all",
        max_failed: int | str | None = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.request_ids = request_ids
        self.until = until
        self.max_failed = max_failed

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"{len(self._expected.request_ids):,} messages"

    def look(self) -> Decision:
        """Read the statuses once and judge them."""
        expected = self._expected
        found = self.hook.send(messages.status(expected.request_ids)) if expected.request_ids else []
        return judge_messages(expected, figures_of(expected, found))

    def judge_figures(self, figures: dict[str, Any]) -> Decision:
        """Judge figures."""
        return judge_messages(self._expected, figures)

    def trigger(self, **wait: Any) -> EsputnikMessageTrigger:
        """Return what waits in the triggerer."""
        expected = self._expected
        return EsputnikMessageTrigger(
            request_ids=[*expected.request_ids],
            until=expected.until,
            max_failed=expected.max_failed,
            **wait,
        )

    @property
    def _expected(self) -> Expected:
        given: Any = self.request_ids
        if given is None or given in ("", "None"):
            raise InvalidRequest("request_ids is empty. Does the task they come from push any?")
        return Expected.of(texts(given, "request_ids"), self.until, optional_number(self.max_failed, "max_failed"))


__all__ = ["EsputnikMessageSensor"]
