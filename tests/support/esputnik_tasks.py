# SPDX-License-Identifier: Apache-2.0
"""Every operator and sensor of eSputnik, with a person in all places where there can be one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from canaries import ADDRESS, NAME, OWN_ID, PHONE, PLACE
from contact_file import LOGIN, PASSWORD
from esputnik_there import There

from airflow_provider_sendpulse.operators.esputnik.activity import EsputnikActivityOperator
from airflow_provider_sendpulse.operators.esputnik.broadcasts import (
    EsputnikCreateBroadcastOperator,
    EsputnikDeleteBroadcastOperator,
)
from airflow_provider_sendpulse.operators.esputnik.contacts import (
    EsputnikSubscribeContactOperator,
    EsputnikUnsubscribeContactsOperator,
    EsputnikUpdateContactOperator,
    EsputnikUpsertContactOperator,
)
from airflow_provider_sendpulse.operators.esputnik.erasure import EsputnikEraseContactsOperator
from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.esputnik.imports import (
    EsputnikImportContactsOperator,
    EsputnikImportFileOperator,
)
from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator
from airflow_provider_sendpulse.operators.esputnik.segments import (
    EsputnikAttachToSegmentOperator,
    EsputnikDetachFromSegmentOperator,
)
from airflow_provider_sendpulse.sensors.esputnik.balance import EsputnikBalanceSensor
from airflow_provider_sendpulse.sensors.esputnik.imports import EsputnikImportSensor
from airflow_provider_sendpulse.sensors.esputnik.messages import EsputnikMessageSensor

DATA: dict[str, Any] = {
    "contact_email": ADDRESS,
    "contact_phone": PHONE,
    "external_customer_id": OWN_ID,
    "first_name": NAME,
    "last_name": NAME,
    "region": PLACE,
    "town": PLACE,
    "address": PLACE,
    "postcode": OWN_ID,
    "fields": {"NOTE": NAME},
}
ROW = {"email": ADDRESS, "phone": PHONE, "own": OWN_ID, "name": NAME, "note": NAME}
MAPPING = {
    "email": "email",
    "sms": "phone",
    "external_customer_id": "own",
    "first_name": "name",
    "fields": {"NOTE": "note"},
}
READER = {"email": ADDRESS, "phone": PHONE, "external_customer_id": OWN_ID, "name": NAME, "key": 1}
ORDER = {
    "external_order_id": 1,
    "total_cost": 5,
    "status": "DELIVERED",
    "date": "2026-01-05T10:00:00+02:00",
    "currency": "UAH",
    "email": ADDRESS,
    "phone": PHONE,
    "external_customer_id": OWN_ID,
    "first_name": NAME,
    "delivery_address": NAME,
}
ROWS = {"contacts": [ROW], "mapping": MAPPING}
EVERYTHING = (ADDRESS, PHONE, OWN_ID, NAME, PLACE)
OF_A_ROW = (ADDRESS, PHONE, OWN_ID, NAME)
OF_A_LINK = (f"http://{LOGIN}:{PASSWORD}@127.0.0.1/contacts.csv", LOGIN, PASSWORD, unquote(PASSWORD))
REACHED = (ADDRESS, PHONE)
"""What anybody may say of a person and is known for what it is."""

ACTIVITY = ("email", "sms", "external_customer_id", "view_message_link")


Given = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A task, and the call of it that is tried.

    :param operation: that call, which fails
    :param sent: what the service can repeat of it: no more than it was sent
    :param given: the task's arguments
    :param of: more of them, of what is in the account
    :param legs: how often the task is started when it waits in the triggerer and succeeds
    :param mapped: the argument that it is expanded over
    """

    kind: type[Any]
    operation: str
    sent: tuple[str, ...] = REACHED
    given: Given = field(default_factory=dict)
    of: Callable[[There], Given] = lambda _: {}
    legs: int = 1
    mapped: str = ""

    def task(self, dag: Any, there: There) -> Any:
        """Return the task."""
        arguments = {**self.given, **self.of(there)}
        if "Sensor" in self.kind.__name__:
            arguments |= {"poke_interval": 0.001, "timeout": 60.0}
        if not self.mapped:
            return self.kind(task_id="task", dag=dag, **arguments)
        expanded = arguments.pop(self.mapped)
        return self.kind.partial(task_id="task", dag=dag, **arguments).expand(**{self.mapped: [expanded]})

    @property
    def map_index(self) -> int:
        """The map index to run it with."""
        return 0 if self.mapped else -1


def _receipts(there: There) -> Given:
    return {"receipt": str(there.kept / "receipts.csv")}


def _message(there: There) -> Given:
    return {
        "message_id": there.message,
        "rejects": there.kept / "rejects.jsonl",
        "request_ids": there.kept / "ids.jsonl",
    }


def _rejects(there: There) -> Given:
    return {"rejects": there.kept / "rejects.jsonl"}


