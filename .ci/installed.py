# SPDX-License-Identifier: Apache-2.0
"""Checks a freshly installed package: everything imports, and Airflow finds the provider and its connection type."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from pathlib import Path

from airflow.providers_manager import ProvidersManager

import airflow_provider_sendpulse as package

OPTIONAL = ("airflow_provider_sendpulse.emulator.pytest_plugin",)  # needs pytest


def main() -> None:
    """Print what was found, or fail."""
    root = Path(package.__file__).parent
    assert "site-packages" in root.parts, f"not the installed package: {root}"
    assert (root / "py.typed").is_file(), "py.typed is missing"
    modules = [module.name for module in pkgutil.walk_packages(package.__path__, "airflow_provider_sendpulse.")]
    for name in modules:
        if name not in OPTIONAL and not name.endswith("__main__"):
            importlib.import_module(name)
    manager = ProvidersManager()
    provider = manager.providers["airflow-provider-sendpulse"]
    assert provider.version == importlib.metadata.version("airflow-provider-sendpulse") == package.__version__
    hook = manager.hooks["sendpulse"]
    assert hook is not None, "the connection type is not found"
    assert hook.hook_name == "SendPulse", hook
    print(f"airflow-provider-sendpulse {provider.version}: {len(modules)} modules import, the provider is found")


if __name__ == "__main__":
    main()
