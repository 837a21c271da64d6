# SPDX-License-Identifier: Apache-2.0
"""Secrets that threads come by: hidden at once, and told on by the task's own thread only."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from airflow.sdk.execution_time.supervisor import InProcessSupervisorComms

from airflow_provider_sendpulse.hooks.masking import Masking
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator


def in_a_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)


def test_the_owner_tells_at_once_and_only_once() -> None:
    told: list[str] = []
    hidden: list[str] = []
    masking = Masking(told.append, hidden.append)
    for _ in range(3):
        masking("a secret")
    assert (told, hidden) == (["a secret"], ["a secret"])


def test_other_threads_hide_and_the_owner_tells() -> None:
    told: list[tuple[str, int]] = []
    hidden: list[str] = []
    masking = Masking(lambda secret: told.append((secret, threading.get_ident())), hidden.append)
    in_a_thread(lambda: masking("a secret"))
    assert (told, hidden) == ([], ["a secret"])
    masking.tell()
    masking.tell()
    assert told == [("a secret", threading.get_ident())]


@pytest.mark.usefixtures("connect")
def test_only_the_tasks_thread_talks_to_airflow(
    runner: Any, dag: Any, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when threads fetch the first token and another one in the middle."""
    spoke: list[tuple[str, bool]] = []
    masked: set[str] = set()
    send = InProcessSupervisorComms.send

    def watched(self: Any, msg: Any) -> Any:
        spoke.append((type(msg).__name__, threading.current_thread() is threading.main_thread()))
        if type(msg).__name__ == "MaskSecret":
            masked.add(str(msg.value))
        return send(self, msg)

    monkeypatch.setattr(InProcessSupervisorComms, "send", watched)
    account.emulator.faults.add("revoke_tokens", operation="contacts.add", after=10)
    book_id = account.book(emails=[])
    rows = [f"reader{number}@example.com" for number in range(600)]
    operator = SendPulseAddEmailsOperator(
        task_id="add", dag=dag, address_book_id=book_id, contacts=rows, batch_size=20, concurrency=4
    )
    result = runner.run(operator)
    assert result.state == "success", result.error
    assert [kind for kind, mine in spoke if not mine] == []
    tokens = account.emulator.requests.counts()["tokens.issue"]
    assert tokens == 2
    # Every token that is in use was told once, and nothing was told for every call.
    assert len([kind for kind, _ in spoke if kind == "MaskSecret"]) < 10
    assert set(account.emulator.state.tokens._expiry) <= masked
