# SPDX-License-Identifier: Apache-2.0
"""The example that subscribes a receiver, executed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from examples import api_of, dags_of, run

pytestmark = pytest.mark.usefixtures("connect")

OLD = "https://hooks.shop.example.org/canary-0ld-secret"
NEW = "https://hooks.shop.example.org/canary-n3w-secret"


def rows(account: Any) -> list[tuple[str, str]]:
    return sorted((row.url, row.action) for row in account.emulator.state.webhooks)


def test_secret_changes(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = ("delete", "hard_bounces", "spam", "unsubscribe")
    dags = dags_of("subscribe_webhooks")
    results = {}
    for week, url in ((0, OLD), (1, OLD), (2, NEW)):
        monkeypatch.setenv("AIRFLOW_VAR_SENDPULSE_WEBHOOK_URL", url)
        results[week] = run(dags["subscribe_webhooks"], api_of("subscribe_webhooks", week))["subscribe"]
    assert results[0].value == results[1].value != results[2].value
    assert rows(account) == sorted((url, action) for url in (OLD, NEW) for action in actions)
    monkeypatch.setenv("AIRFLOW_VAR_SENDPULSE_OLD_WEBHOOK_URL", OLD)
    ended = run(dags["end_old_webhooks"], api_of("end_old_webhooks"))["end"]
    assert ended.value == len(actions)
    assert rows(account) == [(NEW, action) for action in actions]
    for result in (*results.values(), ended):
        told = result.log + json.dumps(result.rendered) + str(result.api.xcoms) + json.dumps(result.api.reported)
        assert "canary" not in told
