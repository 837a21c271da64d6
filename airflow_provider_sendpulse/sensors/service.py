# SPDX-License-Identifier: Apache-2.0
"""What the sensors of both services share: one decision in every mode."""

from __future__ import annotations

import time
from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_sendpulse.exceptions import FinalFailure, ServiceError
from airflow_provider_sendpulse.jobs.polling import POLL_ERROR_WINDOW, Trouble
from airflow_provider_sendpulse.jobs.waiting import Decision, History
from airflow_provider_sendpulse.triggers.events import ERROR, SEEN, WaitEvent
from airflow_provider_sendpulse.triggers.service import PollingTrigger
from airflow_provider_sendpulse.version_compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    default_deferrable,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

_DEFERRAL_MARGIN = timedelta(minutes=10)


class ServiceSensor(BaseSensorOperator):
    """A sensor on a status or on figures, in the modes poke, reschedule and deferred with the same outcome in each.

    It returns ``{"status": code, "history": [[code, seconds since the epoch], …]}``, or the figures.

    :param deferrable: wait in the triggerer, without holding a worker; ``poke_interval`` is the time between two looks
    :param poll_error_window: seconds for which looks may fail in passing before the wait is given up. In reschedule mode
        every look is a process of its own, and failed ones are tolerated until ``timeout``.
    """

    def __init__(
        self,
        *,
        deferrable: bool = default_deferrable(),
        poll_error_window: float = POLL_ERROR_WINDOW,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_error_window = poll_error_window
        self._history = History()
        self._trouble = Trouble(poll_error_window)

    @property
    @abstractmethod
    def what(self) -> str:
        """What is waited for, for logs."""

    @abstractmethod
    def look(self) -> Decision:
        """Ask for the status or the figures once and judge them."""

    @abstractmethod
    def judge(self, seen: Any) -> Decision:
        """Judge the status or the figures that ended a wait in the triggerer."""

    @abstractmethod
    def trigger(self, **wait: Any) -> PollingTrigger:
        """Return what waits in the triggerer.

        :param wait: the arguments that every trigger takes
        """

    @abstractmethod
    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""

    @property
    @abstractmethod
    def hook(self) -> Any:
        """The hook of this sensor's connection."""

    def execute(self, context: Context) -> Any:
        """Look once, then wait in the chosen way.

        :return: ``{"status": code, "history": [[code, seconds since the epoch], …]}``
        :raises AirflowSensorTimeout: it did not happen within ``timeout``; the message says what was seen last
        :raises Refused: the service refuses to say: there is no such thing, say
        :raises ServiceUnavailable: looks have failed for longer than ``poll_error_window``
        """
        if not self.deferrable:
            try:
                return super().execute(context)
            except (AirflowSensorTimeout, AirflowSkipException) as error:
                if error.__cause__ is not None:
                    raise  # a look that failed, where failing means skipping
                told = f"{self.what}: {error} Seen last: {self._history.last}.{self._trouble}"
                raise type(error)(told) from None
            finally:
                self.hook.close()
        seen = self._first_look(context)
        if seen:
            return seen.xcom_value
        timeout = timedelta(seconds=self.timeout)
        self.defer(
            trigger=self.trigger(
                **self.connection(),
                poll_interval=self.poke_interval,
                deadline=time.time() + self.timeout,
                history=self._history.seen,
                poll_error_window=self.poll_error_window,
            ),
            method_name="execute_complete",
            # The trigger keeps the deadline itself; this is for a triggerer that does not run at all.
            timeout=timeout + _DEFERRAL_MARGIN,
        )

    def _first_look(self, context: Context) -> PokeReturnValue:
        """Look once before deferring, with the meaning of ``soft_fail`` and ``never_fail`` that the other modes have."""
        try:
            with self.hook:
                return self.poke(context)
        except Exception as error:
            if self.never_fail or (self.soft_fail and isinstance(error, AirflowFailException)):
                which = "soft_fail" if self.soft_fail else "never_fail"
                raise AirflowSkipException(f"Skipping due to {which} is set to True.") from error
            raise

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        try:
            decision = self.look()
        except FinalFailure:
            raise
        except ServiceError as error:
            self._trouble.met(self.what, error, time.time())
            return PokeReturnValue(is_done=False)
        self._trouble.over()
        self._history.note(self.what, decision, time.time())
        if decision.error is not None:
            raise decision.error
        return PokeReturnValue(decision.is_over, self._result(decision, self._history.seen))

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the wait in the triggerer."""
        wait = WaitEvent.of(event)
        if wait.kind == ERROR:
            raise wait.failure()
        if wait.kind != SEEN:
            last = "" if wait.code is None else f" The last status was {wait.code}."
            raise AirflowSensorTimeout(f"{self.what}: {wait.message}{last}")
        decision = self.judge(wait.seen)
        if decision.error is not None:
            raise decision.error
        if not decision.is_over:
            seen = f"status {wait.code}" if wait.figures is None else decision.text
            raise FinalFailure(f"{self.what}: the wait ended at {seen}, which is not what is waited for.")
        return self._result(decision, wait.history)

    @staticmethod
    def _result(decision: Decision, history: list[list[Any]]) -> dict[str, Any]:
        if decision.figures is not None:
            return dict(decision.figures)
        return {"status": decision.code, "history": history}


class FiguresSensor(ServiceSensor):
    """A sensor on figures."""

    @abstractmethod
    def judge_figures(self, figures: dict[str, Any]) -> Decision:
        """Judge figures."""

    def judge(self, seen: Any) -> Decision:
        """Judge the figures that ended a wait in the triggerer."""
        if not isinstance(seen, dict):
            raise FinalFailure("The trigger sent an event without figures.")
        return self.judge_figures(seen)

    def execute(self, context: Context) -> Any:
        """Look once, then wait in the chosen way.

        :return: the figures that were seen last, name to value
        """
        return super().execute(context)


__all__ = ["FiguresSensor", "ServiceSensor"]
