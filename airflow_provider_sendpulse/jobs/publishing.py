# SPDX-License-Identifier: Apache-2.0
"""Templates of the account become what files say: created or edited, and left alone where they say so already.

A template is recognised by its name and its language. Whether it is the same is decided by its body as the service returns
it: nothing else that a service tells of a template (``id``, ``created``, ``preview``) says what is in it. Line ends and
space around a body do not count. Should SendPulse ever return another body than it was sent, such a template is edited at
every run, which changes nothing for those who use its ``real_id``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import FinalFailure, InvalidRequest, Refused, ServiceUnavailable
from airflow_provider_sendpulse.jobs.create_once import create_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.template_files import Document
from airflow_provider_sendpulse.sendpulse import templates
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.templates import Template

log = logging.getLogger(__name__)

PROCESSING = 120.0
"""Seconds for which a template may be processed before another try reads it."""

_LOOK_EVERY = 10.0
_PUBLIC = "sendpulse"


def publish(sender: Sender, documents: Sequence[Document], clock: Clock) -> dict[str, int]:
    """Create or edit the account's own templates, and return the ``real_id`` of each by its key, such as ``welcome/en``.

    Nothing is written before all of them have been looked up.

    :raises InvalidRequest: when there are two templates of one name and language, or one is of the visual editor; nothing
        was written
    :raises FinalFailure: when a name is taken by a template in another language, or by one that is not the account's own
    :raises ServiceUnavailable: when it is not known whether a template was created, or one stays in processing; another try
        looks again
    """
    own = _own(sender)
    known = [(document, _require_editable(document, _find(document, own))) for document in documents]
    return {
        document.key: _create(sender, document, clock) if found is None else _renew(sender, document, found, clock)
        for document, found in known
    }


def _own(sender: Sender) -> list[Template]:
    # The filter is sent; but the sources disagree about it, and SendPulse's own templates are not ours to touch.
    return [template for template in sender.pages(templates.list(owner="me")) if template.owner != _PUBLIC]


def _find(document: Document, own: Sequence[Template]) -> Template | None:
    found = [template for template in own if (template.name.strip(), template.lang) == (document.name, document.lang)]
    if len(found) > 1:
        ids = " and ".join(str(template.real_id) for template in found)
        raise InvalidRequest(
            f"There are {len(found)} templates {document.name!r} in {document.lang}: {ids}. Rename or delete all but one "
            "of them in the SendPulse dashboard."
        )
    return found[0] if found else None


def _require_editable(document: Document, found: Template | None) -> Template | None:
    if found is not None and not found.real_id:
        raise FinalFailure(f"SendPulse tells no real_id of the template {document.name!r} in {document.lang}.")
    if found is not None and found.is_structure:
        raise InvalidRequest(
            f"The template {document.name!r} in {document.lang} ({found.real_id}) was made in the visual editor, and can "
            "only be edited there. Rename it there, or call the file otherwise."
        )
    return found


def _create(sender: Sender, document: Document, clock: Clock) -> int:
    def create() -> tuple[int, Template | None]:
        return sender.send(templates.create(document.body, name=document.name, lang=document.lang)), None

    def find() -> tuple[int, Template | None] | None:
        found = _require_editable(document, _find(document, _own(sender)))
        return None if found is None else (found.real_id, found)

    what = f"the template {document.name!r} in {document.lang}"
    try:
        real_id, found = create_once(create, find, clock, what=what, taken={ErrorCode.TEMPLATE_NAME_TAKEN.code})
    except Refused as error:
        if error.error_code != ErrorCode.TEMPLATE_NAME_TAKEN.code:
            raise
        langs = sorted({template.lang for template in _own(sender) if template.name.strip() == document.name})
        why = (
            f"A template of the account has this name in another language ({', '.join(langs)}). Give each language a name "
            "of its own, such as template_name='{name}-{lang}'."
            if langs
            else "No template of the account that SendPulse lists has this name: it may be one of SendPulse's own. Choose "
            "another name, such as template_name='shop-{name}'."
        )
        raise FinalFailure(f"{error} {why}") from None
    if found is not None:
        # It may be somebody else's, who was faster.
        return _renew(sender, document, found, clock)
    log.info("Template %s: created as %s.", document.key, real_id)
    return real_id


def _renew(sender: Sender, document: Document, found: Template, clock: Clock) -> int:
    if _is_same(document.body, _body(sender, document, found.real_id, clock)):
        log.info("Template %s: %s is up to date.", document.key, found.real_id)
    else:
        sender.send(templates.edit(found.real_id, document.body, lang=document.lang))
        log.info("Template %s: edited %s.", document.key, found.real_id)
    return found.real_id


def _body(sender: Sender, document: Document, real_id: int, clock: Clock) -> str:
    """Read a body, waiting while the template is being processed."""
    end = clock.now() + PROCESSING
    while True:
        try:
            return sender.send(templates.read(real_id, lang=document.lang)).body
        except Refused as error:
            if error.error_code != ErrorCode.TEMPLATE_NOT_EDITABLE.code:
                raise
            if clock.now() >= end:
                raise ServiceUnavailable(f"{error} Another try of the task looks again.") from None
            clock.sleep(_LOOK_EVERY)


def _is_same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(body: str) -> str:
    return body.replace("\r\n", "\n").strip()


__all__ = ["PROCESSING", "publish"]
