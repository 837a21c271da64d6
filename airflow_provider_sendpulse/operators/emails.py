# SPDX-License-Identifier: Apache-2.0
"""Operators for transactional messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.arguments import one_of, seconds
from airflow_provider_sendpulse.jobs.message_sending import OneMessage, send_message_once
from airflow_provider_sendpulse.jobs.schedule import timezone
from airflow_provider_sendpulse.jobs.visibility import VISIBILITY_WINDOW
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.operators.email_request import email_request
from airflow_provider_sendpulse.operators.identity import marker_of, task_identity
from airflow_provider_sendpulse.operators.task_store import message_record
from airflow_provider_sendpulse.version_compat import AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()

Recipient = str | Mapping[str, str]


class SendPulseSendEmailOperator(SendPulseOperator):
    """Send one transactional message once, through SendPulse's SMTP service, and return its id.

    That the service took it does not say that it was delivered: see
    :class:`~airflow_provider_sendpulse.sensors.emails.SendPulseEmailDeliveredSensor`.

    The service knows no mark of a sender's own, so a message is remembered by the task: directly before it is sent the
    task writes down that it is about to, and its id directly after. So neither a retry nor a cleared task sends it again;
    to send it again on purpose, give it another ``edition``. This memory is Airflow's task state store (Airflow 3.3).

    A message is in doubt when the answer was lost, or the task was killed before it had one. Then it is looked for in the
    list of messages, by sender, first recipient and subject, among those that were not there before it was sent, for
    ``visibility_window``. One is taken for it; with several, none is sent again. With none, ``if_in_doubt`` decides:

    * ``skip``: it is not sent again, and the task is skipped. Nobody gets it twice, and somebody may not get it.
    * ``resend``: it is sent again, once over all tries and clears; in doubt after that, the task fails as with ``fail``.
      Somebody gets it twice if SendPulse took it and lists it later than that.
    * ``fail``: it is not sent again, and the task fails with what to look for. It is not retried.

    Another message with the same sender, recipient and subject, sent by somebody else at the same time, can be taken for
    this one, which is then not sent. Tasks of the same account wait for each other there. A subject that says what the
    message is about, such as the number of an order, avoids that; and with ``subject_is_unique`` it is the message's mark:
    one that is listed already is taken for this one, whichever task or run has sent it.

    Below Airflow 3.3 nothing is remembered: every later try is in doubt, and looks among the messages since its run was
    due. With ``resend`` the second try alone sends again, so give the task a retry. Use ``subject_is_unique`` there.

    In ``subject``, ``html``, ``text`` and the file of ``html_file``, run-time values stand in ``[[ … ]]`` and ``[% … %]``;
    they come from Airflow's context and ``body_params``. ``{{ … }}`` is SendPulse's: it fills in a template's variables,
    and nothing without a template, where it is refused therefore.

    :param sender_email: address of an activated sender (templated)
    :param sender_name: name of the sender (templated)
    :param to: an address, ``{"email": …, "name": …}``, or a list of these (templated; hidden in the UI)
    :param subject: the subject (from text or XCom; hidden in the UI)
    :param html: HTML (from text or XCom; hidden in the UI)
    :param html_file: path of an HTML file instead, absolute or below the DAG's folder (templated)
    :param text: plain text, alone or beside the HTML (from text or XCom; hidden in the UI)
    :param body_params: values for ``[[ … ]]`` (templated; shows as a count in the UI)
    :param template_id: a template's ``real_id``, instead of HTML and text (templated)
    :param template_variables: values for the template (templated; shows as a count in the UI)
    :param cc: who gets a copy, in the forms of ``to`` (templated; hidden in the UI)
    :param bcc: who gets a copy that the others do not see (templated; hidden in the UI)
    :param reply_to: where answers go (templated; hidden in the UI)
    :param attachments: file name to text or bytes (from text or XCom; shows as a count in the UI)
    :param auto_plain_text: let SendPulse make the text from the HTML
    :param if_in_doubt: ``skip``, ``resend`` or ``fail``; see above. There is no default, because none is right for all
    :param subject_is_unique: no other message with this subject goes to this recipient from this sender
    :param look_back: how long before its run a message with a unique subject may have been sent
    :param message_key: what makes this message this one, within its task; DAG, run, task and map index when left out
        (templated). In a mapped task it is what the task is about, such as the number of an order, so that what is
        remembered of one order is not taken for another's when the list has changed. Each map index remembers for itself:
        an order that has changed its place is sent again, unless its subject is unique.
    :param edition: change it to send again on purpose (templated); a message with a unique subject needs another subject
    :param visibility_window: seconds within which SendPulse certainly lists a message that it took; nobody documents it
    """

    template_fields: Collection[str] = (
        *SendPulseOperator.template_fields,
        "message_key",
        "edition",
        "sender_email",
        "sender_name",
        "to",
        "subject",
        "html",
        "html_file",
        "text",
        "body_params",
        "template_id",
        "template_variables",
        "cc",
        "bcc",
        "reply_to",
        "attachments",
    )
    recipient_fields: ClassVar[frozenset[str]] = frozenset({"subject", "html", "text", "attachments"})
    personal_fields: ClassVar[Mapping[str, str]] = {
        "to": "recipients",
        "subject": "subject",
        "html": "HTML",
        "text": "text",
        "body_params": "values",
        "template_variables": "variables",
        "cc": "recipients",
        "bcc": "recipients",
        "reply_to": "address",
        "attachments": "attachments",
    }

    def __init__(
        self,
        *,
        sender_email: str,
        sender_name: str,
        to: Recipient | Sequence[Recipient],
        subject: str,
        if_in_doubt: Literal["skip", "resend", "fail"],
        html: str | None = None,
        html_file: str | None = None,
        text: str | None = None,
        body_params: Mapping[str, Any] | None = None,
        template_id: int | str | None = None,
        template_variables: Mapping[str, Any] | None = None,
        cc: Recipient | Sequence[Recipient] | None = None,
        bcc: Recipient | Sequence[Recipient] | None = None,
        reply_to: Recipient | None = None,
        attachments: Mapping[str, str | bytes] | None = None,
        auto_plain_text: bool = False,
        subject_is_unique: bool = False,
        look_back: timedelta = timedelta(days=30),
        message_key: str | None = None,
        edition: int | str = 1,
        visibility_window: float = VISIBILITY_WINDOW,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sender_email = sender_email
        self.sender_name = sender_name
        self.to = to
        self.subject = subject
        self.if_in_doubt = if_in_doubt
        self.html = html
        self.html_file = html_file
        self.text = text
        self.body_params = body_params
        self.template_id = template_id
        self.template_variables = template_variables
        self.cc = cc
        self.bcc = bcc
        self.reply_to = reply_to
        self.attachments = attachments
        self.auto_plain_text = auto_plain_text
        self.subject_is_unique = subject_is_unique
        self.look_back = look_back
        self.message_key = message_key
        self.edition = edition
        self.visibility_window = visibility_window

    def execute(self, context: Context) -> str:
        """Send the message, unless it was sent already.

        :return: the message's id. The XCom ``message`` says in ``adopted`` whether an earlier request has sent it.
        :raises InvalidRequest: when an argument cannot be meant; nothing was sent
        :raises Refused: when SendPulse does not take the message: an unknown sender, a missing template, too many
            recipients, no SMTP account; nothing was sent
        :raises Throttled: when SendPulse limits what the account sends for now; nothing was sent, and a retry sends it
        :raises AmbiguousOutcome: when the message may have been sent, and is not sent again
        :raises MessageConflict: when an earlier try was about a message with another sender, recipient or subject; nothing
            was sent
        :raises ServiceUnavailable: when SendPulse could not be reached, or messages not be listed; a retry goes on
        :raises AirflowSkipException: when the message is in doubt, and ``if_in_doubt`` is ``skip``
        """
        one_of(self.if_in_doubt, "if_in_doubt", "skip", "resend", "fail")
        look_back = seconds(self.look_back, "look_back") if self.subject_is_unique else 0.0
        message = email_request(self, cast("Mapping[str, Any]", context))
        with self.hook as hook:
            settings = hook.settings
            marker = marker_of(context, settings.deployment, self.message_key, self.edition, "message_key")
            outcome = send_message_once(
                hook,
                OneMessage(
                    message=message,
                    since=context["dag_run"].run_after.timestamp() - look_back,
                    is_unique=self.subject_is_unique,
                    if_in_doubt=self.if_in_doubt,
                    visibility_window=seconds(self.visibility_window, "visibility_window"),
                    zone=None if settings.account_timezone is None else timezone(settings.account_timezone),
                ),
                message_record(context, marker.digest),
                _CLOCK,
                lambda name: hook.lease(name, task_identity(context)),
            )
        if outcome.message_id is None:
            raise AirflowSkipException(f"{outcome.doubt}. It is not sent again, because if_in_doubt is skip.")
        details = {"message_id": outcome.message_id, "adopted": outcome.adopted}
        context["ti"].xcom_push(key="message", value=details)
        return outcome.message_id


__all__ = ["SendPulseSendEmailOperator"]
