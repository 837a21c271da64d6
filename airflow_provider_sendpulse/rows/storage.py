# SPDX-License-Identifier: Apache-2.0
"""Files wherever Airflow can reach them: on this machine, or in a store behind a connection."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_sendpulse.exceptions import InvalidRequest

LOCAL = frozenset({"", "file", "local"})


def storage_path(path: str | os.PathLike[str], noun: str) -> Any:
    """Return the ``ObjectStoragePath`` of an absolute path or URL, such as ``s3://my_connection@bucket/key``.

    :param noun: what the path is, for messages
    :raises InvalidRequest: when it is neither, holds a password, or nothing here knows such a store
    """
    text = os.fspath(path) if not hasattr(path, "protocol") else str(path)
    parts = urlsplit(text)
    if "@" in parts.netloc and ":" in parts.netloc.rpartition("@")[0]:
        raise InvalidRequest(
            f"The path of {noun} holds a password. Put it into an Airflow connection, and its id into the path."
        )
    if not text or (parts.scheme in LOCAL and not parts.path.startswith("/")):
        raise InvalidRequest(f"The path of {noun} is neither absolute nor a URL.")
    if parts.scheme in LOCAL and parts.netloc.rpartition("@")[2]:
        raise InvalidRequest(f"The path of {noun} names a host, which a local file cannot have; write file:///…")
    # Late: importing it is expensive, and DAG files are parsed far more often than they run.
    from airflow.sdk import ObjectStoragePath

    try:
        found = ObjectStoragePath(text)
        _ = found.fs
    except (ValueError, ImportError) as error:
        told = f"The store of {noun} ({parts.scheme}) is not available here: {type(error).__name__}."
    else:
        return found
    raise InvalidRequest(f"{told} Install the Airflow provider for it.")


def as_template(path: Any) -> Any:
    """Return a path as text where it is a ``pathlib`` one: Airflow 3.1 takes its ``resolve`` for that of an XCom."""
    return str(path) if isinstance(path, PurePath) else path


def is_local(path: Any) -> bool:
    """Say whether a storage path is a file of this machine."""
    return path.protocol in LOCAL


__all__ = ["LOCAL", "as_template", "is_local", "storage_path"]
