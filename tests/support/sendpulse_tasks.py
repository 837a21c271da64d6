# SPDX-License-Identifier: Apache-2.0
"""Every operator and sensor of SendPulse, with a person in all places where there can be one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from canaries import ADDRESS, HASH, NAME, PERSON, PHONE

from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
    SendPulseEstimateCostOperator,
    SendPulseExportAddressBookOperator,
    SendPulseRenameAddressBookOperator,
)
from airflow_provider_sendpulse.operators.blacklist import (
    SendPulseAddToBlacklistOperator,
    SendPulseExportBlacklistOperator,
    SendPulseRemoveFromBlacklistOperator,
)
from airflow_provider_sendpulse.operators.campaigns import (
    SendPulseCampaignStatisticsOperator,
    SendPulseCancelCampaignOperator,
    SendPulseEditCampaignOperator,
    SendPulseSendTestOperator,
)
from airflow_provider_sendpulse.operators.contact_removal import (
    SendPulseRemoveContactsOperator,
    SendPulseUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.operators.contact_statistics import SendPulseContactStatisticsOperator
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator, SendPulseUpdateVariableOperator
from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator
from airflow_provider_sendpulse.operators.erasure import SendPulseEraseContactsOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.operators.senders import SendPulseEnsureSenderOperator
from airflow_provider_sendpulse.operators.templates import SendPulsePublishTemplatesOperator
from airflow_provider_sendpulse.operators.webhooks import SendPulseEnsureWebhookOperator, SendPulseRemoveWebhookOperator
from airflow_provider_sendpulse.sensors.address_books import SendPulseAddressBookUnlockedSensor
from airflow_provider_sendpulse.sensors.balance import SendPulseBalanceSensor
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor
from airflow_provider_sendpulse.sensors.emails import SendPulseEmailDeliveredSensor
from airflow_provider_sendpulse.sensors.flows import SendPulseFlowSensor

NAMES = (
    "create book",
    "delete book",
    "add",
    "add from upstream",
    "double opt-in",
    "update",
    "event",
    "event by hash",
    "event for one",
    "campaign",
    "campaign, deferred",
    "campaign, waiting",
    "campaign sensor",
    "campaign sensor, deferred",
    "book sensor",
    "book sensor, deferred",
    "remove",
    "unsubscribe",
    "blacklist",
    "erase",
    "look up",
    "export",
    "export blacklist",
    "email",
    "email sensor",
    "subscribe",
    "end a subscription",
    "activate",
    "publish",
    "balance sensor",
    "flow sensor",
    "rename book",
    "estimate",
    "test message",
    "edit",
    "cancel",
    "campaign statistics",
    "take off the blacklist",
)


def tasks(account: Any, dag: Any, campaign_of: Any, upstream: Any) -> dict[str, Callable[[], Any]]:
    """Return every operator and sensor with a person in all places where there can be one."""
    book_id = account.book("Everybody", emails=[ADDRESS])

    def sensor(kind: Any, **arguments: Any) -> Any:
        return kind(task_id="task", dag=dag, poke_interval=0.001, **arguments)

    return {
        "create book": lambda: SendPulseCreateAddressBookOperator(task_id="task", dag=dag, name="Readers"),
        "delete book": lambda: SendPulseDeleteAddressBookOperator(
            task_id="task", dag=dag, address_book_id=book_id, confirm_name="Everybody"
        ),
        "add": lambda: SendPulseAddEmailsOperator(task_id="task", dag=dag, address_book_id=book_id, contacts=[PERSON]),
        "add from upstream": lambda: SendPulseAddEmailsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=upstream("people", [PERSON])
        ),
        "double opt-in": lambda: SendPulseAddEmailsOperator(
            task_id="task",
            dag=dag,
            address_book_id=book_id,
            contacts=[PERSON],
            double_opt_in=True,
            sender_email="shop@example.com",
        ),
        "update": lambda: SendPulseUpdateVariableOperator(
            task_id="task", dag=dag, address_book_id=book_id, contact_email=ADDRESS, variables={"name": NAME}
        ),
        "event": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="left", contacts=[PERSON]),
        "event by hash": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="paid", contacts=[PERSON]),
        "event for one": lambda: SendPulseSendEventOperator(
            task_id="task", dag=dag, event_name="paid", contact_email=ADDRESS, contact_phone=PHONE, variables={"name": NAME}
        ),
        "campaign": lambda: campaign_of(
            task_id="task", address_book_id=book_id, attachments={"list.csv": f"{ADDRESS},{NAME}"}
        ),
        "campaign, deferred": lambda: campaign_of(
            task_id="task", address_book_id=book_id, wait_for_completion=True, deferrable=True
        ),
        "campaign, waiting": lambda: campaign_of(task_id="task", address_book_id=book_id, wait_for_completion=True),
        "campaign sensor": lambda: sensor(SendPulseCampaignSensor, campaign_id=account.campaign(2, 3)),
        "campaign sensor, deferred": lambda: sensor(
            SendPulseCampaignSensor, campaign_id=account.campaign(2, 3), deferrable=True
        ),
        "book sensor": lambda: sensor(SendPulseAddressBookUnlockedSensor, address_book_id=book_id),
        "book sensor, deferred": lambda: sensor(
            SendPulseAddressBookUnlockedSensor, address_book_id=book_id, deferrable=True
        ),
        "remove": lambda: SendPulseRemoveContactsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=[PERSON]
        ),
        "unsubscribe": lambda: SendPulseUnsubscribeContactsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=[ADDRESS]
        ),
        "blacklist": lambda: SendPulseAddToBlacklistOperator(task_id="task", dag=dag, contacts=[PERSON], comment="wrong"),
        "erase": lambda: SendPulseEraseContactsOperator(
            task_id="task", dag=dag, contacts=[PERSON], blacklist=True, receipt=f"{Path.cwd()}/receipts.csv"
        ),
        "look up": lambda: SendPulseContactStatisticsOperator(
            task_id="task",
            dag=dag,
            contacts=[PERSON],
            **{kind: f"{kept()}/{kind}.csv" for kind in ("statistics", "memberships", "origins")},
        ),
        "export": lambda: SendPulseExportAddressBookOperator(
            task_id="task", dag=dag, address_book_id=book_id, destination=f"{kept()}/contacts.csv"
        ),
        "export blacklist": lambda: SendPulseExportBlacklistOperator(
            task_id="task", dag=dag, destination=f"{kept()}/blacklist.csv"
        ),
        "email": lambda: SendPulseSendEmailOperator(
            task_id="task",
            dag=dag,
            sender_email="shop@example.com",
            sender_name="Shop",
            to={"email": ADDRESS, "name": NAME},
            cc=[ADDRESS],
            subject=f"For {NAME}, {PHONE}",
            html="<p>[[ name ]]</p>",
            text=f"{NAME}, {ADDRESS}",
            body_params={"name": NAME},
            attachments={"list.csv": f"{ADDRESS},{NAME}"},
            if_in_doubt="resend",
        ),
        "email sensor": lambda: sensor(SendPulseEmailDeliveredSensor, message_id=sent_to(account)),
        "subscribe": lambda: SendPulseEnsureWebhookOperator(task_id="task", dag=dag, url=HOOK, actions=["open", "spam"]),
        "end a subscription": lambda: SendPulseRemoveWebhookOperator(
            task_id="task", dag=dag, url=subscribed(account), actions=["open"]
        ),
        "activate": lambda: SendPulseEnsureSenderOperator(
            task_id="task", dag=dag, sender_name="Shop", sender_email=waiting_sender(account), activation_code=HASH
        ),
        "publish": lambda: SendPulsePublishTemplatesOperator(task_id="task", dag=dag, path=template(), lang="en"),
        "balance sensor": lambda: sensor(SendPulseBalanceSensor, min_balance=1, min_emails_left=1, min_days_left=1),
        "flow sensor": lambda: sensor(SendPulseFlowSensor, flow_id=flow(account), figure="starts", at_least=0),
        "rename book": lambda: SendPulseRenameAddressBookOperator(
            task_id="task", dag=dag, address_book_id=book_id, name="Readers", confirm_name="Everybody"
        ),
        "estimate": lambda: SendPulseEstimateCostOperator(task_id="task", dag=dag, address_book_id=book_id),
        "test message": lambda: SendPulseSendTestOperator(
            task_id="task",
            dag=dag,
            name="News",
            subject="News",
            body="<p>News</p>",
            sender_name="The Shop",
            sender_email="shop@example.com",
            address_book_id=book_id,
            addresses=[ADDRESS],
        ),
        "edit": lambda: SendPulseEditCampaignOperator(
            task_id="task", dag=dag, campaign_id=scheduled(account), subject="Other news", body="<p>Other</p>"
        ),
        "cancel": lambda: SendPulseCancelCampaignOperator(task_id="task", dag=dag, campaign_id=account.campaign(14)),
        "campaign statistics": lambda: SendPulseCampaignStatisticsOperator(
            task_id="task", dag=dag, campaign_id=account.campaign(3), totals=f"{kept()}/totals.csv"
        ),
        "take off the blacklist": lambda: SendPulseRemoveFromBlacklistOperator(
            task_id="task", dag=dag, contacts=[blacklisted(account)]
        ),
    }


def kept() -> Path:
    """Return a folder for what is meant to hold addresses."""
    return Path.cwd().parents[1] / "kept"


HOOK = f"https://hooks.example.org/{HASH}/{ADDRESS}"


def subscribed(account: Any) -> str:
    with account.emulator.emulator.lock:
        account.emulator.state.webhooks.subscribe(HOOK, ["open", "spam"])
    return HOOK


def scheduled(account: Any) -> int:
    fields = {
        "sender_name": "The Shop",
        "sender_email": "shop@example.com",
        "subject": "News",
        "body": "PHA+TmV3czwvcD4=",
        "list_id": account.book("Scheduled"),
        "send_date": "2098-01-01 10:00:00",
    }
    return int(account._command("add_campaign", fields)["id"])


def blacklisted(account: Any) -> str:
    with account.emulator.emulator.lock:
        account.emulator.state.blacklist[ADDRESS] = ""
    return ADDRESS


def waiting_sender(account: Any) -> str:
    sender = account.emulator.state.senders.put("Shop", "news@example.org", active=False)
    sender.code = HASH
    return str(sender.email)


def template() -> str:
    # Beside the folders in which files with canaries are looked for.
    path = Path.cwd().parents[1] / "welcome.html"
    path.write_text(f"<p>{NAME}</p>")
    return str(path)


def flow(account: Any) -> int:
    with account.emulator.emulator.lock:
        return int(account.emulator.state.flows.create("Welcome", "signed_up", []).id)


def sent_to(account: Any) -> str:
    from airflow_provider_sendpulse.emulator.smtp import SmtpMessage

    with account.emulator.emulator.lock:
        wanted = SmtpMessage("Shop", "shop@example.com", NAME, NAME, NAME, [ADDRESS])
        return str(account.emulator.state.smtp.send(wanted))


__all__ = ["NAMES", "tasks"]
