# SPDX-License-Identifier: Apache-2.0
"""Run the emulator as a process: ``python -m airflow_provider_sendpulse.emulator``."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from pathlib import Path

from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.api.call import PREFIX
from airflow_provider_sendpulse.emulator.outage import bind
from airflow_provider_sendpulse.emulator.server import Server, url_of
from airflow_provider_sendpulse.emulator.settings import InvalidSetting, Settings


class AnnouncedServer(Server):
    """A server that prints its address, and writes its port where it was asked to."""

    def __init__(self, emulator: Emulator, url: str, port_file: Path | None) -> None:
        super().__init__(emulator)
        self._url = url
        self._port_file = port_file

    def announce(self) -> None:
        """Tell the person or the script that waits."""
        if self._port_file is not None:
            # Renamed into place, so that a reader never finds half a number.
            draft = self._port_file.with_name(self._port_file.name + ".new")
            draft.write_text(self._url.rpartition(":")[2] + "\n")
            draft.replace(self._port_file)
        print(f"SendPulse emulator at {self._url}\neSputnik emulator at {self._url}{PREFIX}", flush=True)


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_sendpulse.emulator",
        description="A local SendPulse, and an eSputnik beside it, in memory.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8025, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--port-file", type=Path, help="file to write the port to")
    parser.add_argument("--seed", type=int, help="what opens and clicks are drawn from")
    parser.add_argument("--settings", type=Path, help="JSON file with settings")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, its value as JSON or plain text; may be repeated",
    )
    return parser


def read_settings(options: argparse.Namespace) -> Settings:
    """Read the settings of the command line, the later ones overriding the earlier."""
    settings = Settings()
    if options.settings is not None:
        settings.update(json.loads(options.settings.read_text()))
    for assignment in options.set:
        name, _, text = assignment.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        settings.update({name: value})
    if options.seed is not None:
        settings.update({"seed": options.seed})
    return settings


def main() -> int:
    """Serve until told to stop."""
    parser = arguments()
    options = parser.parse_args()
    try:
        settings = read_settings(options)
    except (InvalidSetting, OSError, ValueError) as error:
        parser.error(str(error))
    try:
        listener = bind(options.host, options.port)
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    logging.basicConfig(level=logging.WARNING)
    server = AnnouncedServer(Emulator(settings), url_of(listener), options.port_file)
    # The server has handlers of its own while it runs. These are for a signal that comes before that, and for
    # the one the server repeats once it has shut down, which must not count as a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    with listener:
        server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
