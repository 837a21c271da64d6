# SPDX-License-Identifier: Apache-2.0
"""Tasks that mail, in the runs of one DAG, with an inbox to look into: a campaign's, and a broadcast's."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from airflow.sdk import DAG
from broadcasting import LETTER, Newsletter
from execution_api import ExecutionApi
from metadata_database import Start
from task_runner import Result, TaskRunner

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.esputnik.broadcasts import EsputnikCreateBroadcastOperator

READERS = ("ada@example.com", "grace@example.com")
LISTED_AFTER = 60.0


class Killed(BaseException):
    """The end of a worker's process; nothing in the task can catch it."""


class Mailer(ABC):
    """A task that mails.

    :param emulator: the services
    :param connect: sets the connection
    """

    noun: ClassVar[str]
    """What it creates, which is also the key of its XCom."""

    creation: ClassVar[str]
    """The call that creates it."""

    operation: ClassVar[str]
    """What the emulator calls that."""

    kind: ClassVar[str]
    """What the emulator calls the messages."""

    hook: ClassVar[type[Any]]
    conflict: ClassVar[str]
    gone: ClassVar[str]
    other_content: ClassVar[dict[str, Any]]
    """Arguments of the operator for another mailing."""

    def __init__(self, emulator: Any, connect: Callable[..., None]) -> None:
        self.emulator = emulator
        self.connect = connect
        self.arguments: dict[str, Any] = {}
        self._stored: dict[str, Any] = {}

    @abstractmethod
    def operator_of(self, **arguments: Any) -> Any:
        """Return the operator."""

    @property
    @abstractmethod
    def ids(self) -> list[int]:
        """All mailings that there are."""

    @abstractmethod
    def list_late(self) -> None:
        """Let the service list what is created a minute later."""

    @abstractmethod
    def delete(self, number: int) -> None:
        """Delete a mailing past the API, as a person can do."""

    @abstractmethod
    def fail_after_mailing(self, start: Start) -> None:
        """Run the task, which creates the mailing and fails afterwards."""

    @abstractmethod
    def _finish(self) -> None:
        """Let everything go out that still can."""

    def runner(self, start: Start) -> TaskRunner:
        """Return what runs a task as it was started; what an earlier one has stored is there if Airflow kept it."""
        begin, end = start.data_interval_start, start.data_interval_end
        api = ExecutionApi(
            dag_id=start.dag_id,
            run_id=start.run_id,
            run_type=start.run_type,
            clear_number=start.clear_number,
            logical_date=start.logical_date,
            run_after=start.run_after,
            store=self._stored if start.stored else {},
        )
        if begin is None or end is None:
            api.data_interval = False
        else:
            api.interval = (begin, end)
        self._stored = api.store
        return TaskRunner(api)

    def run(self, start: Start, **arguments: Any) -> Result:
        """Run the task as it was started."""
        return self.runner(start).run(self.operator(start, **arguments), try_number=start.try_number)

    def operator(self, start: Start, **arguments: Any) -> Any:
        """Return the operator, as every process that reads the DAG file anew makes it."""
        dag = DAG(start.dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        return self.operator_of(**{**self.arguments, **arguments, "task_id": start.task_id, "dag": dag})

    @property
    def creations(self) -> int:
        """How often the service was asked to create one."""
        return int(self.emulator.requests.counts().get(self.operation, 0))

    def mails(self) -> Counter[str]:
        """Let everything go out that still can, and return how many mails everybody has got."""
        self.emulator.advance(3600)
        self._finish()
        # A double opt-in and the like mail, too.
        return Counter(message["to"] for message in self.emulator.inbox() if message["kind"] == self.kind)

    @contextlib.contextmanager
    def killed_at_the_creation(self, *, after: bool) -> Iterator[None]:
        """Kill the worker at the request that creates."""
        send = self.hook.send

        def sending(hook: Any, call: Any) -> Any:
            creates = call.operation == self.creation
            if creates and not after:
                raise Killed
            answer = send(hook, call)
            if creates:
                raise Killed
            return answer

        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(self.hook, "send", sending)
            yield


class CampaignMailer(Mailer):
    """A campaign of SendPulse."""

    noun = "campaign"
    creation = "POST /campaigns"
    operation = "campaigns.create"
    kind = "campaign"
    hook = SendPulseHook
    conflict = "CampaignConflict"
    gone = "CampaignNotSent"
    other_content: ClassVar[dict[str, Any]] = {"subject": "Other news"}

    def __init__(self, account: Any, campaign_of: Callable[..., Any], connect: Callable[..., None]) -> None:
        super().__init__(account.emulator, connect)
        self.account = account
        self.operator_of = campaign_of  # type: ignore[method-assign]
        self.arguments = {"address_book_id": account.book("Readers", READERS), "wait_for_completion": True}

    def operator_of(self, **arguments: Any) -> Any:
        raise NotImplementedError

    @property
    def ids(self) -> list[int]:
        return [campaign["id"] for campaign in self.account.campaigns]

    def list_late(self) -> None:
        self.emulator.configure(campaign_visibility_seconds=LISTED_AFTER)

    def delete(self, number: int) -> None:
        with self.emulator.emulator.lock:
            # The dashboard can do that, the API cannot.
            self.emulator.state.campaigns._campaigns.pop(number)

    def fail_after_mailing(self, start: Start) -> None:
        self.emulator.configure(next_campaign_outcomes=[[15]])
        result = self.run(start, timeout=0.2)
        assert type(result.error).__name__ == "DeadlinePassed"
        self.account.force(self.ids[0], 7, 3)

    def _finish(self) -> None:
        statuses: list[int] = []
        with SendPulseHook() as hook:
            # Every read moves a campaign on; one that has arrived stays as it is.
            while statuses != (now := [hook.send(sp.campaigns.read(number)).status for number in self.ids]):
                statuses = now


class BroadcastMailer(Mailer):
    """A broadcast of eSputnik, whose task ends when it is created."""

    noun = "broadcast"
    creation = "POST /v1/broadcast"
    operation = "esputnik.broadcasts.create"
    kind = "broadcast"
    hook = EsputnikHook
    conflict = "BroadcastConflict"
    gone = "BroadcastNotSent"

    def __init__(self, newsletter: Newsletter, connect: Callable[..., None]) -> None:
        super().__init__(newsletter.emulator, connect)
        self.newsletter = newsletter
        newsletter.segment("Readers", *READERS)
        with self.emulator.emulator.lock:
            other = self.emulator.state.esputnik.messages.create("email", LETTER).id
        self.other_content = {"message_id": other}  # type: ignore[misc]
        self.arguments = {"title": "News", "message_id": newsletter.message, "groups": "Readers"}

    def operator_of(self, **arguments: Any) -> Any:
        return EsputnikCreateBroadcastOperator(**arguments)

    @property
    def ids(self) -> list[int]:
        return [broadcast["id"] for broadcast in self.newsletter.broadcasts]

    def list_late(self) -> None:
        self.emulator.configure(esputnik_broadcast_visibility_seconds=LISTED_AFTER)

    def delete(self, number: int) -> None:
        with self.emulator.emulator.lock:
            self.emulator.state.esputnik.broadcasts._broadcasts.pop(number)

    def fail_after_mailing(self, start: Start) -> None:
        # It does not wait for anything; but it can fail to hand on the id.
        runner = self.runner(start)
        runner.api.broken_xcoms = True
        result = runner.run(self.operator(start), try_number=start.try_number)
        assert result.state == "failed"
        assert len(self.ids) == 1

    def _finish(self) -> None:
        """The clock has moved it on."""


__all__ = ["READERS", "BroadcastMailer", "CampaignMailer", "Mailer"]
