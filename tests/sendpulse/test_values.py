# SPDX-License-Identifier: Apache-2.0
"""Values of variables: whatever comes out can be sent."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.call import JsonBody
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse.values import contact_variable, event_variable

EVERY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | EVERY_TEXT
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.uuids()
    | st.times()
    | st.binary(max_size=3)
    | st.sampled_from([10**400, -(10**400), Decimal("1e400"), Decimal("sNaN"), Decimal("1" * 400 + ".5"), object()])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(EVERY_TEXT | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def taken(convert, value):
    """What is sent; the refusal's text where nothing is, which must name the variable and be sent as well as any text."""
    try:
        return convert("Name", value)
    except InvalidRequest as refused:
        return re.search("'Name'.*", str(refused))[0]


@given(VALUES)
def test_an_event_takes_it_or_says_so(value):
    sent = taken(event_variable, value)
    assert json.loads(JsonBody(sent).encode()[1]) == sent


@given(VALUES)
def test_a_contact_takes_it_or_says_so(value):
    sent = taken(contact_variable, value)
    assert isinstance(sent, str | int | float)
    assert not isinstance(sent, bool)
    assert json.loads(JsonBody(sent).encode()[1]) == sent


@pytest.mark.parametrize(
    ("value", "contact", "event"),
    [
        ("Олена", "Олена", "Олена"),
        (True, 1, True),
        (False, 0, False),
        (0, 0, 0),
        (1.5, 1.5, 1.5),
        (Decimal("20.00"), 20, 20),
        (Decimal("-0.10"), -0.1, -0.1),
        (dt.date(990, 1, 31), "0990-01-31", "0990-01-31"),
        (dt.datetime(990, 1, 31, 1), "0990-01-31 01:00:00", "0990-01-31 01:00:00"),
        (dt.datetime(2026, 3, 1, 9, 5, 7, 999999, dt.UTC), "2026-03-01 09:05:07", "2026-03-01 09:05:07"),
        (uuid.UUID(int=255), "00000000-0000-0000-0000-0000000000ff", "00000000-0000-0000-0000-0000000000ff"),
    ],
)
def test_as_it_is_sent(value, contact, event):
    assert (contact_variable("a", value), event_variable("a", value)) == (contact, event)
    assert (type(contact_variable("a", value)), type(event_variable("a", value))) == (type(contact), type(event))


@pytest.mark.parametrize("value", ["\ud83d", ["\ud83d"], {"\ud83d": 1}, Decimal("sNaN"), pytest.param(10**5000, id="long")])
def test_what_no_json_holds_is_refused(value):
    with pytest.raises(InvalidRequest, match="'a'"):
        event_variable("a", value)
