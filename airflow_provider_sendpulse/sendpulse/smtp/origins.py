# SPDX-License-Identifier: Apache-2.0
"""What transactional messages come from: addresses, domains and IP addresses."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.sendpulse import wire


def ips() -> Call[list[str]]:
    """Return the IP addresses that messages are sent from."""
    return Call(method="GET", path="/smtp/ips", read=wire.texts, repeat=Repeat.ALWAYS)


def senders() -> Call[list[str]]:
    """Return the addresses that transactional messages may come from."""
    return Call(method="GET", path="/smtp/senders", read=wire.texts, repeat=Repeat.ALWAYS)


def sender_domains() -> Call[list[Any]]:
    """Return the sender domains as the service writes them."""
    return Call(
        method="GET",
        path="/v2/email-service/smtp/sender_domains",
        read=_domains,
        repeat=Repeat.ALWAYS,
    )


def add_sender_domain(domain: str) -> Call[None]:
    """Add a sender domain; it has to be proven by entries in its zone."""
    return Call(
        method="POST",
        path="/v2/email-service/smtp/sender_domains/{domain}",
        values={"domain": domain},
        read=lambda answer: wire.confirmed(wire.record(answer)["data"]),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def _domains(answer: Any) -> list[Any]:
    data = wire.record(answer).get("data")
    inner = data.get("data") if isinstance(data, dict) else data
    if not isinstance(inner, list):
        raise TypeError("expected a list of domains")
    return inner


__all__ = ["add_sender_domain", "ips", "sender_domains", "senders"]
