# SPDX-License-Identifier: Apache-2.0
"""What every task of eSputnik finds in the account: a person who is a contact, in a segment, and has been mailed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from broadcasting import LETTER
from canaries import ADDRESS, OWN_ID, PHONE
from esputnik_state import EsputnikState


@dataclass(frozen=True)
class There:
    """What is in the account before a task runs."""

    kept: Path
    link: str
    segment: int
    message: int
    broadcast: int
    session: str
    request: str


def prepared(esputnik: EsputnikState, kept: Path, link: str) -> There:
    """Put into the account what the tasks find there.

    :param kept: a folder for what is meant to hold what is known of people
    :param link: a file of contacts
    """
    from airflow_provider_sendpulse.emulator.esputnik.contact_data import read_contact
    from airflow_provider_sendpulse.emulator.esputnik.dedupe import DedupeRule
    from airflow_provider_sendpulse.emulator.esputnik.importing import ImportPlan
    from airflow_provider_sendpulse.emulator.esputnik.sends import Content

    contact = esputnik.contact(ADDRESS, phone=PHONE, external_id=OWN_ID)
    segment = esputnik.segment("Readers", contact)
    account, clock = esputnik.emulator.state.esputnik, esputnik.emulator.emulator.clock
    imported = read_contact({"channels": [{"type": "email", "value": ADDRESS}]}, account.fields)
    with esputnik.emulator.emulator.lock:
        message = account.messages.create("email", LETTER).id
        reader = account.sends.recipient("email", ADDRESS)
        return There(
            kept,
            link,
            segment,
            message,
            account.broadcasts.create(message, [segment], [], "News", clock.now() + timedelta(days=1)).id,
            account.imports.start(ImportPlan(DedupeRule("email")), [imported], "FINISHED").id,
            account.sends.send("email", Content("email", "News"), reader, ADDRESS).request_id,
        )


__all__ = ["There", "prepared"]
