# SPDX-License-Identifier: Apache-2.0
"""One client in several threads: each keeps a connection of its own, and all end when the client is closed."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_sendpulse.api.account import Timeouts
from airflow_provider_sendpulse.api.messages import Answer, Request
from airflow_provider_sendpulse.api.requests_transport import RequestsTransport

THREADS = 4


@pytest.fixture
def transport():
    transport = RequestsTransport(Timeouts(connect=5.0, total=10.0))
    yield transport
    transport.close()


def in_threads(count, work):
    barrier = threading.Barrier(count)
    failures = []

    def run():
        try:
            work(barrier)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_every_thread_keeps_one_connection(transport, peer):
    def work(barrier):
        for _ in range(3):
            barrier.wait(30)  # all of them at the same time
            answer = transport.send(Request("GET", f"{peer.url}/books", {}, None, fresh_connection=False))
            assert isinstance(answer, Answer)

    in_threads(THREADS, work)
    assert (len(peer.requests), peer.connections) == (3 * THREADS, THREADS)


def test_closing_ends_the_connections_of_all_threads(transport, peer):
    request = Request("GET", f"{peer.url}/books", {}, None, fresh_connection=False)
    sessions = []

    def work(barrier):
        transport.send(request)
        sessions.append(transport._kept.session)
        barrier.wait(30)

    in_threads(THREADS, work)
    pools = [session.get_adapter(peer.url).poolmanager.pools for session in sessions]
    assert [len(pool) for pool in pools] == [1] * THREADS
    transport.close()
    assert [len(pool) for pool in pools] == [0] * THREADS
    # It can be used again.
    assert isinstance(transport.send(request), Answer)
