# SPDX-License-Identifier: Apache-2.0
"""The hook: a connection, and calls with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.account import ClientCredentials, StaticKey
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.hooks.sendpulse_settings import DEFAULT_HOST
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_2_PLUS

_FIELDS = [
    "events_host",
    "event_urls",
    "timeout",
    "requests_per_second",
    "requests_per_minute",
    "account_timezone",
    "deployment",
    "coordination_conn_id",
    "campaign_link",
    "address_book_link",
]
SECRET = "c4n4ry5ecret0f0ne4cc0unt"


def set_connection(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SENDPULSE_DEFAULT", json.dumps({"conn_type": "sendpulse", **fields}))


@pytest.mark.usefixtures("connect")
class TestCalls:
    """Calls, blocking and not."""

    def test_send(self, account: Any) -> None:
        with SendPulseHook() as hook:
            book_id = hook.send(sp.address_books.create("Readers"))
            assert hook.send(sp.address_books.read(book_id)).name == "Readers"
        assert account.books[0]["id"] == book_id

    def test_client_is_kept_until_the_hook_is_closed(self) -> None:
        hook = SendPulseHook()
        client = hook.get_conn()
        assert hook.get_conn() is client
        hook.close()
        assert hook.get_conn() is not client
        hook.close()

    def test_pages(self, account: Any) -> None:
        for number in range(3):
            account.book(f"Book {number}")
        with SendPulseHook() as hook:
            assert [book.name for book in hook.pages(sp.address_books.list(limit=2))] == ["Book 0", "Book 1", "Book 2"]
        assert account.emulator.requests.counts()["address_books.list"] == 2

    def test_coroutines(self, account: Any) -> None:
        for number in range(3):
            account.book(f"Book {number}")

        async def ask() -> tuple[str, list[str]]:
            hook = SendPulseHook()
            try:
                book = await hook.asend(sp.address_books.read(account.books[0]["id"]))
                return book.name, [book.name async for book in hook.apages(sp.address_books.list(limit=2))]
            finally:
                await hook.aclose()

        assert asyncio.run(ask()) == ("Book 0", ["Book 0", "Book 1", "Book 2"])

    def test_refusal_is_the_same_in_both(self) -> None:
        async def ask() -> None:
            hook = SendPulseHook()
            try:
                await hook.asend(sp.campaigns.read(42))
            finally:
                await hook.aclose()

        with pytest.raises(Refused) as blocking, SendPulseHook() as hook:
            hook.send(sp.campaigns.read(42))
        with pytest.raises(Refused) as waiting:
            asyncio.run(ask())
        assert str(blocking.value) == str(waiting.value)
        assert (blocking.value.status, blocking.value.error_code) == (422, 802)
        assert blocking.value.operation == "GET /campaigns/42"

    def test_static_key(self, connect: Any, account: Any) -> None:
        connect(login="", password="sp_apikey_emulator")
        with SendPulseHook() as hook:
            assert list(hook.pages(sp.address_books.list())) == []
        assert account.emulator.requests.counts() == {"address_books.list": 1}

    def test_token_is_shared_and_closed_to_others(self, account: Any, own_cache: Path) -> None:
        for _ in range(3):
            with SendPulseHook() as hook:
                list(hook.pages(sp.address_books.list()))
        assert account.emulator.requests.counts()["tokens.issue"] == 1
        files = [path for path in own_cache.rglob("*") if path.is_file()]
        assert files
        assert {path.stat().st_mode & 0o077 for path in files} == {0}

    def test_secrets_are_masked(self, connect: Any, account: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from airflow_provider_sendpulse import version_compat
        from airflow_provider_sendpulse.hooks import service

        masked: list[str] = []
        real = version_compat.mask_secret
        monkeypatch.setattr(service, "mask_secret", lambda secret: (masked.append(secret), real(secret)))
        url = f"{emulator.url}/events/id/5e1f0c2b7a9d4e6f8a0b1c2d3e4f5a6b/5000001"
        connect(extra={"event_urls": json.dumps({"paid": url})})
        with SendPulseHook() as hook:
            list(hook.pages(sp.address_books.list()))
        token = masked[-1]
        assert url in masked
        assert len(token) >= 40
        assert token not in redacted(f"the token {token}")
        assert url not in redacted(f"the address {url}")


def redacted(text: str) -> str:
    """Return what Airflow's logs show."""
    try:
        from airflow.sdk._shared.secrets_masker import redact
    except ImportError:  # Airflow 3.1
        from airflow.sdk.execution_time.secrets_masker import redact
    return str(redact(text))


