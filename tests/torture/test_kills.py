# SPDX-License-Identifier: Apache-2.0
"""A few rows of the torture: the requests of eSputnik's operators that send and that write, killed before and after.

``make torture`` kills every request of every example; what is here is quick enough to run with all other tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from examples import ROOT

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS
from torture.requests_matrix import RequestsMatrix
from torture.subjects.esputnik_contacts import EsputnikSignUp
from torture.subjects.every import subjects_of

# Of what is asked for several times it is the second: then something of it is done already.
REQUESTS = [
    ("esputnik_messages", "events.send_v2"),
    ("esputnik_messages", "orders.add"),
    ("esputnik_messages", "messages.smartsend"),
    ("esputnik_sign_up", "contacts.subscribe"),
    ("esputnik_customer", "contacts.upsert"),
    ("esputnik_segments", "segments.detach"),
    ("esputnik_segments", "segments.attach"),
    ("esputnik_segments", "contacts.delete"),
    ("sendpulse_to_esputnik", "unsubscribed.add"),
    ("sendpulse_to_esputnik", "contacts.import"),
]
pytestmark = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="needs the task state store of Airflow 3.3")


class Matrices:
    """The matrix of every subject that is asked for, each with a run in which nobody is killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._made: dict[str, tuple[RequestsMatrix, list[str]]] = {}
        self.lines: list[str] = []

    def of(self, name: str) -> tuple[RequestsMatrix, list[str]]:
        """Return the matrix of a subject, and the requests of a run."""
        if name not in self._made:
            [subject] = subjects_of(name)
            matrix = self._stack.enter_context(RequestsMatrix(subject, self.lines.append, self._folder))
            self._made[name] = matrix, matrix.baseline()
        return self._made[name]


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrices]:
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        # The process that all others are forked from finds its modules by this alone.
        environment.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")]))
        yield Matrices(tmp_path_factory.mktemp("torture"), stack)


@pytest.mark.parametrize(("name", "request_name"), REQUESTS)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_killed_at_a_request(matrices: Matrices, name: str, request_name: str, after_effect: bool) -> None:
    matrix, operations = matrices.of(name)
    operation = f"esputnik.{request_name}"
    places = [number for number, made in enumerate(operations, start=1) if made == operation]
    # What is wrong would be that nobody was killed there, too.
    assert matrix.kill(places[:2][-1], operation, after_effect=after_effect) == []


def test_a_kill_that_meets_nothing_is_no_success(matrices: Matrices) -> None:
    matrix, operations = matrices.of("esputnik_sign_up")
    faults: Any = matrix.kill(len(operations) + 1, "esputnik.contacts.subscribe", after_effect=True)
    assert faults == ["the kill has met no request", "0 KILLED"]
    assert matrix.kill(1, "esputnik.contacts.update", after_effect=False)[0].startswith(
        "the kill has met ['esputnik.contacts.sub"
    )


def test_a_retry_with_nothing_left_to_import(matrices: Matrices) -> None:
    # Everything is imported when the last answer is lost: who has bought nothing leaves the segment all the same.
    matrix, operations = matrices.of("esputnik_audience")
    reads = [number for number, made in enumerate(operations, start=1) if made == "esputnik.imports.read"]
    assert matrix.kill(reads[-1], "esputnik.imports.read", after_effect=True) == []


class Resent(EsputnikSignUp):
    """Somebody who is asked again when it is not known whether they were asked; eSputnik refuses no repeat."""

    changes: Mapping[str, Any] = {"if_in_doubt": "resend"}
    settings: Mapping[str, Any] = {"esputnik_repeat_seconds": None}


def test_who_is_reached_twice_is_found(matrices: Matrices, tmp_path: Path) -> None:
    with RequestsMatrix(Resent(), matrices.lines.append, tmp_path) as matrix:
        matrix.baseline()
        assert matrix.kill(1, "esputnik.contacts.subscribe", after_effect=False) == []
        found = matrix.kill(1, "esputnik.contacts.subscribe", after_effect=True)
    assert "1 subscribeUpdateFromApi-webshop events too many or changed" in found
