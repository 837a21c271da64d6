# SPDX-License-Identifier: Apache-2.0
"""Drives SendPulse's Python client: a call as JSON in each line of the input, its answer in each line of the output.

The client has no parameter for its address, so the attribute that holds it is set.
"""

from __future__ import annotations

import json
import string
import sys

from pysendpulse.pysendpulse import PySendPulse

client = None
for line in sys.stdin:
    call = json.loads(line)
    try:
        if call["method"] == "methods":
            answer = [name for name in vars(PySendPulse) if name[0] in string.ascii_lowercase]
        elif call["method"] == "init":
            PySendPulse._PySendPulse__api_url = sys.argv[1]
            client = PySendPulse(*call["given"])
            answer = None
        else:
            answer = getattr(client, call["method"])(*call["given"])
    except Exception as error:
        answer = {"raised": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), flush=True)
