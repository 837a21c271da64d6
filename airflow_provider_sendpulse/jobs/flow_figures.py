# SPDX-License-Identifier: Apache-2.0
"""Whether a figure of an Automation 360 flow, or of one of its elements, is where it is waited for.

The figures of a flow are those that come with the flow itself: the shape of its total statistics is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.waiting import Decision, Verdict, judge_figures
from airflow_provider_sendpulse.sendpulse import flows
from airflow_provider_sendpulse.sendpulse.flows import ElementKind, FlowDetail


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a figure is waited for; at least one of the two is given.

    :param figure: name of the figure
    """

    figure: str
    at_least: int | None = None
    at_most: int | None = None

    def require_any(self) -> None:
        """Check that there is something to wait for.

        :raises InvalidRequest: when there is not, or nothing can be between the two
        """
        if not self.figure:
            raise InvalidRequest("figure is empty.")
        if self.at_least is None and self.at_most is None:
            raise InvalidRequest("Give at_least, at_most, or both.")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise InvalidRequest(f"No figure is at least {self.at_least} and at most {self.at_most}.")


def totals(detail: FlowDetail) -> dict[str, int]:
    """Return the figures of a flow."""
    return {
        "starts": detail.starts,
        "in_queue": detail.in_queue,
        "end_count": detail.end_count,
        "send_messages": detail.send_messages,
        "conversions": detail.conversions,
    }


def element_kind(detail: FlowDetail, element_id: int) -> ElementKind:
    """Return of which kind an element of a flow is.

    :raises InvalidRequest: when the flow has no such element, or the API has no figures for its type
    """
    for element in detail.elements:
        if element.id == element_id:
            kind = flows.kind_of(element.af_type)
            if kind is None:
                raise InvalidRequest(
                    f"Element {element_id} of flow {detail.flow.id} is of type {element.af_type!r}: the API has no figures "
                    "for it."
                )
            return kind
    known = ", ".join(f"{element.id} ({element.af_type})" for element in detail.elements) or "none"
    raise InvalidRequest(f"Flow {detail.flow.id} has no element {element_id}; it has {known}.")


def judge_flow(bounds: Bounds, figures: Mapping[str, int]) -> Decision:
    """Decide on a flow's figures."""
    value = figures.get(bounds.figure)
    if value is None:
        known = ", ".join(figures) or "none"
        text = f"There is no figure {bounds.figure!r} here; there are {known}."
        return Decision(Verdict.FAILED, None, text, InvalidRequest(text), figures)
    missing = []
    if bounds.at_least is not None and value < bounds.at_least:
        missing.append(f"{bounds.figure} is {value:,}, at least {bounds.at_least:,} is waited for")
    if bounds.at_most is not None and value > bounds.at_most:
        missing.append(f"{bounds.figure} is {value:,}, at most {bounds.at_most:,} is waited for")
    return judge_figures(figures, missing)


__all__ = ["Bounds", "element_kind", "judge_flow", "totals"]
