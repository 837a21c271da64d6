# SPDX-License-Identifier: Apache-2.0
"""Templates, through a socket."""

from __future__ import annotations

import base64

import pytest
from emulated_account import count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import templates
from airflow_provider_sendpulse.sendpulse.languages import LANGUAGES

BODY = "<p>Добрий день, {{Ім'я}}! 🚀</p>"


def test_create_read_edit(either, emulator):
    real_id = either.send(templates.create(BODY, name="Digest", lang="ua"))
    first = either.send(templates.read(real_id))
    assert (first.real_id, first.name, first.lang, first.body, first.owner) == (real_id, "Digest", "ua", BODY, "me")
    assert sent(emulator, "templates.create") == [
        {"body": base64.b64encode(BODY.encode()).decode(), "name": "Digest", "lang": "ua"}
    ]
    either.send(templates.edit(real_id, "<p>2</p>", lang="ua"))
    second = either.send(templates.read(real_id))
    assert (second.real_id, second.body) == (real_id, "<p>2</p>")
    assert second.id != first.id


def test_list(either):
    made = [either.send(templates.create(BODY, name=f"Digest {number}")) for number in range(3)]
    assert [template.real_id for template in either.pages(templates.list(limit=2))] == made
    public = [*either.pages(templates.list(owner="sendpulse"))]
    assert [(template.owner, template.lang) for template in public] == [("sendpulse", "en"), ("sendpulse", "ua")]
    assert [template.lang for template in either.pages(templates.list(owner="sendpulse", lang="ua"))] == ["ua"]


def test_by_slug(either):
    either.send(templates.create(BODY, name="My Digest", lang="ua"))
    assert either.send(templates.read_by_slug("my-digest", lang="ua")).body == BODY
    with pytest.raises(Refused) as caught:
        either.send(templates.read_by_slug("my-digest", lang="en"))
    assert caught.value.error_code == 290
    assert either.send(templates.read_by_slug("spring-sale", owner="sendpulse")).owner == "sendpulse"


def test_the_language_of_its_creation(either):
    real_id = either.send(templates.create(BODY, name="Digest", lang="ua"))
    either.send(templates.edit(real_id, "<p>", lang="ua"))
    with pytest.raises(Refused, match="lang"):
        either.send(templates.edit(real_id, "<p>", lang="en"))


def test_what_cannot_be_edited_or_read_yet(client, emulator):
    with emulator.emulator.lock:
        visual = emulator.state.templates.create(BODY, "Visual", "en", from_visual_editor=True)
    emulator.configure(template_processing_seconds=60)
    young = client.send(templates.create(BODY, name="Young"))
    for call in (templates.edit(visual.real_id, "<p>"), templates.read(young)):
        with pytest.raises(Refused, match="visual editor") as caught:
            client.send(call)
        assert caught.value.error_code == 2900


def test_the_owner_is_always_said():
    assert templates.list(lang="ua").target == "/templates/ua?owner=me&limit=100&offset=0"
    assert templates.read(7).target == "/template/7?owner=me"
    assert templates.read_by_slug("my-digest", lang="en").target == "/template/slug/my-digest?owner=me&lang=en"


def test_without_a_name_the_service_gives_one(client):
    real_id = client.send(templates.create(BODY))
    assert client.send(templates.read(real_id)).name.startswith("Template 20")


def test_a_taken_name_is_refused(client):
    client.send(templates.create(BODY, name="Digest"))
    with pytest.raises(Refused) as caught:
        client.send(templates.create(BODY, name="Digest"))
    assert caught.value.error_code == 573


def test_creating_is_not_repeated_in_doubt_and_editing_is(client, emulator):
    real_id = client.send(templates.create(BODY, name="Digest"))
    emulator.faults.add("lose_answer", operation="templates.create")
    emulator.faults.add("lose_answer", operation="templates.edit")
    with pytest.raises(AmbiguousOutcome):
        client.send(templates.create(BODY, name="Other"))
    client.send(templates.edit(real_id, "<p>"))
    assert (count(emulator, "templates.create"), count(emulator, "templates.edit")) == (2, 2)


@pytest.mark.parametrize(("call", "code"), [(templates.read(1), 290), (templates.edit(1, "<p>"), 31)])
def test_a_missing_template(client, call, code):
    with pytest.raises(Refused) as caught:
        client.send(call)
    assert (caught.value.status, caught.value.error_code) == (404, code)


@pytest.mark.parametrize("lang", ["uk", "", "de"])
def test_an_unknown_language(lang):
    for build in (
        lambda: templates.create(BODY, lang=lang),
        lambda: templates.edit(1, BODY, lang=lang),
        lambda: templates.read(1, lang=lang),
        lambda: templates.list(lang=lang),
    ):
        with pytest.raises(InvalidRequest, match="lang is"):
            build()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_documented_language(client, lang):
    assert client.send(templates.create(BODY, name=lang, lang=lang))


@pytest.mark.parametrize("body", ["", " \n"])
def test_a_template_needs_a_body(body):
    with pytest.raises(InvalidRequest):
        templates.create(body)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (base64.b64encode(b"<p>").decode(), "<p>"),
        ("<p>plain</p>", "<p>plain</p>"),
        ("not base64!", "not base64!"),
        ("", ""),
    ],
)
def test_bodies_may_be_encoded_or_not(written, read):
    assert templates.read(1).read({"id": "x", "body": written}).body == read


@pytest.mark.parametrize(("written", "read"), [([], ()), ({"sale": "sale"}, ("sale",)), (["a"], ("a",)), (None, ())])
def test_tags_of_templates(written, read):
    assert templates.read(1).read({"id": "x", "tags": written, "category_info": []}).tags == read
