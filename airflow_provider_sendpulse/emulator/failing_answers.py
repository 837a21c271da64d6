# SPDX-License-Identifier: Apache-2.0
"""The answers of failures that do answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from airflow_provider_sendpulse.emulator.errors import REQUEST_LIMIT_CODE, Refusal, unauthorized
from airflow_provider_sendpulse.emulator.esputnik.errors import EsputnikRefusal, usual
from airflow_provider_sendpulse.emulator.faults import Fault

ERROR_PAGE = """<!DOCTYPE html>
<html><head><title>{status} {phrase}</title></head>
<body><center><h1>{status} {phrase}</h1></center><hr><center>nginx</center></body></html>
"""


def answer_of(fault: Fault, operation: str) -> Response:
    """Return the answer a fault gives to an operation in place of the true one."""
    response = _body_of(fault, operation)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return response


def _body_of(fault: Fault, operation: str) -> Response:
    if isinstance(fault.body, str):
        media_type = "text/html" if fault.body.lstrip().startswith("<") else "application/json"
        return Response(fault.body, fault.status or 200, media_type=media_type)
    if fault.body is not None:
        return JSONResponse(fault.body, fault.status or 200)
    if fault.kind == "html":
        status = fault.status or 502
        return HTMLResponse(ERROR_PAGE.format(status=status, phrase=_phrase(status)), status)
    if fault.kind == "is_error":
        content: dict[str, Any] = {
            "is_error": True,
            "error_code": 301 if fault.error_code is None else fault.error_code,
            "message": fault.message or "Wrong parameters",
        }
        return JSONResponse(content, fault.status or 200)
    if fault.kind == "result_false":
        content = {"result": False}
        if fault.message is not None:
            content["message"] = fault.message
        return JSONResponse(content, fault.status or 200)
    if operation.startswith("esputnik."):
        status = fault.status or 500
        return EsputnikRefusal(status, fault.message or usual(status).message).response("text")
    refusal = _refusal(fault)
    return JSONResponse(refusal.body(), refusal.http_status)


def _refusal(fault: Fault) -> Refusal:
    status = fault.status or 500
    usual = unauthorized() if status == 401 else Refusal(status, status, _phrase(status))
    if status == 429:
        usual = Refusal(429, REQUEST_LIMIT_CODE, "Too many requests per second")
    code = usual.error_code if fault.error_code is None else fault.error_code
    return Refusal(status, code, fault.message or usual.message)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
