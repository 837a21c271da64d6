# SPDX-License-Identifier: Apache-2.0
"""What SendPulse documents, and what of it is left out here."""

from __future__ import annotations

from contract_cases import CASES, World

from airflow_provider_sendpulse.api.call import Call, SecretUrl


def requests() -> list[tuple[str, str]]:
    """Return the function that builds each request, and its endpoint."""
    world = World()
    return [(case.call, f"{call.method} {_path(call)}") for case in CASES for call in case.parts(world)]


def _path(call: Call[object]) -> str:
    return "/events/id/{}/{}" if isinstance(call.host, SecretUrl) else call.path


ENDPOINTS: dict[str, list[str]] = {
    "Authorisation": ["POST /oauth/access_token"],
    "Address books": [
        "POST /addressbooks",
        "PUT /addressbooks/{id}",
        "GET /addressbooks",
        "GET /addressbooks/{id}",
        "DELETE /addressbooks/{id}",
        "GET /addressbooks/{id}/variables",
        "GET /addressbooks/{id}/cost",
        "GET /addressbooks/{id}/campaigns",
    ],
    "Contacts": [
        "GET /addressbooks/{id}/emails",
        "GET /addressbooks/{id}/emails/total",
        "GET /addressbooks/{id}/emails/{email}",
        "GET /addressbooks/{id}/variables/{variable}/{value}",
        "POST /addressbooks/{id}/emails",
        "DELETE /addressbooks/{id}/emails",
        "POST /addressbooks/{id}/emails/unsubscribe",
        "POST /addressbooks/{id}/emails/variable",
        "PUT /addressbooks/{id}/phone",
    ],
    "One address in all books": [
        "GET /emails/{email}",
        "GET /emails/{email}/details",
        "POST /emails",
        "DELETE /emails/{email}",
        "GET /emails/{email}/campaigns",
        "POST /emails/campaigns",
        "GET /campaigns/{id}/email/{email}",
    ],
    "Campaigns": [
        "POST /campaigns",
        "PATCH /campaigns",
        "PATCH /campaigns/{id}",
        "GET /campaigns/{id}",
        "GET /campaigns",
        "DELETE /campaigns/{id}",
        "GET /campaigns/{id}/countries",
        "GET /campaigns/{id}/referrals",
    ],
    "Templates": [
        "POST /template",
        "POST /template/edit/{id}",
        "GET /template/{id}",
        "GET /template/slug/{slug}",
        "GET /templates",
        "GET /templates/{lang}",
    ],
    "Senders": [
        "GET /senders",
        "POST /senders",
        "DELETE /senders",
        "GET /senders/{email}/code",
        "POST /senders/{email}/code",
    ],
    "Blacklist": ["GET /blacklist", "POST /blacklist", "DELETE /blacklist"],
    "Balance": ["GET /balance", "GET /balance/{currency}", "GET /user/balance/detail"],
    "Tags": [
        "GET /tags",
        "POST /tags",
        "PUT /tags/{id}",
        "DELETE /tags/{id}",
        "POST /tags/pin/email",
        "POST /tags/unpin/email",
        "POST /tags/pin/phone",
        "POST /tags/unpin/phone",
    ],
    "Webhooks": [
        "GET /v2/email-service/webhook",
        "GET /v2/email-service/webhook/{id}",
        "POST /v2/email-service/webhook",
        "PUT /v2/email-service/webhook/{id}",
        "DELETE /v2/email-service/webhook/{id}",
    ],
    "Automation 360: events": ["POST /events/name/{event}", "POST /events/id/{hash}/{user_id}"],
    "Automation 360: flows": [
        "GET /a360/autoresponders/list",
        "GET /a360/autoresponders/{id}",
        "GET /a360/autoresponders/{id}/total-stats",
        "GET /a360/autoresponders/{id}/conversions",
        "GET /a360/autoresponders/{id}/conversions/list/all",
        "GET /a360/stats/main-trigger/{id}/group-stat",
        "GET /a360/stats/email/{id}/group-stat",
        "GET /a360/stats/push/{id}/group-stat",
        "GET /a360/stats/sms/{id}/group-stat",
        "GET /a360/stats/messenger/{id}/group-stat",
        "GET /a360/stats/filter/{id}/group-stat",
        "GET /a360/stats/trigger/{id}/group-stat",
        "GET /a360/stats/goal/{id}/group-stat",
        "GET /a360/stats/action/{id}/group-stat",
        "POST /a360/events/delete-log",
    ],
    "Transactional messages (SMTP)": [
        "POST /smtp/emails",
        "GET /smtp/emails",
        "GET /smtp/emails/total",
        "GET /smtp/emails/{id}",
        "POST /smtp/emails/info",
        "GET /smtp/bounces/day",
        "GET /smtp/bounces/day/total",
        "POST /smtp/unsubscribe",
        "DELETE /smtp/unsubscribe",
        "GET /smtp/unsubscribe",
        "GET /smtp/unsubscribe/search",
        "POST /smtp/resubscribe",
        "GET /smtp/ips",
        "GET /smtp/senders",
        "GET /v2/email-service/smtp/sender_domains",
        "POST /v2/email-service/smtp/sender_domains/{domain}",
        "GET /smtp/domains",
        "POST /smtp/domains",
        "GET /smtp/domains/{email}",
    ],
}

LEFT_OUT = {
    "POST /a360/events/delete-log": "deletes, and nothing documents what: `Call.raw` sends it",
    "GET /smtp/domains": "older clients only; `smtp.sender_domains` is documented",
    "POST /smtp/domains": "older clients only; `smtp.add_sender_domain` is documented",
    "GET /smtp/domains/{email}": "older clients only",
}

HEAD = """\
# Endpoints

Every endpoint of SendPulse's email service, Automation 360 and SMTP service that its manual, its OpenAPI files or its own
clients know, and what of it is here. A test fails when a row is missing or says something else than the code; `make docs`
writes this page.

*Call* is the function that builds it, in `airflow_provider_sendpulse.sendpulse`; `hook.send(...)` sends it. *Operators* are
the operators and sensors that use it, or share the code that does. *Tests* send it through a socket, and every call is held
against the OpenAPI files in `tests/contract`. *Emulator* is its name in the emulator's faults and request log.
"""
