# SPDX-License-Identifier: Apache-2.0
"""The table of endpoints: complete, true, and as the code is now."""

from __future__ import annotations

import pytest
from contract_files import Contract, why_to_skip
from endpoint_table import ENDPOINTS, LEFT_OUT, TABLE, calls, operations, operators, proofs, rendered, shape

LISTED = [endpoint for section in ENDPOINTS.values() for endpoint in section]
SHAPES = {shape(endpoint) for endpoint in LISTED}


def test_every_endpoint_is_listed_once() -> None:
    assert len(SHAPES) == len(LISTED)


def test_every_call_goes_to_a_listed_endpoint() -> None:
    assert sorted(calls().keys() - SHAPES) == []


@pytest.mark.parametrize("endpoint", LISTED)
def test_endpoint(endpoint: str) -> None:
    if endpoint in LEFT_OUT:
        assert shape(endpoint) not in calls()
        return
    functions = calls()[shape(endpoint)]
    assert [name for name in functions if name not in proofs()] == []
    assert shape(endpoint) in operations()


def test_everything_the_emulator_serves_is_listed() -> None:
    # The manual's other path of a template by its slug.
    assert sorted(operations().keys() - SHAPES) == ["GET /templates/template/slug/{}"]


def test_operators_are_found_through_what_they_are_built_on() -> None:
    assert "SendPulseCreateCampaignOperator" in operators()["campaigns.create"]
    assert "SendPulseCampaignSensor" in operators()["campaigns.read"]
    assert "SendPulseCampaignSensor" not in operators()["campaigns.create"]


def test_the_page_is_as_the_code_is() -> None:
    assert TABLE.read_text() == rendered(), "docs/endpoints.md is stale: run `make docs`"


def test_every_endpoint_of_the_vendors_files_is_listed() -> None:
    if reason := why_to_skip():
        pytest.skip(reason)
    described = {shape(f"{operation.method} {operation.path}") for operation in Contract().operations}
    assert sorted(described - SHAPES) == []
