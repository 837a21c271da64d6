# SPDX-License-Identifier: Apache-2.0
"""All operators and sensors that there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any


def task_kinds(service: str) -> set[type[Any]]:
    """Return every class that a DAG file can use, of the packages for operators and for sensors.

    :param service: how their names begin
    """
    found = set()
    for name in ("operators", "sensors"):
        package = importlib.import_module(f"airflow_provider_sendpulse.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for kind in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(kind) and kind.__module__ == module.name and _is_a_task(kind, service):
                    found.add(kind)
    return found


def _is_a_task(kind: type[Any], service: str) -> bool:
    from airflow.sdk import BaseOperator

    if not issubclass(kind, BaseOperator) or not kind.__name__.startswith(service) or inspect.isabstract(kind):
        return False
    # What is only a base for others does not execute anything of its own.
    return kind.execute is not BaseOperator.execute and kind.__name__ in importlib.import_module(kind.__module__).__all__


__all__ = ["task_kinds"]
