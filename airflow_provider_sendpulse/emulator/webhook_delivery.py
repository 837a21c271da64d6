# SPDX-License-Identifier: Apache-2.0
"""Sending a batch of events to a URL of this machine, and to no other."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
from typing import Any
from urllib.parse import urlsplit


class NotLoopback(ValueError):
    """The URL does not lead to this machine, so nothing is sent."""


def deliver(url: str, events: list[dict[str, Any]], timeout: float) -> int:
    """Send events as a JSON array and return the HTTP status of the answer. Redirects are not followed.

    :param timeout: seconds that connecting and answering may each take
    :raises NotLoopback: the URL leads elsewhere, or is no HTTP URL
    :raises OSError: nobody answered
    """
    parts = urlsplit(url)
    address, port = loopback_address(url)
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        target = parts.path or "/"
        headers = {"Content-Type": "application/json", "Host": parts.netloc.rpartition("@")[2]}
        body = json.dumps(events, ensure_ascii=False).encode()
        connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, headers)
        answer = connection.getresponse()
        answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer: {type(error).__name__}") from error
    finally:
        connection.close()
    return answer.status


def loopback_address(url: str) -> tuple[str, int]:
    """Return the address and port of this machine that a URL means; the name is looked up once, and that is used.

    :raises NotLoopback: it means another machine, or is no HTTP URL
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise NotLoopback(f"no URL: {error}") from error
    if parts.scheme != "http" or not host:
        raise NotLoopback("only http URLs of this machine are pushed to")
    if host.lower() == "localhost":
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # IPv4 first: what a test serves there, it serves on 127.0.0.1.
        addresses = [str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0] != socket.AF_INET)]
    else:
        addresses = [host]
    for address in addresses:
        if _is_loopback(address):
            return address, port
    raise NotLoopback("only URLs of this machine are pushed to: 127.0.0.1, ::1, localhost")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