def _broadcast(there: There) -> Given:
    return {"title": "News", "message_id": there.message, "groups": "Readers", "visibility_window": 0.001}


def _link(there: There) -> Given:
    return {"link": there.link}


def _session(there: There) -> Given:
    return {"session_id": there.session, "mapping_output": f"{there.kept}/session.csv"}


def _imported(there: There) -> Given:
    return {**_rejects(there), "mapping_output": f"{there.kept}/ids.csv", "poll_interval": 60, "timeout": 600}


_BY_OWN_ID: Given = {"contacts": [OWN_ID], "by": "external_customer_id"}
_PERIOD: Given = {"date_from": datetime.now(UTC) - timedelta(days=1), "date_to": datetime.now(UTC) + timedelta(days=1)}

CASES: dict[str, Case] = {
    "subscribe one": Case(EsputnikSubscribeContactOperator, "contacts.subscribe", EVERYTHING, DATA),
    "subscribe": Case(EsputnikSubscribeContactOperator, "contacts.subscribe", OF_A_ROW, ROWS, _rejects),
    "subscribe, mapped": Case(EsputnikSubscribeContactOperator, "contacts.subscribe", OF_A_ROW, ROWS, mapped="contacts"),
    "upsert": Case(EsputnikUpsertContactOperator, "contacts.upsert", EVERYTHING, DATA),
    "upsert, mapped": Case(EsputnikUpsertContactOperator, "contacts.upsert", EVERYTHING, DATA, mapped="fields"),
    "upsert, fields": Case(EsputnikUpsertContactOperator, "fields.list", REACHED, DATA),
    "update": Case(EsputnikUpdateContactOperator, "contacts.search", (ADDRESS,), {**DATA, "find_by": "email"}),
    "update by external id": Case(EsputnikUpdateContactOperator, "contacts.update", EVERYTHING, DATA),
    "update, mapped": Case(EsputnikUpdateContactOperator, "contacts.update", EVERYTHING, DATA, mapped="contact_email"),
    "unsubscribe": Case(
        EsputnikUnsubscribeContactsOperator, "unsubscribed.add", (ADDRESS,), {"contacts": [ADDRESS]}, _rejects
    ),
    "unsubscribe, mapped": Case(
        EsputnikUnsubscribeContactsOperator, "unsubscribed.add", (ADDRESS,), {"contacts": [ADDRESS]}, mapped="contacts"
    ),
    "erase": Case(
        EsputnikEraseContactsOperator,
        "contacts.search",
        (ADDRESS,),
        {"contacts": [ADDRESS], "by": "email", "erase": True},
        _receipts,
    ),
    "erase what was found": Case(
        EsputnikEraseContactsOperator,
        "contacts.delete",
        (ADDRESS,),
        {"contacts": [ADDRESS], "by": "email", "erase": True, "receipt_contact": "address"},
        _receipts,
    ),
    "erase by external id": Case(
        EsputnikEraseContactsOperator, "contacts.search", (OWN_ID,), {**_BY_OWN_ID, "erase": False}, _receipts
    ),
    "erase, mapped": Case(
        EsputnikEraseContactsOperator,
        "contacts.delete",
        (ADDRESS,),
        {"contacts": [PHONE], "by": "phone", "erase": True},
        _receipts,
        mapped="contacts",
    ),
    "attach": Case(
        EsputnikAttachToSegmentOperator, "segments.attach", (OWN_ID,), {**_BY_OWN_ID, "segment_name": "Readers"}
    ),
    "attach by look-up": Case(
        EsputnikAttachToSegmentOperator,
        "contacts.search",
        (PHONE[1:],),
        {"contacts": [PHONE], "by": "phone", "segment_name": "Readers"},
    ),
    "attach, segment": Case(
        EsputnikAttachToSegmentOperator, "segments.list", REACHED, {**_BY_OWN_ID, "segment_name": "Readers"}
    ),
    "attach, mapped": Case(
        EsputnikAttachToSegmentOperator,
        "segments.attach",
        (OWN_ID,),
        {**_BY_OWN_ID, "segment_name": "Readers"},
        mapped="contacts",
    ),
    "detach": Case(
        EsputnikDetachFromSegmentOperator,
        "contacts.search",
        (ADDRESS,),
        {"contacts": [ADDRESS], "by": "email", "segment_name": "Readers"},
    ),
    "detach, mapped": Case(
        EsputnikDetachFromSegmentOperator,
        "segments.detach",
        (OWN_ID,),
        {**_BY_OWN_ID, "segment_name": "Readers"},
        mapped="contacts",
    ),
    "empty a segment": Case(
        EsputnikDetachFromSegmentOperator,
        "segments.detach",
        given={"empty_segment": True},
        of=lambda there: {"segment_id": there.segment},
    ),
    "import": Case(EsputnikImportContactsOperator, "contacts.import", OF_A_ROW, {**ROWS, "deferrable": False}, _imported),
    "import, mapped": Case(
        EsputnikImportContactsOperator,
        "contacts.import",
        OF_A_ROW,
        {**ROWS, "deferrable": False},
        _imported,
        mapped="contacts",
    ),
    "import, session": Case(
        EsputnikImportContactsOperator, "imports.read", REACHED, {**ROWS, "deferrable": False}, _imported
    ),
    "import, deferred": Case(
        EsputnikImportContactsOperator,
        "imports.read",
        REACHED,
        {**ROWS, "deferrable": True},
        # The triggerer waits by the clock of the machine.
        lambda there: {**_imported(there), "poll_interval": 0.001, "timeout": 1},
        legs=2,
    ),
    "import a file": Case(EsputnikImportFileOperator, "contacts.upload", OF_A_LINK, of=_link),
    "import a file, mapped": Case(EsputnikImportFileOperator, "contacts.upload", OF_A_LINK, of=_link, mapped="link"),
    "events": Case(
        EsputnikSendEventOperator,
        "events.send_v2",
        OF_A_ROW,
        {
            "event_type_key": "left",
            "contacts": [READER],
            "event_key": "key",
            "external_customer_id_column": "external_customer_id",
        },
        _rejects,
    ),
    "events, mapped": Case(
        EsputnikSendEventOperator,
        "events.send_v2",
        OF_A_ROW,
        {
            "event_type_key": "left",
            "contacts": [READER],
            "event_key": "key",
            "external_customer_id_column": "external_customer_id",
        },
        mapped="contacts",
    ),
    "event for one": Case(
        EsputnikSendEventOperator,
        "events.send_v2",
        OF_A_ROW,
        {
            "event_type_key": "left",
            "contact_email": ADDRESS,
            "contact_phone": PHONE,
            "external_customer_id": OWN_ID,
            "parameters": {"name": NAME},
        },
        _rejects,
    ),
    "messages": Case(
        EsputnikSendMessageOperator,
        "messages.smartsend",
        OF_A_ROW,
        {"contacts": [READER], "create_contacts": False},
        _message,
    ),
    "messages by external id": Case(
        EsputnikSendMessageOperator,
        "messages.smartsend",
        OF_A_ROW,
        {"contacts": [READER], "external_customer_id_column": "external_customer_id"},
        _message,
    ),
    "messages, look-up": Case(
        EsputnikSendMessageOperator,
        "contacts.search",
        (ADDRESS,),
        {"contacts": [READER], "create_contacts": False},
        _message,
    ),
    "messages, mapped": Case(
        EsputnikSendMessageOperator, "messages.smartsend", OF_A_ROW, {"contacts": [READER]}, _message, mapped="contacts"
    ),
    "orders": Case(
        EsputnikSendOrdersOperator, "orders.add", OF_A_ROW, {"orders": [ORDER], "create_contacts": False}, _rejects
    ),
    "orders, mapped": Case(EsputnikSendOrdersOperator, "orders.add", OF_A_ROW, {"orders": [ORDER]}, mapped="orders"),
    "activity": Case(
        EsputnikActivityOperator,
        "activity.list",
        given={**_PERIOD, "columns": ACTIVITY},
        of=lambda there: {"destination": f"{there.kept}/activity.csv"},
    ),
    "activity, mapped": Case(EsputnikActivityOperator, "activity.list", given={**_PERIOD, "tag": ""}, mapped="tag"),
    "broadcast": Case(EsputnikCreateBroadcastOperator, "broadcasts.create", of=_broadcast),
    "broadcast, list": Case(EsputnikCreateBroadcastOperator, "broadcasts.list", of=_broadcast),
    "broadcast, mapped": Case(EsputnikCreateBroadcastOperator, "broadcasts.create", of=_broadcast, mapped="title"),
    "delete a broadcast": Case(
        EsputnikDeleteBroadcastOperator, "broadcasts.delete", of=lambda there: {"broadcast_id": there.broadcast}
    ),
    "delete a broadcast, mapped": Case(
        EsputnikDeleteBroadcastOperator,
        "broadcasts.delete",
        of=lambda there: {"broadcast_id": there.broadcast},
        mapped="broadcast_id",
    ),
    **{
        f"{name} sensor{how}": replace(
            case, given={**case.given, "deferrable": how == ", deferred"}, mapped=mapped if how == ", mapped" else ""
        )
        for name, mapped, case in (
            (
                "balance",
                "min_bonus_emails",
                Case(EsputnikBalanceSensor, "balance.read", given={"min_balance": 0, "min_bonus_emails": 0}),
            ),
            ("import", "session_id", Case(EsputnikImportSensor, "imports.read", of=_session, legs=2)),
            (
                "message",
                "request_ids",
                Case(EsputnikMessageSensor, "messages.status", of=lambda there: {"request_ids": [there.request]}, legs=2),
            ),
        )
        for how in ("", ", deferred", ", mapped")
    },
}
"""What is done, to what it is done with; each as a mapped task, too."""

__all__ = ["CASES", "ROW", "Case"]
