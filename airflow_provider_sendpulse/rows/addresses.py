# SPDX-License-Identifier: Apache-2.0
"""A first look at addresses and numbers: what is certainly wrong is not sent, and what is one is compared as one."""

from __future__ import annotations

import re

# Besides spaces and control characters: what nobody sees (a zero-width space pasted along, marks of direction), and
# halves of surrogate pairs.
_NEVER = r"\s@\x00-\x1f\x7f,;<>()\[\]\xad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff"
_SHAPE = re.compile(rf"[^{_NEVER}]+@[^{_NEVER}]+\.[^.{_NEVER}]+")
_PHONE = re.compile(r"(?=(?:\D*\d){5})\+?[\d\s().-]{5,24}")

LONGEST = 254
"""Characters of the longest address that mail can be sent to (RFC 5321)."""


def email_fault(email: str) -> str | None:
    """Return why an address cannot be one, or ``None``: syntax only, in any script."""
    if not email:
        return "no address"
    if len(email) > LONGEST:
        return "address too long"
    if not _SHAPE.fullmatch(email) or ".." in email:
        return "not an address"
    return None


def phone_fault(phone: str) -> str | None:
    """Return why text cannot be a telephone number, or ``None``."""
    return None if _PHONE.fullmatch(phone) else "not a telephone number"


def comparable_email(email: str) -> str:
    """Return an address as it is compared: case makes no difference."""
    return email.strip().lower()


def comparable_phone(phone: str) -> str:
    """Return a telephone number as it is compared: only its digits count."""
    return re.sub(r"\D", "", phone)


__all__ = ["LONGEST", "comparable_email", "comparable_phone", "email_fault", "phone_fault"]
