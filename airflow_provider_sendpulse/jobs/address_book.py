# SPDX-License-Identifier: Apache-2.0
"""One address book: found or created by its name, renamed, deleted. Names are unique in an account."""

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


def rename_address_book(sender: Sender, address_book_id: int, name: str, confirm_name: str | None = None) -> None:
    """Give an address book another name; one that has it already is fine.

    :param confirm_name: what its name must be so far; ``None`` for any
    :raises InvalidRequest: for an empty name, one that another book has, or a book that is named otherwise
    """
    name = name.strip()
    if not name:
        raise InvalidRequest("An address book needs a name.")
    if confirm_name is not None:
        present = sender.send(address_books.read(address_book_id)).name.strip()
        if present == name:  # by an earlier try, whose answer was lost
            log.info("Address book %s has this name already.", address_book_id)
            return
        _require_name(address_book_id, present, confirm_name, "renamed")
    try:
        sender.send(address_books.rename(address_book_id, name))
    except Refused as error:
        if error.error_code != ErrorCode.BOOK_NAME_TAKEN.code:
            raise
        owner = _find(sender, name)
        if owner != address_book_id:
            raise InvalidRequest(
                f"Address book {address_book_id} was not renamed: {'another one' if owner is None else f'book {owner}'} is "
                f"named {name!r} already. Choose another name, or rename that one first."
            ) from error
        log.info("Address book %s has this name already.", address_book_id)
    else:
        log.info("Renamed address book %s.", address_book_id)


def delete_address_book(sender: Sender, address_book_id: int, confirm_name: str) -> None:
    """Delete an address book with its contacts; one that is gone is fine.

    :param confirm_name: what its name must be
    :raises InvalidRequest: for a book that is named otherwise; it stays
    """
    if not confirm_name.strip():
        raise InvalidRequest("confirm_name is empty; it is the name of the address book that is to be deleted.")
    try:
        present = sender.send(address_books.read(address_book_id)).name.strip()
        _require_name(address_book_id, present, confirm_name, "deleted")
        sender.send(address_books.delete(address_book_id))
    except Refused as error:
        if error.error_code != ErrorCode.BOOK_NOT_FOUND.code:
            raise
        log.info("Address book %s is gone already.", address_book_id)
    else:
        log.info("Deleted address book %s.", address_book_id)


def _require_name(address_book_id: int, present: str, wanted: str, deed: str) -> None:
    if present != wanted.strip():
        raise InvalidRequest(f"Address book {address_book_id} is named {present!r}, not {wanted.strip()!r}: not {deed}.")


def _find(sender: Sender, name: str) -> int | None:
    return next((book.id for book in sender.pages(address_books.list()) if book.name.strip() == name), None)


__all__ = ["delete_address_book", "ensure_address_book", "rename_address_book"]
