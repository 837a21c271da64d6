# SPDX-License-Identifier: Apache-2.0
"""Messages that are prepared, to be sent by their ids (eSputnik API: message templates)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FIRST_MESSAGE = 2700001
KINDS = ("email", "sms", "viber", "mobilepush", "appinbox", "telegram")
_DATA = re.compile(r"""\$!?\{?data\.get\(\s*['"]([^'"]+)['"]\s*\)\}?""")


@dataclass
class PreparedMessage:
    """One message.

    Attributes:
        kind: the channel it is for.
        content: its members as they were sent.
        translations: members that differ in another language, by language.
    """

    id: int
    kind: str
    content: dict[str, Any]
    translations: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that only people of the account see."""
        return str(self.content.get("name", ""))

    def rendered(self, language: str, data: Mapping[str, Any]) -> dict[str, str]:
        """Return sender, subject, HTML and text in a language, filled in with data."""
        content = {**self.content, **self.translations.get(language, {})}
        names = ("from", "subject", "htmlText", "text", "plainText")
        return {name: fill_in(str(content.get(name) or ""), data) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """Return the message as the API shows it."""
        languages = [str(self.content.get("languageCode") or "")] if self.content.get("languageCode") else []
        return {**self.content, "id": self.id, "languages": [*languages, *self.translations]}


class PreparedMessages:
    """The messages of an account."""

    def __init__(self) -> None:
        self._messages: dict[int, PreparedMessage] = {}
        self._last_id = FIRST_MESSAGE - 1

    def create(self, kind: str, content: Mapping[str, Any]) -> PreparedMessage:
        """Prepare a message."""
        if kind not in KINDS:
            raise ValueError(f"a message is one of {', '.join(KINDS)}")
        self._last_id += 1
        message = PreparedMessage(self._last_id, kind, dict(content))
        self._messages[message.id] = message
        return message

    def get(self, message_id: int) -> PreparedMessage | None:
        """Return the message with this id."""
        return self._messages.get(message_id)

    def of_kind(self, kind: str) -> list[PreparedMessage]:
        """Return the messages for a channel."""
        return [message for message in self._messages.values() if message.kind == kind]

    def remove(self, message: PreparedMessage) -> None:
        """Delete a message."""
        self._messages.pop(message.id, None)

    def as_list(self) -> list[dict[str, Any]]:
        """All messages as JSON, for assertions."""
        return [{**message.as_dict(), "kind": message.kind} for message in self._messages.values()]


def fill_in(text: str, data: Mapping[str, Any]) -> str:
    """Put data in place of ``$!data.get('name')``; what is missing leaves nothing behind."""

    def value(match: re.Match[str]) -> str:
        found = data.get(match.group(1))
        if found is None:
            return ""
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

    return _DATA.sub(value, text)
