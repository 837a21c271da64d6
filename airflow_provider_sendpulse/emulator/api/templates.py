# SPDX-License-Identifier: Apache-2.0
"""Templates (SendPulse API: templates)."""

from __future__ import annotations

import base64
from typing import Any

from airflow_provider_sendpulse.emulator.api.arguments import LANGUAGES
from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.campaign_request import decode_body
from airflow_provider_sendpulse.emulator.errors import invalid, missing
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.templates import Template


def create(state: State, call: Call) -> dict[str, Any]:
    """Save a template."""
    name = call.fields.get("name")
    template = state.templates.create(_body(call), None if name is None else str(name), _language(call))
    return {"result": True, "real_id": template.real_id}


def edit(state: State, call: Call) -> dict[str, bool]:
    """Replace the body of a template, which changes its ``id``."""
    language = _language(call) if call.fields.get("lang") else None
    state.templates.edit(call.path_text("template_id"), _body(call), language)
    return {"result": True}


def read(state: State, call: Call) -> dict[str, Any]:
    """One template with its body."""
    return _with_body(state, state.templates.read(call.path_text("template_id"), _owner(call), _wanted_language(call)))


def read_by_slug(state: State, call: Call) -> dict[str, Any]:
    """One template with its body, by what its name is in addresses."""
    slug, owner, language = call.path_text("slug"), _owner(call), _wanted_language(call)
    return _with_body(state, state.templates.read(slug, owner, language, by_slug=True))


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of templates, without their bodies."""
    limit, offset = call.page()
    owner = _owner(call) if "owner" in call.query else None
    found = state.templates.listed(owner, _wanted_language(call))
    return [_answer(state, template) for template in found[offset : offset + limit]]


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


def _wanted_language(call: Call) -> str | None:
    language = call.path_text("lang") if "lang" in call.path_values else call.query.get("lang")
    if language and language not in LANGUAGES:
        raise invalid("Argument lang is invalid")
    return language or None


def _owner(call: Call) -> str:
    owner = call.query.get("owner", "me")
    if owner not in ("me", "sendpulse"):
        raise invalid("Argument owner is invalid")
    return owner


def _with_body(state: State, template: Template) -> dict[str, Any]:
    return {**_answer(state, template), "body": base64.b64encode(template.body.encode()).decode()}


def _answer(state: State, template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "real_id": template.real_id,
        "lang": template.lang,
        "name": template.name,
        "name_slug": template.slug,
        "created": write_local(template.created_at, state.settings.time_zone),
        "full_description": None,
        "category": "",
        "category_info": [],
        "tags": [],
        "owner": state.settings.template_owner_name if template.owner == "me" else template.owner,
        "preview": "",
        "is_structure": template.from_visual_editor,
    }


ROUTES = [
    endpoint("POST", "/template", "templates.create", create),
    endpoint("POST", "/template/edit/{template_id}", "templates.edit", edit),
    # The manual prints /templates//template/slug/{name}; doubled slashes are tidied before.
    endpoint("GET", "/template/slug/{slug}", "templates.read_by_slug", read_by_slug),
    endpoint("GET", "/templates/template/slug/{slug}", "templates.read_by_slug", read_by_slug),
    endpoint("GET", "/template/{template_id}", "templates.read", read),
    endpoint("GET", "/templates", "templates.list", list_all),
    endpoint("GET", "/templates/{lang}", "templates.list", list_all),
]
