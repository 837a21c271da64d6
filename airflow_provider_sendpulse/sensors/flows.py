# SPDX-License-Identifier: Apache-2.0
"""Sensors on Automation 360 flows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_sendpulse.arguments import optional_number, whole_number
from airflow_provider_sendpulse.jobs.flow_figures import Bounds, element_kind, judge_flow, totals
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.sendpulse import flows
from airflow_provider_sendpulse.sensors.base import SendPulseSensor
from airflow_provider_sendpulse.sensors.service import FiguresSensor
from airflow_provider_sendpulse.triggers.flows import SendPulseFlowTrigger


class SendPulseFlowSensor(FiguresSensor, SendPulseSensor):
    """Wait until a figure of an Automation 360 flow, or of one of its elements, reaches a value.

    A flow's figures are ``starts`` (contacts that entered it), ``in_queue`` (that are in it), ``end_count`` (that reached
    an end), ``send_messages`` and ``conversions``. An element's figures depend on its type, such as ``executed``, ``sent``,
    ``delivered``, ``opened``, ``clicked``, ``errors``, ``unsubscribed``. They count since the flow was made, so a wait for
    what one run has brought about is for the figure before it and as much more.

    It returns all figures of the flow, or of the element.

    :param flow_id: the flow: the number in its URL in the dashboard (templated)
    :param figure: the figure that is waited for (templated)
    :param at_least: what it must reach (templated)
    :param at_most: what it must not be above, such as 0 for ``in_queue`` (templated)
    :param element_id: the element of the flow whose figures these are; the flow's own when left out (templated)
    :raises InvalidRequest: without a bound, or for an element or a figure that there is not
    """

    template_fields: Collection[str] = (
        *SendPulseSensor.template_fields,
        "flow_id",
        "figure",
        "at_least",
        "at_most",
        "element_id",
    )

    def __init__(
        self,
        *,
        flow_id: int | str,
        figure: str = "end_count",
        at_least: int | str | None = None,
        at_most: int | str | None = None,
        element_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flow_id = flow_id
        self.figure = figure
        self.at_least = at_least
        self.at_most = at_most
        self.element_id = element_id

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Flow {self.flow_id}"

    def look(self) -> Decision:
        """Read the flow's figures and judge them.

        :raises InvalidRequest: without ``at_least`` and ``at_most``, or for an element or a figure that there is not
        """
        bounds, element_id = self._bounds, self._element
        detail = self.hook.send(flows.read(self._id))
        if not detail.flow.active:
            self.log.warning("Flow %s is not active: events do not start it.", self._id)
        if element_id is None:
            return judge_flow(bounds, totals(detail))
        statistics = self.hook.send(flows.element_statistics(element_kind(detail, element_id), element_id))
        return judge_flow(bounds, statistics.figures)

    def judge_figures(self, figures: dict[str, Any]) -> Decision:
        """Judge figures."""
        return judge_flow(self._bounds, figures)

    def trigger(self, **wait: Any) -> SendPulseFlowTrigger:
        """Return what waits in the triggerer."""
        bounds = self._bounds
        return SendPulseFlowTrigger(
            flow_id=self._id,
            figure=bounds.figure,
            at_least=bounds.at_least,
            at_most=bounds.at_most,
            element_id=self._element,
            **wait,
        )

    @property
    def _id(self) -> int:
        return whole_number(self.flow_id, "flow_id")

    @property
    def _element(self) -> int | None:
        return optional_number(self.element_id, "element_id")

    @property
    def _bounds(self) -> Bounds:
        bounds = Bounds(
            str(self.figure or "").strip(),
            optional_number(self.at_least, "at_least"),
            optional_number(self.at_most, "at_most"),
        )
        bounds.require_any()
        return bounds


__all__ = ["SendPulseFlowSensor"]
