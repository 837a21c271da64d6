# SPDX-License-Identifier: Apache-2.0
"""``make bench``: 1,000,000 contacts through a SIGKILL, and what loading costs beside a bare loop."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))

from bench.load import Load, Numbered, Told, run
from bench.peer import Peer


def main() -> int:
    """Measure, and print what was measured; fail only when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}, Python {sys.version.split()[0]}, seed {arguments.seed}\n"
    )
    few = _undisturbed(Load(min(arguments.rows, 20_000)))
    some = _undisturbed(Load(min(arguments.rows, 200_000)))
    all_rows, held = _killed(Load(arguments.rows), random.Random(arguments.seed))
    bare = _bare(some.counts["read"], Load(0).batch_size)
    alone = some.counts["read"] / some.loading
    print(f"\n{'a bare loop of the requests library':44}{bare:12,.0f} rows/s   1.00")
    print(f"{'the task, without the start of its process':44}{alone:12,.0f} rows/s   {alone / bare:.2f}")
    print("\nmemory above that at the start of the task:")
    for told in (few, some, all_rows):
        print(f"  {told.counts['read']:>9,} rows: {told.grown:4.0f} MiB")
    _latency()
    return 0 if held else 1


def _undisturbed(load: Load) -> Told:
    with Peer(load.rows) as peer:
        told = run(load, peer)
        _say(load, told, peer)
        return told


def _killed(load: Load, chance: random.Random) -> tuple[Told, bool]:
    with Peer(load.rows) as peer:
        told = run(load, peer, chance)
        _say(load, told, peer)
        window = load.concurrency * load.batch_size
        complete = told.counts["skipped"] + told.counts["accepted"] == load.rows and peer.missing == 0
        held = complete and peer.again <= window and told.kills == 1
        print(f"  sent again: {peer.again:,} rows; a window of {window:,} is promised: {'held' if held else 'BROKEN'}")
        return told, held


def _say(load: Load, told: Told, peer: Peer) -> None:
    seconds = sum(told.seconds)
    print(
        f"{load.rows:>9,} rows in {seconds:6.1f} s ({load.rows / seconds:,.0f}/s), {told.kills} kills, "
        f"{peer.requests:,} requests, {peer.missing} missing, peak {told.peak:.0f} MiB; last try: {told.loading:.1f} s, "
        f"{told.writes:,} positions written, {1000 * told.writing / max(told.writes, 1):.1f} ms each",
        flush=True,
    )


def _bare(rows: int, batch_size: int) -> float:
    """Return rows a second of a loop that posts the same bodies and does nothing else."""
    import requests

    with Peer(rows) as peer, requests.Session() as session:
        session.trust_env = False
        started = time.monotonic()
        batch = []
        for row in Numbered(rows).rows():
            batch.append({"email": row.pop("email"), "variables": row})
            if len(batch) == batch_size:
                body = json.dumps({"emails": batch}).encode()
                session.post(f"{peer.url}/addressbooks/1/emails", data=body, timeout=60).raise_for_status()
                batch = []
        return rows / (time.monotonic() - started)


def _latency(seconds: float = 0.05, rows: int = 50_000) -> None:
    """Print how loads with one and four requests at a time compare where every answer takes a while."""
    print(f"\nwith {seconds * 1000:.0f} ms until every answer:")
    first = 0.0
    for concurrency in (1, 4):
        with Peer(rows, seconds) as peer:
            told = run(Load(rows, concurrency=concurrency), peer)
        rate = rows / told.loading
        first = first or rate
        print(f"  concurrency {concurrency}: {rate:10,.0f} rows/s   {rate / first:.2f}")


if __name__ == "__main__":
    sys.exit(main())
