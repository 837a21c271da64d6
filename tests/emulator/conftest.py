# SPDX-License-Identifier: Apache-2.0
"""A running emulator, and a plain client for it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

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
