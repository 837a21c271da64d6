# SPDX-License-Identifier: Apache-2.0
"""The tables of endpoints: complete, true, and as the code is now."""

from __future__ import annotations

import inspect

import pytest
from contract_files import Contract, why_to_skip
from endpoint_table import ESPUTNIK, PAGES, SENDPULSE, Page, shape

from airflow_provider_sendpulse import esputnik

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.package)


def shapes(page: Page) -> set[str]:
    return {shape(endpoint) for endpoint in page.listed}


@every_page
def test_every_endpoint_is_listed_once(page: Page) -> None:
    assert len(shapes(page)) == len(page.listed)


@every_page
def test_every_call_goes_to_a_listed_endpoint(page: Page) -> None:
    assert sorted(page.calls.keys() - shapes(page)) == []


@pytest.mark.parametrize(("page", "endpoint"), [(page, endpoint) for page in PAGES for endpoint in page.listed])
def test_endpoint(page: Page, endpoint: str) -> None:
    if endpoint in page.left_out:
        assert shape(endpoint) not in page.calls
        return
    functions = page.calls[shape(endpoint)]
    assert [name for name in functions if name not in page.proofs] == []
    assert shape(endpoint) in page.operations


def test_everything_the_emulator_serves_is_listed() -> None:
    # The manual's other path of a template by its slug.
    assert sorted(SENDPULSE.operations.keys() - shapes(SENDPULSE)) == ["GET /templates/template/slug/{}"]
    assert sorted(ESPUTNIK.operations.keys() - shapes(ESPUTNIK)) == []


def test_every_function_of_esputnik_is_built_once() -> None:
    built = {name for names in ESPUTNIK.calls.values() for name in names}
    modules = [getattr(esputnik, name) for name in esputnik.__all__ if inspect.ismodule(getattr(esputnik, name))]
    functions = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name in module.__all__
        if "Call["
        in str(
            inspect.get_annotations(getattr(module, name)).get("return", "")
            if inspect.isfunction(getattr(module, name))
            else ""
        )
    }
    assert len(functions) > 40
    assert functions == built


def test_operators_are_found_through_what_they_are_built_on() -> None:
    operators = SENDPULSE.operators
    assert "SendPulseCreateCampaignOperator" in operators["campaigns.create"]
    assert "SendPulseCampaignSensor" in operators["campaigns.read"]
    assert "SendPulseCampaignSensor" not in operators["campaigns.create"]


@every_page
def test_the_page_is_as_the_code_is(page: Page) -> None:
    assert page.file.read_text() == page.rendered(), f"docs/{page.file.name} is stale: run `make docs`"


def test_every_endpoint_of_the_vendors_files_is_listed() -> None:
    if reason := why_to_skip():
        pytest.skip(reason)
    described = {shape(f"{operation.method} {operation.path}") for operation in Contract().operations}
    assert sorted(described - shapes(SENDPULSE)) == []
