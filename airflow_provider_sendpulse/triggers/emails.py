# SPDX-License-Identifier: Apache-2.0
"""Waiting for a transactional message in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.base import SendPulseTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class SendPulseEmailDeliveredTrigger(SendPulseTrigger):
    """Wait until the recipient's server has taken a message, or refused it.

    :param message_id: the message
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(self, *, message_id: str, **others: Any) -> None:
        super().__init__(**others)
        self.message_id = message_id

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {"message_id": self.message_id}

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Message {self.message_id}"

    async def look(self, hook: SendPulseHook) -> Decision:
        """Read what the recipient's server said and judge it."""
        from airflow_provider_sendpulse.jobs.message_delivery import answer_code, judge_message
        from airflow_provider_sendpulse.sendpulse import smtp

        found = await hook.asend(smtp.read_many([self.message_id]))
        return judge_message(self.message_id, answer_code(found))


__all__ = ["SendPulseEmailDeliveredTrigger"]
