# SPDX-License-Identifier: Apache-2.0
"""How the contacts of an import are told apart: which rows are the same contact, and which one was refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import DedupeOn, FailedContact, Mapped, dedupe_key
from airflow_provider_sendpulse.esputnik.values import field_value
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import Contacts
from airflow_provider_sendpulse.rows.addresses import comparable_phone

_EXACT = frozenset({DedupeOn.EMAIL, DedupeOn.SMS, DedupeOn.EXTERNAL_CUSTOMER_ID})
_COLUMNS = {
    DedupeOn.EMAIL: ("email",),
    DedupeOn.SMS: ("sms",),
    DedupeOn.EMAIL_OR_SMS: ("email", "sms"),
    DedupeOn.EXTERNAL_CUSTOMER_ID: ("external_customer_id",),
}
"""What of a mapping holds the key; one of these is enough."""


_LONGEST_FIELD = 50
"""Characters that the value of an additional field may have by which contacts are told apart."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What tells contacts apart.

    :param field_id: the additional field that does, for :attr:`DedupeOn.FIELD_ID`
    :param by_external_id: whether contacts carry an external id, by which the service looks for them first
    """

    dedupe_on: DedupeOn
    field_id: int | None = None
    by_external_id: bool = False

    @classmethod
    def of(cls, dedupe_on: str, field_id: int | None, contacts: Contacts) -> Self:
        """Return what tells apart the contacts that are made of rows.

        :raises InvalidRequest: when the service does not know it, or the mapping gives contacts nothing of the kind
        """
        key = dedupe_key(dedupe_on, field_id)
        mapping = contacts.mapping
        if key is DedupeOn.FIELD_ID:
            if field_id not in contacts.custom_field_ids:
                raise InvalidRequest(f"field_id is {field_id}, which mapping.fields does not name: contacts would lack it.")
        elif key not in _COLUMNS:
            raise InvalidRequest(
                f"dedupe_on is {str(key)!r}, which no mapping can give; "
                f"it is one of {', '.join([*_COLUMNS, DedupeOn.FIELD_ID])}."
            )
        elif not any(getattr(mapping, name) for name in _COLUMNS[key]):
            raise InvalidRequest(f"dedupe_on is {str(key)!r}, and mapping names no {' and no '.join(_COLUMNS[key])}.")
        return cls(key, field_id, bool(mapping.external_customer_id))

    @property
    def external_id_wins(self) -> bool:
        """Whether contacts are looked for by something else than what ``dedupe_on`` says."""
        return self.by_external_id and self.dedupe_on is not DedupeOn.EXTERNAL_CUSTOMER_ID

    @property
    def is_exact(self) -> bool:
        """Whether a contact has one key that can be compared here, so that rows with other keys are other contacts."""
        return self.dedupe_on in _EXACT and not self.external_id_wins

    def key(self, contact: Contact) -> str:
        """Return what a contact is looked for by first.

        :raises InvalidRequest: when it has nothing of the kind
        """
        for identity in self.identities(contact):
            return identity
        what = {DedupeOn.FIELD_ID: f"value of the additional field {self.field_id}"}.get(self.dedupe_on)
        raise InvalidRequest(f"no {what or ' and no '.join(_COLUMNS[self.dedupe_on])}, by which contacts are told apart")

    @property
    def kinds(self) -> list[DedupeOn]:
        """What contacts are looked for by, in this order: an external id first, if they carry one."""
        # Documented nowhere but by clients: the telephone number comes first.
        two = [DedupeOn.SMS, DedupeOn.EMAIL]
        then = two if self.dedupe_on is DedupeOn.EMAIL_OR_SMS else [self.dedupe_on]
        return [*dict.fromkeys([DedupeOn.EXTERNAL_CUSTOMER_ID, *then])]

    def identities(self, contact: Contact) -> list[str]:
        """Return all that a contact is looked for by, in this order."""
        found = {
            DedupeOn.EXTERNAL_CUSTOMER_ID: (contact.external_customer_id or "").strip(),
            DedupeOn.EMAIL: (contact.email or "").strip().lower(),
            DedupeOn.SMS: _number(contact.sms or ""),
            DedupeOn.FIELD_ID: self._field(contact),
        }
        return [f"{kind} {found[kind]}" for kind in self.kinds if found[kind]]

    def values(self, contact: Contact) -> list[str]:
        """Return what the service may call a contact by, as it was sent; a telephone number as its digits, too."""
        number = contact.sms or ""
        found = {
            DedupeOn.EXTERNAL_CUSTOMER_ID: [contact.external_customer_id or ""],
            DedupeOn.EMAIL: [contact.email or ""],
            DedupeOn.SMS: [number, _number(number)],
            DedupeOn.FIELD_ID: [self._field(contact)],
        }
        return [value for kind in self.kinds for value in found[kind]]

    def value(self, contact: Contact) -> str:
        """Return what the service calls a contact by that it has imported: the value that ``dedupe_on`` names."""
        values = {
            DedupeOn.EXTERNAL_CUSTOMER_ID: contact.external_customer_id,
            DedupeOn.EMAIL: contact.email,
            DedupeOn.SMS: contact.sms,
            DedupeOn.EMAIL_OR_SMS: contact.sms or contact.email,
            DedupeOn.FIELD_ID: self._field(contact),
        }
        return values[self.dedupe_on] or contact.external_customer_id or ""

    def _field(self, contact: Contact) -> str:
        values = (field_value(item.id, item.value).strip() for item in contact.fields if item.id == self.field_id)
        found = next(values, "")
        if len(found) > _LONGEST_FIELD:
            raise InvalidRequest(
                f"the additional field {self.field_id}, by which contacts are told apart, has {len(found)} characters; "
                f"{_LONGEST_FIELD} are allowed"
            )
        return found


def blamed(
    failed: Sequence[FailedContact], sent: Sequence[Contact], recognition: Recognition
) -> tuple[dict[int, str], list[str]]:
    """Find out which contacts an import has refused: the service repeats each with a reason.

    :return: place among ``sent`` to reason, and the reasons of those that fit none, or more than one
    """
    places: dict[str, list[int]] = {}
    for place, contact in enumerate(sent):
        for identity in _all_identities(contact, recognition):
            places.setdefault(identity, []).append(place)
    found: dict[int, str] = {}
    unknown: list[str] = []
    for item in failed:
        fits = (
            [place for place in places.get(identity, ()) if place not in found]
            for identity in _all_identities(item.contact, recognition)
        )
        hit = next((hits[0] for hits in fits if len(hits) == 1), None)
        if hit is None:
            unknown.append(redact(item.error, private=item.contact.private))
        else:
            found[hit] = redact(item.error, private=[*item.contact.private, *sent[hit].private])
    return found, unknown


class MappedValues:
    """The values by which a session knows the contacts that it has added or updated; those that it left out are absent.

    :param mapping: what the session says
    :param recognition: what tells contacts apart
    """

    def __init__(self, mapping: Iterable[Mapped], recognition: Recognition) -> None:
        self._recognition = recognition
        self._values = {comparable(item.dedupe_value) for item in mapping if item.dedupe_value.strip()}

    def __bool__(self) -> bool:
        """Whether the session says anything."""
        return bool(self._values)

    def has(self, contact: Contact) -> bool:
        """Whether the session says which contact it has made of this one."""
        return any(comparable(value) in self._values for value in self._recognition.values(contact) if value)


def comparable(value: str) -> str:
    """Return a value that contacts are told apart by as it is compared: case and the signs in a number do not count."""
    text = value.strip().casefold()
    digits = re.sub(r"[\s()+.-]", "", text)
    return digits if digits.isdigit() else text


def _number(text: str) -> str:
    """Return the digits of a telephone number; ``00`` before it is another way to write ``+``."""
    return comparable_phone(text).removeprefix("00")


def _all_identities(contact: Contact, recognition: Recognition) -> list[str]:
    """Return what a contact is looked for by, then everything else that it may be known by."""
    both = Recognition(DedupeOn.EMAIL_OR_SMS)
    return [*dict.fromkeys([*recognition.identities(contact), *both.identities(contact)])]


__all__ = ["MappedValues", "Recognition", "blamed", "comparable"]
