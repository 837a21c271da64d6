# SPDX-License-Identifier: Apache-2.0
"""Templates of the email service. Source: SendPulse API, "Templates"; email service manual, "Templates".

A template has two ids: ``id`` changes with every edit, ``real_id`` never does. Keep ``real_id``.
"""

from __future__ import annotations

import base64
import binascii
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.languages import require_language

Owner = Literal["me", "sendpulse"]


@dataclass(frozen=True, slots=True)
class Template:
    """A template.

    :param id: 32 hexadecimal digits; another one after every edit
    :param real_id: stays the same
    :param body: HTML; empty in listings
    :param preview: URL of a picture
    :param owner: ``me`` (``you`` in older answers) or ``sendpulse``
    """

    id: str
    real_id: int
    name: str
    name_slug: str
    lang: str
    owner: str
    created: str
    preview: str
    body: str = field(default="", repr=False)
    tags: tuple[str, ...] = ()
    category: str = ""
    is_structure: bool = False
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def create(body: str, *, name: str | None = None, lang: str | None = None) -> Call[int]:
    """Create a template and return its ``real_id``.

    A taken name is refused with 573, which is what makes a named creation recognisable. Without a name the service calls
    it ``Template`` and the time, and a repeat would make a second one.

    :param body: HTML
    :param lang: en, ru, ua, tr, es or pt
    """
    return Call(
        method="POST",
        path="/template",
        body=JsonBody(_fields(body, name=name, lang=lang)),
        read=lambda answer: wire.integer(wire.record(answer)["real_id"]),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def edit(template_id: int | str, body: str, *, lang: str | None = None) -> Call[None]:
    """Replace the body of a template; its ``id`` changes, its ``real_id`` does not.

    :param template_id: preferably the ``real_id``
    :param lang: the language it was created with
    """
    return Call(
        method="POST",
        path="/template/edit/{id}",
        values={"id": template_id},
        body=JsonBody(_fields(body, lang=lang)),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def read(template_id: int | str, *, owner: Owner = "me", lang: str | None = None) -> Call[Template]:
    """Read a template with its body, by ``id`` or ``real_id``."""
    return Call(
        method="GET",
        path="/template/{id}",
        values={"id": template_id},
        query={"owner": owner, "lang": require_language(lang)},
        read=lambda answer: _template(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def read_by_slug(name_slug: str, *, owner: Owner = "me", lang: str | None = None) -> Call[Template]:
    """Read a template with its body by its slug, the name as it stands in URLs."""
    return Call(
        method="GET",
        path="/template/slug/{slug}",
        values={"slug": name_slug},
        query={"owner": owner, "lang": require_language(lang)},
        read=lambda answer: _template(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def list(
    *, owner: Owner = "me", lang: str | None = None, only_active: bool | None = None, limit: int = 100
) -> PagedCall[Template]:
    """List templates, without their bodies.

    :param owner: the account's own, or SendPulse's. Sources disagree about the default, so it is always sent
    :param lang: only those of a language
    """
    language = require_language(lang)
    return PagedCall(
        method="GET",
        path="/templates/{lang}" if language else "/templates",
        values={"lang": language} if language else {},
        query={"owner": owner, "only_active": only_active},
        read=wire.listed(_template),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def _fields(body: str, **fields: str | None) -> dict[str, str]:
    if not body.strip():
        raise InvalidRequest("A template needs a body.")
    require_language(fields.get("lang"))
    given = {name: value for name, value in fields.items() if value is not None}
    return {"body": base64.b64encode(body.encode()).decode(), **given}


def _template(data: Mapping[str, Any]) -> Template:
    return Template(
        id=wire.text(data["id"]),
        real_id=wire.integer_or(data.get("real_id"), 0),
        name=wire.text(data.get("name")),
        name_slug=wire.text(data.get("name_slug")),
        lang=wire.text(data.get("lang")),
        owner=wire.text(data.get("owner")),
        created=wire.text(data.get("created")),
        preview=wire.text(data.get("preview")),
        body=_body(wire.text(data.get("body"))),
        tags=_tags(data.get("tags")),
        category=wire.text(data.get("category")),
        is_structure=bool(data.get("is_structure")),
        extra=wire.rest(
            data,
            "id",
            "real_id",
            "name",
            "name_slug",
            "lang",
            "owner",
            "created",
            "preview",
            "body",
            "tags",
            "category",
            "is_structure",
        ),
    )


def _body(value: str) -> str:
    """Return HTML from base64, or as it is: not all answers encode it."""
    if "<" in value:
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _tags(value: Any) -> tuple[str, ...]:
    # An object of tag to tag, or [] when there are none.
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, builtins.list) else ()
    return tuple(wire.text(item) for item in items)


__all__ = ["Owner", "Template", "create", "edit", "list", "read", "read_by_slug"]
