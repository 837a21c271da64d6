# SPDX-License-Identifier: Apache-2.0
"""Names that a service may have cut, told from namesakes by the names beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.namesakes import Namesakes

MARKER = Marker.of(deployment="", mailing_key="weekly", edition=1)
TITLE = "Spring in all our shops"
WHOLE = MARKER.name(TITLE)

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def may_be_cut(name: str, *others: str, title: str = TITLE) -> bool:
    namesakes = Namesakes(MARKER, title)
    for each in (name, *others):
        namesakes.see(each)
    return namesakes.may_be_cut(name)


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        (TITLE, (), True),
        (TITLE, ("x" * len(TITLE),), True),
        # The blank behind it may have been kept, and then taken away.
        (TITLE, ("x" * (len(TITLE) + 1),), True),
        (TITLE, ("x" * (len(TITLE) + 2),), False),
        (TITLE[:20], ("x" * 20,), True),
        (TITLE[:20], ("x" * 21,), False),
        (f"{TITLE[:18]}…", ("x" * (len(WHOLE) - 1),), True),
        (f"{TITLE[:18]}…", ("ї" * len(WHOLE),), False),
        (f"{TITLE}...", ("x" * len(WHOLE),), False),
        (WHOLE[:-1], ("x" * 120,), True),
        (f"{TITLE} [", ("x" * 120,), True),
        (f"{TITLE}!", (), False),
        # Halves of characters are seen without trouble.
        (TITLE, ("\ud83d" * 30,), False),
    ],
)
def test_by_the_names_beside_it(name: str, others: tuple[str, ...], expected: bool) -> None:
    assert may_be_cut(name, *others) is expected


def test_a_service_may_count_bytes() -> None:
    title = "Весна в усіх наших крамницях"
    assert may_be_cut(title, "x" * 40, title=title)
    assert not may_be_cut(title, "x" * 60, title=title)


def test_a_service_may_count_units() -> None:
    title = "🌻" * 20
    # More characters and more bytes, and fewer units.
    assert may_be_cut(title, "ї" * 39, "€" * 30, title=title)
    assert not may_be_cut(title, "ї" * 42, title=title)


def cut(text: str, limit: int, unit: str) -> str:
    if unit == "characters":
        return text[:limit]
    encoding, size = ("utf-8", 1) if unit == "bytes" else ("utf-16-le", 2)
    return text.encode(encoding)[: limit * size].decode(encoding, "ignore")


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=16, max_size=60).filter(str.strip),
    others=st.lists(names, max_size=5),
    limit=st.integers(16, 150),
    unit=st.sampled_from(["characters", "bytes", "units"]),
    end=st.sampled_from(["", "…", "..."]),
    strips=st.booleans(),
)
def test_what_was_cut_is_never_a_namesake(
    title: str, others: list[str], limit: int, unit: str, end: str, strips: bool
) -> None:
    whole = MARKER.name(title)

    def kept(text: str) -> str:
        short = cut(text, limit, unit)
        # Behind the limit, or within it.
        short = text if short == text else cut(text, limit - len(end.encode()), unit) + end
        return short.strip() if strips else short

    left = kept(whole)
    if left == whole or not MARKER.is_cut_in(left, title):
        return
    assert may_be_cut(left, *map(kept, others), title=title)
