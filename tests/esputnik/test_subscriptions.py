# SPDX-License-Identifier: Apache-2.0
"""Subscription categories, and addresses that get no e-mail, against the emulator."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.exceptions import InvalidRequest


def test_categories(either, ada):
    categories = either.send(es.subscriptions.list())
    keys = [category.key for category in categories]
    assert keys
    assert categories[0].contacts_count == 0
    assert either.send(es.subscriptions.of_contact(ada)) == []
    either.send(es.subscriptions.put(ada, keys[:1]))
    [found] = either.send(es.subscriptions.of_contact(ada))
    assert (found.key, found.contacts_count) == (keys[0], None)
    with pytest.raises(InvalidRequest):
        es.subscriptions.put(ada, "news")


def test_unsubscribed_addresses(either, remembered):
    either.send(es.unsubscribed.add(["ada@example.com", "grace@example.com"]))
    assert remembered()["unsubscribed"] == ["ada@example.com", "grace@example.com"]
    either.send(es.unsubscribed.delete(["ada@example.com"]))
    assert remembered()["unsubscribed"] == ["grace@example.com"]
    for change in (es.unsubscribed.add, es.unsubscribed.delete):
        assert "ada@" not in repr(change(["ada@example.com"]))
        for wrong in ([], "ada@example.com"):
            with pytest.raises(InvalidRequest):
                change(wrong)
