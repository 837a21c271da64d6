# SPDX-License-Identifier: Apache-2.0
"""A ready-made retry policy for Airflow 3.3: what the service said decides when to try again.

::

    SendPulseSendEventOperator(..., retries=5, retry_policy=SendPulseRetryPolicy())

Final failures never reach a policy: they derive from ``AirflowFailException`` and end the task at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_provider_sendpulse.exceptions import ServiceUnavailable, Throttled

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseRetryPolicy(RetryPolicy):
    """Retry a throttled task after the delay that the service asked for, and leave the rest to the task's settings.

    :param unavailable_delay: seconds to wait when the service could not be reached; the task's ``retry_delay`` when
        left out
    """

    def __init__(self, unavailable_delay: float | None = None) -> None:
        self.unavailable_delay = unavailable_delay

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide on a failure."""
        if isinstance(exception, Throttled) and exception.retry_after is not None:
            delay = timedelta(seconds=exception.retry_after)
            return RetryDecision.retry(delay, f"throttled; the service asks for {exception.retry_after:.0f} s")
        if isinstance(exception, ServiceUnavailable) and self.unavailable_delay is not None:
            delay = timedelta(seconds=self.unavailable_delay)
            return RetryDecision.retry(delay, "the service could not be reached")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return the policy as JSON, for the serialized DAG."""
        return {"unavailable_delay": self.unavailable_delay}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> SendPulseRetryPolicy:
        """Read what :meth:`serialize` wrote."""
        return cls(unavailable_delay=data.get("unavailable_delay"))


__all__ = ["SendPulseRetryPolicy"]
