# SPDX-License-Identifier: Apache-2.0
"""The other tests here would find a canary."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from canaries import ADDRESS, CANARIES
from task_runner import records
from watch import Watch


def test_what_is_logged_is_seen(account: Any, watch: Watch) -> None:
    """This request is not ours, so everything about it is logged."""
    with records() as handler:
        requests.get(f"{account.emulator.url}/{ADDRESS}", timeout=5)
    with pytest.raises(AssertionError, match="canary"):
        watch.words({"log": "\n".join(handler.lines)})


@pytest.mark.parametrize("canary", CANARIES)
def test_every_canary_is_seen(watch: Watch, canary: str) -> None:
    with pytest.raises(AssertionError, match="in log"):
        watch.words({"log": f"line\nsaid {canary}."})
    (watch.written / "home" / "file").write_text(canary)
    (watch.written / "home" / "file").chmod(0o600)
    with pytest.raises(AssertionError, match="home/file"):
        watch.files()


@pytest.mark.parametrize("folder", ["written", "kept"])
def test_a_file_for_everybody_is_seen(watch: Watch, folder: str) -> None:
    path = getattr(watch, folder) / "open"
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    with pytest.raises(AssertionError, match="mode 666"):
        watch.files()
