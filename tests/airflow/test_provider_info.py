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
hooks = {kind: manager.hooks[kind] for kind in ("sendpulse", "esputnik")}
# Airflow 3.2 has one place for the forms, Airflow 3.3 one for those that are told as data.
fields = getattr(manager, "_connection_form_widgets_from_metadata", None) or manager.connection_form_widgets
print(json.dumps({
    "version": provider.version,
    "hooks": {
        kind: [hook.connection_type, hook.hook_name, hook.hook_class_name, hook.connection_id_attribute_name]
        for kind, hook in hooks.items()
    },
    "forms": {
        kind: sorted(
            name.removeprefix(f"extra__{kind}__")
            for name in fields
            if name.startswith(f"extra__{kind}__")
        )
        for kind in hooks
    },
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
    assert found["hooks"] == {
        "sendpulse": [
            "sendpulse",
            "SendPulse",
            "airflow_provider_sendpulse.hooks.sendpulse.SendPulseHook",
            "sendpulse_conn_id",
        ],
        "esputnik": [
            "esputnik",
            "eSputnik",
            "airflow_provider_sendpulse.hooks.esputnik.EsputnikHook",
            "esputnik_conn_id",
        ],
    }
    assert found["links"] == sorted(INFO["extra-links"])
    assert "irflow-provider-sendpulse" not in done.stderr
    # As data, the form came with Airflow 3.2.
    for kind, form in found["forms"].items():
        assert form == (sorted(connection_type(kind)["conn-fields"]) if AIRFLOW_V_3_2_PLUS else [])


SERVICES = ["sendpulse", "esputnik"]


def connection_type(kind: str) -> dict[str, Any]:
    [found] = [entry for entry in INFO["connection-types"] if entry["connection-type"] == kind]
    return found


@pytest.mark.parametrize("kind", SERVICES)
def test_hook_agrees(kind: str) -> None:
    told = connection_type(kind)
    module, _, name = told["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (kind, told["hook-name"])
    assert hook.conn_name_attr == f"{kind}_conn_id"
    assert hook.default_conn_name == f"{kind}_default"
    # Airflow builds the hook for a connection like this.
    assert getattr(hook(**{hook.conn_name_attr: "other"}), hook.conn_name_attr) == "other"


@pytest.mark.parametrize("kind", SERVICES)
def test_form_has_every_setting_that_is_read(kind: str) -> None:
    source = (PACKAGE / "hooks" / f"{kind}_settings.py").read_text()
    read = {
        name
        for name in (
            "account",
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
        if f'"{name}"' in source
    }
    fields = connection_type(kind)["conn-fields"]
    assert set(fields) == read
    for name, field in fields.items():
        # The form saves an untouched field as null.
        assert "null" in field["schema"]["type"], name
        assert field["label"], name
        assert field["description"], name


def test_a_credential_is_hidden_in_the_form() -> None:
    assert connection_type("sendpulse")["conn-fields"]["event_urls"]["schema"]["format"] == "password"


@pytest.mark.parametrize("kind", SERVICES)
def test_fields_of_the_form_are_shown_or_hidden_on_purpose(kind: str) -> None:
    behaviour = connection_type(kind)["ui-field-behaviour"]
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
FOUNDATIONS = {"addresses", "base", "contact_data", "event_rows", "receipts", "rows", "sending", "service"}


@pytest.mark.parametrize("floor", BASES)
def test_every_module_that_users_import_from_is_listed(floor: str) -> None:
    def is_for_users(name: str) -> bool:
        module = importlib.import_module(name)
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and f"{value.__module__}.".startswith(f"{name}.")
        ]
        return any(issubclass(value, BASES[floor]) and not value.__name__.startswith("_") for value in own)

    files = {path.relative_to(PACKAGE).with_suffix("") for path in (PACKAGE / floor).rglob("*.py")}
    modules = {".".join((PACKAGE.name, *file.parts)) for file in files if file.name not in {*FOUNDATIONS, "__init__"}}
    # What a package shows is imported from there.
    packages = {module: module.rpartition(".")[0] for module in modules}
    names = {
        package if hasattr(importlib.import_module(package), "__all__") else module for module, package in packages.items()
    }
    listed = [module for entry in INFO[floor] for module in entry["python-modules"]]
    assert sorted(listed) == sorted(filter(is_for_users, names))


def test_links_have_names_of_their_own() -> None:
    from airflow_provider_sendpulse.links import sendpulse

    names = [getattr(sendpulse, name).name for name in sendpulse.__all__]
    assert len(names) == len(set(names))
