# SPDX-License-Identifier: Apache-2.0
"""Operators for senders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.jobs.sender_activation import SenderActivation
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.operators.task_store import task_code_requests
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.version_compat import mask_secret

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()


class SendPulseEnsureSenderOperator(SendPulseOperator):
    """Make sure that a sender exists and is active, so that campaigns may come from it.

    A sender that is missing is added. Only somebody who reads its mailbox can activate it, so the task then fails, without
    a retry, and says what that person has to do. SendPulse mails a code when a sender is added; for one that exists and is
    not active, the task asks for a code at most once in all its tries (below Airflow 3.3, in the first try only). Once the
    sender is activated in the dashboard, the task succeeds when it is cleared, or in the next run.

    The name of an existing sender stays as it is: the API cannot change it.

    :param sender_email: address of the sender, in a domain of your own: SendPulse refuses free mailboxes (templated)
    :param sender_name: name that a new sender gets (templated)
    :param activation_code: the code that SendPulse has mailed to the sender, for a run that is to activate it; not used
        when the sender is active (templated; hidden in the UI)
    """

    template_fields: Collection[str] = (
        *SendPulseOperator.template_fields,
        "sender_email",
        "sender_name",
        "activation_code",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {"activation_code": "activation code"}

    def __init__(self, *, sender_email: str, sender_name: str, activation_code: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sender_email = sender_email
        self.sender_name = sender_name
        self.activation_code = activation_code

    def execute(self, context: Context) -> None:
        """Add or activate the sender where that is needed.

        :raises InvalidRequest: for an empty address or name; nothing was sent
        :raises NeedsHuman: when somebody has to activate the sender, or ``activation_code`` is not accepted; it says
            what to do
        :raises Refused: when SendPulse does not take the sender, such as one in a free mailbox
        :raises ServiceUnavailable: when it is not known what a call has done; a retry looks first
        """
        # An optional value of a template, such as a parameter of the DAG, renders to this when it is not set.
        code = plain_text(reveal(self.activation_code)).strip()
        code = "" if code == "None" else code
        if code:
            mask_secret(code)
        with self.hook as hook:
            activation = SenderActivation(hook, task_code_requests(context), _CLOCK)
            activation.ensure(plain_text(self.sender_email), plain_text(self.sender_name), code or None)


__all__ = ["SendPulseEnsureSenderOperator"]
