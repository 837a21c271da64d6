# SPDX-License-Identifier: Apache-2.0
"""Every switch of the emulator, with its default.

Many switches exist because SendPulse's documentation is silent or contradicts itself: a client has to
live with each of their values.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

ImportOutcome = Literal["FINISHED", "ERROR", "LOST", "REFUSED"]


class InvalidSetting(ValueError):
    """A setting does not exist, or its value is of the wrong kind."""


@dataclass
class Settings:
    """What the emulator does where it has a choice. All fields can be changed while it runs."""

    # Account and tokens
    client_id: str = "emulator-id"
    client_secret: str = "emulator-secret"
    api_keys: list[str] = field(default_factory=lambda: ["sp_apikey_emulator"])
    token_lifetime_seconds: int = 3600
    token_shape: Literal["opaque", "long"] = "opaque"
    token_issue_revokes_previous: bool = False
    token_issues_per_minute: int | None = None
    time_zone: str = "Europe/Kyiv"
    user_id: int = 5000001
    balance_main: str = "9.36"
    balance_bonus: str = "5.00"
    balance_currency: str = "USD"
    plan_recipients: int = 100000
    plan_ended: bool = False
    plan_finished_time: str = "2099-12-31 00:00:00"
    has_email_plan: bool = True
    plan_has_tags: bool = True
    balance_exhausted: bool = False
    price_per_email: float = 0.0044

    # Time
    clock: Literal["real", "manual"] = "real"
    clock_start: str | None = None
    seed: int = 1

    # Limits; None switches one off
    requests_per_second: int | None = 10
    requests_per_minute: int | None = 1000
    campaigns_per_window: int | None = 4
    campaign_window_seconds: float = 3600.0
    test_messages_per_hour: int | None = 20
    drafts_use_campaign_limit: bool = True
    tests_use_campaign_limit: bool = True
    refused_use_campaign_limit: bool = False
    events_by_hash_use_request_limit: bool = False

    # HTTP statuses the documentation does not name
    http_status_campaign_refused: int = 422
    http_status_campaign_limit: int = 422
    http_status_request_limit: int = 429
    http_status_sender_refused: int = 422
    http_status_unknown_event: int = 404
    http_status_locked_book: int = 422
    http_status_unknown_webhook: int = 404
    http_status_unknown_flow: int = 404

    # How states move
    transitions: Literal["clock", "reads"] = "clock"
    seconds_per_status: float = 1.0
    seconds_in_status: dict[int, float] = field(default_factory=dict)
    reads_per_status: int = 1
    reads_in_status: dict[int, int] = field(default_factory=dict)
    book_load_seconds: float | None = None
    book_load_reads: int | None = None
    book_locked_late_reads: int = 0
    book_visibility_seconds: float = 0.0
    book_visibility_reads: int = 0
    contacts_visible_late: bool = False
    contact_activation_seconds: float | None = None
    activate_contacts_on_approval: bool = True
    moderation_from_recipients: int = 20
    scheduled_status: int = 14
    ignore_send_date: bool = False
    next_campaign_outcomes: list[int | list[int]] = field(default_factory=list)
    campaign_visibility_seconds: float = 0.0
    campaign_visibility_reads: int = 0
    longest_campaign_name: int | None = None
    smtp_visibility_seconds: float = 0.0
    smtp_visibility_reads: int = 0
    tag_queue_seconds: float = 1.0
    tag_queue_reads: int = 1
    template_processing_seconds: float = 0.0

    # Behaviour nobody documents
    get_parameters_in_body: Literal["read", "ignore"] = "read"
    cancel_again: Literal["refuse", "accept"] = "refuse"
    locked_book_writes: Literal["accept", "refuse"] = "accept"
    locked_book_campaigns: Literal["accept", "refuse"] = "accept"
    list_variables_on_add: Literal["refuse", "accept"] = "refuse"
    wrong_variables_on_add: Literal["accept", "refuse"] = "accept"
    contacts_per_add: int | None = None
    too_many_contacts: Literal["items", "count", "http"] = "items"
    address_case: Literal["lower", "keep"] = "lower"
    known_events: list[str] | None = None
    segments: dict[int, int] = field(default_factory=dict)
    tag_names_unique: bool = True
    template_other_language: Literal["refuse", "accept"] = "refuse"
    template_names_unique: Literal["account", "language"] = "account"
    templates_default_owner: Literal["all", "me", "sendpulse"] = "sendpulse"
    webhook_twice: Literal["duplicate", "same"] = "duplicate"
    webhook_urls: Literal["kept", "slash", "normal", "cut"] = "kept"
    webhook_update_actions: Literal["ignore", "replace"] = "ignore"
    webhook_tells_api_unsubscribe: bool = False
    webhook_delete_again: Literal["refuse", "accept"] = "refuse"

    # Pushes of webhooks
    webhook_batch_seconds: float = 60.0
    webhook_batch_events: int = 100
    webhook_attempts: int = 5
    webhook_retry_seconds: float = 60.0
    webhook_timeout_seconds: float = 5.0
    webhook_duplicate_share: float = 0.0
    webhook_order: Literal["time", "shuffled"] = "time"
    webhook_link_id: Literal["number", "text"] = "number"

    # Transactional messages
    smtp_account: Literal["active", "missing", "expired"] = "active"
    smtp_sending: Literal["open", "limited", "over_quota"] = "open"
    smtp_most_recipients: int = 50
    smtp_most_bytes: int = 20_000_000
    smtp_resubscribes_per_day: int | None = 5
    smtp_ips: list[str] = field(default_factory=lambda: ["192.0.2.25"])
    smtp_email_as_text: Literal["accept", "refuse"] = "accept"
    smtp_needs_html_and_text: bool = False
    smtp_unsubscribe_body: Literal["any", "object", "array"] = "any"

    # Shapes of answers
    strict_emails: bool = False
    create_answer: Literal["openapi", "manual"] = "openapi"
    patch_answer: Literal["result", "campaign"] = "result"
    patch_requires_all_fields: bool = False
    campaign_statistics: Literal["array", "object"] = "array"
    campaign_list_statistics: bool = True
    campaign_list_order: Literal["asc", "desc"] = "asc"
    book_numbers_as_strings: bool = False
    contact_status_as_string: bool = False
    contact_book_id_as_string: bool = False
    phone_as_number: bool = False
    empty_variables: Literal["array", "object", "absent"] = "array"
    book_phone_counts: bool = False
    date_variable_type: Literal["date", "data"] = "date"
    delivery_date_key: Literal["sent_date", "send_date"] = "sent_date"
    delivery_details: bool = True
    template_owner_name: Literal["me", "you"] = "me"
    smtp_list_order: Literal["asc", "desc"] = "desc"
    smtp_numbers_as_strings: bool = False
    webhook_envelope: Literal["flat", "nested"] = "flat"
    missing_book: Literal["not_found", "empty_array"] = "not_found"

    # eSputnik: account and limits
    esputnik_keys: list[str] = field(default_factory=lambda: ["emulator-esputnik-key"])
    esputnik_disabled_keys: list[str] = field(default_factory=list)
    esputnik_limits: bool = True
    esputnik_requests_per_second: int | None = 200
    esputnik_searches_per_second: int | None = 50
    esputnik_events_per_second: int | None = 350
    esputnik_past_events_per_second: int | None = 100
    esputnik_past_event_deletions_per_second: int | None = 5
    esputnik_contact_messages_per_second: int | None = 10
    esputnik_email_reads_per_second: int | None = 10
    esputnik_message_reads_per_hour: int | None = 500
    esputnik_retry_after: int | None = None
    esputnik_repeat_seconds: float | None = 60.0

    # eSputnik: shapes of answers
    esputnik_collapse: bool = True
    esputnik_text_values: bool = True
    esputnik_collapse_mapping: bool = False
    esputnik_error_bodies: Literal["text", "json"] = "text"
    esputnik_total_count: Literal["exact", "absent", "wrong"] = "exact"
    esputnik_subscribe_answer: Literal["full", "id"] = "full"
    esputnik_orders_answer: Literal["object", "empty"] = "object"
    esputnik_broadcast_order: Literal["asc", "desc"] = "desc"

    # eSputnik: behaviour, much of it undocumented
    esputnik_import_seconds: float | None = None
    esputnik_import_reads: int | None = None
    esputnik_import_order: Literal["time", "reversed"] = "time"
    esputnik_next_import_outcomes: list[ImportOutcome] = field(default_factory=list)
    esputnik_unknown_session: Literal["not_found", "error", "empty"] = "not_found"
    esputnik_external_id: Literal["merge", "only"] = "merge"
    esputnik_email_match: Literal["contains", "exact"] = "contains"
    esputnik_segment_name_match: Literal["contains", "prefix", "exact"] = "contains"
    esputnik_subscriptions_update: Literal["replace", "add"] = "replace"
    esputnik_past_event_days: int | None = None
    esputnik_past_event_types_off: list[str] = field(default_factory=list)
    esputnik_past_events_deletable: bool = False
    esputnik_broadcast_visibility_seconds: float = 0.0
    esputnik_longest_broadcast_title: int | None = None
    esputnik_activity: bool = True
    esputnik_reads_at_once: int = 1

    # What becomes of a mailed message
    bounce_share: float = 0.02
    open_share: float = 0.45
    click_share: float = 0.3
    unsubscribe_share: float = 0.0
    engagement_seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)

    def update(self, changes: Mapping[str, Any]) -> None:
        """Change several settings at once, all or none.

        Raises:
            InvalidSetting: a name is unknown or a value does not fit.
        """
        hints = get_type_hints(type(self))
        checked = {}
        for name, value in changes.items():
            if name not in hints:
                raise InvalidSetting(f"there is no setting {name!r}")
            checked[name] = _fit(name, value, hints[name])
        _check_meaning(checked)
        for name, value in checked.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """All settings as JSON-ready values."""
        return asdict(self)

    def copy_from(self, other: Settings) -> None:
        """Take over every value of another set, without sharing its lists."""
        for name, value in asdict(other).items():
            setattr(self, name, value)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings."""
        return [item.name for item in fields(cls)]


