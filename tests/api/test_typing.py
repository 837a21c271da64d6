# SPDX-License-Identifier: Apache-2.0
"""Users' type checkers know what a call answers with."""

from __future__ import annotations

import mypy.api

# Airflow itself is not looked into: it would take a minute and adds nothing here.
CONFIGURATION = """
[mypy]
strict = true
warn_unreachable = true
disallow_subclassing_any = false
[mypy-airflow.*,cryptography.*,httpx.*,requests.*,tenacity.*,urllib3.*]
follow_imports = skip
"""


def test_send_returns_what_the_call_reads(tools, tmp_path):
    configuration = tmp_path / "mypy.ini"
    configuration.write_text(CONFIGURATION)
    report, errors, status = mypy.api.run(
        [
            "--config-file", str(configuration), "--cache-dir", str(tmp_path / "cache"), "--follow-imports", "silent",
            str(tools.folder / "typing_send.py"),
        ]
    )  # fmt: skip
    assert status == 0, report + errors
