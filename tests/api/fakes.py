# SPDX-License-Identifier: Apache-2.0
"""A service, its ways of saying no, and an account; also for the processes that the tests start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_sendpulse.api.account import Account, ClientCredentials, StaticKey, Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.api.messages import Answer
from airflow_provider_sendpulse.api.service import IssuedToken, Problem, ProblemKind, Service

TOKEN_PATH = "/oauth/access_token"
TOO_MANY_REQUESTS = 2020202020
CAMPAIGN_QUOTA = 791


def find_problem(call: Call[Any], answer: Answer, body: Any) -> Problem | None:
    fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = fields.get("error_code")
    message = str(fields.get("message") or answer.text)
    if answer.status == 401:
        return Problem(ProblemKind.CREDENTIALS, code, message)
    if code == CAMPAIGN_QUOTA:
        return Problem(ProblemKind.QUOTA, code, message, retry_after=3600.0, advice="Wait an hour.")
    if answer.status == 429 or code == TOO_MANY_REQUESTS:
        return Problem(ProblemKind.THROTTLED, code, message)
    if answer.status >= 500 or (answer.status < 300 and isinstance(body, ValueError)):
        return Problem(ProblemKind.BROKEN, code, message)
    refused = fields.get("is_error") is True or (fields.get("result") is False and not call.result_is_data)
    if answer.status >= 300 or refused:
        return Problem(ProblemKind.REFUSED, code, message)
    return None


def read_token(answer: Any) -> IssuedToken:
    return IssuedToken(str(answer["access_token"]), float(answer["expires_in"]))


def token_call(client_id: str, client_secret: str) -> Call[IssuedToken]:
    return Call(
        method="POST",
        path=TOKEN_PATH,
        body=JsonBody({"client_id": client_id, "client_secret": client_secret}),
        read=read_token,
        repeat=Repeat.ALWAYS,
        authorised=False,
    )


SERVICE = Service(
    name="Service", find_problem=find_problem, token_call=token_call, credentials_advice="Check id and secret."
)


def account(
    api_url: str = "https://api.invalid",
    *,
    credentials: ClientCredentials | StaticKey = ClientCredentials("the-client-id", "the-client-secret"),
    limits: tuple[Limit, ...] = (Limit(10, 1),),
    timeouts: Timeouts = Timeouts(connect=2.0, total=2.0),
    events_url: str = "https://events.invalid",
    user_agent: str = "airflow-provider-sendpulse/test",
) -> Account:
    return Account(
        service=SERVICE,
        credentials=credentials,
        api_url=api_url,
        events_url=events_url,
        limits=limits,
        timeouts=timeouts,
        user_agent=user_agent,
    )
