# SPDX-License-Identifier: Apache-2.0
"""Changing a campaign that waits for its date, once: what is as wished already is left alone.

The campaign keeps its marker, and a note before it says what it was changed to. So the task that has created it still knows
it for its own, although its subject is another one; and an edit that was made is known, although not every answer shows
a campaign's body. A campaign that was made in the dashboard has no marker and gets no note: what was made of it is kept
by the task, and what no answer shows counts as done once SendPulse has confirmed it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import FinalFailure, InvalidRequest, NeedsHuman, Refused, TooLate
from airflow_provider_sendpulse.jobs.cancelling import CANCELLABLE, SETTLED_WITHIN
from airflow_provider_sendpulse.jobs.mailing import LOOK_AGAIN
from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name, plain_name
from airflow_provider_sendpulse.jobs.position import PositionStore
from airflow_provider_sendpulse.jobs.schedule import require_on_time, timezone, told_date
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus, StatusClass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a campaign is to be like; ``None`` leaves it as it is.

    :param name: without a marker
    :param send_date: in the account's time zone, and therefore without one of its own
    """

    name: str | None = None
    sender_name: str | None = None
    sender_email: str | None = None
    subject: str | None = None
    body: str | None = field(default=None, repr=False)
    template_id: int | str | None = None
    send_date: dt.datetime | None = None

    @property
    def digest(self) -> str:
        """What tells one edit from another, in 8 hexadecimal digits."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def edit_campaign(
    sender: Sender, campaign_id: int, edit: Edit, clock: Clock, made: PositionStore, account_timezone: str | None = None
) -> list[str]:
    """Change a campaign, and see that it is changed, as far as SendPulse shows it.

    :param made: keeps for the next try which edit of a campaign without a marker was made
    :param account_timezone: the connection's setting, where it is known
    :return: the names of what was changed; none when the campaign is as wished
    :raises TooLate: it is going out, has gone out or has ended, and is not as wished
    :raises NeedsHuman: only a person can edit it, such as a draft
    :raises InvalidRequest: the body is neither given nor shown, and an edit needs it
    :raises CampaignStartedEarly: SendPulse does not wait for the date any more
    :raises ServiceError: when the service could not be asked, or refused
    """
    return _Editing(sender, campaign_id, edit, clock, made, account_timezone).run()


class _Editing:
    def __init__(
        self, sender: Sender, campaign_id: int, edit: Edit, clock: Clock, made: PositionStore, account_timezone: str | None
    ) -> None:
        self._sender = sender
        self._id = campaign_id
        self._edit = edit
        self._clock = clock
        self._made = made
        self._note = {"campaign": campaign_id, "edit": edit.digest}
        self._is_made = made.read() == self._note
        self._zone = account_timezone

    def run(self) -> list[str]:
        before = self._read()
        changed = self._differences(before)
        if not changed:
            return []
        self._require_editable(before, changed)
        content = self._content(before)
        try:
            self._sender.send(campaigns.edit(self._id, content))
        except Refused as error:
            # The first answer may have been lost, and the campaign have begun to go out before the repeat.
            seen = self._read()
            if left := self._differences(seen):
                self._require_editable(seen, left)
                raise Refused(
                    f"{error} SendPulse edits a campaign that waits for its date; campaign {self._id} is at status "
                    f"{seen.status}, its date is {seen.send_date or 'not told'}.",
                    operation=error.operation,
                    status=error.status,
                    error_code=error.error_code,
                    service_message=error.service_message,
                ) from None
        if Marker.in_name(before.name) is None:
            self._is_made = True
            self._made.write(self._note)
        after = self._settled()
        self._require_marker(before, after)
        if content.send_date is not None and self._zone is not None:
            begins = content.send_date.replace(tzinfo=timezone(self._zone)).timestamp()
            require_on_time(after, content.send_date, begins, self._clock.now())
        return changed

    def _read(self) -> campaigns.Campaign:
        return self._sender.send(campaigns.read(self._id))

    def _differences(self, seen: campaigns.Campaign) -> list[str]:
        """Return the names of what is not as wished, as far as that can be known."""
        wanted = self._edit
        differences = [
            name
            for name in ("sender_name", "sender_email", "subject")
            if getattr(wanted, name) not in (None, getattr(seen, name))
        ]
        if wanted.name is not None and plain_name(seen.name) not in self._plain_names(seen):
            differences.insert(0, "name")
        is_noted = edit_in_name(seen.name) == wanted.digest
        is_known = is_noted or (self._is_made and Marker.in_name(seen.name) is None)
        if wanted.body is not None and wanted.body != seen.body and not (is_known if seen.body is None else is_noted):
            differences.append("body")
        if wanted.template_id is not None and not is_known:
            differences.append("template_id")
        if wanted.send_date is not None and wanted.send_date != told_date(seen):
            differences.append("send_date")
        return differences

    def _plain_names(self, seen: campaigns.Campaign) -> set[str]:
        """Return how the wished name may look, cut where it would be too long with a marker."""
        name, marker = (self._edit.name or "").strip(), Marker.in_name(seen.name)
        return {name} if marker is None else {plain_name(marker.name(name, edit)) for edit in (None, self._edit.digest)}

    def _require_editable(self, seen: campaigns.Campaign, left: list[str]) -> None:
        status = CampaignStatus.of(seen.status)
        if status in CANCELLABLE:
            return
        told = f"Campaign {self._id} is at status {seen.status} ({status.meaning if status else 'not documented'})"
        names = ", ".join(left)
        if status is None or status.status_class in (StatusClass.DRAFT, StatusClass.NEEDS_HUMAN):
            raise NeedsHuman(f"{told}: the API does not edit it. Change {names} in the SendPulse dashboard.")
        raise TooLate(
            f"{told}: it is too late to change {names}. What has gone out stays as it is; to mail again on purpose, give "
            "the operator that creates it another edition."
        )

    def _content(self, seen: campaigns.Campaign) -> campaigns.CampaignContent:
        """Return all fields of the campaign: sources disagree whether SendPulse keeps what is left out."""
        wanted = self._edit
        body = wanted.body if wanted.body is not None or wanted.template_id is not None else seen.body
        if body is None and wanted.template_id is None:
            raise InvalidRequest(
                f"SendPulse does not show the body of campaign {self._id}, and an edit has to hold it. Give the edit the "
                "body, body_file or template_id too."
            )
        name = plain_name(seen.name) if wanted.name is None else wanted.name
        marker = Marker.in_name(seen.name)
        return campaigns.CampaignContent(
            name=name if marker is None else marker.name(name, wanted.digest),
            sender_name=seen.sender_name if wanted.sender_name is None else wanted.sender_name,
            sender_email=seen.sender_email if wanted.sender_email is None else wanted.sender_email,
            subject=seen.subject if wanted.subject is None else wanted.subject,
            body=body,
            template_id=wanted.template_id,
            send_date=self._present_date(seen) if wanted.send_date is None else wanted.send_date,
        )

    def _present_date(self, seen: campaigns.Campaign) -> dt.datetime | None:
        """Return when a campaign is to go out; ``None`` for a date in the past, which is only that of its creation."""
        date = told_date(seen)
        if date is None or self._zone is None:
            return date
        now = dt.datetime.fromtimestamp(self._clock.now(), tz=timezone(self._zone)).replace(tzinfo=None)
        return date if date > now else None

    def _settled(self) -> campaigns.Campaign:
        give_up_at = self._clock.now() + SETTLED_WITHIN
        while left := self._differences(seen := self._read()):
            if self._clock.now() >= give_up_at:
                raise FinalFailure(
                    f"SendPulse confirmed the edit of campaign {self._id}, and still shows another {', '.join(left)}. "
                    "Look at it in the SendPulse dashboard before it goes out."
                )
            log.info("Campaign %s does not show its edit yet.", self._id)
            self._clock.sleep(LOOK_AGAIN)
        return seen

    def _require_marker(self, before: campaigns.Campaign, after: campaigns.Campaign) -> None:
        if Marker.in_name(before.name) != Marker.in_name(after.name):
            raise FinalFailure(
                f"Campaign {self._id} was edited, and SendPulse changed its name: the marker by which it is found again is "
                "lost. Put it back at the end of the name in the SendPulse dashboard: "
                f"{Marker.in_name(before.name)}. Do not clear the task that has created it before that."
            )


__all__ = ["Edit", "edit_campaign"]
