# SPDX-License-Identifier: Apache-2.0
"""Which column of a row is what of a contact.

eSputnik ignores what it does not know without a word, and clears what is written without a value. So a mapping names every
member by its own parameter, and additional fields are held against those that the account has.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar, Self
from uuid import UUID

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.esputnik.address_books import AdditionalField, AddressBook
from airflow_provider_sendpulse.esputnik.contact_data import Address, Contact, Field
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.people import Columns, Person, cell_text

_MEMBERS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "external_customer_id": "externalCustomerId",
    "contact_key": "contactKey",
    "language_code": "languageCode",
    "time_zone": "timeZone",
    "region": "region",
    "town": "town",
    "address": "address",
    "postcode": "postcode",
}
"""Parameter to what ``contactFields`` calls it."""

_POSTAL = ("region", "town", "address", "postcode")
_FIELD = "field "
_CONFIRMED = "confirmed"
_YES = frozenset({"1", "t", "true", "y", "yes", "on"})
_NOTHING = frozenset({"none", "nan", "null"})
"""What templates and drivers make of nothing: as somebody's id it would be everybody's."""


@dataclass(kw_only=True)
class ContactMapping:
    """Names of columns, all of them templated. What is left out is neither written nor cleared.

    Every column that is named has to be there. Where an import meets a row without a value, it clears that member of the
    contact.

    Consent: name the column ``confirmed`` that says who has agreed. A source that holds both kinds belongs to two tasks
    with a query each: ``WHERE agreed`` to the import, ``WHERE NOT agreed`` to ``EsputnikSubscribeContactOperator``, which
    asks people first. The import refuses what the query lets through by mistake.

    :param email, sms: columns of the channels; at least one of them
    :param first_name, last_name: columns of the name, at most 40 characters each
    :param external_customer_id: column of your own id of the contact, by which eSputnik looks for it first
    :param contact_key: column of the older external key
    :param language_code: column of the language, such as ``en`` or ``de-AT``
    :param time_zone: column of the time zone, such as ``Europe/Kyiv``
    :param region, town, address, postcode: columns of the postal address
    :param fields: additional field to column; a field is named by its id, by its key, as ``group key.field key``, or by its
        name
    :param confirmed: column that says whether the contact has agreed to be mailed: true, 1, ``yes``, ``y``, ``t`` or
        ``on``; everything else means no. An import makes contacts confirmed, so it refuses rows without that; they belong
        to the operator that subscribes
    """

    template_fields: ClassVar[Sequence[str]] = ("email", "sms", *_MEMBERS, "fields", "confirmed")

    email: str | None = None
    sms: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    external_customer_id: str | None = None
    contact_key: str | None = None
    language_code: str | None = None
    time_zone: str | None = None
    region: str | None = None
    town: str | None = None
    address: str | None = None
    postcode: str | None = None
    fields: Mapping[int | str, str] = field(default_factory=dict)
    confirmed: str | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return what ``mapping=`` means: a mapping of this class, or of names to columns.

        :raises InvalidRequest: for a name that there is none of, or anything else
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise InvalidRequest(f"mapping is a {type(value).__name__}; it is a ContactMapping, or parameter to column.")
        known = [item.name for item in fields(cls)]
        if unknown := sorted(str(name) for name in value if name not in known):
            raise InvalidRequest(f"mapping has {', '.join(unknown)}; it may have {', '.join(known)}.")
        return cls(**value)

    @property
    def contact_fields(self) -> list[str]:
        """The members that are written, as an import names them."""
        channels = [name for name in ("email", "sms") if getattr(self, name)]
        return channels + [member for name, member in _MEMBERS.items() if getattr(self, name)]

    @classmethod
    def of_values(cls, values: Mapping[str, Any], fields: Mapping[int | str, Any]) -> tuple[Self, dict[str, Any]]:
        """Return the mapping of one contact that is given by its values, and the row that it fits.

        :param values: parameter to value; what is ``None`` or empty is left out
        :param fields: additional field to value
        """
        row = {name: value for name, value in values.items() if value not in (None, "")}
        columns = {key: f"{_FIELD}{key}" for key, value in fields.items() if value is not None}
        mapping = cls.of({**{name: name for name in row}, "fields": columns})
        return mapping, {**row, **{columns[key]: fields[key] for key in columns}}

    def columns(self, *, needs_channel: bool = True, **others: Any) -> Columns:
        """Return how rows are read.

        :param needs_channel: whether a contact has to have a channel, as everywhere but where one is there already
        :param others: more of :class:`~airflow_provider_sendpulse.rows.people.Columns`
        :raises InvalidRequest: without a channel, or when two members come from one column
        """
        if needs_channel and not self.email and not self.sms:
            raise InvalidRequest("mapping names neither email nor sms: eSputnik needs one of them for a contact.")
        named = [(getattr(self, name), name) for name in (*_MEMBERS, _CONFIRMED) if getattr(self, name)]
        named += [(column, f"{_FIELD}{key}") for key, column in self.fields.items()]
        chosen: dict[str, str] = {}
        for column, name in named:
            if column in chosen:
                raise InvalidRequest(f"mapping takes {chosen[column]} and {name} from one column: select it twice.")
            chosen[column] = name
        return Columns(self.email or "", self.sms or "", automation_id=None, variables=chosen, each_reached=True, **others)

    def resolved(self, books: Iterable[AddressBook]) -> Contacts:
        """Return how contacts are made of what was read, now that the account's additional fields are known.

        :raises InvalidRequest: for a field that the account does not have, has twice, or does not let anybody write, and
            for one that is named twice
        """
        there = [(group.profile_key, item) for book in books for group in book.groups for item in group.fields]
        found = {str(key): _found(key, there) for key in self.fields}
        ids = [item.id for item in found.values()]
        if twice := sorted({number for number in ids if ids.count(number) > 1}):
            raise InvalidRequest(f"mapping names one additional field twice ({', '.join(map(str, twice))}).")
        return Contacts(self, found)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Makes contacts of rows.

    :param additional: what ``mapping.fields`` calls a field, to the field
    """

    mapping: ContactMapping
    additional: Mapping[str, AdditionalField] = field(default_factory=dict)

    @property
    def custom_field_ids(self) -> list[int]:
        """The additional fields that are written."""
        return sorted(item.id for item in self.additional.values())

    def contact(self, person: Person) -> Contact:
        """Return the contact of a row.

        :raises InvalidRequest: for a value that cannot be sent
        """
        values = person.variables
        texts = {name: _text(name, values[name]) for name in _MEMBERS if values.get(name) not in (None, "")}
        postal: dict[str, Any] = {name: texts.pop(name) for name in _POSTAL if name in texts}
        additional = tuple(
            Field(item.id, values[f"{_FIELD}{key}"])
            for key, item in self.additional.items()
            if values.get(f"{_FIELD}{key}") is not None
        )
        return Contact.reached(
            email=person.email,
            sms=person.phone,
            address=Address(**postal) if postal else None,
            fields=additional,
            **texts,
        )

    def is_confirmed(self, person: Person) -> bool:
        """Whether a row's contact has agreed to be mailed; so has everybody where no column says so."""
        if not self.mapping.confirmed:
            return True
        value = person.variables.get(_CONFIRMED)
        if isinstance(value, bytes):
            return value == b"\x01"  # a bit of MySQL
        return cell_text(value).casefold() in _YES


