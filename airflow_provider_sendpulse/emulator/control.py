# SPDX-License-Identifier: Apache-2.0
"""The control API: what a test tells the emulator, and asks it, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_sendpulse.emulator import strict_json, webhook_events
from airflow_provider_sendpulse.emulator.campaign_request import CampaignRequest
from airflow_provider_sendpulse.emulator.contacts import read_new_contacts
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.errors import Refusal
from airflow_provider_sendpulse.emulator.fault_kinds import OWN, InvalidFault, fields_of
from airflow_provider_sendpulse.emulator.gateway import CONTROL_PREFIX
from airflow_provider_sendpulse.emulator.settings import InvalidSetting
from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT, UNSUBSCRIBED_CONTACT, UNSUBSCRIBED_FROM_ALL

Command = Callable[[Emulator, Request, dict[str, Any]], Any]


def command(method: str, path: str, run: Command, *, pushes: bool = False) -> Route:
    """Make a route that runs a command and says what was wrong with it if it cannot.

    :param pushes: webhooks may become due by it. They are sent in a thread, as their receiver may call the emulator
    """

    async def answer(request: Request) -> Response:
        try:
            fields = strict_json.loads(await request.body() or b"{}")
            if not isinstance(fields, dict):
                raise ValueError("the body must be a JSON object")
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        emulator: Emulator = request.app.state.emulator
        response = _run(emulator, request, fields)
        if pushes and response.status_code == 200:
            await asyncio.to_thread(emulator.push_webhooks)
        return response

    def _run(emulator: Emulator, request: Request, fields: dict[str, Any]) -> Response:
        with emulator.lock:
            try:
                emulator.state.settle()
                return JSONResponse(run(emulator, request, fields))
            except Refusal as refusal:
                return JSONResponse({"error": refusal.message}, refusal.http_status)
            except KeyError as error:
                return JSONResponse({"error": f"{error.args[0]} is missing"}, 400)
            except (InvalidSetting, InvalidFault, ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)

    return Route(CONTROL_PREFIX + path, answer, methods=[method])


def state(emulator: Emulator, _: Request, __: dict[str, Any]) -> dict[str, Any]:
    """Everything the account holds."""
    return emulator.state.as_dict()


def requests(emulator: Emulator, request: Request, _: dict[str, Any]) -> dict[str, Any]:
    """Return the request log, of one operation if asked."""
    operation = request.query_params.get("operation")
    return {
        "total": emulator.requests.total,
        "by_operation": emulator.requests.counts(),
        "busiest_second": emulator.requests.busiest_second(),
        "requests": [record.as_dict() for record in emulator.requests.records(operation)],
    }


def read_settings(emulator: Emulator, _: Request, __: dict[str, Any]) -> dict[str, Any]:
    """All settings."""
    return emulator.settings.as_dict()


def change_settings(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Change some settings."""
    emulator.change_settings(fields)
    return emulator.settings.as_dict()


