# SPDX-License-Identifier: Apache-2.0
"""The service for transactional messages. Source: SendPulse API (OpenAPI file of the SMTP service)."""

from __future__ import annotations

from airflow_provider_sendpulse.sendpulse.smtp.bounced import Bounced, bounces, bounces_total
from airflow_provider_sendpulse.sendpulse.smtp.message import Message, Person
from airflow_provider_sendpulse.sendpulse.smtp.origins import add_sender_domain, ips, sender_domains, senders
from airflow_provider_sendpulse.sendpulse.smtp.sent import (
    MOST_IDS,
    SentMessage,
    list,  # noqa: A004 - what the API calls it, as in every module of a resource
    read,
    read_many,
    send,
    total,
)
from airflow_provider_sendpulse.sendpulse.smtp.unsubscribing import (
    Unsubscribed,
    is_unsubscribed,
    remove_unsubscribed,
    resubscribe,
    unsubscribe,
    unsubscribed,
)

__all__ = [
    "MOST_IDS",
    "Bounced",
    "Message",
    "Person",
    "SentMessage",
    "Unsubscribed",
    "add_sender_domain",
    "bounces",
    "bounces_total",
    "ips",
    "is_unsubscribed",
    "list",
    "read",
    "read_many",
    "remove_unsubscribed",
    "resubscribe",
    "send",
    "sender_domains",
    "senders",
    "total",
    "unsubscribe",
    "unsubscribed",
]
