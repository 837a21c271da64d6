# SPDX-License-Identifier: Apache-2.0
"""Runs operators through Airflow's own task runner, and their triggers in a real event loop, as Airflow would."""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from uuid import uuid4

from airflow.sdk.api.datamodels._generated import TaskInstance
from airflow.sdk.execution_time import supervisor
from execution_api import ExecutionApi

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS


@dataclass
class Result:
    """What one leg of a task came to."""

    state: str
    error: BaseException | None
    value: Any
    api: ExecutionApi
    rendered: dict[str, Any]
    log: str
    deferral: dict[str, Any] | None = None
    event: Any = None
    legs: list[str] = field(default_factory=list)


class Records(logging.Handler):
    """Collects what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {self.format(record)}")


class TaskRunner:
    """One DAG run's tasks.

    :param api: where the run keeps its state; the same one for a retry of the task
    """

    def __init__(self, api: ExecutionApi | None = None) -> None:
        self.api = api or ExecutionApi()

    def leg(self, operator: Any, *, try_number: int = 1, map_index: int = -1) -> Result:
        """Run a task until it ends or defers, as a worker does."""
        self.api.states.clear()
        instance = TaskInstance(
            id=uuid4(),
            task_id=operator.task_id,
            dag_id=self.api.dag_id,
            run_id=self.api.run_id,
            try_number=try_number,
            dag_version_id=uuid4(),
            map_index=map_index,
        )
        records = Records()
        root = logging.getLogger()
        level = root.level
        root.addHandler(records)
        root.setLevel(logging.INFO)
        try:
            outcome = self._supervised(instance, operator)
        finally:
            root.removeHandler(records)
            root.setLevel(level)
        state = getattr(outcome.state, "value", str(outcome.state))
        deferral = next((body for body in self.api.states if body.get("state") == "deferred"), None)
        return Result(
            state="deferred" if deferral else state,
            error=outcome.error,
            value=self.api.xcoms.get((operator.task_id, "return_value", map_index)),
            api=self.api,
            rendered=dict(self.api.rendered),
            log="\n".join(records.lines),
            deferral=deferral,
        )

    def _supervised(self, instance: TaskInstance, operator: Any) -> Any:
        client = self.api.client()
        if AIRFLOW_V_3_3_PLUS:
            return supervisor.run_task_in_process(instance, operator, client=client)
        # Older releases build the client themselves.
        with mock.patch.object(supervisor.InProcessTestSupervisor, "_api_client", staticmethod(lambda *_, **__: client)):
            return supervisor.run_task_in_process(instance, operator)

    def run(self, operator: Any, *, try_number: int = 1, map_index: int = -1, before_trigger: Any = None) -> Result:
        """Run a task through all its deferrals."""
        legs, log = [], ""
        event: Any = None
        result = self.leg(operator, try_number=try_number, map_index=map_index)
        while True:
            legs.append(result.state)
            log += result.log
            if result.deferral is None:
                break
            if before_trigger is not None:
                before_trigger()
            event = self.trigger_event(result.deferral)
            self.api.next_method = result.deferral["next_method"]
            self.api.next_kwargs = self._resumed(result.deferral, event)
            try:
                result = self.leg(operator, try_number=try_number, map_index=map_index)
            finally:
                self.api.next_method = self.api.next_kwargs = None
        result.legs, result.log, result.event = legs, log, event
        return result

    @staticmethod
    def trigger(deferral: dict[str, Any]) -> Any:
        """Return the trigger as the triggerer builds it: from its class path and serialized arguments."""
        from airflow.sdk.serde import deserialize

        module, _, name = deferral["classpath"].rpartition(".")
        kwargs = _decoded(deferral["trigger_kwargs"], deserialize)
        return getattr(importlib.import_module(module), name)(**kwargs)

    def trigger_event(self, deferral: dict[str, Any]) -> Any:
        """Run the trigger in an event loop and return the payload of its first event."""

        async def first() -> Any:
            trigger = self.trigger(deferral)
            try:
                async for event in trigger.run():
                    return event.payload
            finally:
                await trigger.cleanup()
            return None

        return asyncio.run(first())

    @staticmethod
    def _resumed(deferral: dict[str, Any], event: Any) -> Any:
        from airflow.sdk.serde import deserialize, serialize

        kwargs = _decoded(deferral.get("next_kwargs") or {}, deserialize)
        return serialize({**kwargs, "event": event})


def _decoded(value: Any, deserialize: Any) -> Any:
    decoded = deserialize(value)
    return decoded if decoded is not None else {}
