# SPDX-License-Identifier: Apache-2.0
"""What Airflow knows of the provider without importing it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from airflow.sdk import BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger

from airflow_provider_sendpulse.get_provider_info import get_provider_info
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_2_PLUS

INFO = get_provider_info()
PACKAGE = Path(importlib.import_module("airflow_provider_sendpulse").__file__ or "").parent

DISCOVERY = """
import json, sys
from airflow.providers_manager import ProvidersManager

manager = ProvidersManager()
provider = manager.providers["airflow-provider-sendpulse"]
hook = manager.hooks["sendpulse"]
print(json.dumps({
    "version": provider.version,
    "hook": [hook.connection_type, hook.hook_name, hook.hook_class_name, hook.connection_id_attribute_name],
    "form": sorted(
        name.removeprefix("extra__sendpulse__")
        for name in getattr(manager, "_connection_form_widgets_from_metadata", {})
        if name.startswith("extra__sendpulse__")
    ),
    "links": sorted(link for link in manager.extra_links_class_names if "sendpulse" in link),
}))
"""


def _is_installed() -> bool:
    try:
        metadata("airflow-provider-sendpulse")
    except PackageNotFoundError:
        return False
    return True


installed = pytest.mark.skipif(not _is_installed(), reason="the package is not installed here")


def test_schema() -> None:
    for name in ("provider_info.schema.json", "provider.yaml.schema.json"):
        schema = files("airflow").joinpath(name)
        if schema.is_file():
            jsonschema.validate(INFO, json.loads(schema.read_text()))
            return
    pytest.fail("Airflow has no schema of provider information")


@installed
def test_name_of_the_distribution() -> None:
    assert metadata("airflow-provider-sendpulse")["Name"] == INFO["package-name"]


@installed
def test_discovery(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DISCOVERY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["hook"] == [
        "sendpulse",
        "SendPulse",
        "airflow_provider_sendpulse.hooks.sendpulse.SendPulseHook",
        "sendpulse_conn_id",
    ]
    assert found["links"] == sorted(INFO["extra-links"])
    assert "irflow-provider-sendpulse" not in done.stderr
    # As data, the form came with Airflow 3.2.
    assert found["form"] == (sorted(connection_type()["conn-fields"]) if AIRFLOW_V_3_2_PLUS else [])


def connection_type() -> dict[str, Any]:
    [found] = INFO["connection-types"]
    return found


def test_hook_agrees() -> None:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

    told = connection_type()
    assert told["connection-type"] == SendPulseHook.conn_type
    assert told["hook-name"] == SendPulseHook.hook_name
    assert told["hook-class-name"] == f"{SendPulseHook.__module__}.{SendPulseHook.__name__}"
    assert SendPulseHook.conn_name_attr == "sendpulse_conn_id"
    assert SendPulseHook.default_conn_name == "sendpulse_default"
    # Airflow builds the hook for a connection like this.
    assert SendPulseHook(**{SendPulseHook.conn_name_attr: "other"}).sendpulse_conn_id == "other"


def test_form_has_every_setting_that_is_read() -> None:
    source = (PACKAGE / "hooks" / "settings.py").read_text()
    read = {
        name
        for name in (
            "events_host",
            "event_urls",
            "timeout",
            "requests_per_second",
            "requests_per_minute",
            "account_timezone",
            "deployment",
            "coordination_conn_id",
            "campaign_link",
            "address_book_link",
        )
        if f'"{name}"' in source or f"reader.{name}(" in source
    }
    fields = connection_type()["conn-fields"]
    assert set(fields) == read
    for name, field in fields.items():
        # The form saves an untouched field as null.
        assert "null" in field["schema"]["type"], name
        assert field["label"], name
        assert field["description"], name
    assert fields["event_urls"]["schema"]["format"] == "password"


def test_fields_of_the_form_are_shown_or_hidden_on_purpose() -> None:
    behaviour = connection_type()["ui-field-behaviour"]
    assert set(behaviour["hidden-fields"]) == {"schema", "port"}
    assert set(behaviour["relabeling"]) == {"login", "password", "host"}


def test_listed_modules_and_links_import() -> None:
    listed = {
        module
        for floor in ("hooks", "operators", "sensors", "triggers")
        for entry in INFO[floor]
        for module in entry["python-modules"]
    }
    for module in listed:
        importlib.import_module(module)
    for path in INFO["extra-links"]:
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name).name


BASES = {"hooks": BaseHook, "operators": BaseOperator, "sensors": BaseOperator, "triggers": BaseTrigger}
FOUNDATIONS = {"operators.base", "operators.rows", "operators.service", "sensors.base", "triggers.base"}


@pytest.mark.parametrize("floor", BASES)
def test_every_module_that_users_import_from_is_listed(floor: str) -> None:
    def is_for_users(stem: str) -> bool:
        module = importlib.import_module(f"airflow_provider_sendpulse.{floor}.{stem}")
        # What a package shows comes from its own modules.
        own = [value for value in vars(module).values() if isinstance(value, type) and _is_within(value, module.__name__)]
        return any(issubclass(value, BASES[floor]) and not value.__name__.startswith("_") for value in own)

    modules = {path.stem for path in (PACKAGE / floor).glob("*.py")}
    packages = {path.parent.name for path in (PACKAGE / floor).glob("*/__init__.py")}
    present = {stem for stem in modules | packages if f"{floor}.{stem}" not in FOUNDATIONS and is_for_users(stem)}
    [entry] = INFO[floor]
    assert {module.rpartition(".")[2] for module in entry["python-modules"]} == present


def _is_within(value: type, module: str) -> bool:
    return f"{value.__module__}.".startswith(f"{module}.")


def test_links_have_names_of_their_own() -> None:
    from airflow_provider_sendpulse.links import sendpulse

    names = [getattr(sendpulse, name).name for name in sendpulse.__all__]
    assert len(names) == len(set(names))
