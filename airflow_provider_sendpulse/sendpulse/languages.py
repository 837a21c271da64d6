# SPDX-License-Identifier: Apache-2.0
"""Languages that SendPulse knows. Source: email service manual; SendPulse API, "Templates"."""

from __future__ import annotations

from airflow_provider_sendpulse.exceptions import InvalidRequest

LANGUAGES = ("ru", "en", "ua", "tr", "es", "pt")
"""Languages of the service's own messages and of templates; Ukrainian is ``ua``."""


def require_language(lang: str | None, name: str = "lang") -> str | None:
    """Return a language, or nothing when there is none.

    :param name: what the language is called where it was given
    :raises InvalidRequest: for a language that SendPulse does not have
    """
    if lang is not None and lang not in LANGUAGES:
        raise InvalidRequest(f"{name} is {lang!r}; SendPulse has {', '.join(LANGUAGES)}.")
    return lang


__all__ = ["LANGUAGES", "require_language"]
