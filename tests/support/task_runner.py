# SPDX-License-Identifier: Apache-2.0
"""Runs operators through Airflow's own task runner, and their triggers in a real event loop, as Airflow would."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import importlib
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest import mock
from uuid import uuid4

import structlog
from airflow.sdk import BaseOperator
from airflow.sdk.api.datamodels._generated import TaskInstance
from airflow.sdk.execution_time import supervisor
from airflow.sdk.execution_time import task_runner as airflow_runner
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from execution_api import ExecutionApi

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

# Airflow builds one for every template field of every run; those of one type are alike.
if hasattr(airflow_runner, "TypeAdapter"):
    airflow_runner.TypeAdapter = cache(airflow_runner.TypeAdapter)


@dataclass
class Result:
    """What a task came to.

    :param legs: the state at the end of every leg: a task that defers or is rescheduled has more than one
    :param event: payload of the event that the last trigger yielded
    :param states: what was reported to Airflow at the end of the last leg
    """

    state: str
    error: BaseException | None
    value: Any
    api: ExecutionApi
    rendered: dict[str, Any]
    log: str
    deferral: dict[str, Any] | None = None
    event: Any = None
    legs: list[str] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)

    def xcom(self, key: str, task_id: str, map_index: int = -1) -> Any:
        """Return what a task pushed, or ``None``."""
        return self.api.xcoms.get((task_id, key, map_index))


class Records(logging.Handler):
    """Collects what is logged, whoever logs it; the emulator's server is not part of what is tested."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("uvicorn"):
            self.lines.append(f"{record.levelname} {self.format(record)}")

    def process(self, _: Any, method: str, event: Any) -> Any:
        """Collect what is logged past the standard library, as Airflow's task loggers do."""
        told = event.get("exc_info")
        error = sys.exc_info()[1] if told is True else told
        trace = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""
        details = {name: value for name, value in event.items() if name not in ("event", "exc_info")}
        if not str(details.get("logger_name", "")).startswith("uvicorn"):
            self.lines.append(f"{method.upper()} {event.get('event')} {details or ''}\n{trace}".strip())
        return event


@contextlib.contextmanager
def records(level: int = logging.INFO) -> Iterator[Records]:
    """Collect the log records of a block."""
    handler, root = Records(), logging.getLogger()
    before = root.level
    # In place, because loggers that exist already keep this list.
    processors = structlog.get_config()["processors"]
    processors.insert(0, handler.process)
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield handler
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        processors.remove(handler.process)


