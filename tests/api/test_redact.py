# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves in a message, an exception or a log line."""

from __future__ import annotations

import json
import logging
import string
import time
import urllib.parse

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.account import ClientCredentials, StaticKey
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, FormBody, JsonBody, Repeat, SecretUrl, as_is
from airflow_provider_sendpulse.api.policy import Effort
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import AirflowException

CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ"
# What stands around it is never part of it: markers that cannot occur in what is to be hidden.
AROUND = [
    "{}",
    "Email {} is invalid",
    "Email '{}' is invalid",
    "Email “{}” is invalid",
    "({})",
    "[{}]",
    "a, {}, b",
    "a;{};b",
    "<{}>",
    "mailto:{}",
    '{{"email": "{}"}}',
    "GET /addressbooks/7/emails/{}?x=1",
    "email={}&x=1",
    "{}.",
    "Line\n{}\nline",
]
around = st.sampled_from(AROUND)


def words(alphabet, shortest=2, longest=12):
    return st.text(alphabet, min_size=shortest, max_size=longest)


local_parts = st.one_of(
    st.lists(words(string.ascii_letters + string.digits + "!#$%&*+/=?^_`{|}~-"), min_size=1, max_size=3).map(".".join),
    st.lists(words(CYRILLIC), min_size=1, max_size=3).map(".".join),
    st.builds("{}'{}".format, words(string.ascii_letters), words(string.ascii_letters)),
)
domains = st.builds(
    "{}.{}".format,
    st.one_of(words(string.ascii_lowercase + string.digits), words(CYRILLIC), words("中文例子")),
    st.sampled_from(["com", "ua", "рф", "co.uk", "xn--p1ai"]),
)


def hidden(text, *parts):
    shown = redact(text, longest=10_000)
    for part in parts:
        assert part not in shown, shown


@given(local_parts, domains, around)
@example("o'brien", "example.com", "Email '{}' is invalid")
@example("first/last=x", "example.com", "{}")
def test_addresses(local, domain, text):
    hidden(text.format(f"CANARY{local}@{domain}"), "CANARY", f"@{domain}")


@given(local_parts, domains, around, st.sampled_from(["", "/"]), st.integers(1, 3))
def test_percent_encoded_addresses(local, domain, text, safe, times):
    address = f"CANARY{local}@{domain}"
    for _ in range(times):
        address = urllib.parse.quote(address, safe=safe if times == 1 else "")
    hidden(text.format(address), address, "CANARY")


@given(st.lists(words(CYRILLIC), min_size=1, max_size=3).map(".".join), domains)
def test_addresses_escaped_as_json(local, domain):
    escaped = json.dumps(f"{local}@{domain}")
    hidden(f"Bad value {escaped}", escaped.strip('"'), escaped.strip('"').partition("@")[0])
    hidden(f"Bad value {json.dumps(escaped)}", escaped.strip('"'))


@pytest.mark.parametrize(
    "address",
    [
        '"canary smith"@example.com',
        "canary@[192.0.2.1]",
        "canary&#64;example.com",
        "canary&#x40;example.com",
        "canary&commat;example.com",
        "canary\\u0040example.com",
        "canary＠example.com",
        "canary%2540example.com",
        "canary@localhost",
    ],
)
@pytest.mark.parametrize("text", ["{}", "Email {} is invalid", "email={}&x=1"])
def test_unusual_addresses(address, text):
    hidden(text.format(address), "canary", "example.com", "192.0.2.1")


@given(st.text("0123456789", min_size=10, max_size=14), around)
def test_telephone_numbers_without_marks(digits, text):
    hidden(text.format(digits), digits)


@given(st.text("0123456789", min_size=10, max_size=12), st.sampled_from(["+", "%2B", "%2b", "+ "]), around)
def test_international_telephone_numbers(digits, plus, text):
    hidden(text.format(plus + digits), digits)


@pytest.mark.parametrize(
    "number",
    [
        "+38 (050) 123-45-67",
        "+7 912 345-67-89",
        "+44.20.7946.0958",
        "+1-202-555-0143",
        "8 (912) 345-67-89",
        "8-912-345-67-89",
        "(050) 123 45 67",
        "050-123-45-67",
        "380501234567",
        "00380501234567",
    ],
)
@pytest.mark.parametrize("text", AROUND)
def test_written_telephone_numbers(number, text):
    shown = redact(text.format(number))
    assert "<number>" in shown
    assert number not in shown
    assert not any(digits in shown for digits in ("123", "345", "555", "7946"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 00:07:06",
        "2026-11-22T00:07:06.123456+00:00",
        "22.11.2026 10:15",
        "08.01.2026 10:15:00",
        "error_code 213",
        "books 1, 2, 3 of 2000000",
        "version 1.2.3.4",
        "192.168.100.200",
        "Argument limit may not be greater than 100",
        "Токен истёк",
    ],
)
def test_what_is_needed_to_understand_stays(text):
    assert redact(text) == text


