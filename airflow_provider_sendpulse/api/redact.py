# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves in a log line or an exception."""

from __future__ import annotations

import re

ADDRESS = "<address>"
SECRET = "<secret>"
NUMBER = "<number>"

_WORD = r"[^\s\"'<>()\[\]{},;:=/?&|\\@]+"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Credentials first: an address inside a URL's user part must not survive as half of one.
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {SECRET}"),
    (
        re.compile(
            r"(?i)([\"']?(?:access_token|client_secret|client_id|password|api_?key|token|secret)[\"']?\s*[:=]\s*)"
            r"([\"'][^\"']*[\"']|[^\s,;&}\]]+)"
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"(?i)/events/id/[^\s\"'?#]+"), f"/events/id/{SECRET}"),
    (re.compile(r"//[^/\s@]+@"), f"//{SECRET}@"),
    (re.compile(r"\b[A-Fa-f0-9]{32,}\b"), SECRET),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"), SECRET),
    # Anything around an at sign, percent-encoded or not, in any script; quoted local parts too.
    (re.compile(rf"(?i)(?:\"[^\"\s]+\"|{_WORD})(?:@|%40){_WORD}"), ADDRESS),
    (re.compile(r"(?<![\w.])\+?\d(?:[\s()-]?\d){9,14}(?![\w.])"), NUMBER),
)


def redact(text: str, longest: int = 500) -> str:
    """Return the text with credentials, mail addresses and telephone numbers replaced, cut at ``longest`` characters.

    A number of ten to fifteen digits counts as a telephone number, so a very long id may be hidden too: better so than
    the other way round.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= longest else f"{text[:longest]}…"


__all__ = ["redact"]
