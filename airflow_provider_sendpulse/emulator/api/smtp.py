# SPDX-License-Identifier: Apache-2.0
"""The transactional service (SendPulse API: SMTP service)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_sendpulse.emulator.api.arguments import LANGUAGES, address, email_entries
from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.contacts import clean_address, is_address
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, wrong_type
from airflow_provider_sendpulse.emulator.local_time import FORMAT, read_local, write_local
from airflow_provider_sendpulse.emulator.messages import Message
from airflow_provider_sendpulse.emulator.smtp import SenderDomain, SmtpRecord, Unsubscribed
from airflow_provider_sendpulse.emulator.smtp_request import check_account, read_message
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.webhook_events import SMTP_ANSWERS

MOST_IDS = 500
# No least limit is declared here, unlike for books: the PHP and Node clients send 0 when they are given none.
LEAST_LIMIT = 0
DELIVERED = (250, "2.0.0", "OK")
WAITING = (0, "", "")


def send(state: State, call: Call) -> dict[str, Any]:
    """Take a message."""
    return {"result": True, "id": state.smtp.send(read_message(state, call.fields))}


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of messages, filtered."""
    check_account(state.settings)
    limit, offset = call.page(least=LEAST_LIMIT)
    found = _filtered(state, call)
    if state.settings.smtp_list_order == "desc":
        found.reverse()
    with_country = call.query.get("country", "") != "off"
    return [_record(state, record, with_country=with_country) for record in found[offset : offset + limit]]


def total(state: State, _: Call) -> dict[str, int]:
    """Count the messages."""
    check_account(state.settings)
    return {"total": len(state.smtp)}


def read(state: State, call: Call) -> dict[str, Any]:
    """Show one message."""
    record = state.smtp.get(call.path_text("email_id"))
    if record is None:
        raise Refusal(400, 14, "No such email")
    return _record(state, record)


def read_many(state: State, call: Call) -> list[dict[str, Any]]:
    """Show up to 500 messages; ids that do not exist are left out."""
    ids = call.fields.get("emails")
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST_IDS or not all(isinstance(item, str) for item in ids):
        raise Refusal(400, 832, "Emails param empty or incorrect")
    found = [record for record in map(state.smtp.get, dict.fromkeys(ids)) if record is not None]
    if not found:
        raise Refusal(400, 14, "No such emails")
    return [_record(state, record) for record in found]


def bounces(state: State, call: Call) -> dict[str, Any]:
    """Show what came back in the last 24 hours, of one day if asked."""
    limit, offset = call.page(least=LEAST_LIMIT)
    wanted = _day(call.query.get("date"))
    found = [record for record in state.smtp.bounced() if wanted in (None, _local_day(state, record.sent_at))]
    return {
        "total": len(state.smtp.bounced()),
        "emails": [_bounce(state, record) for record in found[offset : offset + limit]],
        "request_limit": limit,
        "found": len(found),
    }


def bounces_total(state: State, _: Call) -> dict[str, int]:
    """Count what came back in the last 24 hours."""
    return {"total": len(state.smtp.bounced())}


def unsubscribe(state: State, call: Call) -> dict[str, bool]:
    """Stop messages to addresses."""
    for entry in _entries(state, call):
        email = entry.get("email") if isinstance(entry, dict) else entry
        comment = entry.get("comment") if isinstance(entry, dict) else None
        if is_address(email):
            state.smtp.unsubscribe(clean_address(str(email)), str(comment or ""))
    return {"result": True}


def remove_unsubscribed(state: State, call: Call) -> dict[str, bool]:
    """Allow messages to addresses again."""
    for entry in _entries(state, call):
        state.smtp.unsubscribed.pop(clean_address(str(entry)), None)
    return {"result": True}


