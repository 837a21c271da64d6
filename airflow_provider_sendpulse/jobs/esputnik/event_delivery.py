# SPDX-License-Identifier: Apache-2.0
"""Events of eSputnik from rows, each at most once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.esputnik import events
from airflow_provider_sendpulse.esputnik.values import parameter
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.event_rows import EventRows
from airflow_provider_sendpulse.rows.people import Person, key_text

_RECOGNISED = frozenset(
    {
        *("contactid", "contactkey", "externalcustomerid", "pushtoken"),
        *("email", "emailaddress", "useremail", "contactemail", "phone", "sms", "phonenumber"),
    }
)
"""Names by which eSputnik looks for the contact of an event, whatever their case (manual, "Generate event"). It knows
``contact_id`` and ``contact_key`` too: so no name is safe because of what stands between its words."""


@dataclass(frozen=True, slots=True)
class EsputnikEventDelivery(EventRows):
    """What the events of rows are.

    :param event_type_key: type of the events
    """

    event_type_key: str

    @property
    def name(self) -> str:
        """What the events are called."""
        return self.event_type_key

    def body(self, person: Person) -> dict[str, Any]:
        """Return what is sent for a row."""
        return self._event(person).body()

    def outgoing(self, name: str, value: Any) -> Any:
        """Return a value of a row as it goes out."""
        return parameter(name, value)

    def call(self, person: Person) -> Call[None]:
        """Return the call for a row."""
        return events.send(self._event(person))

    def _event(self, person: Person) -> events.Event:
        require_parameters(person.variables)
        given = {
            "contactId": contact_id(person),
            "externalCustomerId": person.external_customer_id or None,
            "email": person.email or None,
            "phone": person.phone or None,
        }
        identifiers = {name: value for name, value in given.items() if value is not None}
        if not identifiers:
            raise InvalidRequest("nothing says whom the event is for")
        key = joined(person.key) if person.key else None
        return events.Event(self.event_type_key, key, {**identifiers, **person.variables})


def require_parameters(names: Iterable[str]) -> None:
    """Check that no parameter is named like what says whom an event is for: a stranger could be told of it.

    :raises InvalidRequest: when one is
    """
    if clashes := sorted(name for name in names if re.sub(r"[\W_]", "", name.casefold()) in _RECOGNISED):
        raise InvalidRequest(
            f"An event cannot have a parameter named {', '.join(clashes)}: by such names eSputnik looks for its contact. "
            "Name the column if it says that (contact_id_column); if not, rename it or leave it out (parameters)."
        )


def contact_id(person: Person) -> int | None:
    """Return eSputnik's id of a row's contact, where the row has one.

    :raises InvalidRequest: for what is no id
    """
    if not person.contact_id:
        return None
    try:
        return whole_number(person.contact_id, "contact id")
    except InvalidRequest:
        raise InvalidRequest("the contact id is not a whole number") from None


def joined(key: Sequence[object]) -> str:
    """Return a key as eSputnik takes it: its values, joined by a colon, which it allows.

    :raises InvalidRequest: for a value that tells no row from another
    """
    texts = [key_text(value) for value in key]
    return texts[0] if len(texts) == 1 else ":".join(text.replace("%", "%25").replace(":", "%3A") for text in texts)


__all__ = ["EsputnikEventDelivery", "contact_id", "joined", "require_parameters"]
