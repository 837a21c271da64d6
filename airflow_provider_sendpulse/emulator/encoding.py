# SPDX-License-Identifier: Apache-2.0
"""Base64, as several fields of the API have it."""

from __future__ import annotations

import base64
import binascii


def decode_base64(text: str) -> bytes:
    """Return what a text says in base64; line breaks in it do not matter.

    Raises:
        ValueError: it is not base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
