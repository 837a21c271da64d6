# SPDX-License-Identifier: Apache-2.0
"""Contacts from a file that the service fetches. Source: eSputnik API, "Upload contacts from a file".

The URL may hold a user name and a password, or a signature: it is a credential, and shows nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_provider_sendpulse.api.call import Call, JsonBody, SecretUrl
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.import_sessions import DedupeOn, dedupe_key, membership
from airflow_provider_sendpulse.exceptions import InvalidRequest

DEDUPE_ON = (DedupeOn.EMAIL, DedupeOn.SMS, DedupeOn.EMAIL_OR_SMS, DedupeOn.ID)
"""What the contacts of a file can be told apart by."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was accepted. Nothing documents whether ``import_id`` is the id of an import session."""

    import_id: str
    file_id: str = ""
    message: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def start(
    link: SecretUrl | str,
    *,
    dedupe_on: DedupeOn | str,
    group_names: Sequence[str] = (),
    group_names_exclude: Sequence[str] = (),
    restore_deleted: bool = False,
    event_key_for_new_contacts: str | None = None,
) -> Call[Upload]:
    """Add or update the contacts of a file: CSV in UTF-8 with commas, at most 100 MB, which the service fetches by URL.

    Columns that the file lacks stay as they are. The service refuses a file that it cannot read. It is not repeated by
    itself; see :func:`~airflow_provider_sendpulse.esputnik.import_sessions.start`.

    :param link: the file's URL, with user name and password where they are needed
    :param group_names: names of static segments that the contacts join
    :param group_names_exclude: names of segments that they leave
    :param restore_deleted: bring back contacts that were deleted; otherwise they are skipped
    :param event_key_for_new_contacts: type of an event to emit for every new contact
    :raises InvalidRequest: for something that is no URL, or a key that the service does not take
    """
    url = link.value if isinstance(link, SecretUrl) else link
    private = _parts(url)
    key = dedupe_key(dedupe_on)
    if key not in DEDUPE_ON:
        raise InvalidRequest(f"dedupe_on is {str(key)!r}; contacts of a file are told apart by {', '.join(DEDUPE_ON)}.")
    body = {
        "link": url,
        "dedupeOn": str(key),
        **membership((), group_names, group_names_exclude, restore_deleted, event_key_for_new_contacts),
    }
    return Call(
        method="POST",
        path="/v1/contacts/upload",
        body=JsonBody(body),
        read=_upload,
        reaches_people=event_key_for_new_contacts is not None,
        private=private,
    )


def _parts(url: str) -> tuple[str, ...]:
    """Return the URL and what of it is secret, as it is written and as it is meant."""
    try:
        found = urlsplit(url)
    except ValueError:
        found = urlsplit("")
    if found.scheme not in ("http", "https") or not found.netloc:
        raise InvalidRequest("The link to the file is not a URL that begins with http:// or https://.")
    secret = [part for part in (found.username, found.password, found.query) if part]
    return (url, *secret, *(unquote(part) for part in secret if unquote(part) != part))


def _upload(answer: Any) -> Upload:
    data = wire.record(answer)
    return Upload(
        import_id=wire.text(data["importId"]),
        file_id=wire.text(data.get("fileId")),
        message=wire.text(data.get("message")),
        extra=wire.rest(data, "importId", "fileId", "message", "valid"),
    )


__all__ = ["DEDUPE_ON", "Upload", "start"]
