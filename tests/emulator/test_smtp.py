# SPDX-License-Identifier: Apache-2.0
"""Transactional messages: every documented refusal, and what the clients of SendPulse send."""

from __future__ import annotations

import base64
import json

import pytest

from airflow_provider_sendpulse.emulator import php_serialized

ADA = "ada@example.com"
HTML = base64.b64encode(b"<b>Hi {{name}}</b>").decode()


def fields(**changes):
    given = {
        "subject": "Invoice",
        "from": {"name": "Shop", "email": "shop@example.com"},
        "to": [{"name": "Ada", "email": ADA}],
        "html": HTML,
        "text": "Hi",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def send(api, **changes):
    return api.post("/smtp/emails", {"email": fields(**changes)})["id"]


def test_send_and_read(api, emulator):
    emulator.configure(bounce_share=0.0, open_share=0.0)
    message_id = send(api)
    record = api.get(f"/smtp/emails/{message_id}")
    assert (record["sender"], record["recipient"], record["subject"]) == ("shop@example.com", ADA, "Invoice")
    assert (record["smtp_answer_code"], record["send_date"]) == (250, "2026-03-02 09:00:00")
    assert record["tracking"] == {"click": 0, "open": 0, "link": [], "client_info": []}
    [message] = emulator.inbox(ADA)
    assert (message["kind"], message["body"], message["text"]) == ("smtp", "<b>Hi </b>", "Hi")


def test_everybody_gets_it_once(api, emulator):
    send(api, cc=[{"email": "bea@example.com"}], bcc=[{"email": "ADA@example.com"}])
    assert [message["to"] for message in emulator.inbox()] == [ADA, "bea@example.com"]
    assert api.get("/smtp/emails/total") == {"total": 2}


def test_text_alone_is_shown_as_text(api, emulator):
    send(api, html=None, text="1 < 2")
    assert emulator.inbox(ADA)[0]["body"] == "<pre>1 &lt; 2</pre>"


CASES = [
    ({"from": None}, 10),
    ({"from": {"name": "Shop"}}, 10),
    ({"from": {"name": "Shop", "email": "shop"}}, 10),
    ({"from": "shop@example.com"}, 422),
    ({"from": {"name": "N", "email": "nobody@example.com"}}, 422),
    ({"to": None}, 11),
    ({"to": []}, 11),
    ({"to": ADA}, 11),
    ({"to": [{"email": "ada"}]}, 422),
    ({"cc": [{"email": "ada"}]}, 422),
    ({"to": [{"email": f"a{number}@example.com"} for number in range(51)]}, 550),
    ({"subject": None}, 12),
    ({"subject": ""}, 12),
    ({"html": None, "text": None}, 13),
    ({"html": "not base64!"}, 999),
    ({"template": "7"}, 422),
    ({"template": {"variables": {}}}, 10),
    ({"template": {"id": 7}}, 731),
    ({"template": {"id": 7, "variables": "a"}}, 731),
    ({"template": {"id": 7, "variables": {}}}, 31),
    ({"attachments_binary": {"a": "not base64!"}}, 422),
    ({"attachments": "[broken"}, 422),
    ({"attachments": {"a": 7}}, 422),
]


@pytest.mark.parametrize(("changes", "code"), CASES, ids=str)
def test_refusals(api, emulator, changes, code):
    assert api.refused("POST", "/smtp/emails", {"email": fields(**changes)}) == (422, code)
    assert emulator.inbox() == []


@pytest.mark.parametrize("body", [{}, {"email": None}, [], None])
def test_no_message_at_all(api, body):
    assert api.refused("POST", "/smtp/emails", body) == (422, 422)


@pytest.mark.parametrize("email", [7, "not json", "[1]"])
def test_a_malformed_message(api, email):
    assert api.refused("POST", "/smtp/emails", {"email": email}) == (422, 999)


def test_an_empty_template(api):
    template = api.post("/template", {"body": base64.b64encode(b" ").decode(), "name": "Empty"})["real_id"]
    body = {"email": fields(template={"id": template, "variables": {}})}
    assert api.refused("POST", "/smtp/emails", body) == (422, 32)


def test_the_settings_of_the_account(api, emulator):
    body = {"email": fields()}
    texts = {}
    for change in ({"smtp_sending": "limited"}, {"smtp_sending": "over_quota"}, {"smtp_most_bytes": 3}):
        emulator.reset()
        emulator.configure(**change)
        answer = api.send("POST", "/smtp/emails", body)
        assert (answer.status_code, answer.json()["error_code"]) == (422, 422)
        texts[str(change)] = answer.json()["message"]
    assert list(texts.values()) == [
        "Sending from your account is currently limited. Please try later.",
        "Sending quota or bandwidth exceeded",
        "Message size limit exceeded",
    ]
    emulator.reset()
    emulator.configure(smtp_account="expired")
    assert api.refused("POST", "/smtp/emails", body) == (403, 403)
    emulator.configure(smtp_account="missing")
    assert api.refused("POST", "/smtp/emails", body) == (422, 400)
    assert api.refused("POST", "/smtp/resubscribe", {"email": ADA, "sender": "s"}) == (422, 503)


def test_html_and_text_together_if_so_wished(api, emulator):
    emulator.configure(smtp_needs_html_and_text=True)
    for changes in ({"text": None}, {"html": None}):
        assert api.refused("POST", "/smtp/emails", {"email": fields(**changes)}) == (422, 13)
    send(api)
    send(api, text=None, auto_plain_text=True)


def serialized(value):
    """A value as PHP's serialize() writes it."""
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    if isinstance(value, bool):
        return f"b:{int(value)};"
    if isinstance(value, int):
        return f"i:{value};"
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    inside = "".join(serialized(key) + serialized(item) for key, item in pairs)
    return f"a:{len(value)}:{{{inside}}}"


@pytest.mark.parametrize("written", [json.dumps, serialized])
def test_a_message_as_text(api, emulator, written):
    api.post("/smtp/emails", {"email": written(fields(subject="Рахунок"))})
    assert emulator.inbox(ADA)[0]["subject"] == "Рахунок"
    emulator.configure(smtp_email_as_text="refuse")
    assert api.refused("POST", "/smtp/emails", {"email": written(fields())}) == (422, 999)


def test_contacts_as_php_serializes_them(api):
    book = api.book(0)
    api.post(f"/addressbooks/{book}/emails", {"emails": serialized([{"email": ADA, "variables": {"n": 1}}])})
    assert api.get(f"/addressbooks/{book}/emails")[0]["variables"] == {"n": 1}


@pytest.mark.parametrize("value", ["Рахунок", 7, -7, True, [], [1, "a"], {"a": {"b": [1]}}])
def test_php_values(value):
    assert php_serialized.loads(serialized(value)) == value


def test_php_null_and_floats():
    assert php_serialized.loads("a:2:{i:0;N;i:1;d:1.5;}") == [None, 1.5]


@pytest.mark.parametrize(
    "text",
    ["", "x", "i:1", "i:a;", 's:9:"a";', 's:1:"a', "a:1:{i:0;}", "a:1:i:0;", "i:1;i:2;", 'O:1:"A":0:{}', "a:1:{" * 5000],
)
def test_what_is_no_php_value(text):
    with pytest.raises(ValueError):  # noqa: PT011 - each has another reason
        php_serialized.loads(text)


def test_lists(api, emulator):
    first = send(api)
    emulator.advance(86400)
    second = send(api, to=[{"email": "bea@example.com"}])
    assert [entry["id"] for entry in api.get("/smtp/emails")] == [second, first]
    assert [entry["id"] for entry in api.get("/smtp/emails?limit=1&offset=1")] == [first]
    assert [entry["id"] for entry in api.get("/smtp/emails?to=2026-03-02")] == [first]
    assert [entry["id"] for entry in api.get("/smtp/emails?from=2026-03-03")] == [second]
    assert [entry["id"] for entry in api.get("/smtp/emails?from=2026-03-02 09:00:01")] == [second]
    assert [entry["id"] for entry in api.get("/smtp/emails?to=2026-03-02 09:00:00")] == [first]
    assert [entry["id"] for entry in api.get("/smtp/emails?recipient=bea@example.com")] == [second]
    assert api.get("/smtp/emails?sender=other@example.com") == []
    assert api.refused("GET", "/smtp/emails?from=yesterday") == (422, 422)
    emulator.configure(smtp_list_order="asc", smtp_numbers_as_strings=True)
    oldest = api.get("/smtp/emails")[0]
    assert (oldest["id"], oldest["smtp_answer_code"]) == (first, "250")


def test_a_new_message_may_be_listed_late(api, emulator):
    emulator.configure(smtp_visibility_seconds=5, smtp_visibility_reads=1)
    send(api)
    assert api.get("/smtp/emails") == []
    emulator.advance(5)
    assert [len(api.get("/smtp/emails")) for _ in range(2)] == [0, 1]


def test_countries_can_be_left_out(api, emulator):
    emulator.configure(outcomes={ADA: 3})
    send(api)
    assert api.get("/smtp/emails")[0]["tracking"]["client_info"][0].keys() >= {"country"}
    assert "country" not in api.get("/smtp/emails?country=off")[0]["tracking"]["client_info"][0]


@pytest.mark.parametrize(
    ("ids", "code"), [(None, 832), ([], 832), (["x"] * 501, 832), ([7], 832), ("x", 832), (["unknown"], 14)]
)
def test_many_at_once(api, ids, code):
    assert api.refused("POST", "/smtp/emails/info", {"emails": ids}) == (400, code)


def test_bounces_of_a_day(api, emulator):
    emulator.configure(outcomes={ADA: 10})
    send(api)
    answer = api.get("/smtp/bounces/day?date=2026-03-02")
    assert (answer["total"], answer["found"], answer["request_limit"]) == (1, 1, 100)
    assert (answer["emails"][0]["email_to"], answer["emails"][0]["smtp_answer_code"]) == (ADA, 552)
    assert api.get("/smtp/bounces/day?date=2026-03-01")["emails"] == []
    assert api.refused("GET", "/smtp/bounces/day?date=soon") == (422, 422)
    emulator.advance(86400)
    assert api.get("/smtp/bounces/day/total") == {"total": 0}


@pytest.mark.parametrize(
    ("accepted", "works"),
    [("any", {"object": True, "array": True}), ("object", {"object": True, "array": False}), ("array", {"array": True})],
)
def test_both_bodies_of_unsubscribing(api, emulator, accepted, works):
    emulator.configure(smtp_unsubscribe_body=accepted)
    bodies = {"object": {"emails": [{"email": ADA}]}, "array": [{"email": ADA, "comment": "c"}]}
    for shape, body in bodies.items():
        answer = api.send("POST", "/smtp/unsubscribe", body)
        assert answer.status_code == (200 if works.get(shape) else 400)
    assert api.get(f"/smtp/unsubscribe/search?email={ADA}") == {"result": True}
    assert api.refused("DELETE", "/smtp/unsubscribe", []) == (400, 14)


def test_searching_needs_an_address(api):
    assert api.refused("GET", "/smtp/unsubscribe/search") == (422, 422)
    assert api.refused("GET", "/smtp/unsubscribe/search?email=ada") == (422, 422)


def test_coming_back(api, emulator):
    ask = {"email": ADA, "sender": "shop@example.com"}
    answer = api.send("POST", "/smtp/resubscribe", ask)
    assert answer.json()["message"] == "Blocked email not found"
    api.post("/smtp/unsubscribe", {"emails": [{"email": ADA}]})
    for _ in range(5):
        api.post("/smtp/resubscribe", ask)
    assert api.send("POST", "/smtp/resubscribe", ask).json()["message"] == "No more than 5 are allowed per day"
    emulator.advance(86401)
    api.post("/smtp/resubscribe", ask)
    assert [message["kind"] for message in emulator.inbox(ADA)] == ["resubscription"] * 6
    assert api.control("POST", "/resubscriptions", {"email": ADA}) == {"done": True}
    assert api.get(f"/smtp/unsubscribe/search?email={ADA}") == {"result": False}


@pytest.mark.parametrize(
    "wrong", [{"email": None}, {"email": "ada"}, {"sender": None}, {"lang": 7}, {"lang": "uk"}], ids=str
)
def test_asking_wrongly(api, wrong):
    assert api.refused("POST", "/smtp/resubscribe", {"email": ADA, "sender": "s@example.com", **wrong}) == (422, 422)


def test_sender_domains(api):
    path = "/v2/email-service/smtp/sender_domains"
    assert api.get(path) == {"data": {"result": True, "data": []}}
    assert api.post(f"{path}/shop.example.com", None) == {"data": {"result": True}}
    api.control("POST", "/sender-domains", {"domain": "shop.example.com"})
    [domain] = api.get(path)["data"]["data"]
    assert (domain["service_value"], domain["status"], domain["checks"]["all_checks"]) == ("shop.example.com", 1, True)
    assert api.refused("POST", f"{path}/localhost") == (422, 422)


def test_the_inbox_page_shows_it(api):
    send(api, attachments={"invoice.txt": "1"})
    page = api.send("GET", "/ui/inbox").text
    assert "invoice.txt" in page
    assert ADA in page


# What the vendor's older clients send.


@pytest.mark.parametrize("written", [json.dumps, serialized])
def test_lists_as_text(api, emulator, written):
    api.post("/smtp/unsubscribe", {"emails": written([{"email": ADA, "comment": "c"}])})
    assert api.get(f"/smtp/unsubscribe/search?email={ADA}") == {"result": True}
    assert api.send("DELETE", "/smtp/unsubscribe", {"emails": written([ADA])}).status_code == 200
    assert api.get(f"/smtp/unsubscribe/search?email={ADA}") == {"result": False}
    emulator.configure(strict_emails=True)
    assert api.refused("POST", "/smtp/unsubscribe", {"emails": written([{"email": ADA}])}) == (422, 422)


def test_their_calls_for_domains(api):
    assert api.post("/smtp/domains", {"email": "ada@shop.example.com"}) == {"result": True}
    assert api.get("/smtp/domains") == ["shop.example.com"]
    assert api.get("/smtp/domains/ada%40shop.example.com") == {"result": True}
    [domain] = api.get("/v2/email-service/smtp/sender_domains")["data"]["data"]
    assert domain["status"] == 1
    assert api.refused("POST", "/smtp/domains", {"email": "shop"}) == (422, 17)


@pytest.mark.parametrize("path", ["/smtp/emails", "/smtp/unsubscribe"])
def test_a_limit_of_nought_is_none(api, path):
    """The PHP and Node clients send it, with empty filters, when they are given nothing."""
    send(api)
    api.post("/smtp/unsubscribe", {"emails": [{"email": "bea@example.com"}]})
    assert len(api.get(f"{path}?limit=0&offset=0&from=&to=&sender=&recipient=")) == 1
    assert api.refused("GET", f"{path}?limit=101") == (422, 422)
