# SPDX-License-Identifier: Apache-2.0
"""Sensors on transactional messages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.message_delivery import answer_code, judge_message
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.sendpulse import smtp
from airflow_provider_sendpulse.sensors.base import SendPulseSensor
from airflow_provider_sendpulse.triggers.emails import SendPulseEmailDeliveredTrigger


class SendPulseEmailDeliveredSensor(SendPulseSensor):
    """Wait until the recipient's server has taken a transactional message: its answer is 250 then.

    It fails at once with :class:`~airflow_provider_sendpulse.exceptions.MessageNotDelivered` when the server has refused
    the message for good (5xx), and says what the code means. It waits until ``timeout`` while the answer is not final
    (4xx), while there is none, and while the message is not listed; so it does, in vain, for whoever has unsubscribed.

    The ``status`` that it returns is the server's code; 0 in its history stands for none yet.

    :param message_id: the message (templated)
    :raises MessageNotDelivered: the recipient's server has refused it for good
    """

    template_fields: Collection[str] = (*SendPulseSensor.template_fields, "message_id")

    def __init__(self, *, message_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message_id = message_id

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Message {self.message_id}"

    def look(self) -> Decision:
        """Read what the recipient's server said and judge it."""
        found = self.hook.send(smtp.read_many([self._id]))
        return self.judge(answer_code(found))

    def judge(self, code: int) -> Decision:
        """Judge the server's answer."""
        return judge_message(self._id, code)

    def trigger(self, **wait: Any) -> SendPulseEmailDeliveredTrigger:
        """Return what waits in the triggerer."""
        return SendPulseEmailDeliveredTrigger(
            message_id=self._id,
            **wait,
        )

    @property
    def _id(self) -> str:
        message_id = str(self.message_id or "").strip()
        if message_id in ("", "None"):
            raise InvalidRequest("message_id is empty. Does the task it comes from return something?")
        return message_id


__all__ = ["SendPulseEmailDeliveredSensor"]