class TaskRunner:
    """One DAG run's tasks.

    :param api: where the run keeps its state; the same one for a retry of the task
    :param state_store: ``False`` takes the task state store away, as below Airflow 3.3
    """

    def __init__(self, api: ExecutionApi | None = None, *, state_store: bool = True) -> None:
        self.api = api or ExecutionApi()
        self.state_store = state_store

    def leg(self, operator: Any, *, try_number: int = 1, map_index: int = -1) -> Result:
        """Run a task until it ends, defers or asks to be rescheduled, as a worker does."""
        self.api.states.clear()
        self.api.rendered = {}
        self.api.running = (operator.task_id, map_index)
        instance = TaskInstance(
            id=uuid4(),
            task_id=operator.task_id,
            dag_id=self.api.dag_id,
            run_id=self.api.run_id,
            try_number=try_number,
            dag_version_id=uuid4(),
            map_index=map_index,
        )
        # Every leg is another process, which reads the DAG file anew.
        task = copy.deepcopy(operator) if isinstance(operator, BaseOperator) else operator
        with records() as handler:
            outcome = self._supervised(instance, task)
        state = getattr(outcome.state, "value", str(outcome.state))
        deferral = next((body for body in self.api.states if body.get("state") == "deferred"), None)
        return Result(
            state="deferred" if deferral else state,
            error=outcome.error,
            value=self.api.xcoms.get((operator.task_id, "return_value", map_index)),
            api=self.api,
            rendered=dict(self.api.rendered),
            log="\n".join(handler.lines),
            deferral=deferral,
            states=[*self.api.states],
        )

    def _supervised(self, instance: TaskInstance, operator: Any) -> Any:
        client = self.api.client()
        with contextlib.ExitStack() as stack:
            if not self.state_store:
                stack.enter_context(_without_state_store())
            if AIRFLOW_V_3_3_PLUS:
                return supervisor.run_task_in_process(instance, operator, client=client)
            # Older releases build the client themselves.
            stack.enter_context(
                mock.patch.object(supervisor.InProcessTestSupervisor, "_api_client", staticmethod(lambda *_, **__: client))
            )
            return supervisor.run_task_in_process(instance, operator)

    def run(
        self,
        operator: Any,
        *,
        try_number: int = 1,
        map_index: int = -1,
        before_trigger: Callable[[], None] | None = None,
    ) -> Result:
        """Run a task through all its deferrals and reschedules, without waiting for the time of a reschedule."""
        legs, logs = [], []
        event: Any = None
        begin = datetime.now(UTC)
        result = self.leg(operator, try_number=try_number, map_index=map_index)
        try:
            while True:
                legs.append(result.state)
                logs.append(result.log)
                if result.deferral is not None:
                    if before_trigger is not None:
                        before_trigger()
                    with records() as handler:
                        event = self.trigger_event(result.deferral)
                    logs += handler.lines
                    result = self.resume(operator, result.deferral, event, try_number=try_number, map_index=map_index)
                elif result.state == "up_for_reschedule":
                    self.api.rescheduled += 1
                    self.api.first_reschedule = self.api.first_reschedule or begin
                    result = self.leg(operator, try_number=try_number, map_index=map_index)
                else:
                    break
        finally:
            self.api.rescheduled, self.api.first_reschedule = 0, None
        result.legs, result.log, result.event = legs, "\n".join(logs), event
        return result

    def resume(
        self, operator: Any, deferral: dict[str, Any], event: Any, *, try_number: int = 1, map_index: int = -1
    ) -> Result:
        """Run the leg after a deferral, with an event as the triggerer reports it."""
        self.api.next_method = deferral["next_method"]
        self.api.next_kwargs = self._resumed(deferral, event)
        try:
            return self.leg(operator, try_number=try_number, map_index=map_index)
        finally:
            self.api.next_method = self.api.next_kwargs = None

    @staticmethod
    def trigger_arguments(deferral: dict[str, Any]) -> dict[str, Any]:
        """Return the trigger's arguments, decoded as the triggerer does it."""
        return _decoded(deferral["trigger_kwargs"])

    @classmethod
    def trigger(cls, deferral: dict[str, Any]) -> Any:
        """Return the trigger as the triggerer builds it: from its class path and serialized arguments."""
        module, _, name = deferral["classpath"].rpartition(".")
        return getattr(importlib.import_module(module), name)(**cls.trigger_arguments(deferral))

    def trigger_event(self, deferral: dict[str, Any]) -> Any:
        """Run the trigger in an event loop and return the payload of its first event, as it comes out of the database."""

        async def first() -> Any:
            trigger = self.trigger(deferral)
            events = trigger.run()
            try:
                async for event in events:
                    return json.loads(json.dumps(event.payload))
            finally:
                await events.aclose()
                await trigger.cleanup()
            return None

        return asyncio.run(first())

    @staticmethod
    def _resumed(deferral: dict[str, Any], event: Any) -> Any:
        return _serde().serialize({**_decoded(deferral.get("next_kwargs") or {}), "event": event})


def another_run(number: int) -> TaskRunner:
    """Return a run that shares nothing with others."""
    return TaskRunner(ExecutionApi(run_id=f"run {number}"))


@contextlib.contextmanager
def _without_state_store() -> Iterator[None]:
    complete = RuntimeTaskInstance.get_template_context

    def reduced(self: Any) -> Any:
        context = complete(self)
        context.pop("task_state_store", None)
        return context

    with mock.patch.object(RuntimeTaskInstance, "get_template_context", reduced):
        yield


def _decoded(value: Any) -> Any:
    decoded = _serde().deserialize(value)
    return decoded if decoded is not None else {}


def _serde() -> Any:
    """Return what has ``serialize`` and ``deserialize`` for what a deferral hands over."""
    try:
        return importlib.import_module("airflow.sdk.serde")
    except ImportError:  # Airflow 3.1
        return importlib.import_module("airflow.serialization.serialized_objects").BaseSerialization
