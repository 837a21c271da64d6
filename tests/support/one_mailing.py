# SPDX-License-Identifier: Apache-2.0
"""Run by the tests as a program: one host, with several processes that make sure that the campaign of a mailing exists.

It says that it is ready, waits for a line, lets all processes begin at once, and prints a line for each of what came of it.
Which records they share is up to the environment (``XDG_CACHE_HOME``) and to the Redis that they are given. What they need
is imported once and they are forked, because here are no threads.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from typing import Any

from airflow_provider_sendpulse.api.account import Account, ClientCredentials, Timeouts
from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.api.coordination import coordination_store
from airflow_provider_sendpulse.api.redis_store import RedisAddress
from airflow_provider_sendpulse.jobs.intent import GuessedRecord
from airflow_provider_sendpulse.jobs.mailing import Mailing, create_once
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.sendpulse import SENDPULSE
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign


def work(url: str, client_id: str, secret: str, book: int, owner: str, redis_port: int | None) -> dict[str, Any]:
    account = Account(SENDPULSE, ClientCredentials(client_id, secret), url, url, (), Timeouts(connect=10, total=20))
    store = None if redis_port is None else coordination_store(RedisAddress("127.0.0.1", redis_port))
    client = Client(account, store=store)
    marker = Marker.of(deployment="", mailing_key="weekly", edition=1)
    content = NewCampaign(
        name="Sale",
        sender_name="Shop",
        sender_email="shop@example.com",
        subject="Sale",
        body="<p>Hi</p>",
        address_book_ids=[book],
    )
    clock = SystemClock()
    outcome = create_once(
        client,
        Mailing(content, marker, since=dt.datetime.now(dt.UTC)),
        GuessedRecord(1, clock.now()),
        clock,
        client.lease(f"mailing-{marker.digest}", owner),
    )
    client.close()
    return {"campaign_id": outcome.campaign_id, "adopted": outcome.adopted}


def main(url: str, client_id: str, secret: str, book: int, owner: str, redis_port: int | None, count: int) -> None:
    waiting, starting = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(starting)
                os.read(waiting, 1)  # returns when the parent closes its end: all begin together
                told = work(url, client_id, secret, book, f"{owner} {number}", redis_port)
                os.write(1, f"outcome {json.dumps(told)}\n".encode())
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    os.close(waiting)
    os.write(1, b"ready\n")
    sys.stdin.readline()
    os.close(starting)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    import requests

    assert requests
    url, client_id, secret, book, owner, port, count = sys.argv[1:]
    main(url, client_id, secret, int(book), owner, int(port) if port else None, int(count))
