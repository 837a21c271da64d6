# SPDX-License-Identifier: Apache-2.0
"""Records in Redis, for processes on many hosts.

A change reads the record, works out the new one here, and writes it only where the old one is still there: a small script
compares and sets in one step, so nothing is locked and nobody waits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_sendpulse.api.shared import Busy, Change, Record
from airflow_provider_sendpulse.api.unreachable import Unreachable

if TYPE_CHECKING:
    from redis import Redis

R = TypeVar("R")

PREFIX = "airflow-provider-sendpulse:"

KEPT = 86_400.0
"""Seconds after its last change for which a record is kept; every change begins them anew. Nothing in one is of use for
longer: a token lives for an hour."""

TIMEOUT = 2.0
"""Seconds to wait for a connection, and for an answer."""

# A repeat of a command that was carried out, and whose answer was lost, finds its own writing and counts as done.
_COMPARE_AND_SET = """
local there = redis.call('GET', KEYS[1]) or ''
if there == ARGV[2] then return 1 end
if there ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis is and how to get in.

    :param tls: ``None`` for a plain connection, else redis-py's arguments for TLS, such as ``ssl_ca_certs``
    """

    host: str = "localhost"
    port: int = 6379
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: tuple[tuple[str, Any], ...] | None = field(default=None, repr=False)

    def open(self) -> RedisStore:
        """Return the records that are kept there; nothing is asked of it yet.

        :raises ImportError: when redis-py is not installed
        """
        return RedisStore(self)


class RedisStore:
    """Records in Redis. Threads may share it, and a forked process makes connections of its own.

    :param address: where
    :param prefix: what the names of all records begin with
    :raises ImportError: when redis-py is not installed
    """

    remote = True

    def __init__(self, address: RedisAddress, *, prefix: str = PREFIX) -> None:
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as Lost
        from redis.exceptions import TimeoutError as Late
        from redis.retry import Retry

        tls: Mapping[str, Any] = {} if address.tls is None else {"ssl": True, **dict(address.tls)}
        self._failure = RedisError
        self._prefix = prefix
        self._redis: Redis = Redis(
            host=address.host,
            port=address.port,
            db=address.database,
            username=address.username,
            password=address.password,
            socket_connect_timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            # Once more at once, for a connection that was closed while it lay idle.
            retry=Retry(NoBackoff(), 1),
            retry_on_error=[Lost, Late],
            health_check_interval=30,
            protocol=2,  # also a Redis before version 6 knows it
            **tls,
        )
        self._compare_and_set = self._redis.register_script(_COMPARE_AND_SET)

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record where nobody else does at the same moment.

        :raises Busy: when somebody else was faster
        :raises Unreachable: when Redis cannot be reached or refuses
        """
        name = self._prefix + key
        try:
            there: Any = self._redis.get(name)
        except (self._failure, OSError) as error:
            raise Unreachable.because(error) from None
        old = there if isinstance(there, bytes) else b""
        record, result = change(_read(old))
        if record is None:
            return result
        # What is written is like nothing else, so that the script can tell it from what others write.
        new = uuid.uuid4().hex.encode() + b"\n" + json.dumps(record).encode()
        try:
            done = self._compare_and_set(keys=[name], args=[old, new, int(KEPT * 1000)])
        except (self._failure, OSError) as error:
            raise Unreachable.because(error) from None
        if not done:
            raise Busy(key)
        return result

    def close(self) -> None:
        """Close kept connections."""
        self._redis.close()


def _read(content: bytes) -> Record | None:
    try:
        value = json.loads(content.partition(b"\n")[2])
    except ValueError:  # none, or a damaged one, which is as good as none
        return None
    return value if isinstance(value, dict) else None


__all__ = ["KEPT", "PREFIX", "TIMEOUT", "RedisAddress", "RedisStore"]
