# SPDX-License-Identifier: Apache-2.0
"""Waiting for eSputnik's messages to single contacts in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.triggers.esputnik.base import EsputnikTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class EsputnikMessageTrigger(EsputnikTrigger):
    """Wait until messages to single contacts have arrived or failed.

    :param request_ids: the messages
    :param until: ``all``: until each has arrived or failed; ``any``: until one has arrived
    :param max_failed: messages that may fail, with ``all``; ``None`` is any number
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        request_ids: list[str],
        until: Literal["all", "any"] = "all",
        max_failed: int | None = 0,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.request_ids = request_ids
        self.until = until
        self.max_failed = max_failed

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {"request_ids": self.request_ids, "until": self.until, "max_failed": self.max_failed}

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"{len(self.request_ids):,} messages"

    async def look(self, hook: EsputnikHook) -> Decision:
        """Read the statuses once and judge them."""
        from airflow_provider_sendpulse.esputnik import messages
        from airflow_provider_sendpulse.jobs.esputnik.message_waiting import Expected, figures_of, judge_messages

        expected = Expected.of(self.request_ids, self.until, self.max_failed)
        found = await hook.asend(messages.status(expected.request_ids))
        return judge_messages(expected, figures_of(expected, found))


__all__ = ["EsputnikMessageTrigger"]
