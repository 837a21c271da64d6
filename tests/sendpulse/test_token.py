# SPDX-License-Identifier: Apache-2.0
"""The token call, through a socket."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse.exceptions import AuthenticationFailed
from airflow_provider_sendpulse.sendpulse.service import issue_token


def test_a_token_lives_an_hour(either, emulator):
    issued = either.send(issue_token(emulator.settings.client_id, emulator.settings.client_secret))
    assert issued.lifetime == 3600
    assert emulator.state.tokens.issued == 1


def test_a_wrong_secret(either):
    with pytest.raises(AuthenticationFailed):
        either.send(issue_token("emulator-id", "wrong"))
