# SPDX-License-Identifier: Apache-2.0
"""Keys of events and form types: what they may be. Source: eSputnik API, descriptions of the members."""

from __future__ import annotations

import re

from airflow_provider_sendpulse.exceptions import InvalidRequest

LONGEST_EVENT_TYPE_KEY = 100
LONGEST_KEY_VALUE = 300

FORBIDDEN = "<>;'‘’\"`\\/|^?!,"
"""Characters that no key may hold."""

_PLAIN = re.compile(r"[A-Za-z0-9]+")


def event_type_key(key: str) -> str:
    """Return the key of an event type.

    :raises InvalidRequest: when it is empty, longer than 100 characters, or holds one of :data:`FORBIDDEN`
    """
    return _checked("event type key", key, LONGEST_EVENT_TYPE_KEY)


def form_type(value: str) -> str:
    """Return the form type of a subscription, which becomes a part of an event type key.

    :raises InvalidRequest: as :func:`event_type_key`
    """
    return _checked("form type", value, LONGEST_EVENT_TYPE_KEY)


def key_value(value: str) -> str:
    """Return the key of one event. It may be personal, so no message quotes it.

    :raises InvalidRequest: when it is empty, longer than 300 characters, or holds one of :data:`FORBIDDEN`
    """
    return _checked("event key", value, LONGEST_KEY_VALUE)


def is_plain(key: str) -> bool:
    """Whether a key consists of Latin letters and digits.

    The article on adding contacts allows nothing else in ``eventKeyForNewContacts``, the API's own description does.
    """
    return _PLAIN.fullmatch(key) is not None


def _checked(what: str, value: str, longest: int) -> str:
    if not value.strip():
        raise InvalidRequest(f"The {what} is empty.")
    if len(value) > longest:
        raise InvalidRequest(f"The {what} has {len(value)} characters; eSputnik takes {longest}.")
    if wrong := sorted(set(value) & set(FORBIDDEN)):
        raise InvalidRequest(f"The {what} holds {' '.join(wrong)}, which eSputnik does not take in it.")
    return value


__all__ = [
    "FORBIDDEN",
    "LONGEST_EVENT_TYPE_KEY",
    "LONGEST_KEY_VALUE",
    "event_type_key",
    "form_type",
    "is_plain",
    "key_value",
]
