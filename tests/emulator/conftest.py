# SPDX-License-Identifier: Apache-2.0
"""A running emulator, and a plain client for it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from contact_channels import email

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from airflow_provider_sendpulse.emulator.settings import Settings

START = "2026-03-02T09:00:00+02:00"
KEY = "sp_apikey_emulator"


class Api:
    """Calls with a static key. Each call takes a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {KEY}"}

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers)
        options.setdefault("timeout", 5)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, json=body, **options)

    def get(self, path: str, **options: Any) -> Any:
        response = self.send("GET", path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any) -> Any:
        response = self.send("POST", path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """HTTP status and application code of a call that must fail."""
        response = self.send(method, path, body)
        assert response.status_code >= 400, response.text
        return response.status_code, response.json()["error_code"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        response = self.send(method, "/__emulator__" + path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def book(self, count: int = 3, name: str = "Readers", **more: Any) -> int:
        """A book that is ready, with active contacts."""
        emails = [{"email": f"reader{i}@example.com", "variables": {"Имя": f"Олена {i}"}} for i in range(count)]
        fields = {"name": name, "emails": emails, **more}
        return int(self.control("POST", "/books", fields)["id"])

    def campaign(self, book: Any, **more: Any) -> dict[str, Any]:
        """A campaign created in the ordinary way."""
        return self.post("/campaigns", self.fields(book, **more))

    @staticmethod
    def fields(book: Any, **more: Any) -> dict[str, Any]:
        """What a create call needs, with changes; None takes a field away."""
        fields = {
            "sender_name": "Shop",
            "sender_email": "shop@example.com",
            "subject": "{{Имя}}, hello",
            "body": encoded("<p>Вітаємо, {{Имя}}! <a href='https://shop.example/a?b=1'>Shop</a></p>"),
            "list_id": book,
            "name": "Spring",
            **more,
        }
        return {name: value for name, value in fields.items() if value is not None}


class EsputnikApi(Api):
    """Calls to eSputnik with a key."""

    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator.esputnik_url)
        self.headers = {"Accept": "application/json"}
        self.auth = ("anybody", emulator.esputnik_key)
        self._emulator = emulator

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("auth", self.auth)
        return super().send(method, path, body, **options)

    def told(self, method: str, path: str, body: Any = None) -> str:
        """Text of a call that answers with a sentence."""
        response = self.send(method, path, body)
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].startswith("application/json")
        return response.text

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:  # type: ignore[override]
        """HTTP status and text of a call that must fail."""
        response = self.send(method, path, body)
        assert response.status_code >= 400, response.text
        assert response.headers["Content-Type"].startswith("application/json")
        return response.status_code, response.text

    def import_(self, *contacts: Any, wait: bool = True, **more: Any) -> dict[str, Any]:
        """Import contacts by their addresses unless told otherwise, and return the last state of the session."""
        people = [{"channels": [email(entry)]} if isinstance(entry, str) else entry for entry in contacts]
        fields = {"contacts": people, "dedupeOn": "email", "contactFields": ["email"], **more}
        answer = self.post("/v1/contacts", {name: value for name, value in fields.items() if value is not None})
        if not wait:
            return answer
        self._emulator.advance(60)
        return self.get(f"/v1/importstatus/{answer['asyncSessionId']}")

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Everything about the contacts that are not deleted, by their first channel."""
        account = self._emulator.state.as_dict()["esputnik"]
        return {one["channels"][0]["value"]: one for one in account["contacts"] if not one["deleted"]}

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, key and parameters of all events."""
        return [(event.type, event.key, dict(event.params)) for event in self._emulator.state.esputnik.events]

    def segment(self, name: str) -> int:
        """Id of the segment with this name."""
        (found,) = [one["id"] for one in self.get("/v1/groups") if one["name"] == name]
        return int(found)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="session")
def served() -> Iterator[RunningEmulator]:
    settings = Settings(clock="manual", clock_start=START, requests_per_second=None, requests_per_minute=None)
    with RunningEmulator(settings) as running:
        yield running


@pytest.fixture
def emulator(served: RunningEmulator) -> RunningEmulator:
    served.reset()
    return served


@pytest.fixture
def api(emulator: RunningEmulator) -> Api:
    return Api(emulator.url)


@pytest.fixture
def esputnik(emulator: RunningEmulator) -> EsputnikApi:
    return EsputnikApi(emulator)
