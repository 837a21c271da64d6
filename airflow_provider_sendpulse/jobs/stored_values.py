# SPDX-License-Identifier: Apache-2.0
"""A few values in a store that outlives the tries of a task, such as Airflow's task state store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class StoredValues:
    """Values under one name of a store of small values.

    An error while writing is never swallowed: Airflow refuses to write for a try that it has replaced, and such a try must
    not send anything.

    :param get: returns the value of a name, or ``None``
    :param put: keeps a value under a name
    :param name: the name
    """

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], name: str) -> None:
        self._put = put
        self._name = name
        stored = get(name)
        self._values: dict[str, Any] = dict(stored) if isinstance(stored, dict) else {}

    def value(self, key: str) -> Any:
        """Return a value, or ``None``."""
        return self._values.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keep a value, beside the others."""
        values = {**self._values, key: value}
        self._put(self._name, values)
        self._values = values


__all__ = ["StoredValues"]
