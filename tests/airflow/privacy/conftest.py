# SPDX-License-Identifier: Apache-2.0
"""Everybody is talkative, every file lies in one place, and there is somebody who looks."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import HASH, SECRET
from contact_file import served_file
from esputnik_state import EsputnikState
from watch import Watch


@pytest.fixture(autouse=True)
def canaries(connect: Any, connect_esputnik: Any, emulator: Any) -> Callable[..., None]:
    """Connections with secrets that are canaries; call it to set them once more, with another timeout."""
    emulator.configure(client_secret=SECRET, esputnik_keys=[SECRET])

    def set_connections(timeout: float = 5) -> None:
        event_urls = {"paid": f"{emulator.url}/events/id/{HASH}/5000001"}
        connect(password=SECRET, extra={"event_urls": event_urls, "timeout": timeout})
        connect_esputnik(password=SECRET, extra={"timeout": timeout})

    set_connections()
    return set_connections


@pytest.fixture(autouse=True)
def talkative() -> Iterator[None]:
    """Let all that could log what we send do so in full."""
    names = ("airflow_provider_sendpulse", "httpx", "httpcore", "urllib3", "requests", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep all files that can be written in one place, and let the modes be those that were asked for."""
    folder = tmp_path / "written"
    for name in ("home", "tmp", "here"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.chdir(folder / "here")
    before = os.umask(0)
    yield folder
    os.umask(before)


@pytest.fixture
def watch(capfd: Any, emulator: Any, written: Path) -> Watch:
    """Looks for canaries, and for all tokens that were given."""
    return Watch(capfd, written, written.parent / "kept", lambda: emulator.state.tokens._expiry)


@pytest.fixture
def esputnik(emulator: Any) -> EsputnikState:
    """The emulated account of eSputnik."""
    return EsputnikState(emulator)


@pytest.fixture(scope="session")
def contact_file() -> Iterator[str]:
    """The URL of a file of contacts, with user name and password."""
    with served_file() as serve:
        yield serve()
