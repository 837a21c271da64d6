# SPDX-License-Identifier: Apache-2.0
"""What the guide to testing DAGs says: its snippets run, and its tables are those of the emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from inspect import ismodule
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.emulator import control
from airflow_provider_sendpulse.emulator import pytest_plugin as plugin
from airflow_provider_sendpulse.emulator.esputnik import control as esputnik_control
from airflow_provider_sendpulse.emulator.esputnik.api.routes import ROUTES as ESPUTNIK
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import KINDS as PREPARED
from airflow_provider_sendpulse.emulator.fault_kinds import MATCHING, OWN
from airflow_provider_sendpulse.emulator.pages.routes import ROUTES as PAGES
from airflow_provider_sendpulse.emulator.settings import Settings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "testing-your-dags.md").read_text()
README = (ROOT / "airflow_provider_sendpulse" / "emulator" / "README.md").read_text()


def snippets() -> dict[str, str]:
    """Return the Python snippets by the file that each names in its first line."""
    found = {}
    for code in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        name = re.match(r"# (\S+\.py)\n", code)
        assert name is not None, f"a snippet without the name of a file: {code[:60]!r}"
        found[name[1]] = code
    return found


def table(title: str) -> list[list[str]]:
    """Return the cells of the table in a section, without its head."""
    section = GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_snippets_run(tmp_path: Path) -> None:
    for name, code in snippets().items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(code)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "--show-capture=no", "tests"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    expected = sum(len(re.findall(r"^def test_", code, re.MULTILINE)) for code in snippets().values())
    assert expected >= 10
    assert f"{expected} passed" in ended.stdout, ended.stdout[-8000:] + ended.stderr[-4000:]


def test_faults_are_those_of_the_emulator() -> None:
    rows = table("Faults")
    assert {names(kind)[0]: set(names(own)) for kind, _, own in rows} == OWN
    section = GUIDE.partition("\n## Faults\n")[2].partition("\n| Kind")[0]
    assert set(names(section)) >= MATCHING


def test_settings_are_those_of_the_emulator() -> None:
    rows = table("Settings")
    listed = [name for row in rows for name in names(row[0])]
    assert sorted(listed) == sorted(Settings.names())


@pytest.mark.parametrize("row", table("Settings"), ids=lambda row: row[0])
def test_defaults_are_those_of_the_emulator(row: list[str]) -> None:
    settings = Settings()
    stated = _defaults(row[1], len(names(row[0])))
    assert stated == [getattr(settings, name) for name in names(row[0])]


def _defaults(cell: str, count: int) -> list[Any]:
    """Read a cell of defaults: one for all, or one for each."""
    parts = [_value(part.strip().strip("`")) for part in re.split(r", (?![^\[{]*[\]}])", cell)]
    return parts * count if len(parts) == 1 else parts


def _value(text: str) -> Any:
    words: dict[str, Any] = {"null": None, "true": True, "false": False, "[]": [], "{}": {}}
    if text in words:
        return words[text]
    if text.startswith("["):
        return [text.strip("[]`")]
    if text.startswith('"'):
        return text.strip('"')
    try:
        return float(text)
    except ValueError:
        return text


def test_fixtures_are_those_of_the_plugin() -> None:
    listed = {name for row in table("Setting up") for name in names(row[0])}
    assert listed == {
        name for name, value in vars(plugin).items() if re.search("sendpulse|esputnik", name) and not ismodule(value)
    }


def test_the_emulator_tells_its_control_calls() -> None:
    paths = {
        re.sub(r"\{[^}]*\}", "{id}", route.path.removeprefix("/__emulator__"))
        for route in (*control.ROUTES, *esputnik_control.ROUTES)
    }
    assert [path for path in sorted(paths) if f" {path}" not in README] == []


def test_the_emulator_tells_its_pages() -> None:
    told = set(re.findall(r"`(/[^`]*)`", README.partition("\n## Pages\n")[2].partition("\n## ")[0]))
    paths = {re.sub(r"\{[^}]*\}", "{id}", route.path) for route in PAGES}
    assert told == {path for path in paths if not path.endswith("/body")} - {"/ui"}


def test_the_emulator_tells_its_operations_of_esputnik() -> None:
    rows = [line for line in README.partition("\n## eSputnik\n")[2].splitlines() if line.startswith("| `")]
    told = set()
    for cell in (row.split("|")[1] for row in rows):
        group = ""
        for name in re.findall(r"`(\w*\.[\w.]+)`", cell):
            if name.startswith("."):
                told.add(f"{group}{name}" if name.count(".") == 1 else f"esputnik{name}")
            else:
                group = name.rpartition(".")[0]
                told.add(name)
    kinds = "|".join(PREPARED)
    assert told == {re.sub(rf"messages\.({kinds})\.", "messages.email.", route.name) for route in ESPUTNIK}


def test_the_guide_is_found() -> None:
    assert "(docs/testing-your-dags.md)" in (ROOT / "README.md").read_text()
    assert "(../../docs/testing-your-dags.md)" in README
