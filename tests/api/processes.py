# SPDX-License-Identifier: Apache-2.0
"""Run by the tests as a program: many processes that share one account through the cache directory.

The API floor is imported once and the processes are forked from here, because here are no threads.
"""

from __future__ import annotations

import os
import signal
import sys

import httpx
import requests
from fakes import TOKEN_PATH, account

from airflow_provider_sendpulse.api.account import Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.api.messages import Request
from airflow_provider_sendpulse.api.requests_transport import RequestsTransport


class KilledAtTokenCall(RequestsTransport):
    def send(self, request: Request) -> None:
        assert request.url.endswith(TOKEN_PATH)
        os.kill(os.getpid(), signal.SIGKILL)


def work(api_url: str, per_second: float, killed: bool) -> None:
    timeouts = Timeouts(connect=10, total=20)
    whose = account(api_url, limits=(Limit(per_second, 1),), timeouts=timeouts)
    client = Client(whose, transport=KilledAtTokenCall(timeouts) if killed else None)
    assert client.send(Call.raw("GET", "/books")) == {"result": True}
    client.close()


def main(api_url: str, count: int, per_second: float, killed: bool) -> None:
    waiting, starting = os.pipe()
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(starting)
                os.read(waiting, 1)  # returns when the parent closes its end: all start together
                work(api_url, per_second, killed)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    os.close(waiting)
    os.close(starting)
    for child in children:
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    assert httpx
    assert requests
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "killed")
