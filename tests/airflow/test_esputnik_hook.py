# SPDX-License-Identifier: Apache-2.0
"""The eSputnik hook: a connection, and calls with it. What both services share is tested with SendPulse's."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.account import BasicKey
from airflow_provider_sendpulse.esputnik.contacts import Contact
from airflow_provider_sendpulse.exceptions import AuthenticationFailed, InvalidRequest
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.esputnik_settings import DEFAULT_HOST
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_2_PLUS

KEY = "c4n4ry0f4nAPIkey"
ADA = es.contacts.upsert(Contact.reached(email="ada@example.com"))


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the Airflow connection ``esputnik_default``."""

    def set_connection(**fields: Any) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_ESPUTNIK_DEFAULT", json.dumps({"conn_type": "esputnik", **fields}))

    return set_connection


@pytest.fixture
def connected(connect: Any, emulator: Any) -> Any:
    """A connection to the emulator, and how to change it."""

    def change(**fields: Any) -> None:
        connect(**{"host": emulator.esputnik_url, "password": emulator.esputnik_key, **fields})

    change()
    return change


@pytest.mark.usefixtures("connected")
class TestCalls:
    """Calls, blocking and not."""

    def test_send(self, emulator: Any) -> None:
        with EsputnikHook() as hook:
            contact_id = hook.send(ADA)
            assert contact_id is not None
            assert hook.send(es.contacts.read(contact_id)).email == "ada@example.com"
            assert [found.id for found in hook.pages(es.contacts.search())] == [contact_id]
        assert "tokens.issue" not in emulator.requests.counts()

    def test_coroutines(self) -> None:
        async def ask() -> list[str | None]:
            hook = EsputnikHook()
            try:
                await hook.asend(ADA)
                return [found.email async for found in hook.apages(es.contacts.search())]
            finally:
                await hook.aclose()

        assert asyncio.run(ask()) == ["ada@example.com"]

    def test_disabled_key(self, emulator: Any, connected: Any) -> None:
        emulator.configure(esputnik_disabled_keys=[KEY])
        connected(password=KEY)
        with EsputnikHook() as hook, pytest.raises(AuthenticationFailed, match="90 days") as caught:
            hook.send(es.account.info())
        assert KEY not in str(caught.value)

    def test_the_key_as_the_header_holds_it_is_masked(self, connected: Any) -> None:
        try:
            from airflow.sdk._shared.secrets_masker import redact
        except ImportError:  # Airflow 3.1
            from airflow.sdk.execution_time.secrets_masker import redact
        connected(login="shop", password=KEY)
        _ = EsputnikHook().settings
        pair = base64.b64encode(f"shop:{KEY}".encode()).decode()
        assert pair not in str(redact(f"Authorization: Basic {pair}"))


class TestSettings:
    """What a connection may say."""

    @pytest.mark.parametrize("extra", [None, "", {}, {"timeout": None, "requests_per_second": "", "deployment": None}])
    def test_untouched_form(self, connect: Any, extra: Any) -> None:
        connect(password=f" {KEY} ", extra=extra)
        settings = EsputnikHook().settings
        assert settings.account.api_url == DEFAULT_HOST == "https://esputnik.com/api"
        assert settings.account.credentials == BasicKey(KEY, "user")
        assert ([limit.requests for limit in settings.account.limits], settings.account.ceiling) == ([200.0], ())
        assert settings.account.timeouts.total == 60.0
        assert (settings.deployment, settings.coordination_conn_id, settings.account_timezone) == ("", None, None)

    def test_everything(self, connect: Any) -> None:
        extra = {
            "timeout": "30",
            "requests_per_second": "2.5",
            "deployment": "staging",
            "coordination_conn_id": "redis",
            "account_timezone": "Europe/Kyiv",
        }
        connect(login="shop", password=KEY, host="yespo.io/api/", extra=extra)
        settings = EsputnikHook().settings
        account = settings.account
        assert account.credentials == BasicKey(KEY, "shop")
        assert account.api_url == "https://yespo.io/api"
        assert (account.limits, account.timeouts.total) == (account.ceiling, 30.0)
        assert [limit.requests for limit in account.ceiling] == [2.5]
        assert (settings.deployment, settings.coordination_conn_id) == ("staging", "redis")
        assert settings.account_timezone == "Europe/Kyiv"

    @pytest.mark.parametrize(
        ("fields", "url"),
        [
            ({"host": "127.0.0.1/esputnik/api", "port": 8025, "schema": "http"}, "http://127.0.0.1:8025/esputnik/api"),
            ({"host": "http://127.0.0.1:8025/esputnik/api/"}, "http://127.0.0.1:8025/esputnik/api"),
            ({"host": " "}, DEFAULT_HOST),
        ],
    )
    def test_host(self, connect: Any, fields: dict[str, Any], url: str) -> None:
        connect(password=KEY, **fields)
        assert EsputnikHook().settings.account.api_url == url

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"password": ""}, "password"),
            ({"login": "a:b"}, "login"),
            ({"extra": "[1]"}, "extra"),
            ({"extra": {"timeout": "soon"}}, "timeout"),
            ({"extra": {"requests_per_second": 0}}, "requests_per_second"),
        ],
    )
    def test_wrong_field_is_named(self, connect: Any, fields: dict[str, Any], named: str) -> None:
        if named == "extra" and not AIRFLOW_V_3_2_PLUS:
            pytest.skip("Airflow 3.1 itself refuses such a connection")
        connect(**{"password": KEY, **fields})
        with pytest.raises(InvalidRequest) as raised:
            _ = EsputnikHook().settings
        assert str(raised.value).startswith(f"Connection 'esputnik_default': {named} ")
        assert KEY not in str(raised.value)


class TestTestConnection:
    """The Test button."""

    def test_success(self, connected: Any, emulator: Any) -> None:
        works, message = EsputnikHook().test_connection()
        assert works, message
        assert message.startswith("Connected to eSputnik: organisation ")
        assert emulator.requests.counts() == {"esputnik.account.read": 1}

    def test_wrong_key(self, connected: Any) -> None:
        connected(password=KEY)
        works, message = EsputnikHook().test_connection()
        assert not works
        assert "HTTP 401" in message
        assert KEY not in message

    def test_masked_key(self, connected: Any, emulator: Any) -> None:
        connected(password="***")
        assert EsputnikHook().test_connection() == (
            False,
            "The form sent a masked secret. Enter the API key again to test it.",
        )
        assert not emulator.requests.total

    def test_host_of_the_pages(self, connected: Any, emulator: Any) -> None:
        connected(host=emulator.url)
        works, message = EsputnikHook().test_connection()
        assert not works
        assert "ends with /api" in message
