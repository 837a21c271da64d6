# SPDX-License-Identifier: Apache-2.0
"""Recognising a transactional message: nothing of ours can be written into one, so it is told by what its list shows.

That is its sender, a recipient and its subject, which another message may share. So what was there before is left out; and
whatever the list leaves open, an empty field or a date of another form, speaks for a message being the one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from airflow_provider_sendpulse.jobs.sending import Sender, every_page
from airflow_provider_sendpulse.sendpulse import smtp

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"

# A list is asked for by whole days of the account, which begin up to fourteen hours before those of UTC.
_SLACK = dt.timedelta(days=1)

_SKEW = 300.0
"""Seconds by which SendPulse's clock may be behind."""

_ANY_ZONE = 15 * 3600.0
"""Seconds by which a date may be behind whose time zone is not known."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the list shows of a message.

    :param address: the first recipient, as it is asked for
    :param recipient: the same, to compare
    """

    address: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    subject: str = field(repr=False)

    @classmethod
    def of(cls, message: smtp.Message) -> Likeness:
        """Return that of a message."""
        address = message.to[0].email
        return cls(address, _plain(message.sender.email), _plain(address), _plain(message.subject))

    @property
    def digest(self) -> str:
        """Tells one likeness from another, and shows none."""
        return hashlib.sha256("\0".join((self.sender, self.recipient, self.subject)).encode()).hexdigest()[:32]

    def fits(self, listed: smtp.SentMessage) -> bool:
        """Whether a listed message can be one like this."""
        subject = _plain(listed.subject)
        return (
            _plain(listed.sender) in ("", self.sender)
            # Nobody documents what stands there for several recipients.
            and (not listed.recipient or self.recipient in _plain(listed.recipient))
            # SendPulse fills a template's variables into the subject too.
            and (not subject or subject == self.subject or "{{" in self.subject)
        )


def find_alike(sender: Sender, likeness: Likeness, since: float) -> dict[str, smtp.SentMessage]:
    """Return the listed messages that have a likeness, by id.

    :param since: seconds since the epoch; some older ones are among them
    :raises ServiceError: when the list could not be read to the end: the look-up says nothing then
    """
    call = smtp.list(
        since=dt.datetime.fromtimestamp(since, tz=dt.UTC) - _SLACK,
        recipient=likeness.address,
        with_country=False,
    )
    return {found.id: found for page in every_page(sender, call) for found in page if likeness.fits(found)}


def ids_since(
    found: Collection[smtp.SentMessage], since: float, before: Collection[str] | None, zone: dt.tzinfo | None
) -> list[str]:
    """Return the ids of those messages that can have been sent since a moment.

    :param before: ids of those that were there before; dates do not count where that is known, since nobody documents in
        which time zone they are
    :param zone: in which they are probably: the account's
    """
    if before is not None:
        return sorted(message.id for message in found if message.id not in before)
    return sorted(message.id for message in found if _latest(message.send_date, zone) >= since)


def _latest(send_date: str, zone: dt.tzinfo | None) -> float:
    """Return the latest moment that a date can mean, in seconds since the epoch."""
    try:
        date = dt.datetime.strptime(send_date, DATE_FORMAT)  # noqa: DTZ007 - the zone comes below
    except ValueError:
        return float("inf")
    if zone is None:
        return date.replace(tzinfo=dt.UTC).timestamp() + _ANY_ZONE
    # In the hour that the clock shows twice, the second time.
    return date.replace(tzinfo=zone, fold=1).timestamp() + _SKEW


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


__all__ = ["DATE_FORMAT", "Likeness", "find_alike", "ids_since"]
