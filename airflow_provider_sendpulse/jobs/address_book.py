# SPDX-License-Identifier: Apache-2.0
"""One address book of a name: find it or create it. Names are unique in an account, so there is never a second one."""

from __future__ import annotations

import logging

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import address_books
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode

log = logging.getLogger(__name__)

_TRIES = 3


def ensure_address_book(sender: Sender, name: str, if_exists: str = "reuse") -> int:
    """Return the id of the address book with a name, creating it where there is none.

    :param if_exists: ``reuse`` takes an existing one, ``fail`` insists on a new one
    :raises InvalidRequest: for an empty name, or an existing book that is not to be reused
    """
    name = name.strip()
    if not name:
        raise InvalidRequest("An address book needs a name.")
    if if_exists not in ("reuse", "fail"):
        raise InvalidRequest(f"if_exists is {if_exists!r}; it is 'reuse' or 'fail'.")
    if (existing := _find(sender, name)) is not None:
        if if_exists == "fail":
            raise InvalidRequest(f"An address book named {name!r} exists already: {existing}.")
        log.info("Reusing address book %s.", existing)
        return existing
    in_doubt = False
    for _ in range(_TRIES):
        try:
            created = sender.send(address_books.create(name))
        except AmbiguousOutcome:
            # Unlike a campaign, a book can be asked for again: a second one of the same name is refused.
            in_doubt = True
            log.warning("The answer was lost; looking whether the address book was created.")
        except Refused as error:
            if error.error_code != ErrorCode.BOOK_NAME_TAKEN.code:
                raise
        else:
            log.info("Created address book %s.", created)
            return created
        if (existing := _find(sender, name)) is not None:
            if if_exists == "fail" and not in_doubt:  # somebody else was faster
                raise InvalidRequest(f"An address book named {name!r} exists already: {existing}.")
            log.info("Address book %s was created after all.", existing)
            return existing
    raise AmbiguousOutcome(
        f"The address book {name!r} could not be created: the answers were lost, or the name is taken by a book that is "
        "not listed. Look for it in the SendPulse dashboard, then clear the task."
    )


def _find(sender: Sender, name: str) -> int | None:
    return next((book.id for book in sender.pages(address_books.list()) if book.name.strip() == name), None)


__all__ = ["ensure_address_book"]
