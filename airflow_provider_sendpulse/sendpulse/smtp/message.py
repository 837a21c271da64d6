# SPDX-License-Identifier: Apache-2.0
"""A transactional message to send, and how it is written into a request.

Nothing in it can be a mark of its sender: the service knows no header and no id of one's own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address; it never shows in a ``repr``."""

    email: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to send.

    :param sender: an activated sender, with its name
    :param html: HTML of the message; either it, ``text`` or both, or ``template_id``
    :param template_id: a template's id, to be filled with ``template_variables``
    :param auto_plain_text: let the service make the text from the HTML
    :param attachments: file name to text or bytes
    """

    subject: str = field(repr=False)
    sender: Person
    to: Sequence[Person]
    cc: Sequence[Person] = ()
    bcc: Sequence[Person] = ()
    reply_to: Person | None = None
    html: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    template_id: int | str | None = None
    template_variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    auto_plain_text: bool = False
    attachments: Mapping[str, str | bytes] = field(default_factory=dict, repr=False)


def written(message: Message) -> dict[str, Any]:
    """Return the ``email`` object of the call that sends a message.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    has_content = message.html is not None or message.text is not None
    if has_content == (message.template_id is not None):
        raise InvalidRequest("A message needs either html or text, or a template_id, and not both.")
    if not message.to:
        raise InvalidRequest("A message needs a recipient.")
    if not message.subject.strip():
        raise InvalidRequest("A message needs a subject.")
    fields: dict[str, Any] = {
        "subject": message.subject,
        "from": {"name": message.sender.name, "email": message.sender.email},
        "to": [_person(person) for person in message.to],
    }
    for name, people in (("cc", message.cc), ("bcc", message.bcc)):
        if people:
            fields[name] = [_person(person) for person in people]
    if message.reply_to is not None:
        fields["reply_to"] = _person(message.reply_to)
    if message.template_id is not None:
        fields["template"] = {"id": message.template_id, "variables": dict(message.template_variables)}
    if message.html is not None:
        fields["html"] = _base64(message.html)
    if message.text is not None:
        fields["text"] = message.text
    if message.auto_plain_text:
        fields["auto_plain_text"] = True
    texts = {name: content for name, content in message.attachments.items() if isinstance(content, str)}
    binaries = {name: _base64(content) for name, content in message.attachments.items() if isinstance(content, bytes)}
    if texts:
        fields["attachments"] = texts
    if binaries:
        fields["attachments_binary"] = binaries
    return fields


def _person(person: Person) -> dict[str, str]:
    return {"name": person.name, "email": person.email} if person.name else {"email": person.email}


def _base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


__all__ = ["Message", "Person", "written"]
