# SPDX-License-Identifier: Apache-2.0
"""Loads what waits need beside the event loop: importing it and reading certificates takes tenths of a second."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import weakref

_OURS = (
    "airflow_provider_sendpulse.triggers.polling",
    "airflow_provider_sendpulse.hooks.sendpulse",
    "airflow_provider_sendpulse.hooks.esputnik",
    "airflow_provider_sendpulse.jobs.cancelling",
    "airflow_provider_sendpulse.jobs.esputnik.session_waiting",
)

# What the first look-up of a connection and the first token would load inside the loop, in the releases that have it.
_THEIRS = (
    "airflow.sdk.definitions.connection",
    "airflow.sdk.execution_time.cache",
    "asgiref.sync",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.hashes",
    "cryptography.hazmat.primitives.kdf.hkdf",
)

_is_loaded = False
_loading: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


async def loaded() -> None:
    """Return when everything is loaded; whoever comes first has it done in a thread, once per process."""
    global _is_loaded
    # One thread for all waits that begin together: the others would keep the triggerer's few threads from its work.
    async with _loading.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        if not _is_loaded:
            await asyncio.to_thread(_load)
            _is_loaded = True


def _load() -> None:
    for name in _OURS:
        importlib.import_module(name)
    for name in _THEIRS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from airflow_provider_sendpulse.api.httpx_transport import prepare

    prepare()


__all__ = ["loaded"]
