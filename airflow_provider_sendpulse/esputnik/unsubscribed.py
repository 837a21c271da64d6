# SPDX-License-Identifier: Apache-2.0
"""Addresses that get no e-mail. Source: eSputnik API, "Unsubscribed e-mails".

They are addresses, not contacts: other channels of a contact stay as they are. No call lists them.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire


def add(emails: Sequence[str]) -> Call[None]:
    """Unsubscribe addresses; unsubscribing one again changes nothing.

    :raises InvalidRequest: for no addresses
    """
    return _change("/v1/emails/unsubscribed/add", emails)


def delete(emails: Sequence[str]) -> Call[None]:
    """Take addresses off the unsubscribed ones, so that they get e-mail again.

    :raises InvalidRequest: for no addresses
    """
    return _change("/v1/emails/unsubscribed/delete", emails)


def _change(path: str, emails: Sequence[str]) -> Call[None]:
    addresses = wire.many(emails)
    return Call(
        method="POST",
        path=path,
        body=JsonBody({"emails": addresses}),
        read=nothing,
        repeat=Repeat.ALWAYS,
        expect=Expect.TEXT,
        private=tuple(addresses),
    )


__all__ = ["add", "delete"]
