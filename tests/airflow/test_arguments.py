# SPDX-License-Identifier: Apache-2.0
"""Arguments after rendering: what is understood, and what is said of what is not."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_sendpulse.arguments import amount, optional_amount, texts
from airflow_provider_sendpulse.exceptions import InvalidRequest


@pytest.mark.parametrize(("value", "number"), [(0, 0.0), (1.5, 1.5), ("2", 2.0), (" 2.5 ", 2.5), ("1e3", 1000.0)])
def test_amount(value: Any, number: float) -> None:
    assert amount(value, "money") == optional_amount(value, "money") == number


@pytest.mark.parametrize("value", [-1, "-0.5", "much", "nan", "inf", True, [1], {}])
def test_no_amount(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^money is .*, which is not a number of 0 or more"):
        optional_amount(value, "money")


@pytest.mark.parametrize("value", [None, "", "None"])
def test_optional_amount(value: Any) -> None:
    assert optional_amount(value, "money") is None


@pytest.mark.parametrize(
    "value", ["open, spam", " open,spam ,", "['open', 'spam']", ["open", " spam"], ("open", "spam", "")]
)
def test_texts(value: Any) -> None:
    assert texts(value, "actions") == ["open", "spam"]


@pytest.mark.parametrize("value", ["[open]", "['open'", "[1]", "['open', 2]", [None], 7, None, {"open": 1}, b"open"])
def test_no_texts(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^actions is .*, which is not a list of words"):
        texts(value, "actions")
