# SPDX-License-Identifier: Apache-2.0
"""The tables of endpoints in the docs: what the services document, and what of it is here.

``make docs`` writes them. Calls, operators, tests and the emulator's support are found in the code, not written down.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

import esputnik_endpoints
import sendpulse_endpoints
from airflow.sdk import BaseOperator
from starlette.routing import Route

from airflow_provider_sendpulse.emulator.api.routes import ROUTES as SENDPULSE_ROUTES
from airflow_provider_sendpulse.emulator.esputnik.api.call import PREFIX
from airflow_provider_sendpulse.emulator.esputnik.api.routes import ROUTES as ESPUTNIK_ROUTES
from airflow_provider_sendpulse.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_sendpulse"

Given = set[frozenset[int | str] | None]
"""The arguments of the calls of a function: their places and names; ``None`` where they are not known."""


def shape(endpoint: str) -> str:
    """Return an endpoint without the names in its path."""
    return re.sub(r"\{[^}]*\}", "{}", endpoint)


@dataclass(frozen=True)
class Page:
    """The table of one service.

    :param package: the service's package, and the directory of its tests
    :param classes: what the names of its operators begin with
    :param documented: holds ``HEAD``, ``ENDPOINTS``, ``LEFT_OUT`` and ``requests``
    :param routes: what the emulator serves, below ``prefix``
    """

    package: str
    classes: str
    file: Path
    documented: ModuleType
    routes: tuple[Route, ...]
    prefix: str = ""

    @property
    def endpoints(self) -> dict[str, list[str]]:
        """What the service documents, by section."""
        return dict(self.documented.ENDPOINTS)

    @property
    def listed(self) -> list[str]:
        """What the service documents."""
        return [endpoint for section in self.endpoints.values() for endpoint in section]

    @property
    def left_out(self) -> dict[str, str]:
        """What has no call, and why."""
        return dict(self.documented.LEFT_OUT)

    @cached_property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """Which functions build requests to which endpoints, by shape."""
        found: dict[str, dict[str, None]] = {}
        for function, endpoint in self.documented.requests():
            found.setdefault(shape(endpoint), {})[function] = None
        return {endpoint: tuple(names) for endpoint, names in found.items()}

    @cached_property
    def operations(self) -> dict[str, str]:
        """What the emulator serves: shape of the endpoint to the operation's name."""
        return {
            shape(f"{method} {route.path.removeprefix(self.prefix)}"): route.name
            for route in self.routes
            for method in (route.methods or set()) - {"HEAD"}
        }

    @cached_property
    def proofs(self) -> dict[str, tuple[str, ...]]:
        """Which tests of the calls use which functions."""
        found: dict[str, list[str]] = {}
        names = {name for names in self.calls.values() for name in names}
        for file in sorted((ROOT / "tests" / self.package).glob("test_*.py")):
            tree = ast.parse(file.read_text())
            imported = dict(_imports(tree))
            for node in ast.walk(tree):
                name = (_meant(node, imported) or "").removeprefix(f"{self.package}.")
                if name in names and file.name != "test_answers.py":
                    found.setdefault(name, []).append(file.name)
        return {name: tuple(dict.fromkeys(files)) for name, files in found.items()}

    @cached_property
    def operators(self) -> dict[str, dict[str, Given]]:
        """Which operators and sensors use which functions, themselves or through what they are built on, and how."""
        uses, found = _uses(), dict[str, dict[str, Given]]()
        for name in _executable():
            class_name = name.rpartition(".")[2]
            if class_name.startswith(self.classes):
                for user in _reached(name, uses):
                    for used, given in uses.get(user, {}).items():
                        if used.startswith(f"{self.package}."):
                            classes = found.setdefault(used.removeprefix(f"{self.package}."), {})
                            classes.setdefault(class_name, set()).update(given)
        return found

    def operators_of(self, endpoint: str) -> list[str]:
        """Which operators and sensors may send requests to an endpoint."""
        return sorted(
            {
                class_name
                for function in self.calls.get(shape(endpoint), ())
                for class_name, given in self.operators.get(function, {}).items()
                if self._goes_to(endpoint, function, given)
            }
        )

    def _goes_to(self, endpoint: str, function: str, given: Given) -> bool:
        """Whether one of the uses gives what is in the path where the function could do without."""
        module, _, name = function.rpartition(".")
        parameters = inspect.signature(
            getattr(importlib.import_module(f"{PACKAGE}.{self.package}.{module}"), name)
        ).parameters
        needed = {
            part
            for part in re.findall(r"\{(\w+)\}", endpoint)
            if part in parameters and parameters[part].default is not inspect.Parameter.empty
        }
        positional = [*parameters]
        return any(
            arguments is None or needed <= {positional[item] if isinstance(item, int) else item for item in arguments}
            for arguments in given
        )

    def rendered(self) -> str:
        """Return the page."""
        lines = [self.documented.HEAD]
        for section, endpoints in self.endpoints.items():
            lines += [
                f"## {section}",
                "",
                "| Endpoint | Call | Operators | Tests | Emulator |",
                "| --- | --- | --- | --- | --- |",
            ]
            lines += [self._row(endpoint) for endpoint in endpoints]
            lines.append("")
        return "\n".join(lines)

    def _row(self, endpoint: str) -> str:
        served = f"`{self.operations[shape(endpoint)]}`" if shape(endpoint) in self.operations else ""
        if endpoint in self.left_out:
            return f"| `{endpoint}` | none: {self.left_out[endpoint]} |  |  | {served} |"
        names = self.calls.get(shape(endpoint), ())
        classes = self.operators_of(endpoint)
        files = dict.fromkeys(file for call in names for file in self.proofs.get(call, ()))
        cells = (
            ", ".join(f"`{name}`" for name in names),
            ", ".join(f"`{name}`" for name in classes),
            ", ".join(f"[{file}](../tests/{self.package}/{file})" for file in files),
            served,
        )
        return f"| `{endpoint}` | " + " | ".join(cells) + " |"