def unsubscribed(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of those who take no messages."""
    limit, offset = call.page(least=LEAST_LIMIT)
    wanted = _day(call.query.get("date"))
    found = [entry for entry in state.smtp.unsubscribed.values() if wanted in (None, _local_day(state, entry.at))]
    return [_unsubscribed(state, entry) for entry in found[offset : offset + limit]]


def search(state: State, call: Call) -> dict[str, bool]:
    """Tell whether an address takes no messages; ``false`` is data here."""
    email = call.query.get("email", "")
    if not email:
        raise invalid("Empty email parameter")
    if not is_address(email.strip()):
        raise invalid("Wrong email parameter")
    return {"result": clean_address(email) in state.smtp.unsubscribed}


def resubscribe(state: State, call: Call) -> dict[str, Any]:
    """Ask somebody by mail to come back."""
    if state.settings.smtp_account == "missing":
        raise invalid("Smtp user not found", 503)
    email, sender = call.text("email"), call.text("sender")
    if not is_address(email.strip()):
        raise invalid("Argument email is invalid")
    language = call.fields.get("lang", "en")
    if not isinstance(language, str):
        raise wrong_type("lang", "string")
    if language not in LANGUAGES:
        raise invalid("Argument lang is invalid")
    return {"result": True, "id": state.smtp.ask_to_return(clean_address(email), sender)}


def ips(state: State, _: Call) -> list[str]:
    """Show the addresses that messages leave from."""
    return state.settings.smtp_ips


def senders(state: State, _: Call) -> list[str]:
    """Show the addresses that messages may come from."""
    return [sender.email for sender in state.senders if sender.active]


def domains(state: State, _: Call) -> dict[str, Any]:
    """Show the domains that messages may come from."""
    return {"data": {"result": True, "data": [_domain(state, domain) for domain in state.smtp.domains]}}


def add_domain(state: State, call: Call) -> dict[str, Any]:
    """Add a domain."""
    name = call.path_text("domain").lower()
    if "." not in name:
        raise invalid("Argument domain is invalid")
    state.smtp.add_domain(name)
    return {"data": {"result": True}}


def old_domains(state: State, _: Call) -> list[str]:
    """Show the domains, by the call that older clients have and nothing documents."""
    return [domain.name for domain in state.smtp.domains]


def add_old_domain(state: State, call: Call) -> dict[str, bool]:
    """Add the domain of an address."""
    state.smtp.add_domain(address(call).rpartition("@")[2])
    return {"result": True}


def verify_old_domain(state: State, call: Call) -> dict[str, bool]:
    """Mail a link to an address that proves its domain; here it proves it at once."""
    state.smtp.add_domain(call.path_text("email").rpartition("@")[2].lower()).is_checked = True
    return {"result": True}


def _filtered(state: State, call: Call) -> list[SmtpRecord]:
    found = state.smtp.listed()
    sender, recipient = call.query.get("sender"), call.query.get("recipient")
    since, until = _moment(state, call, "from"), _moment(state, call, "to")
    if sender:
        found = [record for record in found if record.sender.lower() == clean_address(sender)]
    if recipient:
        found = [record for record in found if record.recipient == clean_address(recipient)]
    if since is not None:
        found = [record for record in found if record.sent_at >= since]
    if until is not None:
        found = [record for record in found if record.sent_at < until]
    return found


def _moment(state: State, call: Call, name: str) -> datetime | None:
    """Read a bound of a list: a date, or a date and time; the last day and second are part of it."""
    text = call.query.get(name)
    if not text:
        return None
    last = name == "to"
    zone = state.settings.time_zone
    try:
        if len(text) > len("2026-01-31"):
            return read_local(text, zone) + timedelta(seconds=last)
        day = date.fromisoformat(text) + timedelta(days=last)
        return read_local(f"{day} 00:00:00", zone)
    except ValueError:
        raise invalid(f"Argument {name} is invalid") from None


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text[:10], FORMAT[:8]).date()  # noqa: DTZ007 - a day of the account
    except ValueError:
        raise invalid("Argument date is invalid") from None


def _local_day(state: State, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(state.settings.time_zone)).date()


def _record(state: State, record: SmtpRecord, *, with_country: bool = True) -> dict[str, Any]:
    code, subcode, data = _smtp_answer(state, record)
    number = str if state.settings.smtp_numbers_as_strings else int
    return {
        "id": record.id,
        "sender": record.sender,
        "total_size": number(record.size),
        "sender_ip": "127.0.0.1",
        "smtp_answer_code": number(code),
        "smtp_answer_code_explain": "Delivered" if code == DELIVERED[0] else "Not delivered",
        "smtp_answer_subcode": subcode,
        "smtp_answer_data": data,
        "used_ip": state.settings.smtp_ips[0] if state.settings.smtp_ips else "",
        "recipient": record.recipient,
        "subject": record.subject,
        "send_date": write_local(record.sent_at, state.settings.time_zone),
        "tracking": _tracking(state, record.message, with_country=with_country),
    }


def _smtp_answer(state: State, record: SmtpRecord) -> tuple[int, str, str]:
    if record.message is None:
        return WAITING
    return SMTP_ANSWERS.get(record.message.status_at(state.clock.now()), DELIVERED)


def _tracking(state: State, message: Message | None, *, with_country: bool) -> dict[str, Any]:
    now, zone = state.clock.now(), state.settings.time_zone
    tracking: dict[str, Any] = {"click": 0, "open": 0, "link": [], "client_info": []}
    if message is None or message.opened_at is None or message.opened_at > now:
        return tracking
    info = {"browser": "Firefox", "os": "Linux", "action_date": write_local(message.opened_at, zone)}
    if with_country:
        info["country"] = message.country
    tracking.update(open=1, client_info=[info])
    if message.clicked_link is not None and message.clicked_at is not None and message.clicked_at <= now:
        clicked = {"url": message.clicked_link, "count": 1, "action_date": write_local(message.clicked_at, zone)}
        tracking.update(click=1, link=[clicked])
    return tracking


def _bounce(state: State, record: SmtpRecord) -> dict[str, Any]:
    code, subcode, data = _smtp_answer(state, record)
    return {
        "email_to": record.recipient,
        "sender": record.sender,
        "send_date": write_local(record.sent_at, state.settings.time_zone),
        "subject": record.subject,
        "smtp_answer_code": code,
        "smtp_answer_subcode": subcode,
        "smtp_answer_data": data,
    }


def _unsubscribed(state: State, entry: Unsubscribed) -> dict[str, Any]:
    return {
        "email": entry.email,
        "unsubscribe_by_link": int(entry.by_link),
        "unsubscribe_by_user": int(entry.by_user),
        "spam_complaint": int(entry.by_complaint),
        "date": write_local(entry.at, state.settings.time_zone),
    }


def _domain(state: State, domain: SenderDomain) -> dict[str, Any]:
    checks = dict.fromkeys(("check_dkim", "check_spf", "check_dmarc", "all_checks"), domain.is_checked)
    return {
        "id": domain.id,
        "user_id": state.settings.user_id,
        "service_type": 1,
        "service_value": domain.name,
        "status": int(domain.is_checked),
        "is_default": False,
        "ssl_type": 0,
        "checks": {**checks, "spf_txt_needed": "v=spf1 include:spf.example.com ~all"},
    }


def _entries(state: State, call: Call) -> list[Any]:
    """Read a list of addresses: under ``emails`` as all clients send it, or bare as the OpenAPI file shows it."""
    wanted = state.settings.smtp_unsubscribe_body
    body = call.body if call.encoding == "json" else None
    entries = None
    if isinstance(body, dict) and wanted != "array":
        entries = email_entries(state, call)
    elif isinstance(body, list) and wanted != "object":
        entries = body
    if not isinstance(entries, list) or not entries:
        raise Refusal(400, 14, "Empty emails")
    return entries


_DOMAINS = "/v2/email-service/smtp/sender_domains"
ROUTES = [
    endpoint("POST", "/smtp/emails", "smtp.send", send),
    endpoint("GET", "/smtp/emails", "smtp.list", list_all),
    endpoint("GET", "/smtp/emails/total", "smtp.total", total),
    endpoint("POST", "/smtp/emails/info", "smtp.read_many", read_many),
    endpoint("GET", "/smtp/emails/{email_id}", "smtp.read", read),
    endpoint("GET", "/smtp/bounces/day", "smtp.bounces", bounces),
    endpoint("GET", "/smtp/bounces/day/total", "smtp.bounces_total", bounces_total),
    endpoint("POST", "/smtp/unsubscribe", "smtp.unsubscribe", unsubscribe),
    endpoint("DELETE", "/smtp/unsubscribe", "smtp.remove_unsubscribed", remove_unsubscribed),
    endpoint("GET", "/smtp/unsubscribe", "smtp.unsubscribed", unsubscribed),
    endpoint("GET", "/smtp/unsubscribe/search", "smtp.is_unsubscribed", search),
    endpoint("POST", "/smtp/resubscribe", "smtp.resubscribe", resubscribe),
    endpoint("GET", "/smtp/ips", "smtp.ips", ips),
    endpoint("GET", "/smtp/senders", "smtp.senders", senders),
    endpoint("GET", _DOMAINS, "smtp.sender_domains", domains),
    endpoint("POST", f"{_DOMAINS}/{{domain}}", "smtp.add_sender_domain", add_domain),
    endpoint("GET", "/smtp/domains", "smtp.old_domains", old_domains),
    endpoint("POST", "/smtp/domains", "smtp.add_old_domain", add_old_domain),
    endpoint("GET", "/smtp/domains/{email}", "smtp.verify_old_domain", verify_old_domain),
]
