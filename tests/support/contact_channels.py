# SPDX-License-Identifier: Apache-2.0
"""Channels of eSputnik's contacts."""

from __future__ import annotations


def email(value: str) -> dict[str, str]:
    return {"type": "email", "value": value}


def sms(value: str) -> dict[str, str]:
    return {"type": "sms", "value": value}
