# SPDX-License-Identifier: Apache-2.0
"""One task that loads contacts: every try in a process of its own, through Airflow's task runner; a kill starts another."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import httpx
from execution_api import ExecutionApi
from task_runner import TaskRunner

from bench.peer import Peer
from torture.execution_server import ExecutionServer

MOST_TRIES = 3


class Numbered:
    """Rows without end in sight and without a database: every address is a number.

    :param count: how many
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every row."""
        for number in range(self._count):
            yield {"email": f"{number}@example.com", "name": f"Reader {number}", "visits": number % 97}

    def __str__(self) -> str:
        return f"{self._count} rows"


@dataclass(frozen=True)
class Load:
    """What is loaded, and how.

    :param key: static key of the account
    :param extra: more of the operator's arguments
    """

    rows: int
    batch_size: int = 500
    concurrency: int = 4
    address_book_id: int = 1
    key: str = "a-static-key-for-measuring"
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """What came of a load.

    :param counts: what the task returned
    :param seconds: of every try, with the start of its process
    :param peak: most memory that a try held, in MiB, with Airflow and all libraries
    :param grown: how much of that was not there before the load began
    :param loading: seconds that the last try was loading
    :param writes: how often the last try has written the position
    :param writing: seconds that this took
    """

    counts: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    kills: int = 0
    peak: float = 0.0
    grown: float = 0.0
    loading: float = 0.0
    writes: int = 0
    writing: float = 0.0


class KeptApi(ExecutionApi):
    """An Execution API behind one connection that is kept, as a supervisor has it."""

    writes = 0
    writing = 0.0

    def connect(self, url: str) -> None:
        """Say where the API is."""
        self._http = httpx.Client(base_url=url, trust_env=False)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        started = time.monotonic()
        answer = self._http.request(request.method, request.url.raw_path.decode(), content=request.content)
        if request.method == "PUT":
            self.writes += 1
            self.writing += time.monotonic() - started
        return httpx.Response(answer.status_code, content=answer.content, headers={"Content-Type": "application/json"})


def run(load: Load, peer: Peer, random: Random | None = None) -> Told:
    """Load contacts into a peer.

    :param random: kill the first try at a random request, before or after it is carried out
    """
    batches = -(-load.rows // load.batch_size)

    def begun(process: BaseProcess) -> None:
        if random is not None:
            peer.kill_at(random.randint(1, batches), _killing(process), after_effect=random.random() < 0.5)

    return run_to_the_end(load, peer.url, begun)


def run_to_the_end(load: Load, url: str, begun: Callable[[BaseProcess], None] | None = None) -> Told:
    """Load contacts, with another try after a kill.

    :param url: where the service is
    :param begun: is told of the process of the first try
    :raises RuntimeError: when a try ends without success, and was not killed
    """
    told = Told()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.load", "airflow_provider_sendpulse.operators.contacts"])
    with ExecutionServer() as server, tempfile.TemporaryDirectory() as cache:
        server.api = ExecutionApi(should_retry=True, max_tries=MOST_TRIES)
        server.api.running = ("add", -1)
        for try_number in range(1, MOST_TRIES + 1):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(load, try_number, server.url, url, cache, sender), daemon=True)
            started = time.monotonic()
            process.start()
            sender.close()
            if begun is not None and try_number == 1:
                begun(process)
            ended = _ended(process, receiver)
            told.seconds.append(time.monotonic() - started)
            if ended is None:
                told.kills += 1
                continue
            told.peak, told.grown, told.loading, told.writes, told.writing = ended
            told.counts = server.api.xcoms["add", "return_value", -1]
            break
    return told


def _killing(process: BaseProcess) -> Any:
    def kill() -> None:
        if process.pid is not None and process.pid != os.getpid():
            os.kill(process.pid, signal.SIGKILL)

    return kill


def _ended(process: BaseProcess, receiver: Connection) -> Any:
    """Return what a try reports, or ``None`` when it was killed."""
    try:
        state, error, *figures = receiver.recv()
    except EOFError:
        process.join()
        if process.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"the task ended with {process.exitcode} and said nothing") from None
        return None
    finally:
        process.join()
        receiver.close()
    if state != "success":
        raise RuntimeError(f"the task is {state}: {error}")
    return figures


def _work(load: Load, try_number: int, execution_url: str, url: str, cache: str, report: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Airflow's listeners and logs; the table is what is wanted
    os.environ["XDG_CACHE_HOME"] = cache
    os.environ["AIRFLOW_CONN_SENDPULSE_DEFAULT"] = json.dumps(
        {
            "conn_type": "sendpulse",
            "host": url,
            "password": load.key,
            "extra": {"requests_per_second": 100_000, "requests_per_minute": 6_000_000},
        }
    )
    from airflow.sdk import DAG

    from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator

    operator = SendPulseAddEmailsOperator(
        task_id="add",
        dag=DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)),
        address_book_id=load.address_book_id,
        contacts=Numbered(load.rows),
        batch_size=load.batch_size,
        concurrency=load.concurrency,
        **load.extra,
    )
    api = KeptApi()
    api.connect(execution_url)
    before, started = _memory(), time.monotonic()
    result = TaskRunner(api).leg(operator, try_number=try_number)
    loading = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report.send((result.state, str(result.error or ""), peak, peak - before, loading, api.writes, api.writing))


def _memory() -> float:
    """Return what this process holds now, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


__all__ = ["Load", "Numbered", "Told", "run", "run_to_the_end"]