def _found(key: int | str, there: Sequence[tuple[str, AdditionalField]]) -> AdditionalField:
    text = str(key).strip()
    hits = {
        item.id: item
        for profile, item in there
        if text in (str(item.id), item.key, f"{profile}.{item.key}", item.name) and text
    }
    if not hits:
        known = ", ".join(f"{profile}.{item.key} ({item.id})" for profile, item in there) or "none"
        raise InvalidRequest(f"The account has no additional field {text!r}; it has {redact(known, longest=2000)}.")
    if len(hits) > 1:
        raise InvalidRequest(
            f"The account has more than one additional field {text!r}: give its id, one of {sorted(hits)}."
        )
    [item] = hits.values()
    if item.readonly:
        raise InvalidRequest(f"The additional field {text!r} ({item.id}) cannot be written: eSputnik says it is read-only.")
    return item


def _text(name: str, value: Any) -> str:
    """Return the text of a member.

    :raises InvalidRequest: for what is no text, number or date
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal | dt.date | dt.time | UUID):
        raise InvalidRequest(f"the {name} holds a {type(value).__name__}; it is text, a number or a date")
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise InvalidRequest(f"the {name} is not a number (NaN)")
    text = value.isoformat() if isinstance(value, dt.date | dt.time) else cell_text(value)
    if name in ("external_customer_id", "contact_key") and text.casefold() in _NOTHING:
        raise InvalidRequest(f"the {name} is the word {text!r}, which stands for nothing")
    return text


__all__ = ["ContactMapping", "Contacts"]
