# SPDX-License-Identifier: Apache-2.0
"""Prepared messages (eSputnik API: message templates)."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Listed, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import KINDS, PreparedMessage

_REQUIRED = {"email": ("name", "from", "subject", "htmlText")}


def routes_of(kind: str) -> list[Route]:
    """Make the routes of the messages for one channel."""

    def found(account: Esputnik, call: Call) -> PreparedMessage:
        message = account.messages.get(call.path_int("message_id"))
        if message is None or message.kind != kind:
            raise not_found("Message", call.path_int("message_id"))
        return message

    def list_all(account: Esputnik, call: Call) -> Listed:
        wanted = call.query.get("search", "").lower()
        messages = [message for message in account.messages.of_kind(kind) if wanted in message.name.lower()]
        return Listed([message.as_dict() for message in call.part(messages)], len(messages))

    def create(account: Esputnik, call: Call) -> dict[str, int]:
        for name in _REQUIRED.get(kind, ("name",)):
            call.text(name)
        return {"id": account.messages.create(kind, call.fields).id}

    def read(account: Esputnik, call: Call) -> dict[str, Any]:
        return found(account, call).as_dict()

    def update(account: Esputnik, call: Call) -> Sentence:
        message = found(account, call)
        message.content |= call.fields
        return Sentence(f"Message with id='{message.id}' has been updated")

    def delete(account: Esputnik, call: Call) -> Sentence:
        message = found(account, call)
        account.messages.remove(message)
        return Sentence(f"Message with id='{message.id}' has been deleted")

    def translate(account: Esputnik, call: Call) -> Sentence:
        message = found(account, call)
        message.translations[call.path_text("language")] = dict(call.fields)
        return Sentence(f"Message with id='{message.id}' has been updated")

    def delete_translation(account: Esputnik, call: Call) -> Sentence:
        message, language = found(account, call), call.path_text("language")
        if message.translations.pop(language, None) is None:
            raise bad_request(f"Message has no language {language}")
        return Sentence(f"Message with id='{message.id}' has been updated")

    def link(account: Esputnik, call: Call) -> dict[str, str]:
        return {"link": f"https://view.example/{found(account, call).id}"}

    path, name = f"/v1/messages/{kind}", f"messages.{kind}"
    one = f"{path}/{{message_id:int}}"
    routes = [
        endpoint("GET", path, f"{name}.list", list_all, limit="message_reads"),
        endpoint("POST", path, f"{name}.create", create),
        endpoint("GET", one, f"{name}.read", read, limit="email_reads" if kind == "email" else "message_reads"),
        endpoint("PUT", one, f"{name}.update", update),
        endpoint("DELETE", one, f"{name}.delete", delete),
        endpoint("PUT", f"{one}/{{language}}", f"{name}.translate", translate),
        endpoint("DELETE", f"{one}/{{language}}", f"{name}.delete_translation", delete_translation),
    ]
    if kind == "email":
        routes.append(endpoint("GET", f"{one}/viewLink", f"{name}.link", link, limit="message_reads"))
    return routes


ROUTES = [route for kind in KINDS for route in routes_of(kind)]
