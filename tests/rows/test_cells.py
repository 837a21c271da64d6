# SPDX-License-Identifier: Apache-2.0
"""Cells that cannot be sent as text, and cells that stand for nobody."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal

import pytest

from airflow_provider_sendpulse.rows.cells import id_fault, stands_for_nothing, text_fault

GOOD = [None, "", " ", "Ada", "1.5", 7, -7, 7.5, Decimal("7.5"), dt.date(2026, 1, 5), dt.time(9), uuid.UUID(int=7)]
BAD = {
    "holds bytes: cast it to text": [b"a", bytearray(b"a"), memoryview(b"a")],
    "holds broken text": ["A\ud800"],
    "is not a number (NaN)": [math.nan, math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")],
    "is too long a number": [10**5000, Decimal("1E+5000")],
    "holds a bool; it is text, a number or a date": [True],
    "holds a list; it is text, a number or a date": [["a"]],
}


@pytest.mark.parametrize("value", [*GOOD, dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)], ids=repr)
def test_what_can_be_sent(value):
    assert text_fault(value) is id_fault(value) is None


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot(fault):
    assert {text_fault(value) for value in BAD[fault]} == {id_fault(value) for value in BAD[fault]} == {fault}


@pytest.mark.parametrize("word", ["None", "none", " NaN ", "NULL"])
def test_words_for_nothing(word):
    assert stands_for_nothing(word)
    assert text_fault(word) is None
    assert id_fault(word) == f"is the word {word.strip()!r}, which stands for nothing"


@pytest.mark.parametrize("text", ["", "Nonesuch", "a-1", "0"])
def test_other_words(text):
    assert not stands_for_nothing(text)