class TestSettings:
    """What a connection may say, and how."""

    @pytest.mark.parametrize(
        "extra",
        [
            None,
            "",
            "{}",
            "  ",
            {},
            dict.fromkeys(_FIELDS, None),
            dict.fromkeys(_FIELDS, ""),
        ],
    )
    def test_untouched_form(self, monkeypatch: pytest.MonkeyPatch, extra: Any) -> None:
        if extra == "  " and not AIRFLOW_V_3_2_PLUS:
            pytest.skip("Airflow 3.1 itself refuses such a connection")
        set_connection(monkeypatch, login="id", password=SECRET, extra=extra)
        settings = SendPulseHook().settings
        assert settings.account.api_url == DEFAULT_HOST
        assert settings.account.credentials == ClientCredentials("id", SECRET)
        assert [limit.requests for limit in settings.account.limits] == [8.0, 1000.0]
        assert settings.account.timeouts.total == 60.0
        assert (settings.deployment, settings.account_timezone, settings.event_urls) == ("", None, {})
        assert settings.coordination_conn_id is None
        assert "{id}" in settings.campaign_link
        assert "{id}" in settings.address_book_link

    def test_numbers_as_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = {"timeout": "30", "requests_per_second": " 2.5 ", "requests_per_minute": "100"}
        set_connection(monkeypatch, login="id", password=SECRET, extra=extra)
        account = SendPulseHook().settings.account
        assert (account.timeouts.total, [limit.requests for limit in account.limits]) == (30.0, [2.5, 100.0])

    def test_uri(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(
            "AIRFLOW_CONN_SENDPULSE_DEFAULT",
            f"sendpulse://id:{SECRET}@api.example.com:8443/https?timeout=30&deployment=staging&account_timezone=Europe%2FKyiv"
            "&event_urls=%7B%22paid%22%3A+%22https%3A%2F%2Fevents.example.com%2Fevents%2Fid%2Fabc%2F1%22%7D",
        )
        settings = SendPulseHook().settings
        assert settings.account.api_url == "https://api.example.com:8443"
        assert (settings.deployment, settings.account_timezone) == ("staging", "Europe/Kyiv")
        assert settings.account.timeouts.total == 30.0
        assert settings.event_url("paid").value == "https://events.example.com/events/id/abc/1"

    @pytest.mark.parametrize(
        ("fields", "url"),
        [
            ({"host": "api.example.com"}, "https://api.example.com"),
            ({"host": "https://api.example.com/"}, "https://api.example.com"),
            ({"host": "http://127.0.0.1:8025"}, "http://127.0.0.1:8025"),
            ({"host": "api.example.com", "port": 8443}, "https://api.example.com:8443"),
            ({"host": "api.example.com:8443", "port": 8443}, "https://api.example.com:8443"),
            ({"host": "api.example.com/sendpulse/", "port": 8443}, "https://api.example.com:8443/sendpulse"),
            ({"host": "127.0.0.1", "port": 8025, "schema": "http"}, "http://127.0.0.1:8025"),
            ({"host": "  "}, DEFAULT_HOST),
        ],
    )
    def test_host(self, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], url: str) -> None:
        set_connection(monkeypatch, login="id", password=SECRET, **fields)
        account = SendPulseHook().settings.account
        assert (account.api_url, account.events_url) == (url, url)

    def test_host_of_events(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_connection(monkeypatch, password=SECRET, extra={"events_host": "events.example.com/"})
        account = SendPulseHook().settings.account
        assert account.credentials == StaticKey(SECRET)
        assert (account.api_url, account.events_url) == (DEFAULT_HOST, "https://events.example.com")

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"password": ""}, "password"),
            ({"password": None}, "password"),
            ({"password": "   "}, "password"),
            ({"extra": "[1]"}, "extra"),
            ({"extra": {"timeout": "soon"}}, "timeout"),
            ({"extra": {"timeout": 0}}, "timeout"),
            ({"extra": {"timeout": True}}, "timeout"),
            ({"extra": {"requests_per_second": -1}}, "requests_per_second"),
            ({"extra": {"requests_per_second": "nan"}}, "requests_per_second"),
            ({"extra": {"requests_per_minute": "inf"}}, "requests_per_minute"),
            ({"extra": {"event_urls": "https://events.example.com/events/id/abc/1"}}, "event_urls"),
            ({"extra": {"event_urls": {"paid": 7}}}, "event_urls"),
            ({"extra": {"event_urls": ["paid"]}}, "event_urls"),
            ({"extra": {"event_urls": {"paid": "abc"}}}, "event_urls"),
        ],
    )
    def test_wrong_field_is_named(self, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], named: str) -> None:
        if named == "extra" and not AIRFLOW_V_3_2_PLUS:
            pytest.skip("Airflow 3.1 itself refuses such a connection")
        set_connection(monkeypatch, **{"login": "id", "password": SECRET, **fields})
        with pytest.raises(InvalidRequest) as raised:
            _ = SendPulseHook().settings
        assert str(raised.value).startswith(f"Connection 'sendpulse_default': {named} ")
        assert SECRET not in str(raised.value)
        assert "abc" not in str(raised.value)

    def test_unknown_event(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_connection(monkeypatch, password=SECRET, extra={"event_urls": {"paid": "https://events.example.com/id/abc"}})
        with pytest.raises(InvalidRequest, match="has no 'left'; it has paid") as raised:
            SendPulseHook().settings.event_url("left")
        assert "abc" not in str(raised.value)


class TestTestConnection:
    """The Test button: it judges the credentials, says what is wrong, and never raises."""

    @pytest.fixture(autouse=True)
    def _connected(self, connect: Any) -> None: ...

    def test_success(self, account: Any) -> None:
        works, message = SendPulseHook().test_connection()
        assert works, message
        assert "balance 9.36 USD and 5 bonus" in message
        assert "emails left" in message

    def test_fresh_token(self, account: Any) -> None:
        with SendPulseHook() as hook:
            list(hook.pages(sp.address_books.list()))
        assert SendPulseHook().test_connection()[0]
        assert account.emulator.requests.counts()["tokens.issue"] == 2
        with SendPulseHook() as hook:
            list(hook.pages(sp.address_books.list()))
        # The shared token is as it was.
        assert account.emulator.requests.counts()["tokens.issue"] == 2

    def test_wrong_secret_while_a_shared_token_is_good(self, connect: Any, account: Any) -> None:
        with SendPulseHook() as hook:
            list(hook.pages(sp.address_books.list()))
        connect(password=SECRET)
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "HTTP 401" in message
        assert "“Client authentication failed.”" in message
        for cause in ("Likely causes", "API ID and secret", "switched off", "IP allow-list"):
            assert cause in message
        assert SECRET not in message

    def test_wrong_static_key(self, connect: Any, account: Any) -> None:
        connect(login=None, password=SECRET)
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "HTTP 401" in message
        assert "“Unauthorized!”" in message
        assert SECRET not in message

    def test_forbidden(self, account: Any) -> None:
        account.emulator.faults.add("status", operation="balance.detail", status=403, times=None)
        account.emulator.faults.add("status", method="GET", status=403, times=None)
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "HTTP 403" in message
        assert "plan does not allow" in message

    def test_service_that_repeats_the_secret(self, connect: Any, account: Any) -> None:
        connect(password=SECRET)
        account.emulator.faults.add(
            "status", path="oauth", status=401, body={"message": f"Client {SECRET} unknown", "error_code": 1}, times=None
        )
        works, message = SendPulseHook().test_connection()
        assert not works
        assert SECRET not in message

    def test_unreachable_host(self, connect: Any, quick: Any) -> None:
        import socket

        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        connect(host=f"http://127.0.0.1:{port}")
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "could not be reached" in message
        # Somebody sits in front of the form; Airflow itself gives up after a minute.
        assert sum(quick) < 3

    def test_host_that_is_another_page(self, account: Any) -> None:
        account.emulator.faults.add("html", path="oauth", status=404, times=None)
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "HTTP 404" in message

    @pytest.mark.parametrize("login", ["id", ""])
    def test_masked_secret(self, connect: Any, account: Any, login: str) -> None:
        connect(login=login, password="***")
        works, message = SendPulseHook().test_connection()
        assert not works
        assert "masked" in message
        assert not account.emulator.requests.total

    def test_wrong_settings(self, connect: Any) -> None:
        connect(extra={"timeout": "soon"})
        assert SendPulseHook().test_connection() == (
            False,
            "Connection 'sendpulse_default': timeout is not a number above 0.",
        )

    def test_missing_connection(self) -> None:
        works, message = SendPulseHook("missing").test_connection()
        assert not works
        assert "could not be tested" in message

    def test_unexpected_error(self, account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def explode(*_: Any, **__: Any) -> Any:
            raise RuntimeError(SECRET)

        monkeypatch.setattr("airflow_provider_sendpulse.api.client.Client.send", explode)
        works, message = SendPulseHook().test_connection()
        assert not works
        assert message == "The connection could not be tested: RuntimeError."
