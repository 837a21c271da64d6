# SPDX-License-Identifier: Apache-2.0
"""Contacts from a file: its URL is a credential."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused

LINK = "https://canaryuser:canary%2Fpass@files.example.com/a.csv?signature=canarysign"


def test_what_is_sent():
    call = es.uploads.start(
        SecretUrl(LINK), dedupe_on="email", group_names=["Readers"], event_key_for_new_contacts="fromFile"
    )
    assert call.reaches_people
    assert call.body.value == {
        "link": LINK,
        "dedupeOn": "email",
        "restoreDeleted": False,
        "groupNames": ["Readers"],
        "eventKeyForNewContacts": "fromFile",
    }
    upload = call.read({"message": "ok", "importId": 7, "fileId": "f", "valid": True})
    assert (upload.import_id, upload.file_id) == ("7", "f")


def test_the_url_shows_nowhere(either, emulator, caplog):
    caplog.set_level(logging.DEBUG)
    call = es.uploads.start(LINK, dedupe_on="email")
    assert "canary" not in repr(call)
    words = f"Cannot read {LINK}: canaryuser or canary/pass is wrong, canary%2Fpass too, signature=canarysign as well"
    emulator.faults.add("status", operation="esputnik.contacts.upload", status=400, message=words)
    with pytest.raises(Refused) as caught:
        either.send(call)
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(caught.value.__dict__)
    assert "canary" not in caplog.text


def test_a_file_that_cannot_be_read_is_refused_with_200(either, emulator):
    with pytest.raises(Refused) as caught:
        either.send(es.uploads.start(f"{emulator.url}/no-such-file.csv?signature=canarysign", dedupe_on="email"))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("link", "dedupe_on"),
    [
        ("files.example.com/canary.csv", "email"),
        ("ftp://files.example.com/canary.csv", "email"),
        ("https://[canary", "email"),
        ("", "email"),
        (LINK, "externalCustomerId"),
        (LINK, "canary-"),
    ],
)
def test_what_the_service_would_refuse_is_not_sent(link, dedupe_on):
    with pytest.raises(InvalidRequest) as caught:
        es.uploads.start(link, dedupe_on=dedupe_on)
    assert "canary.csv" not in str(caught.value)
    assert "canaryuser" not in str(caught.value)
