# SPDX-License-Identifier: Apache-2.0
"""The pages of operators: complete, true, and as the code is now."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from operator_reference import (
    PAGES,
    SERVICES,
    classes,
    examples,
    parameters,
    parsed,
    raised,
    rendered,
    returned,
    value_parameters,
    values,
)

NAMES = [cls.__name__ for cls in classes()]


def test_a_docstring_is_taken_apart() -> None:
    doc = parsed(
        """Do it. See :class:`~a.b.Other`.

        More.

        :param one: first
            and on
        :param two, three: ``both``
        :return: a number
        :raises Refused: when: it is
        """
    )
    assert doc.text == "Do it. See `Other`.\n\nMore."
    assert doc.params == {"one": "first and on", "two": "`both`", "three": "`both`"}
    assert (doc.returns, doc.raises) == ("a number", (("Refused", "when: it is"),))


@pytest.mark.parametrize("cls", classes(), ids=NAMES)
def test_every_parameter_is_explained(cls: Any) -> None:
    explained = {name: meaning for name, _, meaning in parameters(cls)}
    assert all(explained.values())
    # What a docstring says of is there.
    assert parsed(cls.__doc__).params.keys() <= explained.keys()
    # What is templated says so, and nothing else does.
    told = {name for name, meaning in explained.items() if "templated" in meaning or "from text or XCom" in meaning}
    given = {name for name in cls.template_fields if name in explained}
    assert told == given


@pytest.mark.parametrize("cls", values(), ids=lambda cls: cls.__name__)
def test_every_parameter_of_a_value_is_explained(cls: Any) -> None:
    explained = {name: meaning for name, _, meaning in value_parameters(cls)}
    assert explained
    assert all(explained.values())
    assert parsed(cls.__doc__).params.keys() == explained.keys()


@pytest.mark.parametrize("cls", classes(), ids=NAMES)
def test_what_is_returned_is_said(cls: Any) -> None:
    if inspect.signature(cls.execute).return_annotation != "None":
        assert returned(cls), f"the docstring of {cls.__name__}.execute has no :return:"


@pytest.mark.parametrize("cls", classes(), ids=NAMES)
def test_errors_are_said(cls: Any) -> None:
    assert raised(cls), f"no docstring of {cls.__name__} has :raises:"


@pytest.mark.parametrize("name", NAMES)
def test_there_is_an_example(name: str) -> None:
    assert examples().get(name), f"no example in example_dags/ uses {name}"


@pytest.mark.parametrize("prefix", [prefix for prefix in SERVICES if any(name.startswith(prefix) for name in NAMES)])
def test_the_page_is_as_the_code_is(prefix: str) -> None:
    page = PAGES / f"{SERVICES[prefix]}.md"
    assert page.read_text() == rendered(prefix), f"{page.name} is stale: run `make docs`"
