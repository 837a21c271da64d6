# SPDX-License-Identifier: Apache-2.0
"""How a row becomes a person: which column is the address, which the telephone number, which become variables."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Integral
from typing import Any
from uuid import UUID

from airflow_provider_sendpulse.api.values import is_encodable
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.addresses import comparable_email, comparable_phone
from airflow_provider_sendpulse.rows.cells import bytes_fault, id_fault
from airflow_provider_sendpulse.rows.column_names import listed
from airflow_provider_sendpulse.rows.source import Row


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a row mean.

    :param email: column of the address; empty where there is none
    :param phone: column of the telephone number; empty where there is none
    :param automation_id: column of the flow's id, for events; ``None`` where there is none
    :param key: columns that together say which row it is
    :param time: column of when it happened; ``None`` where there is none
    :param external_customer_id: column of the caller's own id of the contact; empty where there is none
    :param contact_id: column of the service's id of the contact; empty where there is none
    :param variables: columns that become variables: a list keeps their names, a mapping (column to variable) renames
        them, ``None`` takes every other column
    :param each_reached: whether every column that says whom a row is for has to be there, and not just any of them
    :param known: names that variables can have, where not every name will do; ``None`` where it will
    :param noun: what has such variables, with its article
    """

    email: str = "email"
    phone: str = "phone"
    automation_id: str | None = "automation_id"
    key: Sequence[str] = ()
    variables: Sequence[str] | Mapping[str, str] | None = None
    time: str | None = None
    external_customer_id: str = ""
    contact_id: str = ""
    each_reached: bool = False
    known: Collection[str] | None = None
    noun: str = "a contact"

    def chosen(self, row: Row) -> dict[str, str]:
        """Return which columns of a row become which variables."""
        if self.variables is None:
            fixed = {*self.reached, self.automation_id}
            return {column: column for column in row if column not in fixed}
        return dict(self.variables) if isinstance(self.variables, Mapping) else {name: name for name in self.variables}

    def missing(self, row: Row) -> str:
        """Return which columns a row lacks, for a message such as "the row has no column cart_id"; empty if none."""
        reached = self.reached
        if reached and not any(column in row for column in reached):
            return f"neither a column {' nor '.join(reached)}" if len(reached) > 1 else f"no column {reached[0]}"
        needed = [
            *(reached if self.each_reached else ()),
            *self.key,
            *([] if self.time is None else [self.time]),
            *(self.variables or ()),
        ]
        missing = [column for column in needed if column not in row]
        return f"no column {', '.join(missing)}" if missing else ""

    def unknown(self, row: Row) -> str:
        """Return which columns of a row would become variables that there cannot be, for a message; empty if none."""
        if self.known is None:
            return ""
        unknown = [column for column, name in self.chosen(row).items() if name not in self.known]
        return f"what {self.noun} does not have: {listed(unknown)}" if unknown else ""

    @property
    def reached(self) -> list[str]:
        """The columns that say whom a row is for."""
        return [column for column in (self.email, self.phone, self.external_customer_id, self.contact_id) if column]


@dataclass(frozen=True, slots=True)
class Person:
    """One row, understood. Personal data never shows in a ``repr``.

    :param number: the row's number, from 1
    :param key: the values that say which row it is
    :param time: when it happened, as the source says it
    :param external_customer_id: the caller's own id of the contact, where the service has such
    :param contact_id: the service's id of the contact, as the source has it
    :param fault: why nothing can be sent for this row; empty for one that was read well
    """

    number: int
    email: str = field(repr=False)
    phone: str = field(repr=False)
    automation_id: Any = field(repr=False)
    variables: dict[str, Any] = field(repr=False)
    key: tuple[Any, ...] = field(default=(), repr=False)
    time: Any = field(default=None, repr=False)
    external_customer_id: str = field(default="", repr=False)
    contact_id: str = field(default="", repr=False)
    fault: str = field(default="", repr=False)

    @property
    def comparable(self) -> Person:
        """The same, for all ways in which one address or number may be spelled: what rows are told apart by."""
        return replace(self, email=comparable_email(self.email), phone=comparable_phone(self.phone))


