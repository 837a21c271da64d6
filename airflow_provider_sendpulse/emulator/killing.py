# SPDX-License-Identifier: Apache-2.0
"""Ending the process that sent a request, in the middle of that request."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_ESTABLISHED = "01"


class NoSuchClient(RuntimeError):
    """The process behind a connection could not be found; only Linux tells."""


def kill_client(port: int | None, victim: str) -> int:
    """Kill the process that holds the client's end of a connection, or its parent, and return its id.

    It never kills the emulator's own process, and the kernel refuses processes of other users.

    :param port: the client's port
    :param victim: ``client`` or ``parent``
    """
    process = _owner(_socket_of(port))
    if victim == "parent":
        process = _parent(process)
    if process in (os.getpid(), 1):
        raise NoSuchClient(f"the process behind port {port} is not one to kill")
    os.kill(process, signal.SIGKILL)
    return process


def _socket_of(port: int | None) -> str:
    """Return the inode of the socket bound to a port of this machine."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            columns = line.split()
            local, state, inode = columns[1], columns[3], columns[9]
            if int(local.rpartition(":")[2], 16) == port and state == _ESTABLISHED and inode != "0":
                return inode
    raise NoSuchClient(f"no connection from port {port}")


def _owner(inode: str) -> int:
    for descriptors in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(descriptor.readlink()) == f"socket:[{inode}]" for descriptor in descriptors.iterdir()):
                return int(descriptors.parent.name)
        except OSError:  # it ended, or is not ours
            continue
    raise NoSuchClient("no process of this user holds that connection")


def _parent(process: int) -> int:
    # The name of a program stands in parentheses and may hold anything.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])
