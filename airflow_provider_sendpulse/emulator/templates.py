# SPDX-License-Identifier: Apache-2.0
"""Message templates (SendPulse API: templates)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid

FIRST_TEMPLATE_ID = 1042001


@dataclass
class Template:
    """A saved message. Its ``id`` changes with every edit, its ``real_id`` never does."""

    real_id: int
    name: str
    lang: str
    body: str
    created_at: datetime
    from_visual_editor: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(16))


class Templates:
    """The account's own templates."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._templates: dict[int, Template] = {}

    def __iter__(self) -> Iterator[Template]:
        return iter(list(self._templates.values()))

    def create(self, body: str, name: str | None, lang: str) -> Template:
        """Save a new template; a name may be used once."""
        now = self._clock.now()
        name = name or f"Template {now:%Y.%m.%d %H:%M:%S}"
        if any(template.name == name for template in self._templates.values()):
            raise invalid("Template with such name already exist", 573)
        template = Template(FIRST_TEMPLATE_ID + len(self._templates), name, lang, body, now)
        self._templates[template.real_id] = template
        return template

    def edit(self, key: str, body: str) -> Template:
        """Replace the body, which gives the template a new ``id``."""
        template = self.get(key)
        if template is None:
            raise Refusal(404, 31, "Template not found")
        if template.from_visual_editor:
            raise invalid("You cant edit templates from layout template editor", 2900)
        template.body = body
        template.id = secrets.token_hex(16)
        return template

    def get(self, key: str | int) -> Template | None:
        """Return the template with this ``id`` or ``real_id``."""
        for template in self._templates.values():
            if str(key) in (template.id, str(template.real_id)):
                return template
        return None