def people(rows: Iterable[Row], columns: Columns) -> Iterator[Person]:
    """Read rows as people. A later row with other columns than it should have, as JSON Lines may, is a person with a fault.

    Columns count, also where a row holds nothing in them.

    :raises InvalidRequest: when the first row lacks a column that was asked for, or has neither that of the address nor
        that of the telephone number, or has one that would become a variable that there cannot be
    """
    for number, row in enumerate(map(_with_plain_numbers, rows), start=1):
        missing, unknown = columns.missing(row), columns.unknown(row)
        if missing or unknown:
            if number == 1 and missing:
                raise InvalidRequest(f"The rows have {missing}; they have {listed(row)}.")
            if number == 1:
                raise InvalidRequest(
                    f"The rows have {unknown}; beside {', '.join(columns.reached)} it has {', '.join(columns.known or ())}."
                )
            yield Person(
                number=number,
                email=cell_text(_cell(row, columns.email)),
                phone=cell_text(_cell(row, columns.phone)),
                automation_id=None,
                variables={},
                fault=f"the row has {missing or unknown}",
            )
            continue
        yield Person(
            number=number,
            email=cell_text(_cell(row, columns.email)),
            phone=cell_text(_cell(row, columns.phone)),
            automation_id=None if columns.automation_id is None else row.get(columns.automation_id),
            variables={name: row[column] for column, name in columns.chosen(row).items() if row[column] is not None},
            key=tuple(row[column] for column in columns.key),
            time=None if columns.time is None else row[columns.time],
            external_customer_id=cell_text(_cell(row, columns.external_customer_id)),
            contact_id=cell_text(_cell(row, columns.contact_id)),
            fault=_fault(row, columns),
        )


def _cell(row: Row, column: str) -> Any:
    """Return what a row holds in a column; nothing where none is meant, even if the row has a column without a name."""
    return row.get(column) if column else None


def _with_plain_numbers(row: Row) -> Row:
    """Return a row with whole numbers of other types, such as numpy's, as ``int``."""
    others = {name: int(value) for name, value in row.items() if not isinstance(value, int) and isinstance(value, Integral)}
    return {**row, **others} if others else row


def _fault(row: Row, columns: Columns) -> str:
    """Return what is wrong with the cells that say whom a row is for, beyond what shows in their text; empty if nothing."""
    faults = [(column, bytes_fault(row.get(column))) for column in (columns.email, columns.phone)]
    faults += [(column, id_fault(row.get(column))) for column in (columns.external_customer_id, columns.contact_id)]
    return next((f"the column {column} {fault}" for column, fault in faults if column and fault), "")


def key_columns(expression: str | Sequence[str] | None, name: str = "event_key") -> list[str]:
    """Return the columns of a row expression such as ``cart_id || step``, or of a list.

    :param name: what the argument is called
    :raises InvalidRequest: for anything else
    """
    if expression is None or isinstance(expression, str):
        parts = [part.strip() for part in (expression or "").split("||")]
        if parts == [""]:
            return []
    else:
        parts = [str(part).strip() for part in expression]
    if not all(parts):
        raise InvalidRequest(f"{name} is {expression!r}; it is a column, or columns joined by ||, or a list of them.")
    return parts


def key_text(value: Any) -> str:
    """Return one value of a key: the same text for what is the same, whatever type a driver gives it.

    Dates are ISO text, those with a zone in UTC; bytes are hexadecimal digits; whole numbers have no fraction.

    :raises InvalidRequest: for nothing, which tells no row from another, for broken text, and for a value of a type that
        has no text of its own
    """
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).hex()
    elif value is not None and not isinstance(value, _KEY_TYPES):
        raise InvalidRequest(f"the event key holds a {type(value).__name__}, which has no stable text")
    if value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value):
        raise InvalidRequest("the event key is not a number (NaN), which tells no row from another")
    if isinstance(value, dt.datetime) and value.utcoffset() is not None:
        # The zone that a driver shows it in is no part of it.
        with contextlib.suppress(OverflowError):
            value = value.astimezone(dt.UTC)
    text = value.isoformat() if isinstance(value, dt.date | dt.time) else cell_text(value)
    if not text:
        raise InvalidRequest("the event key is empty")
    if not is_encodable(text):
        raise InvalidRequest("the event key holds broken text")
    return text


def moment_of(value: Any) -> dt.datetime:
    """Return when something happened, as an aware date: a date, or its ISO text; without a zone it is in UTC.

    :raises InvalidRequest: for what cannot be read
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidRequest("the event time cannot be read") from None
    if isinstance(value, dt.datetime):
        return value if value.utcoffset() is not None else value.replace(tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    raise InvalidRequest("the event time cannot be read")


_KEY_TYPES = (str, int, float, Decimal, bool, dt.date, dt.time, UUID)


def cell_text(value: Any) -> str:
    """Return the text of a cell: a whole number has no fraction, whatever type a driver gives it; ``None`` is empty."""
    # A telephone number that passed through a floating-point column must not end in ".0", which reads as another digit.
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    return "" if value is None else str(value).strip()


__all__ = ["Columns", "Person", "cell_text", "key_columns", "key_text", "moment_of", "people"]