SENDPULSE = Page("sendpulse", "SendPulse", ROOT / "docs" / "endpoints.md", sendpulse_endpoints, tuple(SENDPULSE_ROUTES))
ESPUTNIK = Page(
    "esputnik", "Esputnik", ROOT / "docs" / "esputnik-endpoints.md", esputnik_endpoints, tuple(ESPUTNIK_ROUTES), PREFIX
)
PAGES = (SENDPULSE, ESPUTNIK)


@cache
def _executable() -> tuple[str, ...]:
    """The operators and sensors that users import and can run, by where they are defined."""
    info = get_provider_info()
    modules = [name for floor in ("operators", "sensors") for entry in info[floor] for name in entry["python-modules"]]
    values = [getattr(module, name) for module in map(importlib.import_module, modules) for name in module.__all__]
    classes = [
        value
        for value in values
        if inspect.isclass(value)
        and issubclass(value, BaseOperator)
        and any({"execute", "poke"} & vars(base).keys() for base in value.__mro__ if base.__module__.startswith(PACKAGE))
    ]
    return tuple(dict.fromkeys(f"{cls.__module__}.{cls.__qualname__}".removeprefix(f"{PACKAGE}.") for cls in classes))


@cache
def _uses() -> dict[str, dict[str, Given]]:
    """What everything in the package refers to, and with which arguments."""
    modules = {_module(file): ast.parse(file.read_text()) for file in sorted((ROOT / PACKAGE).rglob("*.py"))}
    return {name: refers for module, tree in modules.items() for name, refers in _definitions(module, tree)}


def _reached(start: str, uses: dict[str, dict[str, Given]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        # A hook belongs to all of them, and tests its connection.
        if name in seen or name.startswith("hooks."):
            continue
        seen.add(name)
        waiting.extend(uses.get(name, ()))
    return seen


def _definitions(module: str, tree: ast.Module) -> Iterator[tuple[str, dict[str, Given]]]:
    """Yield the functions, classes and values of a module, with what each refers to."""
    imported = dict(_imports(tree))
    own = {name: f"{module}.{name}" for node in tree.body for name in _defined(node)}
    for node in tree.body:
        for name in _defined(node):
            refers: dict[str, Given] = {}
            for meant, arguments in _references(node, {**imported, **own}):
                refers.setdefault(meant, set()).add(arguments)
            yield f"{module}.{name}", refers


def _references(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[str, frozenset[int | str] | None]]:
    """Yield what a piece of code refers to, and the arguments where it is called: places and names."""
    if meant := _meant(node, known):
        yield meant, None
        return
    parts = [*_parts(node)]
    if isinstance(node, ast.Call) and (meant := _meant(node.func, known)):
        is_plain = not any(isinstance(part, ast.Starred) for part in node.args) and all(
            entry.arg for entry in node.keywords
        )
        given = frozenset([*range(len(node.args)), *(entry.arg for entry in node.keywords if entry.arg)])
        yield meant, given if is_plain else None
        parts = [*node.args, *node.keywords]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        body = node.body if isinstance(node.body, list) else [node.body]
        taken = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        inner = {name: value for name, value in known.items() if name not in taken | _stored(body)}
        parts = [part for part in parts if part not in body]
        for part in body:
            yield from _references(part, inner)
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        taken = _stored(node.generators)
        known = {name: value for name, value in known.items() if name not in taken}
    for part in parts:
        yield from _references(part, known)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the pieces of a piece of code, without annotations: what only names a type uses nothing of it."""
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            yield from (part for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST))


def _stored(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that code gives a value to."""
    return {
        part.id
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name) and target.id != "__all__"]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports from the package, wherever it does, with what they mean."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            base = (node.module or "").removeprefix(PACKAGE).lstrip(".")
            for entry in node.names:
                yield entry.asname or entry.name, f"{base}.{entry.name}".lstrip(".")


def _meant(node: ast.AST, known: dict[str, str]) -> str | None:
    """Return what a name, or an attribute of a module, stands for, such as ``sendpulse.campaigns.create``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


if __name__ == "__main__":
    for page in PAGES:
        page.file.write_text(page.rendered())
        sys.stdout.write(f"{page.file.relative_to(ROOT)} is written\n")
