# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events. Source: SendPulse knowledge base, "How to send an event to Automation 360".

An event starts or stops the flows bound to it, each time it is sent: there is no key by which the service would
recognise a repeat. So a call whose outcome is not known is never repeated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, FormBody, Host, JsonBody, Repeat, SecretUrl
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.values import event_variable

RESERVED = frozenset({"email", "phone", "automation_id"})
"""Keys of the body that are not variables."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event for one contact. Personal data never shows in a ``repr``.

    :param email: the contact's address; it, ``phone`` or both
    :param phone: the contact's telephone number, as text
    :param automation_id: the one flow to start or stop; all flows of the event when left out
    :param variables: name to value, with their JSON types; lists and objects are allowed
    """

    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    automation_id: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """Return the flat object that is sent.

        :raises InvalidRequest: without email and phone, or with a variable named like one of :data:`RESERVED`
        """
        email, phone = (self.email or "").strip(), (self.phone or "").strip()
        if not email and not phone:
            raise InvalidRequest("An event needs an email, a phone, or both.")
        if clashes := RESERVED & set(self.variables):
            raise InvalidRequest(f"An event cannot have a variable named {', '.join(sorted(clashes))}.")
        fields: dict[str, Any] = {}
        if email:
            fields["email"] = email
        if phone:
            fields["phone"] = phone
        if self.automation_id is not None:
            fields["automation_id"] = self.automation_id
        for name, value in self.variables.items():
            if value is not None:
                fields[name] = event_variable(name, value)
        return fields


def send(event_name: str, event: Event) -> Call[None]:
    """Send an event by its name, with the account's token."""
    return Call(
        method="POST",
        path="/events/name/{event}",
        values={"event": event_name},
        host=Host.EVENTS,
        body=JsonBody(event.body()),
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def send_to_url(url: SecretUrl, event: Event, *, form: bool = False) -> Call[None]:
    """Send an event to its hash URL, without authorisation: the URL itself is the credential.

    :param form: send ``multipart/form-data`` instead of JSON. Everything becomes text then, lists and objects JSON text.
    """
    fields = event.body()
    body = FormBody({name: _as_text(value) for name, value in fields.items()}, multipart=True) if form else None
    return Call(
        method="POST",
        path="",
        host=url,
        body=body or JsonBody(fields),
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        authorised=False,
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


__all__ = ["RESERVED", "Event", "send", "send_to_url"]
