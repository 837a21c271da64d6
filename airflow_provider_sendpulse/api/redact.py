# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves in a log line or an exception."""

from __future__ import annotations

import re
from collections.abc import Iterable

ADDRESS = "<address>"
SECRET = "<secret>"
NUMBER = "<number>"
VALUE = "<value>"

SHORTEST_SECRET = 6
"""Anything shorter is a word that happens to be somebody's secret; hiding it would garble every message."""

_SHORTEST_VALUE = 2

# The local part of an address may hold almost anything; what stands before it in a URL is hidden with it. An apostrophe
# belongs to it inside a word only; \u0438 is a letter that somebody wrote as JSON.
_LOCAL = r"(?:[^\s\"'<>()\[\],;:\\@]|(?<=\w)'|\\u[0-9a-f]{4})+"
_DOMAIN = r"(?:\[[^\s\]]*\]|(?:[^\s\"'<>()\[\]{},;:=/?&|\\@]|\\u[0-9a-f]{4})+)"
_AT = r"(?:@|＠|%(?:25)*40|&#0*64;|&#x0*40;|&commat;|\\u0040)"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Credentials first: an address inside a URL's user part must not survive as half of one.
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {SECRET}"),
    (
        re.compile(
            r"(?i)((?:\\?[\"'])?(?:access_token|client_secret|client_id|password|api_?key|token|secret)"
            r"(?:\\?[\"'])?\s*[:=]\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;&}\]]+)"
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"(?i)/events/id/[^\s\"'?#]+"), f"/events/id/{SECRET}"),
    (re.compile(r"//[^/\s@]+@"), f"//{SECRET}@"),
    (re.compile(r"\b[A-Fa-f0-9]{32,}\b"), SECRET),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"), SECRET),
    # Anything around an at sign, percent-encoded or not, in any script; quoted local parts too.
    (re.compile(rf"(?i)(?:\"[^\"\n]+\"|{_LOCAL}){_AT}{_DOMAIN}"), ADDRESS),
    # Spaces and hyphens only behind a plus sign or a national 0 or 8: dates and times would match otherwise.
    (
        re.compile(
            r"(?i)(?:\+|%2B)[\s(]{0,2}\d(?:[\s().-]{0,2}\d){7,14}|(?<![\w.])\d{10,15}(?!\w|\.\d)"
            r"|(?<![\w.-])(?<!\d:)\(?[08](?:[\s()-]{0,2}\d){9,10}(?![\w:-])"
        ),
        NUMBER,
    ),
)


def redact(text: str, longest: int = 500, secrets: Iterable[str] = (), private: Iterable[str] = ()) -> str:
    """Return the text with credentials, mail addresses and telephone numbers replaced, cut at ``longest`` characters.

    A number of ten to fifteen digits counts as a telephone number, so a very long id may be hidden too: better so than
    the other way round.

    :param secrets: what must not show either, whatever it looks like
    :param private: what must not show as a word of its own, such as a name, however short
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, SECRET)
    if len(text) > 4 * longest:
        # A megabyte would take the patterns minutes. Cut between words, so that no half of an address is left over.
        text = (text[: 4 * longest].rsplit(None, 1) or [""])[0]
    for value in sorted(private, key=len, reverse=True):
        if len(value) >= _SHORTEST_VALUE and value in text:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", VALUE, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= longest else f"{text[:longest]}…"


__all__ = ["SECRET", "SHORTEST_SECRET", "redact"]
