# SPDX-License-Identifier: Apache-2.0
"""Operators for webhooks: which URLs SendPulse pushes its events to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import texts
from airflow_provider_sendpulse.jobs.subscriptions import ensure, remove, require_actions, require_url
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse.webhook_subscriptions import secrets_of
from airflow_provider_sendpulse.version_compat import mask_secret

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

_SHORTEST_SECRET = 8


class _WebhookOperator(SendPulseOperator):
    """An operator for a URL that SendPulse pushes events to.

    SendPulse signs nothing, so the URL itself holds the secret by which a receiver knows it. It is shown nowhere.

    :param url: where events are pushed to (templated; hidden in the UI)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "url", "actions")
    personal_fields: ClassVar[Mapping[str, str]] = {"url": "URL"}

    def __init__(self, *, url: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.url = url

    def _url(self) -> str:
        url = require_url(plain_text(reveal(self.url)))
        # Whoever logs a part of it, such as an HTTP library; a short one is a word that would garble the log.
        for secret in secrets_of(url):
            if len(secret) >= _SHORTEST_SECRET:
                mask_secret(secret)
        return url


class SendPulseEnsureWebhookOperator(_WebhookOperator):
    """Make sure that a URL is told of events, of each by exactly one subscription.

    Only what is missing is created, and what is there twice is ended but for the first, because every event would be pushed
    twice. Subscriptions of the URL to other events, and those of other URLs, stay as they are. Where SendPulse's list does
    not show the URL as it was given, one that differs in the letter case of scheme and host, the default port or a slash at
    the end of its path counts as the same.

    :param url: where events are pushed to: one that SendPulse can reach (templated; hidden in the UI)
    :param actions: events, of ``new_emails``, ``delete``, ``unsubscribe``, ``task_status_update``, ``open``, ``redirect``,
        ``spam``, ``delivered``, ``hard_bounces`` and ``soft_bounces`` (templated)
    """

    def __init__(self, *, actions: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actions = actions

    def execute(self, context: Context) -> dict[str, int]:
        """Subscribe the URL.

        :return: the ids of the subscriptions by event; the URL does not get into XCom
        :raises InvalidRequest: for a URL that is none, no event, or one that is not documented; nothing was sent
        :raises ServiceUnavailable: when it is not known whether subscriptions were created; a retry looks first
        :raises FinalFailure: when SendPulse's list does not show what was created with this URL, so that the next run would
            create it again
        """
        url, actions = self._url(), require_actions(texts(self.actions, "actions"))
        with self.hook as hook:
            return ensure(hook, url, actions, _CLOCK)


class SendPulseRemoveWebhookOperator(_WebhookOperator):
    """Let a URL no longer be told of events. Subscriptions that are gone already are fine.

    :param url: where events are pushed to (templated; hidden in the UI)
    :param actions: the events that end, as in
        :class:`~airflow_provider_sendpulse.operators.webhooks.SendPulseEnsureWebhookOperator`; all events of the URL when
        left out (templated)
    """

    def __init__(self, *, actions: Sequence[str] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actions = actions

    def execute(self, context: Context) -> int:
        """End the subscriptions.

        :return: how many there were
        :raises InvalidRequest: for a URL that is none, an empty list of events, or one that is not documented; nothing was
            sent
        """
        url = self._url()
        actions = None if self.actions is None else require_actions(texts(self.actions, "actions"))
        with self.hook as hook:
            return remove(hook, url, actions)


__all__ = ["SendPulseEnsureWebhookOperator", "SendPulseRemoveWebhookOperator"]
