# SPDX-License-Identifier: Apache-2.0
"""What an email operator's arguments ask for; everything that can be found wrong is found before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.operators.base import plain_text
from airflow_provider_sendpulse.operators.content import ContentRenderer
from airflow_provider_sendpulse.rows.addresses import email_fault
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse.smtp import Message, Person

if TYPE_CHECKING:
    from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator


def email_request(operator: SendPulseSendEmailOperator, context: Mapping[str, Any]) -> Message:
    """Return the message to send.

    :raises InvalidRequest: for arguments that cannot be meant; what is in them is not shown
    """
    html, html_file, text = reveal(operator.html), operator.html_file, reveal(operator.text)
    if html is not None and html_file is not None:
        raise InvalidRequest("A message has either html or html_file.")
    if (html is None and html_file is None and text is None) == (operator.template_id is None):
        raise InvalidRequest("A message needs either html (or html_file), text or both, or a template_id.")
    renderer = ContentRenderer(operator, {**context, **(reveal(operator.body_params) or {})})
    subject = reveal(operator.subject)
    if operator.template_id is None:
        source = renderer.read(plain_text(html_file), "html_file") if html_file is not None else html
        for name, value in (("subject", subject), ("html_file" if html_file else "html", source), ("text", text)):
            _require_no_tags(name, value)
    variables = reveal(operator.template_variables)
    if not isinstance(variables, Mapping | None):
        raise InvalidRequest(f"template_variables is a {type(variables).__name__}; it is a mapping of name to value.")
    if variables and operator.template_id is None:
        raise InvalidRequest("template_variables are for a template_id. In html, text and subject write [[ … ]].")
    reply_to = reveal(operator.reply_to)
    return Message(
        subject=" ".join(renderer.plain(plain_text(subject), "subject").split()),
        sender=_person({"email": plain_text(operator.sender_email), "name": operator.sender_name}, "sender_email"),
        to=_people(operator.to, "to"),
        cc=_people(operator.cc, "cc"),
        bcc=_people(operator.bcc, "bcc"),
        reply_to=None if reply_to is None else _person(reply_to, "reply_to"),
        html=renderer.html_or_file(html, html_file, "html"),
        text=None if text is None else renderer.plain(plain_text(text), "text"),
        template_id=operator.template_id,
        template_variables=dict(variables or {}),
        auto_plain_text=operator.auto_plain_text,
        attachments=_attachments(reveal(operator.attachments)),
    )


def _require_no_tags(name: str, source: Any) -> None:
    if isinstance(source, str) and "{{" in source:
        raise InvalidRequest(
            f"{name} holds {{{{ … }}}}, which nobody fills in: SendPulse does so in templates only. Run-time values stand "
            "in [[ … ]]; two braces themselves are [[ '{' * 2 ]]."
        )


def _people(value: Any, name: str) -> list[Person]:
    value = reveal(value)
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_person(item, name) for item in value]
    return [_person(value, name)]


def _person(value: Any, name: str) -> Person:
    if isinstance(value, Mapping):
        email, called = value.get("email"), value.get("name")
    else:
        email, called = value, None
    if not isinstance(email, str):
        raise InvalidRequest(f'{name} holds a {type(email).__name__}; it is an address, or {{"email": …, "name": …}}.')
    if (fault := email_fault(email.strip())) is not None:
        raise InvalidRequest(f"{name} cannot be mailed to ({fault}). It is not shown.")
    return Person(email.strip(), plain_text(called).strip())


def _attachments(value: Any) -> dict[str, str | bytes]:
    if not isinstance(value, Mapping | None):
        raise InvalidRequest(f"attachments is a {type(value).__name__}; it is a mapping of file name to text or bytes.")
    for content in (value or {}).values():
        if not isinstance(content, str | bytes):
            raise InvalidRequest(f"attachments hold a {type(content).__name__}; a file is text or bytes.")
    return dict(value or {})


__all__ = ["email_request"]
