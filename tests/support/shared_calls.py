# SPDX-License-Identifier: Apache-2.0
"""Run by the tests as a program: one host whose hook carries out some calls, when it is told to."""

from __future__ import annotations

import sys

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

if __name__ == "__main__":
    import requests

    assert requests
    with SendPulseHook() as hook:
        hook.get_conn()
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(int(sys.argv[1])):
            hook.send(sp.address_books.list())
