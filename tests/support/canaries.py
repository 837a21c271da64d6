# SPDX-License-Identifier: Apache-2.0
"""What must not show: a secret and a person, in words that nothing else holds."""

from __future__ import annotations

import base64
from urllib.parse import unquote

from contact_file import LOGIN, PASSWORD

SECRET = "canary5ecret0123456789"
"""The secret of the account, or its key."""

HASH = "0c4n4ry0hash0000000000000000cafe"
"""What is a credential by itself: of an event's URL, or the code that a sender was mailed."""

ADDRESS = "canary.reader+tag@private.example.org"
PHONE = "+380671234567"
NAME = "Канарка-Таємна"
PLACE = "Канаркове"
OWN_ID = "canary-17"
PERSON = {"email": ADDRESS, "phone": PHONE, "name": NAME}

CANARIES = (
    SECRET,
    base64.b64encode(f"user:{SECRET}".encode()).decode(),
    HASH,
    ADDRESS,
    "canary.reader",
    PHONE,
    PHONE[1:],
    NAME,
    PLACE,
    OWN_ID,
    LOGIN,
    PASSWORD,
    unquote(PASSWORD),
)

__all__ = [
    "ADDRESS",
    "CANARIES",
    "HASH",
    "NAME",
    "OWN_ID",
    "PERSON",
    "PHONE",
    "PLACE",
    "SECRET",
]
