# SPDX-License-Identifier: Apache-2.0
"""A contact as eSputnik writes it: channels, names, address, additional fields. Source: eSputnik API, "Contact".

The service ignores members it does not know without a word, so nothing but these members is ever sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.segments_data import Segment, segment
from airflow_provider_sendpulse.esputnik.values import field_value
from airflow_provider_sendpulse.exceptions import InvalidRequest


class ChannelType(StrEnum):
    """A way to reach a contact."""

    EMAIL = "email"
    SMS = "sms"
    VIBER = "viber"
    MOBILEPUSH = "mobilepush"
    WEBPUSH = "webpush"
    APPINBOX = "appinbox"
    WIDGET = "widget"
    INAPP = "inapp"


@dataclass(frozen=True, slots=True)
class Channel:
    """A contact's channel.

    :param type: one of :class:`ChannelType`
    :param value: address, telephone number in international format, or token
    :param device: what a token belongs to, as eSputnik has it
    :param web_push_subscription: a browser's subscription, as eSputnik has it
    """

    type: str
    value: str = field(repr=False)
    device: Any = field(default=None, repr=False)
    web_push_subscription: Any = field(default=None, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return wire.present(
            type=str(self.type),
            value=self.value,
            device=self.device,
            webPushSubscription=self.web_push_subscription,
        )

    @property
    def private(self) -> tuple[str, ...]:
        """Everything in it that is of one person."""
        return (self.value, *_texts([self.device, self.web_push_subscription]))


@dataclass(frozen=True, slots=True)
class Address:
    """A contact's postal address."""

    region: str | None = field(default=None, repr=False)
    town: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    postcode: str | None = field(default=None, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """An additional field of a contact.

    :param id: see :func:`~airflow_provider_sendpulse.esputnik.address_books.read`
    :param value: text, a number or a date; sent as text
    """

    id: int
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact, to write or as it was read. Nothing personal shows in a ``repr``.

    :param channels: at most two of one type
    :param external_customer_id: the caller's own id
    :param fields: additional fields
    :param id: the service's own id; counts on writing only where contacts are told apart by it
    :param segments: static segments; only read, never written
    """

    channels: tuple[Channel, ...] = ()
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    address: Address | None = None
    fields: tuple[Field, ...] = ()
    external_customer_id: str | None = field(default=None, repr=False)
    contact_key: str | None = field(default=None, repr=False)
    language_code: str | None = None
    time_zone: str | None = None
    address_book_id: int | None = None
    id: int | None = None
    segments: tuple[Segment, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def reached(cls, *, email: str | None = None, sms: str | None = None, **members: Any) -> Self:
        """Return a contact with these channels; the other members are those of the class."""
        given = ((ChannelType.EMAIL, email), (ChannelType.SMS, sms))
        channels = tuple(Channel(kind, value.strip()) for kind, value in given if value is not None and value.strip())
        return cls(channels=channels, **members)

    def value_of(self, channel: str) -> str | None:
        """Return the first address, number or token of a channel type."""
        return next((item.value for item in self.channels if item.type == channel), None)

    @property
    def email(self) -> str | None:
        """The first e-mail address."""
        return self.value_of(ChannelType.EMAIL)

    @property
    def sms(self) -> str | None:
        """The first telephone number."""
        return self.value_of(ChannelType.SMS)

    def body(self) -> dict[str, Any]:
        """Return what is sent; what is ``None`` is left out.

        :raises InvalidRequest: for the value of an additional field that cannot be sent
        """
        address = None
        if self.address is not None:
            address = wire.present(
                region=self.address.region,
                town=self.address.town,
                address=self.address.address,
                postcode=self.address.postcode,
            )
        fields = [
            {"id": item.id, "value": field_value(item.id, item.value)} for item in self.fields if item.value is not None
        ]
        return wire.present(
            channels=[item.body() for item in self.channels],
            firstName=self.first_name,
            lastName=self.last_name,
            address=address,
            fields=fields or None,
            externalCustomerId=self.external_customer_id,
            contactKey=self.contact_key,
            languageCode=self.language_code,
            timeZone=self.time_zone,
            addressBookId=self.address_book_id,
            id=self.id,
        )

    @property
    def private(self) -> tuple[str, ...]:
        """Everything personal in it, so that it can be hidden where the service repeats it."""
        return tuple(dict.fromkeys(self._personal()))

    def _personal(self) -> Iterator[str]:
        for channel in self.channels:
            yield from channel.private
        postal = self.address or Address()
        single = (
            self.first_name,
            self.last_name,
            self.external_customer_id,
            self.contact_key,
            postal.region,
            postal.town,
            postal.address,
            postal.postcode,
        )
        yield from (value for value in single if value)
        yield from (str(item.value) for item in self.fields if item.value is not None)


def require_channel(contact: Contact) -> Contact:
    """Return a contact that has a channel, as every call for a single contact needs it.

    :raises InvalidRequest: when it has none
    """
    if not contact.channels:
        raise InvalidRequest("A contact needs an email, a phone, or another channel.")
    return contact


def contact(data: Mapping[str, Any]) -> Contact:
    """Read a contact, of which the lists of contacts hold some members only."""
    postal = data.get("address")
    identifier, book = data.get("id"), data.get("addressBookId")
    return Contact(
        channels=tuple(wire.listed(_channel)(data.get("channels"))),
        first_name=wire.text_or_none(data.get("firstName")),
        last_name=wire.text_or_none(data.get("lastName")),
        address=_address(wire.record(postal)) if postal else None,
        fields=tuple(wire.listed(_field)(data.get("fields"))),
        external_customer_id=wire.text_or_none(data.get("externalCustomerId")),
        contact_key=wire.text_or_none(data.get("contactKey")),
        language_code=wire.text_or_none(data.get("languageCode")),
        time_zone=wire.text_or_none(data.get("timeZone")),
        address_book_id=None if book is None else wire.integer(book),
        id=None if identifier is None else wire.integer(identifier),
        segments=tuple(wire.listed(segment)(data.get("groups"))),
        extra=wire.rest(
            data,
            "channels",
            "firstName",
            "lastName",
            "address",
            "fields",
            "externalCustomerId",
            "contactKey",
            "languageCode",
            "timeZone",
            "addressBookId",
            "id",
            "groups",
        ),
    )


def _channel(data: Mapping[str, Any]) -> Channel:
    return Channel(
        wire.text(data["type"]),
        wire.text(data.get("value")),
        data.get("device"),
        data.get("webPushSubscription"),
        wire.rest(data, "type", "value", "device", "webPushSubscription"),
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value of any shape."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _address(data: Mapping[str, Any]) -> Address:
    return Address(
        region=wire.text_or_none(data.get("region")),
        town=wire.text_or_none(data.get("town")),
        address=wire.text_or_none(data.get("address")),
        postcode=wire.text_or_none(data.get("postcode")),
        extra=wire.rest(data, "region", "town", "address", "postcode"),
    )


def _field(data: Mapping[str, Any]) -> Field:
    return Field(wire.integer(data["id"]), data.get("value"))


__all__ = ["Address", "Channel", "ChannelType", "Contact", "Field", "contact", "require_channel"]
