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
from airflow_provider_sendpulse.emulator.esputnik import control as esputnik_control
from airflow_provider_sendpulse.emulator.esputnik.api import routes as esputnik_api
from airflow_provider_sendpulse.emulator.esputnik.api.call import PREFIX as ESPUTNIK
from airflow_provider_sendpulse.emulator.esputnik.errors import usual
from airflow_provider_sendpulse.emulator.gateway import Gateway
from airflow_provider_sendpulse.emulator.pages import routes as pages

API: list[BaseRoute] = [*api.ROUTES, *esputnik_api.ROUTES]
ROUTES: list[BaseRoute] = [*API, *control.ROUTES, *esputnik_control.ROUTES, *pages.ROUTES]


async def refuse(request: Request, error: Exception) -> Response:
    """Answer unknown paths and methods in the shape of the API's own errors."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if request.url.path.startswith(ESPUTNIK):
        return usual(status).response(request.app.state.emulator.settings.esputnik_error_bodies)
    message = error.detail if isinstance(error, HTTPException) else "Internal error"
    return JSONResponse({"message": message, "error_code": status}, status)


def build_application(emulator: Emulator) -> Gateway:
    """Return the application of one emulator."""
    app = Starlette(routes=ROUTES, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    app.state.emulator = emulator
    return Gateway(app, emulator, API)
