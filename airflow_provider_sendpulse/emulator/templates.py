# SPDX-License-Identifier: Apache-2.0
"""Message templates (SendPulse API: templates)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid
from airflow_provider_sendpulse.emulator.settings import Settings

FIRST_TEMPLATE_ID = 1042001
FIRST_PUBLIC_ID = 2001

Owner = Literal["me", "sendpulse"]


@dataclass
class Template:
    """A saved message. Its ``id`` changes with every edit, its ``real_id`` never does.

    Attributes:
        owner: ``me``, or ``sendpulse`` for those that every account can use.
        ready_at: until then it is being processed, and cannot be read.
    """

    real_id: int
    name: str
    lang: str
    body: str
    created_at: datetime
    from_visual_editor: bool = False
    owner: Owner = "me"
    ready_at: datetime | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def slug(self) -> str:
        """The name as it stands in addresses."""
        return "-".join(self.name.lower().split())


class Templates:
    """The account's own templates, and two of SendPulse's."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._own: dict[int, Template] = {}
        now = clock.now()
        self._public = [
            Template(FIRST_PUBLIC_ID, "Spring Sale", "en", "<h1>Sale</h1>", now, owner="sendpulse"),
            Template(FIRST_PUBLIC_ID + 1, "Розпродаж", "ua", "<h1>Розпродаж</h1>", now, owner="sendpulse"),
        ]

    def __iter__(self) -> Iterator[Template]:
        """Yield the account's own templates."""
        return iter(list(self._own.values()))

    def listed(self, owner: str | None, lang: str | None) -> list[Template]:
        """Return the templates of an owner, all of them when there is no filter and the settings say so."""
        owner = owner or self._settings.templates_default_owner
        found = [template for template in (*self, *self._public) if owner in ("all", template.owner)]
        return [template for template in found if lang in (None, template.lang)]

    def create(self, body: str, name: str | None, lang: str, *, from_visual_editor: bool = False) -> Template:
        """Save a new template; a name may be used once, or once in each language where the settings say so."""
        now = self._clock.now()
        name = name or f"Template {now:%Y.%m.%d %H:%M:%S}"
        everywhere = self._settings.template_names_unique == "account"
        if any(template.name == name and (everywhere or template.lang == lang) for template in self):
            raise invalid("Template with such name already exist", 573)
        ready_at = now + timedelta(seconds=self._settings.template_processing_seconds)
        template = Template(
            FIRST_TEMPLATE_ID + len(self._own), name, lang, body, now, from_visual_editor, ready_at=ready_at
        )
        self._own[template.real_id] = template
        return template

    def edit(self, key: str, body: str, lang: str | None = None) -> Template:
        """Replace the body, which gives the template a new ``id``."""
        template = next((item for item in self if key in (item.id, str(item.real_id))), None)
        if template is None:
            raise Refusal(404, 31, "Template not found")
        if template.from_visual_editor:
            raise invalid("You cant edit templates from layout template editor", 2900)
        if lang not in (None, template.lang) and self._settings.template_other_language == "refuse":
            raise invalid("Argument lang is invalid")
        template.body = body
        template.id = secrets.token_hex(16)
        return template

    def get(self, key: str | int) -> Template | None:
        """Return the template with this ``id`` or ``real_id``, own or public."""
        return next((item for item in (*self, *self._public) if str(key) in (item.id, str(item.real_id))), None)

    def read(self, key: str, owner: str, lang: str | None, *, by_slug: bool = False) -> Template:
        """Return a template of an owner, in a language if one is asked for, or a refusal."""
        for template in self.listed(owner, lang):
            if key in ((template.slug,) if by_slug else (template.id, str(template.real_id))):
                if template.ready_at is not None and template.ready_at > self._clock.now():
                    raise invalid("This template in processing. You need to wait", 2900)
                return template
        raise Refusal(404, 290, "Template not found")
