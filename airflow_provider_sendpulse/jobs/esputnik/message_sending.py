# SPDX-License-Identifier: Apache-2.0
"""A prepared message to the contacts of rows, each row once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.esputnik import messages
from airflow_provider_sendpulse.esputnik.service import REPEATED
from airflow_provider_sendpulse.esputnik.values import parameter
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.event_delivery import contact_id
from airflow_provider_sendpulse.jobs.esputnik.known_contacts import by_email, by_phone, known_contact
from airflow_provider_sendpulse.jobs.esputnik.repeats import REPEATED_FATE
from airflow_provider_sendpulse.jobs.event_rows import key_of
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import Fate, send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.rows.addresses import comparable_phone
from airflow_provider_sendpulse.rows.output import Layout
from airflow_provider_sendpulse.rows.people import Person, cell_text

REQUEST_IDS = Layout(
    "request ids",
    {"request_id": str, "message_id": int, "row_key": str, "external_request_id": str, "source_row": int},
    ("request_id",),
)
"""What is written of a message that was accepted."""

ACCEPTED = Fate()
_UNTOLD = Fate(Outcome.IN_DOUBT, "eSputnik's answer does not say what became of this row")
_IN_PART = Fate(Outcome.IN_DOUBT, "eSputnik has accepted it for some of the contact's addresses or numbers only")
_ONE_OF_SEVERAL = Fate(
    Outcome.IN_DOUBT, "rows of one call have this address or number, and eSputnik has not accepted all of them"
)


@dataclass(frozen=True, slots=True)
class MessageDelivery:
    """A prepared message, and whom it goes to.

    :param is_email: whether it is an e-mail, and so goes to the address; to the telephone number otherwise
    :param from_name: another sender's name, or the alpha name of an SMS
    :param language_code: language for the rows that name none
    :param language_value: which of a row's values is its language, and no parameter
    :param per_call: rows in a call; those that are named by an id go alone, because the answer tells them by their address
    :param create_contacts: whether recipients that are not known may become contacts
    :param by_id: whether rows may name their contact by an id
    :param accept: takes what is written of each message that was accepted, in the layout :data:`REQUEST_IDS`
    """

    message_id: int
    is_email: bool = True
    from_name: str | None = None
    language_code: str | None = None
    language_value: str | None = None
    per_call: int = 20
    create_contacts: bool = True
    by_id: bool = False
    accept: Callable[[Mapping[str, Any]], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        if not 1 <= self.per_call <= messages.MOST_RECIPIENTS:
            raise InvalidRequest(f"per_call is {self.per_call}; it is 1 to {messages.MOST_RECIPIENTS}.")

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return f"message {self.message_id}"

    def run(
        self,
        sender: Sender,
        persons: Iterable[Person],
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules = SendingRules(noun="messages"),
    ) -> None:
        """Send the message to each row's contact: all rows are read first, then those are sent that were not before."""
        known = None
        if not self.create_contacts:
            known = known_contact(sender, [by_email if self.is_email else by_phone], unless=_is_by_id)
        with contextlib.closing(screened(persons, report, self._key, outgoing=parameter)) as items:
            per_call = 1 if self.by_id else self.per_call
            send_once(
                sender,
                items,
                self._call,
                ledger,
                report,
                per_call=per_call,
                outgoing=parameter,
                clock=clock,
                rules=rules,
                judge=self._judge,
                condition=known,
            )

    def _key(self, person: Person) -> Key:
        self._recipient(person).body()  # finds values that cannot be sent
        if person.key:
            return key_of(self.name, person.key)
        body = self._recipient(person.comparable).body()
        return Key(f"{self.name}\0{json.dumps(body, sort_keys=True, ensure_ascii=False)}")

    def _recipient(self, person: Person) -> messages.Recipient:
        """Return whom a row means: by eSputnik's id if it has it, else by the caller's, else by address or number."""
        parameters = {name: value for name, value in person.variables.items() if name != self.language_value}
        known_by: dict[str, Any] = {"contact_id": contact_id(person)}
        if known_by["contact_id"] is None:
            locator = person.email if self.is_email else person.phone
            if person.external_customer_id:
                known_by = {"external_customer_id": person.external_customer_id}
            elif locator:
                known_by = {"locator": locator}
            else:
                raise InvalidRequest("no address" if self.is_email else "no telephone number")
        return messages.Recipient(
            parameters=parameters or None,
            language_code=self._language(person),
            **known_by,
        )

    def _language(self, person: Person) -> str | None:
        own = cell_text(person.variables.get(self.language_value)) if self.language_value else ""
        return own or self.language_code

    def _call(self, batch: Sequence[Person]) -> Call[Any]:
        recipients = [
            replace(self._recipient(person), external_request_id=self._key(person).digest.hex()) for person in batch
        ]
        call: Call[Any] = messages.smartsend(self.message_id, recipients, email=self.is_email, from_name=self.from_name)
        return replace(call, accepted={REPEATED: None})

    def _judge(self, items: Sequence[Item], answer: list[messages.Sent] | None) -> list[Fate]:
        """Say what became of each row: results come in any order, and are told by their address or number."""
        if answer is None:
            return [REPEATED_FATE] * len(items)
        if len(items) == 1 and answer:
            # A contact may have two addresses, or two numbers: each has a result.
            own = [self._fate(items[0], sent) for sent in answer]
            return [own[0] if len({fate.outcome for fate in own}) == 1 else _IN_PART]
        found: dict[str, list[messages.Sent]] = {}
        for sent in answer:
            found.setdefault(self._normal(sent.locator), []).append(sent)
        rows: dict[str, list[Item]] = {}
        for item in items:
            rows.setdefault(self._normal(self._recipient(item.person).locator or ""), []).append(item)
        fates: dict[str, Fate] = {}
        for locator, group in rows.items():
            results = found.get(locator, [])
            if not results:
                fates |= {item.key: _UNTOLD for item in group}
            elif len(results) == len(group) and len({sent.is_accepted for sent in results}) == 1:
                # Which of several is which does not matter: they have come to the same.
                fates |= {item.key: self._fate(item, sent) for item, sent in zip(group, results, strict=True)}
            else:
                fates |= {item.key: _ONE_OF_SEVERAL for item in group}
        return [fates[item.key] for item in items]

    def _fate(self, item: Item, sent: messages.Sent) -> Fate:
        if not sent.is_accepted:
            said = redact(sent.message, private=self._recipient(item.person).private)
            return Fate(Outcome.REJECTED, f"eSputnik did not accept it: {said or 'it does not say why'}")
        if sent.request_id:
            self.accept(
                {
                    "request_id": sent.request_id,
                    "message_id": self.message_id,
                    "row_key": item.label or None,
                    "external_request_id": item.key,
                    "source_row": item.person.number,
                }
            )
        return ACCEPTED

    def _normal(self, locator: str) -> str:
        return locator.strip().casefold() if self.is_email else comparable_phone(locator)


def _is_by_id(item: Item) -> bool:
    return bool(item.person.contact_id or item.person.external_customer_id)


__all__ = ["REQUEST_IDS", "MessageDelivery"]