def _fit(name: str, value: Any, hint: Any) -> Any:
    """Check one value against the type of its field; JSON's string keys become numbers where needed."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        for choice in get_args(hint):
            try:
                return _fit(name, value, choice)
            except InvalidSetting:
                continue
    elif origin is Literal:
        if value in get_args(hint):
            return value
    elif origin is list:
        if isinstance(value, list):
            return [_fit(name, item, get_args(hint)[0]) for item in value]
    elif origin is dict:
        key_type, value_type = get_args(hint)
        if isinstance(value, Mapping):
            try:
                return {key_type(key): _fit(name, item, value_type) for key, item in value.items()}
            except ValueError as error:
                raise InvalidSetting(f"setting {name!r} has a wrong key: {error}") from error
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif hint is type(None):
        if value is None:
            return None
    elif isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise InvalidSetting(f"setting {name!r} cannot be {value!r}")


def _check_meaning(values: Mapping[str, Any]) -> None:
    for name in ("webhook_batch_events", "webhook_attempts"):
        if values.get(name, 1) < 1:
            raise InvalidSetting(f"setting {name!r} must be at least 1")
    try:
        if "time_zone" in values:
            ZoneInfo(values["time_zone"])
        start = values.get("clock_start")
        if start is not None and datetime.fromisoformat(start).tzinfo is None:
            raise InvalidSetting("setting 'clock_start' needs a time zone")
    except (KeyError, ValueError, OSError) as error:
        raise InvalidSetting(str(error)) from error
