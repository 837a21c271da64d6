# SPDX-License-Identifier: Apache-2.0
"""Cleans up after a demo that was killed: ``python -m demo.keeper``.

It is told on its standard input which sessions begin (``+id``) and end (``-id``). That input ends when the demo does,
however that comes about; then the keeper ends what is left, which is nothing unless the demo was killed.
"""

from __future__ import annotations

import signal
import sys

from demo.processes import ask_to_end, end_sessions


def main() -> None:
    """Wait for the end of the demo."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sessions: set[int] = set()
    for line in sys.stdin:
        session = int(line[1:])
        if line.startswith("+"):
            sessions.add(session)
        else:
            sessions.discard(session)
    for session in sessions:
        ask_to_end(session)
    end_sessions(sessions)


if __name__ == "__main__":
    main()
