# SPDX-License-Identifier: Apache-2.0
"""Refusals in the shapes SendPulse uses (SendPulse API: errors)."""

from __future__ import annotations

from typing import Any

VALIDATION = 422
REQUEST_LIMIT_CODE = 2020202020
PLAN_CODE = 3030303030


class Refusal(Exception):
    """A call that SendPulse turns down: an HTTP status and a JSON body."""

    def __init__(self, http_status: int, error_code: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.error_code = error_code
        self.message = message

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        return {"message": self.message, "error_code": self.error_code}


class ClientRejected(Refusal):
    """The token call was made with wrong credentials, or in an encoding the server does not read."""

    def __init__(self) -> None:
        super().__init__(401, 1, "Client authentication failed.")

    def body(self) -> dict[str, Any]:
        """Return the OAuth shape, which carries the message twice."""
        return {
            "error": "invalid_client",
            "error_description": self.message,
            "message": self.message,
            "error_code": self.error_code,
        }


def unauthorized() -> Refusal:
    """Refuse: the token is missing, expired or unknown."""
    return Refusal(401, 401, "Unauthorized!")


def invalid(message: str, error_code: int = VALIDATION) -> Refusal:
    """Refuse: a value is missing or malformed."""
    return Refusal(422, error_code, message)


def missing(argument: str) -> Refusal:
    """Refuse: a required argument was not sent."""
    return invalid(f"Argument {argument} missing")


def wrong_type(argument: str, expected: str) -> Refusal:
    """Refuse: an argument is of another JSON type than the API reads."""
    return invalid(f"Argument {argument} must be {expected}")


def book_not_found() -> Refusal:
    """Refuse: no address book has this id."""
    return Refusal(404, 213, "Book not found")


def variable_not_found() -> Refusal:
    """Refuse: no contact of the book has this variable."""
    return Refusal(404, 299, "Variable not found")


def address_not_found() -> Refusal:
    """Refuse: the address is not in the book. The 502 is an application code, not a gateway's."""
    return invalid("Email address not found", 502)


def plan_refuses() -> Refusal:
    """Refuse: the account's plan does not hold this."""
    return Refusal(403, PLAN_CODE, "Access denied! Please change your tariff plan")


def malformed_contacts() -> Refusal:
    """Refuse: the list of contacts to add is not of the documented form."""
    return invalid("Malformed data in emails", 21356)
