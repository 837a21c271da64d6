# SPDX-License-Identifier: Apache-2.0
"""The web application: the API, the control API and the pages behind one gateway."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from airflow_provider_sendpulse.emulator import control
from airflow_provider_sendpulse.emulator.api import routes as api
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.gateway import Gateway
from airflow_provider_sendpulse.emulator.pages import routes as pages

ROUTES: list[BaseRoute] = [*api.ROUTES, *control.ROUTES, *pages.ROUTES]


async def refuse(_: Request, error: Exception) -> Response:
    """Answer unknown paths and methods in the shape of the API's own errors."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = error.detail if isinstance(error, HTTPException) else "Internal error"
    return JSONResponse({"message": message, "error_code": status}, status)


def build_application(emulator: Emulator) -> Gateway:
    """Return the application of one emulator."""
    app = Starlette(routes=ROUTES, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    app.state.emulator = emulator
    return Gateway(app, emulator, list(api.ROUTES))
