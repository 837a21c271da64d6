# SPDX-License-Identifier: Apache-2.0
"""Reading and checking a create or edit call (SendPulse API: campaigns, create a campaign)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.emulator.campaigns import CampaignContent
from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.encoding import decode_base64
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, wrong_type
from airflow_provider_sendpulse.emulator.local_time import read_local
from airflow_provider_sendpulse.emulator.php_serialized import decoded

if TYPE_CHECKING:
    from airflow_provider_sendpulse.emulator.state import State

MAX_BOOKS = 10
MAX_ATTACHMENTS = 5
MAX_TEST_ADDRESSES = 3


class CampaignRequest:
    """The fields of one call, read one by one, each with the refusal it can meet."""

    def __init__(self, state: State, fields: Mapping[str, Any]) -> None:
        self._state = state
        self._fields = fields

    def content(self) -> CampaignContent:
        """Everything a new campaign needs.

        Raises:
            Refusal: a field is missing or wrong.
        """
        sender_name, sender_email = self.sender()
        subject, body = self.subject(), self.body()
        book_ids, segment_id = self.recipients()
        test_addresses = self.test_addresses(sender_email)
        if test_addresses and len(book_ids) > 1:
            raise invalid("Only one address book is allowed for a test campaign")
        stats = self._fields.get("stats")
        stats = stats if isinstance(stats, dict) else {}
        return CampaignContent(
            name=self.name(),
            sender_name=sender_name,
            sender_email=sender_email,
            subject=subject,
            body=body,
            book_ids=book_ids,
            segment_id=segment_id,
            send_at=self.send_at(),
            is_draft=self.is_draft(),
            test_addresses=test_addresses,
            attachments=self.attachments(),
            use_dynamic_list=_is_true(self._fields.get("use_dynamic_list")),
            check_opens=_is_true(stats.get("opens", True)),
            check_clicks=_is_true(stats.get("clicks", True)),
        )

    def edit(self, content: CampaignContent) -> None:
        """Put the fields that were sent in place of the present ones."""
        settings = self._state.settings
        fields = self._fields
        if settings.patch_requires_all_fields:
            for name in ("name", "sender_name", "sender_email", "subject", "send_date"):
                if name not in fields:
                    raise invalid(f"Argument {name} missing")
        edits: list[Callable[[], None]] = []

        def plan(target: str, value: Any) -> None:
            edits.append(lambda: setattr(content, target, value))

        if "name" in fields:
            plan("name", self.name())
        if "sender_name" in fields or "sender_email" in fields:
            merged = {"sender_name": content.sender_name, "sender_email": content.sender_email, **fields}
            sender_name, sender_email = CampaignRequest(self._state, merged).sender()
            plan("sender_name", sender_name)
            plan("sender_email", sender_email)
        if "subject" in fields:
            plan("subject", self.subject())
        if "body" in fields or "template_id" in fields:
            plan("body", self.body())
        if "send_date" in fields:
            plan("send_at", self.send_at())
        # All or nothing: a refused field must not leave the others changed.
        for apply in edits:
            apply()

    def name(self) -> str:
        """Return the name shown in lists; may be empty."""
        name = self._fields.get("name") or ""
        if not isinstance(name, str):
            raise wrong_type("name", "string")
        return name

    def sender(self) -> tuple[str, str]:
        """Name and address of an activated sender."""
        name, email = self._fields.get("sender_name"), self._fields.get("sender_email")
        if not isinstance(name, str) or not name or not isinstance(email, str) or not email:
            raise self._refusal(701, "Sender name or address is missing")
        if self._state.senders.active(email) is None:
            raise self._refusal(704, "Sender not found")
        return name, email

    def subject(self) -> str:
        """Return the subject line."""
        subject = self._fields.get("subject")
        if not isinstance(subject, str) or not subject:
            raise self._refusal(720, "Subject is empty")
        return subject

    def body(self) -> str:
        """Return the message, from base64 or from a template."""
        encoded, template_id = self._fields.get("body"), self._fields.get("template_id")
        if encoded:
            return decode_body(encoded)
        if not template_id:
            raise self._refusal(721, "Message is empty")
        template = self._state.templates.get(template_id)
        if template is None:
            raise Refusal(404, 290, "Template not found")
        return template.body

    def recipients(self) -> tuple[list[int], int | None]:
        """Return the books to mail, or the one book of a segment."""
        list_id, segment_id = self._fields.get("list_id"), self._fields.get("segment_id")
        if list_id in (None, "", []) and segment_id in (None, ""):
            raise self._refusal(722, "Address book id is missing")
        if list_id in (None, "", []):
            segment = _as_int(segment_id, "segment_id")
            book_id = self._state.settings.segments.get(segment)
            if book_id is None or self._state.books.get(book_id) is None:
                raise self._refusal(703, "Address book not found")
            return [book_id], segment
        entries = list_id if isinstance(list_id, list) else [list_id]
        book_ids = list(dict.fromkeys(_as_int(entry, "list_id") for entry in entries))
        if len(book_ids) > MAX_BOOKS:
            raise invalid(f"Argument list_id may not have more than {MAX_BOOKS} items")
        if any(self._state.books.get(book_id) is None for book_id in book_ids):
            raise self._refusal(703, "Address book not found")
        if segment_id in (None, ""):
            return book_ids, None
        if len(book_ids) > 1:
            raise invalid("Only one address book is allowed for a segment")
        return book_ids, _as_int(segment_id, "segment_id")

    def send_at(self) -> datetime | None:
        """When to send, in the account's time; None for as soon as possible."""
        text = self._fields.get("send_date")
        if text in (None, ""):
            return None
        try:
            moment = read_local(text, self._state.settings.time_zone)
        except (TypeError, ValueError):
            raise self._refusal(799, "Wrong date format") from None
        if moment < self._state.clock.now():
            raise self._refusal(799, "The date is in the past")
        return None if self._state.settings.ignore_send_date else moment

    def is_draft(self) -> bool:
        """Whether only a draft is wanted."""
        kind = self._fields.get("type")
        if kind not in (None, "", "draft"):
            raise invalid("Argument type is invalid")
        return kind == "draft"

    def test_addresses(self, sender_email: str) -> list[str]:
        """Where a test goes; empty for a campaign to the book."""
        addresses = self._fields.get("send_test_only")
        if isinstance(addresses, str):
            try:
                addresses = decoded(addresses)
            except ValueError:
                addresses = [addresses]
        if addresses:
            if not isinstance(addresses, list) or not all(is_address(item) for item in addresses):
                raise wrong_type("send_test_only", "array")
            if len(addresses) > MAX_TEST_ADDRESSES:
                raise invalid(f"Argument send_test_only may not have more than {MAX_TEST_ADDRESSES} items")
            return addresses
        return [sender_email] if _is_true(self._fields.get("is_test")) else []

    def attachments(self) -> list[str]:
        """Names of the attached files."""
        names: list[str] = []
        for field in ("attachments", "attachments_binary"):
            files = self._fields.get(field)
            if isinstance(files, str) and files:
                try:
                    files = decoded(files)
                except ValueError:
                    raise invalid(f"Argument {field} is invalid") from None
            if not files:
                continue
            if not isinstance(files, dict):
                raise wrong_type(field, "array")
            if field == "attachments_binary":
                for content in files.values():
                    _decode_base64(content, field)
            names.extend(files)
        if len(names) > MAX_ATTACHMENTS:
            raise invalid(f"Argument attachments may not have more than {MAX_ATTACHMENTS} items")
        return names

    def _refusal(self, code: int, message: str) -> Refusal:
        return self._state.campaigns.refusal(code, message)


def decode_body(encoded: Any) -> str:
    """Return the HTML in a base64 field."""
    try:
        return _decode_base64(encoded, "body").decode()
    except UnicodeDecodeError:
        raise invalid("Argument body is invalid string") from None


def _decode_base64(encoded: Any, field: str) -> bytes:
    if not isinstance(encoded, str):
        raise wrong_type(field, "string")
    try:
        return decode_base64(encoded)
    except ValueError:
        raise invalid(f"Argument {field} is invalid string") from None


def _as_int(value: Any, field: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise wrong_type(field, "integer")


def _is_true(value: Any) -> bool:
    return value in (True, 1, "1", "true")
