# SPDX-License-Identifier: Apache-2.0
"""A first look at addresses and telephone numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.rows.addresses import LONGEST, email_fault, phone_fault


@pytest.mark.parametrize(
    "email",
    [
        "a@example.com",
        "first.last+tag@mail.example.co.uk",
        "o'brien@example.com",
        "_under-score_@example.com",
        "{odd}!#$%&'*+/=?^`|~@example.com",
        "a/b@example.com",
        '"quoted"@example.com',
        "пошта@приклад.example",
        "a@пример.example.com",
        "a@xn--e1afmkfd.example.com",
        "用户@例子.example",
        "A@EXAMPLE.COM",
        "1@2.example.com",
        "a@b.example",
        "a" * (LONGEST - len("@example.com")) + "@example.com",
    ],
)
def test_what_can_be_an_address(email):
    assert email_fault(email) is None


@pytest.mark.parametrize(
    ("email", "fault"),
    [
        ("", "no address"),
        ("a", "not an address"),
        ("@", "not an address"),
        ("a@", "not an address"),
        ("@example.com", "not an address"),
        ("a@localhost", "not an address"),
        ("a@example.", "not an address"),
        ("a@.com", "not an address"),
        ("a@example.com.", "not an address"),
        ("a@example..com", "not an address"),
        ("a..b@example.com", "not an address"),
        ("a@b@example.com", "not an address"),
        ("a b@example.com", "not an address"),
        ("a@exam ple.com", "not an address"),
        (" a@example.com", "not an address"),
        ("a@example.com\n", "not an address"),
        ("a@example.com\x00", "not an address"),
        ("a@example.com\u00a0", "not an address"),
        ("a@example.com\u200b", "not an address"),
        ("\ufeffa@example.com", "not an address"),
        ("a\ud83d@example.com", "not an address"),
        ("a@example.com,b@example.com", "not an address"),
        ("a@example.com;b@example.com", "not an address"),
        ("Ann <a@example.com>", "not an address"),
        ("<a@example.com>", "not an address"),
        ("a(comment)@example.com", "not an address"),
        ('"quoted space"@ example.com', "not an address"),
        ("a@[192.0.2.1]", "not an address"),
        ("a" * LONGEST + "@example.com", "address too long"),
    ],
)
def test_what_cannot_be_an_address(email, fault):
    assert email_fault(email) == fault


@given(st.emails())
def test_every_address_that_standards_allow_without_quotes(email):
    assert email_fault(email) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_no_text_breaks_the_look(text):
    fault = email_fault(text)
    if fault is None:
        local, _, domain = text.rpartition("@")
        assert local
        assert "." in domain
        assert text.encode().decode().split() == [text]
    assert phone_fault(text) in (None, "not a telephone number")


@pytest.mark.parametrize(
    "phone",
    ["+380501234567", "380501234567", "050 123-45-67", "(050) 123 45 67", "+1 (555) 010-9999", "12345", "+49.30.901820"],
)
def test_what_can_be_a_telephone_number(phone):
    assert phone_fault(phone) is None


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "1234",
        "+",
        "-----",
        "(     )",
        "+ + + +",
        "abc",
        "+38050a",
        "++380501234567",
        "1" * 25,
        "123 - - (",
        "380501234567.0e1",
    ],
)
def test_what_cannot_be_a_telephone_number(phone):
    assert phone_fault(phone) == "not a telephone number"
