# SPDX-License-Identifier: Apache-2.0
"""The tables of endpoints: complete, true, and as the code is now."""

from __future__ import annotations

import ast
import inspect

import endpoint_table
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


def row_of(page: Page, endpoint: str) -> str:
    [row] = [line for line in page.rendered().splitlines() if line.startswith(f"| `{endpoint}` |")]
    return row


@pytest.mark.parametrize(
    ("page", "endpoint", "operator", "is_used"),
    [
        # Only a parameter of another function there is called `read`.
        (SENDPULSE, "GET /v2/email-service/webhook/{id}", "SendPulseEnsureWebhookOperator", False),
        (SENDPULSE, "GET /v2/email-service/webhook", "SendPulseEnsureWebhookOperator", True),
        # One function, and the operator gives no language.
        (SENDPULSE, "GET /templates/{lang}", "SendPulsePublishTemplatesOperator", False),
        (SENDPULSE, "GET /templates", "SendPulsePublishTemplatesOperator", True),
        (SENDPULSE, "GET /balance", "SendPulseBalanceSensor", True),
        (SENDPULSE, "GET /balance/{currency}", "SendPulseBalanceSensor", True),
        # A function that both call names them as the types that it takes.
        (ESPUTNIK, "POST /v1/contacts", "EsputnikImportFileOperator", False),
        (ESPUTNIK, "POST /v1/contacts", "EsputnikImportContactsOperator", True),
        (ESPUTNIK, "POST /v1/contacts/upload", "EsputnikImportContactsOperator", False),
        (ESPUTNIK, "POST /v1/contacts/upload", "EsputnikImportFileOperator", True),
        # It looks for addresses and numbers, which a search shows; others look for external ids.
        (ESPUTNIK, "GET /v1/contact/{id}", "EsputnikSendMessageOperator", False),
        (ESPUTNIK, "GET /v1/contact/{id}", "EsputnikAttachToSegmentOperator", False),
        (ESPUTNIK, "GET /v1/contact/{id}", "EsputnikSendOrdersOperator", True),
        (ESPUTNIK, "GET /v1/contacts", "EsputnikSendMessageOperator", True),
    ],
)
def test_operators_of_an_endpoint(page: Page, endpoint: str, operator: str, is_used: bool) -> None:
    assert (f"`{operator}`" in row_of(page, endpoint)) is is_used


def test_only_what_can_be_executed_is_an_operator() -> None:
    found = {name for page in PAGES for classes in page.operators.values() for name in classes}
    assert "EsputnikAttachToSegmentOperator" in found
    assert "EsputnikSegmentOperator" not in found


def test_local_names_are_no_references() -> None:
    tree = ast.parse(
        """
def read(): pass
def used(): pass
def parameter(read=used): return read
def assigned(): read = 1; return read
def looped(): return [read for read in ()] + [used()]
def nested():
    return lambda read: read()
def meant(): return read()
def typed(value: read, *more: read) -> read:
    own: read = used()
    return own
"""
    )
    found = {name: {*refers} for name, refers in endpoint_table._definitions("m", tree)}
    assert found["m.parameter"] == {"m.used"}
    assert found["m.assigned"] == found["m.nested"] == set()
    assert found["m.typed"] == {"m.used"}
    assert found["m.looped"] == {"m.used"}
    assert found["m.meant"] == {"m.read"}


@every_page
def test_the_page_is_as_the_code_is(page: Page) -> None:
    assert page.file.read_text() == page.rendered(), f"docs/{page.file.name} is stale: run `make docs`"


def test_every_endpoint_of_the_vendors_files_is_listed() -> None:
    if reason := why_to_skip():
        pytest.skip(reason)
    described = {shape(f"{operation.method} {operation.path}") for operation in Contract().operations}
    assert sorted(described - shapes(SENDPULSE)) == []
