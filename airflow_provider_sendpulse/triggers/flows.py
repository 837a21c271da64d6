# SPDX-License-Identifier: Apache-2.0
"""Waiting for a flow's figures in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.base import SendPulseTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class SendPulseFlowTrigger(SendPulseTrigger):
    """Wait until a figure of a flow, or of one of its elements, reaches a value.

    :param flow_id: the flow
    :param figure: the figure that is waited for
    :param at_least: what it must reach
    :param at_most: what it must not be above
    :param element_id: the element whose figures these are; the flow's own when left out
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        flow_id: int,
        figure: str,
        at_least: int | None = None,
        at_most: int | None = None,
        element_id: int | None = None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.flow_id = flow_id
        self.figure = figure
        self.at_least = at_least
        self.at_most = at_most
        self.element_id = element_id

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {
            "flow_id": self.flow_id,
            "figure": self.figure,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "element_id": self.element_id,
        }

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Flow {self.flow_id}"

    async def look(self, hook: SendPulseHook) -> Decision:
        """Read the flow's figures and judge them."""
        from airflow_provider_sendpulse.jobs.flow_figures import Bounds, element_kind, judge_flow, totals
        from airflow_provider_sendpulse.sendpulse import flows

        bounds = Bounds(self.figure, self.at_least, self.at_most)
        detail = await hook.asend(flows.read(self.flow_id))
        if self.element_id is None:
            return judge_flow(bounds, totals(detail))
        kind = element_kind(detail, self.element_id)
        statistics = await hook.asend(flows.element_statistics(kind, self.element_id))
        return judge_flow(bounds, statistics.figures)


__all__ = ["SendPulseFlowTrigger"]
