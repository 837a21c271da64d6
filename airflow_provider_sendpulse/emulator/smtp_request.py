# SPDX-License-Identifier: Apache-2.0
"""Reading and checking a transactional message (SendPulse API: SMTP service, send an email)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.emulator.contacts import clean_address, is_address
from airflow_provider_sendpulse.emulator.encoding import decode_base64
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, missing
from airflow_provider_sendpulse.emulator.php_serialized import decoded
from airflow_provider_sendpulse.emulator.smtp import SmtpMessage

if TYPE_CHECKING:
    from airflow_provider_sendpulse.emulator.settings import Settings
    from airflow_provider_sendpulse.emulator.state import State


def check_account(settings: Settings) -> None:
    """Refuse what an account without a living SMTP service cannot do."""
    if settings.smtp_account == "missing":
        raise invalid("No such SMTP user, you need to create SMTP account first", 400)
    if settings.smtp_account == "expired":
        raise Refusal(403, 403, "Account expired")


def read_message(state: State, body: Any) -> SmtpMessage:
    """Read the ``email`` of a send call, an object or, from older clients, a string with one.

    Raises:
        Refusal: a field is missing or wrong, or the account may not send now.
    """
    settings = state.settings
    check_account(settings)
    email = _email(settings, body)
    sender_name, sender_email = _sender(state, email.get("from"))
    recipients = _recipients(email, settings.smtp_most_recipients)
    subject = email.get("subject")
    if not isinstance(subject, str) or not subject:
        raise invalid("Argument subject missing", 12)
    html, text, variables = _content(state, email)
    attachments, size = _attachments(email)
    size += len(html.encode()) + len(text.encode())
    if size > settings.smtp_most_bytes:
        raise invalid("Message size limit exceeded")
    if settings.smtp_sending == "limited":
        raise invalid("Sending from your account is currently limited. Please try later.")
    if settings.smtp_sending == "over_quota":
        raise invalid("Sending quota or bandwidth exceeded")
    return SmtpMessage(sender_name, sender_email, subject, html, text, recipients, variables, attachments, size)


def _email(settings: Settings, body: Any) -> dict[str, Any]:
    email = body.get("email") if isinstance(body, dict) else None
    if email in (None, "", [], {}):
        raise missing("email")
    if isinstance(email, str) and settings.smtp_email_as_text == "accept":
        try:
            email = decoded(email)
        except ValueError:
            raise _malformed() from None
    if not isinstance(email, dict):
        raise _malformed()
    return email


def _sender(state: State, sender: Any) -> tuple[str, str]:
    if sender is None:
        raise invalid("Argument from.email missing", 10)
    if not isinstance(sender, dict):
        raise invalid("Argument from is invalid")
    name, email = sender.get("name", ""), sender.get("email")
    if not email:
        raise invalid("Argument from.email missing", 10)
    if not is_address(email):
        raise invalid("Argument from.email is invalid", 10)
    if not isinstance(name, str):
        raise invalid("Argument from is invalid")
    if state.senders.active(email) is None:
        raise invalid("Sender is not valid")
    return name, email


def _recipients(email: dict[str, Any], most: int) -> list[str]:
    found: dict[str, None] = {}
    for name in ("to", "cc", "bcc"):
        people = email.get(name)
        if name != "to" and people in (None, []):
            continue
        if not isinstance(people, list) or not people or not all(isinstance(person, dict) for person in people):
            raise invalid(f"Argument email.{name} is invalid", 11)
        for person in people:
            if not is_address(person.get("email")):
                raise invalid("Recipient email is invalid")
            found[clean_address(person["email"])] = None
    if len(found) > most:
        raise invalid("5.5.3 Too many recipients", 550)
    return list(found)


def _content(state: State, email: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    html, text, template = email.get("html"), email.get("text"), email.get("template")
    if template is not None:
        return _filled(state, template)
    if not html and not text:
        raise invalid("Missed email body", 13)
    if state.settings.smtp_needs_html_and_text and not (html and (text or email.get("auto_plain_text"))):
        raise invalid("Missed email body", 13)
    if not isinstance(html or "", str) or not isinstance(text or "", str):
        raise _malformed()
    try:
        return decode_base64(html or "").decode(), text or "", {}
    except ValueError:
        raise _malformed() from None


def _filled(state: State, template: Any) -> tuple[str, str, dict[str, Any]]:
    if not isinstance(template, dict):
        raise invalid("Argument template is invalid")
    if not template.get("id"):
        raise invalid("Argument template.id missing", 10)
    variables = template.get("variables")
    if variables == []:
        variables = {}
    if not isinstance(variables, dict):
        raise invalid("Variables list passed in wrong format", 731)
    found = state.templates.get(template["id"])
    if found is None:
        raise invalid("Template not found", 31)
    if not found.body.strip():
        raise invalid("Template body is empty", 32)
    return found.body, "", variables


def _attachments(email: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    size = 0
    for name in ("attachments", "attachments_binary"):
        files = email.get(name)
        if isinstance(files, str) and files:
            try:
                files = decoded(files)
            except ValueError:
                raise invalid(f"Argument {name} is invalid") from None
        if files in (None, "", []):
            continue
        if not isinstance(files, dict) or not all(isinstance(content, str) for content in files.values()):
            raise invalid(f"Argument {name} is invalid")
        for file_name, content in files.items():
            try:
                size += len(content.encode() if name == "attachments" else decode_base64(content))
            except ValueError:
                raise invalid(f"Argument {name} is invalid") from None
            names.append(file_name)
    return tuple(names), size


def _malformed() -> Refusal:
    return invalid("Badly formed incoming data", 999)
