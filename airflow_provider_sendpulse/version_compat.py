# SPDX-License-Identifier: Apache-2.0
"""The one place that knows which Airflow this is.

Names that moved between Airflow 3.1 and 3.3, and switches for what only newer releases have, are settled here; every
other module imports them from this one.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
        TaskDeferralError,
        TaskDeferralTimeout,
    )
else:
    try:
        from airflow.sdk.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
            TaskDeferralError,
            TaskDeferralTimeout,
        )
    except ImportError:  # Airflow 3.1 kept these in the core distribution
        from airflow.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
            TaskDeferralError,
            TaskDeferralTimeout,
        )


def _release(distribution: str) -> tuple[int, int]:
    major, minor, *_ = version(distribution).split(".")
    return int(major), int(minor)


AIRFLOW_VERSION: tuple[int, int] = _release("apache-airflow-core")
AIRFLOW_V_3_2_PLUS: bool = AIRFLOW_VERSION >= (3, 2)
AIRFLOW_V_3_3_PLUS: bool = AIRFLOW_VERSION >= (3, 3)


def default_deferrable() -> bool:
    """Return Airflow's ``[operators] default_deferrable``, the default of every ``deferrable`` parameter."""
    try:
        from airflow.sdk.configuration import conf
    except ImportError:  # Airflow 3.1
        from airflow.configuration import conf
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def never_expire() -> Any:
    """Return the retention of a task state that is kept for good (Airflow 3.3)."""
    import airflow.sdk

    return getattr(airflow.sdk, "NEVER_EXPIRE", None)


def mask_secret(secret: str) -> None:
    """Hide a value in the logs of this process, from a task or any other synchronous code."""
    from airflow.sdk.log import mask_secret as mask

    mask(secret)


def mask_in_process(secret: str) -> None:
    """Hide a value in the logs of this process from any thread; the process that keeps them is not told."""
    from airflow.sdk._shared.secrets_masker import mask_secret as mask

    mask(secret)


async def amask_secret(secret: str) -> None:
    """Hide a value in the logs of this process, from a coroutine (a trigger, say)."""
    import airflow.sdk.log as log

    # A synchronous call to the supervisor from inside the event loop can deadlock, so Airflow 3.2 added its own.
    amask: Any = getattr(log, "amask_secret", None)
    if amask is not None:
        await amask(secret)
    else:
        log.mask_secret(secret)


__all__ = [
    "AIRFLOW_VERSION",
    "AIRFLOW_V_3_2_PLUS",
    "AIRFLOW_V_3_3_PLUS",
    "AirflowException",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "TaskDeferralError",
    "TaskDeferralTimeout",
    "amask_secret",
    "default_deferrable",
    "mask_in_process",
    "mask_secret",
    "never_expire",
]
