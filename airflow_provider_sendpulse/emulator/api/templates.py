# SPDX-License-Identifier: Apache-2.0
"""Templates (SendPulse API: templates)."""

from __future__ import annotations

import base64
from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.campaign_request import decode_body
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, missing
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.templates import Template

LANGUAGES = ("ru", "en", "ua", "tr", "es", "pt")


def create(state: State, call: Call) -> dict[str, Any]:
    """Save a template."""
    name = call.fields.get("name")
    template = state.templates.create(_body(call), None if name is None else str(name), _language(call))
    return {"result": True, "real_id": template.real_id}


def edit(state: State, call: Call) -> dict[str, bool]:
    """Replace the body of a template, which changes its ``id``."""
    state.templates.edit(call.path_text("template_id"), _body(call))
    return {"result": True}


def read(state: State, call: Call) -> dict[str, Any]:
    """One template with its body."""
    template = state.templates.get(call.path_text("template_id"))
    if template is None:
        raise Refusal(404, 290, "Template not found")
    return {**_answer(state, template), "body": base64.b64encode(template.body.encode()).decode()}


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of the account's own templates; SendPulse's own are not emulated."""
    limit, offset = call.page()
    if call.query.get("owner", "me") != "me":
        return []
    return [_answer(state, template) for template in list(state.templates)[offset : offset + limit]]


def _body(call: Call) -> str:
    body = call.fields.get("body")
    if not body:
        raise missing("body")
    return decode_body(body)


def _language(call: Call) -> str:
    language = call.fields.get("lang") or "en"
    if language not in LANGUAGES:
        raise invalid("Argument lang is invalid")
    return str(language)


def _answer(state: State, template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "real_id": template.real_id,
        "lang": template.lang,
        "name": template.name,
        "name_slug": "-".join(template.name.lower().split()),
        "created": write_local(template.created_at, state.settings.time_zone),
        "full_description": None,
        "category": "",
        "category_info": [],
        "tags": [],
        "owner": "me",
        "preview": "",
        "is_structure": template.from_visual_editor,
    }


ROUTES = [
    endpoint("POST", "/template", "templates.create", create),
    endpoint("POST", "/template/edit/{template_id}", "templates.edit", edit),
    endpoint("GET", "/template/{template_id}", "templates.read", read),
    endpoint("GET", "/templates", "templates.list", list_all),
    endpoint("GET", "/templates/{lang}", "templates.list", list_all),
]
