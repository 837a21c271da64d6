# SPDX-License-Identifier: Apache-2.0
"""When a campaign is to be sent: from an aware date to the account's local time, refusing what is not certain."""

from __future__ import annotations

import datetime as dt

import pendulum
from pendulum.tz.exceptions import InvalidTimezone

from airflow_provider_sendpulse.exceptions import InvalidRequest


def parse_send_date(value: dt.datetime | str) -> dt.datetime:
    """Return an aware date from one, or from the text a template renders to (ISO 8601).

    :raises InvalidRequest: for text that is no date, for a date without a time zone, and for a local time that does not
        exist because the clock is set forward
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise InvalidRequest(f"send_date {value!r} is not a date with a time: write it as ISO 8601.") from error
    if value.utcoffset() is None:
        raise InvalidRequest(
            f"send_date {value.isoformat()} has no time zone. Give an aware date, such as {{{{ data_interval_end }}}}."
        )
    # In the hour that is skipped when clocks go forward, going to UTC and back gives another time.
    if value.astimezone(dt.UTC).astimezone(value.tzinfo).replace(tzinfo=None) != value.replace(tzinfo=None):
        raise InvalidRequest(
            f"send_date {value.isoformat()} does not exist: the clock skips that hour. Choose another."
        )
    return value


def account_time(value: dt.datetime | str, account_timezone: str | None) -> dt.datetime:
    """Return a date as the account's clock shows it, without a zone: what the API takes.

    :param value: an aware date, or its text
    :param account_timezone: the connection's setting
    :raises InvalidRequest: when the zone is not set or unknown, for a naive date, and for a local time that the clock
        shows twice (when it is set back): SendPulse could send an hour early
    """
    date = parse_send_date(value)
    zone = timezone(account_timezone)
    local = zone.convert(pendulum.instance(date))
    naive = dt.datetime(local.year, local.month, local.day, local.hour, local.minute, local.second)
    if len({naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}) > 1:
        raise InvalidRequest(
            f"send_date {date.isoformat()} is {naive} in {account_timezone}, which the clock shows twice that day. "
            "Choose another hour."
        )
    return naive


def timezone(name: str | None) -> pendulum.Timezone:
    """Return the account's time zone.

    :raises InvalidRequest: when it is not set, or not the name of a zone
    """
    if not name:
        raise InvalidRequest(
            "A send_date needs the connection's account_timezone: SendPulse takes dates in the account's own time zone. "
            'Set it in the connection\'s extra, such as {"account_timezone": "Europe/Kyiv"}.'
        )
    try:
        zone = pendulum.timezone(name)
    except (InvalidTimezone, ValueError) as error:
        raise InvalidRequest(f"The connection's account_timezone {name!r} is not the name of a time zone.") from error
    if not isinstance(zone, pendulum.Timezone):
        raise InvalidRequest(f"The connection's account_timezone {name!r} is not the name of a time zone.")
    return zone


__all__ = ["account_time", "parse_send_date", "timezone"]
