# SPDX-License-Identifier: Apache-2.0
"""Links from a task to what it made in SendPulse.

An operator pushes the URL; the worker then stores it where the Airflow UI finds it, so no code of this package runs in
the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class _PushedLink(BaseOperatorLink):
    """A link whose URL the operator pushed."""

    pushed_key: str

    def push(self, context: Any, url: str) -> None:
        """Remember the URL for this try of the task."""
        context["ti"].xcom_push(key=self.pushed_key, value=url)

    def push_id(self, context: Any, pattern: str, number: int) -> None:
        """Remember the URL that a pattern with ``{id}`` makes of an id."""
        self.push(context, pattern.replace("{id}", str(number)))

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the URL that was pushed, or nothing."""
        from airflow.sdk.execution_time.xcom import XCom

        # In the worker that calls this, the key is the running task instance itself.
        running: Any = ti_key
        return str(XCom.get_value(key=self.pushed_key, ti_key=running) or "")


class SendPulseCampaignLink(_PushedLink):
    """Link to a campaign: its ``permalink`` when the API gives one, else the connection's ``campaign_link`` pattern."""

    name = "Campaign"
    pushed_key = "sendpulse_campaign_url"


class SendPulseAddressBookLink(_PushedLink):
    """Link to an address book, by the connection's ``address_book_link`` pattern."""

    name = "Address book"
    pushed_key = "sendpulse_address_book_url"


__all__ = ["SendPulseAddressBookLink", "SendPulseCampaignLink"]