secrets = st.text(string.ascii_letters + string.digits + "-_", min_size=12, max_size=60)


@given(secrets, st.sampled_from(["access_token", "client_secret", "client_id", "password", "api_key", "apikey", "Token"]))
def test_named_secrets(secret, name):
    secret = f"CANARY{secret}"
    for text in (
        json.dumps({name: secret, "x": 1}),
        json.dumps(json.dumps({name: secret})),
        f"{name}={secret}&x=1",
        f"{name}: {secret}",
        f"{name} = '{secret}'",
    ):
        hidden(text, secret, "CANARY")


@given(secrets)
def test_secrets_by_their_shape(secret):
    for text in (
        f"Authorization: Bearer CANARY{secret}",
        f"authorization: basic CANARY{secret}",
        f"https://user:CANARY{secret}@example.com/x",
        f"https://events.example.com/events/id/CANARY{secret}/8 failed",
        f"JWT eyJhbGciOiJSUzI1NiJ9.CANARY{secret}.CANARY{secret} expired",
    ):
        hidden(text, "CANARY")


@given(st.text("0123456789abcdef", min_size=32, max_size=64), around)
def test_hexadecimal_secrets(secret, text):
    hidden(text.format(secret), secret)


@given(secrets, around)
def test_told_secrets(secret, text):
    shown = redact(text.format(secret), secrets=["", secret])
    assert secret not in shown


def test_short_secrets_garble_nothing():
    assert redact("the id is invalid", secrets=["id"]) == "the id is invalid"


@given(st.text())
def test_any_text_can_be_redacted(text):
    assert isinstance(redact(text), str)
    assert len(redact(text, longest=20)) <= 21


