# SPDX-License-Identifier: Apache-2.0
"""The table of endpoints in the docs: what SendPulse documents, and what of it is here.

``make docs`` writes it. Calls, operators, tests and the emulator's support are found in the code, not written down.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from contract_cases import CASES, World

from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.emulator.api.routes import ROUTES

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_sendpulse"
TABLE = ROOT / "docs" / "endpoints.md"

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


def shape(endpoint: str) -> str:
    """Return an endpoint without the names in its path."""
    return re.sub(r"\{[^}]*\}", "{}", endpoint)


@cache
def calls() -> dict[str, tuple[str, ...]]:
    """Which functions build requests to which endpoints, by shape."""
    found: dict[str, dict[str, None]] = {}
    world = World()
    for case in CASES:
        for call in case.parts(world):
            path = "/events/id/{}/{}" if isinstance(call.host, SecretUrl) else call.path
            found.setdefault(shape(f"{call.method} {path}"), {})[case.call] = None
    return {endpoint: tuple(names) for endpoint, names in found.items()}


@cache
def operations() -> dict[str, str]:
    """What the emulator serves: shape of the endpoint to the operation's name."""
    return {shape(f"{method} {route.path}"): route.name for route in ROUTES for method in route.methods - {"HEAD"}}


@cache
def proofs() -> dict[str, tuple[str, ...]]:
    """Which tests of the calls use which functions."""
    found: dict[str, list[str]] = {}
    names = {name for names in calls().values() for name in names}
    for file in sorted((ROOT / "tests" / "sendpulse").glob("test_*.py")):
        tree = ast.parse(file.read_text())
        imported = dict(_imports(tree))
        for node in ast.walk(tree):
            name = (_meant(node, imported) or "").removeprefix("sendpulse.")
            if name in names and file.name != "test_answers.py":
                found.setdefault(name, []).append(file.name)
    return {name: tuple(dict.fromkeys(files)) for name, files in found.items()}


@cache
def operators() -> dict[str, tuple[str, ...]]:
    """Which operators and sensors use which functions, themselves or through what they are built on."""
    modules = {_module(file): ast.parse(file.read_text()) for file in sorted((ROOT / PACKAGE).rglob("*.py"))}
    uses = {name: refers for module, tree in modules.items() for name, refers in _definitions(module, tree)}
    found: dict[str, list[str]] = {}
    for name in uses:
        floor, _, class_name = name.rpartition(".")
        if (
            floor.split(".")[0] in ("operators", "sensors")
            and not floor.endswith(".base")
            and class_name.startswith("SendPulse")
        ):
            for used in _reached(name, uses):
                if used.startswith("sendpulse."):
                    found.setdefault(used.removeprefix("sendpulse."), []).append(class_name)
    return {name: tuple(sorted(set(classes))) for name, classes in found.items()}


def _reached(start: str, uses: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        # A hook belongs to all of them, and tests its connection.
        if name in seen or name.startswith("hooks."):
            continue
        seen.add(name)
        waiting.extend(uses.get(name, ()))
    return seen


def _definitions(module: str, tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yield the functions, classes and values of a module, with what each refers to."""
    imported = dict(_imports(tree))
    own = {name: f"{module}.{name}" for node in tree.body for name in _defined(node)}
    for node in tree.body:
        for name in _defined(node):
            yield f"{module}.{name}", {meant for part in ast.walk(node) if (meant := _meant(part, {**imported, **own}))}


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name) and target.id != "__all__"]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports from the package, wherever it does, with what they mean."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            base = (node.module or "").removeprefix(PACKAGE).lstrip(".")
            for entry in node.names:
                yield entry.asname or entry.name, f"{base}.{entry.name}".lstrip(".")


def _meant(node: ast.AST, known: dict[str, str]) -> str | None:
    """Return what a name, or an attribute of a module, stands for, such as ``sendpulse.campaigns.create``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def rendered() -> str:
    """Return the page."""
    lines = [HEAD]
    for section, endpoints in ENDPOINTS.items():
        lines += [
            f"## {section}",
            "",
            "| Endpoint | Call | Operators | Tests | Emulator |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(endpoint) for endpoint in endpoints]
        lines.append("")
    return "\n".join(lines)


def _row(endpoint: str) -> str:
    served = f"`{operations()[shape(endpoint)]}`" if shape(endpoint) in operations() else ""
    if endpoint in LEFT_OUT:
        return f"| `{endpoint}` | none: {LEFT_OUT[endpoint]} |  |  | {served} |"
    names = calls().get(shape(endpoint), ())
    classes = sorted({name for call in names for name in operators().get(call, ())})
    files = dict.fromkeys(file for call in names for file in proofs().get(call, ()))
    cells = (
        ", ".join(f"`{name}`" for name in names),
        ", ".join(f"`{name}`" for name in classes),
        ", ".join(f"[{file}](../tests/sendpulse/{file})" for file in files),
        served,
    )
    return f"| `{endpoint}` | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    TABLE.write_text(rendered())
    sys.stdout.write(f"{TABLE.relative_to(ROOT)} is written\n")
