# SPDX-License-Identifier: Apache-2.0
"""Importing what a DAG file imports costs next to nothing beyond Airflow itself: DAG files are parsed all the time."""

from __future__ import annotations

import json
import subprocess
import sys

from airflow_provider_sendpulse.get_provider_info import get_provider_info

HEAVY = ("requests", "fastapi", "starlette", "pandas", "aiohttp", "sqlalchemy", "redis", "cryptography", "airflow.models")

SCRIPT = """
import importlib, json, sys, time

start = time.perf_counter()
import airflow.sdk
for name in ("BaseOperator", "BaseSensorOperator", "BaseHook", "PokeReturnValue", "BaseOperatorLink"):
    getattr(airflow.sdk, name)
before = set(sys.modules)
begin = time.perf_counter()
for module in json.loads(sys.argv[1]):
    importlib.import_module(module)
took = {"airflow": begin - start, "seconds": time.perf_counter() - begin}
print(json.dumps({**took, "added": sorted(set(sys.modules) - before)}))
"""


def test_no_heavy_module_is_added() -> None:
    info = get_provider_info()
    modules = [
        module
        for floor in ("operators", "sensors", "hooks", "triggers")
        for entry in info[floor]
        for module in entry["python-modules"]
    ]
    done = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(modules)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    heavy = [module for module in answer["added"] if any(f"{module}.".startswith(f"{name}.") for name in HEAVY)]
    assert heavy == []
    # Some hundred and fifty small modules take a third of it; any heavy one would take more.
    assert answer["seconds"] < answer["airflow"]