@pytest.mark.parametrize("piece", ["a", "a ", "1", "+1 ", '"', "'a", "@", "a@", "%40", "(", "\\u0438", "eyJ", "a.", "//"])
def test_a_megabyte_takes_no_time(piece):
    began = time.monotonic()
    assert len(redact(piece * (1_000_000 // len(piece)))) <= 501
    assert time.monotonic() - began < 1


def test_the_cut_leaves_no_half_of_an_address():
    for length in range(1960, 2010):
        text = "x " * (length // 2) + "y" * (length % 2) + " canary.smith@example.com " + "z" * 200
        assert "canary" not in redact("<secret>" + text, longest=500)
    # Long secrets shrink so much that the place of the cut shows.
    text = ("a" * 64 + " ") * 30
    for pad in range(80):
        assert "canary" not in redact("p" * pad + " " + text + "canary.smith@example.com and more " * 9, longest=500)


# --- exceptions and logs of the clients

CANARIES = {
    "address": "canary.smith@example.com",
    "encoded": "canary.smith%40example.com",
    "cyrillic": "канарейка@почта.рф",
    "phone": "+380501234567",
    "hash": "cafe0123456789abcdef0123456789ab",
    "token": "opaque-CANARY-token",
    "secret": "opaque-CANARY-client-secret",
    "id": "opaque-CANARY-client-id",
}
MARKS = ("canary", "CANARY", "канарейка", "380501234567", "cafe0123456789abcdef", "%D0%BA%D0%B0%D0%BD")


def log_everything(caplog):
    # Airflow may have made the libraries quiet already; here they are as talkative as can be.
    for name in (None, "httpx", "httpcore", "requests", "urllib3", "urllib3.connection", "urllib3.connectionpool"):
        caplog.set_level(logging.DEBUG, logger=name)


def clean(text):
    for mark in MARKS:
        assert mark not in text, text


PERSONAL = {"id": 7, "address": CANARIES["address"], "name": CANARIES["cyrillic"], "phone": CANARIES["phone"]}
CALLS = {
    "path": Call(
        method="POST",
        path="/books/{id}/{address}/{name}/{phone}",
        values=PERSONAL,
        query={"q": CANARIES["cyrillic"]},
        body=JsonBody(PERSONAL),
        read=as_is,
        reaches_people=True,
    ),
    "repeatable": Call(
        method="GET", path="/books/{id}/{address}", values=PERSONAL, query=CANARIES, read=as_is, repeat=Repeat.ALWAYS
    ),
    "event": Call(
        method="POST",
        path="",
        host=SecretUrl(f"https://events.invalid/events/id/{CANARIES['hash']}/7"),
        read=as_is,
        body=JsonBody(PERSONAL),
        authorised=False,
    ),
    "form": Call(method="POST", path="/x", body=FormBody({"email": CANARIES["address"]}), read=as_is),
    "unreadable": Call(method="POST", path="/x", body=JsonBody(PERSONAL), read=lambda answer: int(answer["message"])),
    "unencodable": Call(method="POST", path="/x", body=JsonBody({**PERSONAL, "x": "\ud800"}), read=as_is),
    "unencodable path": Call(method="GET", path="/x/{x}", values={"x": "canary\ud800"}, read=as_is),
}


def says(*secrets):
    shapes = [CANARIES[name] for name in ("address", "encoded", "cyrillic", "phone", "hash")]
    known = [CANARIES[name] for name in secrets]
    return "No such thing: " + ", ".join([*shapes, *known]) + ", Bearer " + CANARIES["token"]


OUTCOMES = [
    "refused by the service", "is_error", "unauthorised", "throttled", "quota", "broken", "html", "truncated",
    "shape", "redirect", "refused", "connect timeout", "reset", "read timeout",
]  # fmt: skip


def outcome(lab, name, *secrets):
    body = {"message": says(*secrets), "error_code": 1}
    page = ("<html>" + says(*secrets)).encode()
    replies = {
        "refused by the service": lab.reply(422, body),
        "is_error": lab.reply(200, {**body, "is_error": True}),
        "unauthorised": lab.reply(401, body),
        "throttled": lab.reply(429, body, headers={"retry-after": "900"}),
        "quota": lab.reply(422, {**body, "error_code": 791}),
        "broken": lab.reply(500, body),
        "html": lab.reply(200, body=page),
        "truncated": lab.reply(200, body=json.dumps(body).encode()[:-3]),
        "shape": lab.reply(200, body),
        "redirect": lab.reply(302, body, headers={"location": "https://canary.example.com/?e=" + CANARIES["encoded"]}),
    }
    return replies.get(name) or lab.fault(name)


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("static", [False, True], ids=["token", "static key"])
def test_no_failure_shows_anything(lab, tools, caplog, call, name, static):
    log_everything(caplog)
    credentials = StaticKey(CANARIES["token"]) if static else ClientCredentials(CANARIES["id"], CANARIES["secret"])
    account = lab.account(credentials=credentials, limits=(Limit(1e9, 1),))
    issued = lab.reply(json={"access_token": CANARIES["token"], "expires_in": 3600})
    lab.token_replies = [issued, issued]
    # A service can repeat without a mark only what this client told it.
    told = ["token"] if CALLS[call].authorised or static else []
    lab.answer(*[outcome(lab, name, *told, *([] if static else ["id", "secret"]))] * 2)
    driver = lab.client(account, effort=Effort(attempts=2))
    if name == "shape" and call not in {"unreadable", "unencodable", "unencodable path"}:
        driver.send(CALLS[call])
    else:
        with pytest.raises(AirflowException) as caught:
            driver.send(CALLS[call])
        clean(tools.leaks(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    clean(caplog.text)
    lab.replies.clear()


@pytest.mark.parametrize("name", OUTCOMES)
def test_no_failure_of_the_token_call_shows_anything(lab, tools, caplog, name):
    log_everything(caplog)
    account = lab.account(credentials=ClientCredentials(CANARIES["id"], CANARIES["secret"]))
    lab.token_replies = [outcome(lab, name, "id", "secret")] * 2
    with pytest.raises(AirflowException) as caught:
        lab.client(account, effort=Effort(attempts=2)).send(CALLS["path"])
    clean(tools.leaks(caught.value))
    clean(caplog.text)


def test_libraries_log_no_url_of_ours_and_all_of_others(lab, peer, caplog):
    import requests

    log_everything(caplog)
    account = lab.account(peer.url, credentials=StaticKey(CANARIES["token"]))
    driver = lab.client(account, real=True)
    for call in ("path", "repeatable", "form"):
        driver.send(CALLS[call])
    driver.send(Call(method="POST", path="", host=SecretUrl(f"{peer.url}/events/id/{CANARIES['hash']}/7"), read=as_is))
    clean(caplog.text)
    requests.get(f"{peer.url}/somebody-else", timeout=5)
    assert "/somebody-else" in caplog.text


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(local=local_parts, domain=domains, status=st.sampled_from([404, 422, 429, 500, 200]))
def test_no_refusal_repeats_an_address(lab, tools, local, domain, status):
    address = f"CANARY{local}@{domain}"
    said = {"message": f"Address {address} is wrong", "is_error": True}
    lab.answer(lab.reply(status, said, headers={"retry-after": "900"}))
    call = Call(method="POST", path="/x/{email}", values={"email": address}, body=JsonBody([address]), read=as_is)
    with pytest.raises(AirflowException) as caught:
        lab.send(call)
    shown = tools.leaks(caught.value)
    assert f"CANARY{local}" not in shown
    assert f"@{domain}" not in shown
