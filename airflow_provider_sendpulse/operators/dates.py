# SPDX-License-Identifier: Apache-2.0
"""Dates as operators take them, and whether they still let something be sent."""

from __future__ import annotations

import datetime as dt
import logging

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.schedule import parse_send_date
from airflow_provider_sendpulse.version_compat import AirflowSkipException

log = logging.getLogger(__name__)


def optional_date(value: dt.datetime | str | None, name: str = "send_date") -> dt.datetime | None:
    """Return an aware date from an argument, or ``None`` where there is none."""
    return None if value is None or value in ("", "None") else parse_send_date(value, name)


def has_passed(
    noun: str,
    send_date: dt.datetime | str | None,
    not_after: dt.datetime | str | None,
    past_send_date: str,
    now: float,
) -> bool:
    """Judge dates directly before something is created: whether it is to be sent now, as its date has passed.

    :param noun: what is created
    :param past_send_date: what to do then: ``fail``, ``send_now`` or ``skip``
    :param now: seconds since the epoch
    :raises AirflowSkipException: when it is too late
    :raises InvalidRequest: when the date has passed, and nobody says what to do then
    """
    today = dt.datetime.fromtimestamp(now, tz=dt.UTC)
    limit = optional_date(not_after, "not_after")
    if limit is not None and today > limit:
        raise AirflowSkipException(f"not_after {limit} has passed: the {noun} is not created.")
    begins = optional_date(send_date)
    if begins is None or begins > today:
        return False
    if past_send_date == "skip":
        raise AirflowSkipException(f"send_date {begins} has passed: the {noun} is not created.")
    if past_send_date == "send_now":
        log.warning("send_date %s has passed: sending now.", begins)
        return True
    raise InvalidRequest(
        f"send_date {begins} has passed, and no {noun} was created before. Set past_send_date to send_now or skip."
    )


__all__ = ["has_passed", "optional_date"]