def list_faults(emulator: Emulator, _: Request, __: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the faults, with how often each was met."""
    return emulator.faults.as_list()


def add_fault(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Set one fault up."""
    return emulator.faults.add_from(fields).as_dict()


def list_fault_kinds(_: Emulator, __: Request, ___: dict[str, Any]) -> dict[str, list[str]]:
    """Return the kinds of faults that there are, with the fields of each."""
    return {kind: fields_of(kind) for kind in OWN}


def clear_faults(emulator: Emulator, _: Request, __: dict[str, Any]) -> dict[str, bool]:
    """Take all faults away."""
    emulator.faults.clear()
    return {"done": True}


def remove_fault(emulator: Emulator, request: Request, _: dict[str, Any]) -> dict[str, bool]:
    """Take one fault away."""
    return {"done": emulator.faults.remove(int(request.path_params["fault_id"]))}


async def refuse_connections(request: Request) -> Response:
    """Answer, and then refuse connections for a while."""
    try:
        seconds = strict_json.loads(await request.body() or b"{}")["seconds"]
        request.app.state.emulator.server.refuse_connections(float(seconds), spare=request.scope["state"]["transport"])
    except (KeyError, TypeError, ValueError) as error:
        return JSONResponse({"error": f"seconds is missing or cannot be meant: {error}"}, 400)
    return JSONResponse({"done": True}, headers={"Connection": "close"})


def reset(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Forget everything."""
    emulator.reset(keep_settings=bool(fields.get("keep_settings", False)))
    return {"done": True}


def advance(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, str]:
    """Push the clock forward."""
    emulator.move_clock(float(fields["seconds"]))
    return {"now": emulator.clock.now().isoformat()}


def revoke_tokens(emulator: Emulator, _: Request, __: dict[str, Any]) -> dict[str, int]:
    """Make every token invalid at once."""
    return {"revoked": emulator.state.tokens.revoke_all()}


def add_book(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Make a book that already holds contacts, active ones unless told otherwise."""
    account = emulator.state
    entries = fields.get("emails")
    contacts = read_new_contacts(entries, lists_allowed=True) if entries else []
    status = int(fields.get("contact_status", ACTIVE_CONTACT))
    book = account.books.create(str(fields["name"]), at_once_visible=True)
    book.variables.update(fields.get("variable_types", {}))
    for contact in contacts:
        book.put(contact, account.clock.now()).status = status
    return {"id": book.id}


def set_book_status(emulator: Emulator, request: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Force a book's status; null lets it follow from events again."""
    book = emulator.state.books.find(int(request.path_params["book_id"]))
    status = fields["status"]
    book.forced_status = None if status is None else int(status)
    return {"id": book.id, "status": book.status}


def set_contact_status(emulator: Emulator, request: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Give a contact a status, such as unsubscribed by a click."""
    book = emulator.state.books.find(int(request.path_params["book_id"]))
    contact = book.contacts[str(fields["email"])]
    contact.status = int(fields["status"])
    if contact.status in (UNSUBSCRIBED_CONTACT, UNSUBSCRIBED_FROM_ALL):
        now, from_all = emulator.clock.now(), contact.status == UNSUBSCRIBED_FROM_ALL
        last = max((item.campaign_id or 0 for item in emulator.state.mailbox.to_address(contact.email)), default=0)
        told = webhook_events.unsubscribed(now, contact.email, book.id, last, from_all=from_all)
        emulator.state.webhooks.tell(now, told)
    return {"done": True}


def confirm(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Click the link of a confirmation message."""
    return {"done": emulator.state.confirm(int(fields["book_id"]), str(fields["email"]))}


def add_sender(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Set a sender up, activated unless told otherwise."""
    active = bool(fields.get("active", True))
    emulator.state.senders.put(str(fields["name"]), str(fields["email"]), active=active)
    return {"done": True}


def add_campaign(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Create a campaign as a person would in the dashboard: it is in no limit."""
    account = emulator.state
    campaign = account.campaigns.create(CampaignRequest(account, fields).content(), at_once_visible=True)
    account.course.started(campaign)
    return {"id": campaign.id}


def set_campaign_status(emulator: Emulator, request: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Put a campaign into a status, with the statuses that shall follow."""
    campaign = emulator.state.campaigns.find(int(request.path_params["campaign_id"]))
    then = [int(status) for status in fields.get("then", [])]
    emulator.state.course.force(campaign, int(fields["status"]), then)
    return {"id": campaign.id, "status": campaign.status}


def add_template(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Save a template, also one of the visual editor, which no call can edit."""
    template = emulator.state.templates.create(
        str(fields["body"]),
        str(fields["name"]),
        str(fields.get("lang", "en")),
        from_visual_editor=bool(fields.get("visual", False)),
    )
    return {"id": template.id, "real_id": template.real_id}


def tell_webhooks(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Let an event happen that is pushed as it is given, such as one of moderation or a complaint."""
    if not isinstance(fields["event"], str):
        raise ValueError("event must be a text")
    emulator.state.webhooks.tell(emulator.clock.now(), fields)
    return {"done": True}


def add_flow(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Make a flow that an event starts."""
    flow = emulator.state.flows.create(
        str(fields["name"]),
        str(fields["event"]),
        list(fields.get("elements", [])),
        stop_event=str(fields.get("stop_event", "")),
        is_active=bool(fields.get("active", True)),
    )
    return {"id": flow.id, "elements": [element.id for element in flow.elements]}


def add_conversion(emulator: Emulator, request: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Let a contact do what a flow, or one of its goals, is for."""
    flow = emulator.state.flows.find(int(request.path_params["flow_id"]))
    return {"id": emulator.state.flows.convert(flow, str(fields["email"]), fields.get("element_id")).id}


def return_subscriber(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Click the link of a message that asks an unsubscribed person to come back."""
    return {"done": emulator.state.smtp.unsubscribed.pop(str(fields["email"]), None) is not None}


def check_domain(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Let a sender domain pass all its checks."""
    emulator.state.smtp.add_domain(str(fields["domain"])).is_checked = True
    return {"done": True}


ROUTES = [
    command("GET", "/state", state),
    command("GET", "/requests", requests),
    command("GET", "/settings", read_settings),
    command("PUT", "/settings", change_settings),
    command("GET", "/faults", list_faults),
    command("GET", "/fault-kinds", list_fault_kinds),
    command("POST", "/faults", add_fault),
    command("DELETE", "/faults", clear_faults),
    command("DELETE", "/faults/{fault_id:int}", remove_fault),
    Route(f"{CONTROL_PREFIX}/outage", refuse_connections, methods=["POST"]),
    command("POST", "/reset", reset),
    command("POST", "/clock/advance", advance, pushes=True),
    command("POST", "/tokens/revoke", revoke_tokens),
    command("POST", "/books", add_book),
    command("PUT", "/books/{book_id:int}/status", set_book_status),
    command("PUT", "/books/{book_id:int}/contacts", set_contact_status),
    command("POST", "/confirmations", confirm),
    command("POST", "/senders", add_sender),
    command("POST", "/templates", add_template),
    command("POST", "/webhooks/events", tell_webhooks),
    command("POST", "/flows", add_flow),
    command("POST", "/flows/{flow_id:int}/conversions", add_conversion),
    command("POST", "/resubscriptions", return_subscriber),
    command("POST", "/sender-domains", check_domain),
    command("POST", "/campaigns", add_campaign),
    command("PUT", "/campaigns/{campaign_id:int}/status", set_campaign_status),
]
