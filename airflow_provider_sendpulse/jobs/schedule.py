# SPDX-License-Identifier: Apache-2.0
"""When a campaign is to be sent: from an aware date to the account's local time, refusing what is not certain."""

from __future__ import annotations

import datetime as dt
import logging

import pendulum
from pendulum.tz.exceptions import InvalidTimezone

from airflow_provider_sendpulse.exceptions import CampaignConflict, CampaignStartedEarly, InvalidRequest
from airflow_provider_sendpulse.sendpulse.campaigns import Campaign
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus

log = logging.getLogger(__name__)

_TOLERANCE = 60.0
_UNDER_WAY = (
    CampaignStatus.SENDING,
    CampaignStatus.SENT,
    CampaignStatus.REFRESHING,
    CampaignStatus.SENDING_UNDER_WAY,
    CampaignStatus.SENDING_IN_PART,
    CampaignStatus.SENT_IN_PART,
    CampaignStatus.BLOCKED_AFTER_PART,
)


def parse_send_date(value: dt.datetime | str, name: str = "send_date") -> dt.datetime:
    """Return an aware date from one, or from the text a template renders to (ISO 8601).

    :param name: what the date is called in messages
    :raises InvalidRequest: for text that is no date, for a date without a time zone, and for a local time that does not
        exist because the clock is set forward
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise InvalidRequest(f"{name} {value!r} is not a date with a time: write it as ISO 8601.") from error
    if value.utcoffset() is None:
        raise InvalidRequest(
            f"{name} {value.isoformat()} has no time zone. Give an aware date, such as {{{{ data_interval_end }}}}."
        )
    # In the hour that is skipped when clocks go forward, going to UTC and back gives another time.
    try:
        there_and_back = value.astimezone(dt.UTC).astimezone(value.tzinfo)
    except OverflowError as error:
        raise InvalidRequest(f"{name} {value.isoformat()} is not a date that anything can be sent at.") from error
    if there_and_back.replace(tzinfo=None) != value.replace(tzinfo=None):
        raise InvalidRequest(f"{name} {value.isoformat()} does not exist: the clock skips that hour. Choose another.")
    return value


def account_time(value: dt.datetime | str, account_timezone: str | None) -> dt.datetime:
    """Return a date as the account's clock shows it, without a zone: what the API takes.

    :param value: an aware date, or its text
    :param account_timezone: the connection's setting
    :raises InvalidRequest: when the zone is not set or unknown, for a naive date, and for a local time that the clock
        shows twice (when it is set back): the service could send an hour early
    """
    date = parse_send_date(value)
    zone = timezone(account_timezone)
    earliest, latest = clock_times(date, zone)
    if earliest != latest:
        raise InvalidRequest(
            f"send_date {date.isoformat()} is {earliest} in {account_timezone}, which the clock shows twice that day. "
            "Choose another hour."
        )
    return earliest


def clock_times(date: dt.datetime, zone: pendulum.Timezone) -> tuple[dt.datetime, dt.datetime]:
    """Return between which times of a zone's clock, without the zone, a date certainly is.

    They are the same, but where the clock is set back: the time that it shows twice, and the same after both.

    :raises InvalidRequest: for a date at the end of all time
    """
    try:
        local = zone.convert(pendulum.instance(date))
    except OverflowError as error:
        raise InvalidRequest(f"{date.isoformat()} is not a date that anything can be sent at.") from error
    naive = dt.datetime(local.year, local.month, local.day, local.hour, local.minute, local.second)
    first, second = (naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None:
        return naive, naive
    return naive, naive + abs(first - second)


def timezone(name: str | None, needed_by: str = "A send_date") -> pendulum.Timezone:
    """Return the account's time zone.

    :param needed_by: what needs it, for the message
    :raises InvalidRequest: when it is not set, or not the name of a zone
    """
    if not name:
        raise InvalidRequest(
            f"{needed_by} needs the connection's account_timezone: the service's dates are in the account's own time zone. "
            'Set it in the connection\'s extra, such as {"account_timezone": "Europe/Kyiv"}.'
        )
    try:
        zone = pendulum.timezone(name)
    except (InvalidTimezone, ValueError, OSError) as error:  # "Europe" is a directory
        raise InvalidRequest(f"The connection's account_timezone {name!r} is not the name of a time zone.") from error
    if not isinstance(zone, pendulum.Timezone):
        raise InvalidRequest(f"The connection's account_timezone {name!r} is not the name of a time zone.")
    return zone


def require_on_time(seen: Campaign, wanted: dt.datetime, begins: float, now: float) -> None:
    """Check right after creation that a scheduled campaign is still waiting for its date.

    SendPulse sends at once where a strict DMARC policy of the sender's domain forbids scheduling.

    :param wanted: the date that was asked for, in the account's time zone
    :param begins: the same, in seconds since the epoch
    :raises CampaignStartedEarly: when the date is another one, or the campaign is going out already
    """
    if begins - now <= _TOLERANCE:
        return
    advice = (
        "Cancel it in the SendPulse dashboard if that is not what you want. A sender domain with a strict DMARC policy "
        "cannot schedule: SendPulse then sends at once."
    )
    status = CampaignStatus.of(seen.status)
    if status in _UNDER_WAY:
        raise CampaignStartedEarly(
            f"Campaign {seen.id} was to be sent at {wanted} (account time) and is at status {seen.status} already. {advice}"
        )
    told = told_date(seen)
    if told is None:
        log.warning("Campaign %s does not tell its date (%r); asked for was %s.", seen.id, seen.send_date, wanted)
    elif _differ(told, wanted):
        raise CampaignStartedEarly(
            f"Campaign {seen.id} was to be sent at {wanted} (account time), and SendPulse says {told}. {advice}"
        )


def require_same_date(seen: Campaign, wanted: dt.datetime, begins: float, now: float) -> None:
    """Check that a campaign that exists already has the date that is asked for now, and waits for it.

    :param wanted: the date that is asked for, in the account's time zone
    :param begins: the same, in seconds since the epoch
    :raises CampaignConflict: when it has another one
    :raises CampaignStartedEarly: when it is going out already
    """
    told = told_date(seen)
    if begins - now > _TOLERANCE and told is not None and _differ(told, wanted):
        raise CampaignConflict(
            f"Campaign {seen.id} exists already, at status {seen.status} and for {told} (account time), while send_date is "
            f"{wanted} here. Nothing was created. Has send_date been changed since? SendPulseEditCampaignOperator and the "
            "SendPulse dashboard change the campaign's date as long as it waits. If not, SendPulse did not heed the date, "
            "as for a sender domain with a strict DMARC policy."
        )
    require_on_time(seen, wanted, begins, now)


def told_date(seen: Campaign) -> dt.datetime | None:
    """Return a campaign's date in the account's time zone, without one of its own; ``None`` when it does not tell it."""
    try:
        return dt.datetime.fromisoformat(seen.send_date).replace(tzinfo=None)
    except ValueError:
        return None


def _differ(told: dt.datetime, wanted: dt.datetime) -> bool:
    return abs((told - wanted).total_seconds()) > _TOLERANCE


__all__ = [
    "account_time",
    "clock_times",
    "parse_send_date",
    "require_on_time",
    "require_same_date",
    "timezone",
    "told_date",
]
