# SPDX-License-Identifier: Apache-2.0
"""The pages of operators and sensors in the docs, made of their docstrings and signatures. ``make docs`` writes them."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse import rows
from airflow_provider_sendpulse.get_provider_info import get_provider_info
from airflow_provider_sendpulse.operators.esputnik.imports import ContactMapping
from airflow_provider_sendpulse.operators.ledgers import SqlLedger
from airflow_provider_sendpulse.version_compat import default_deferrable

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_sendpulse"
PAGES = ROOT / "docs" / "operators"
SERVICES = {"SendPulse": "sendpulse", "Esputnik": "esputnik"}
"""What the names of a service's classes begin with, and its page."""

HEAD = """# Operators and sensors: {service}

Every operator and sensor with its parameters, what it returns (the task's XCom) and the errors of its own; what may go
wrong with any call is [below](#errors-of-every-call). Airflow's own parameters, such as `retries`, work as ever. Every
class has an example, which the tests execute. `make docs` writes this page from the code.

"""

VALUES = """## What parameters are made of

"""

TAIL = """## Errors of every call

They are in `airflow_provider_sendpulse.exceptions`. *Final* ones fail the task without a retry.

| Error | Final | When |
| --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Doc:
    """A docstring, taken apart.

    :param text: what stands before the fields
    :param params: name to meaning
    :param raises: error and when
    """

    text: str
    params: Mapping[str, str]
    returns: str
    raises: tuple[tuple[str, str], ...]


def parsed(docstring: str | None) -> Doc:
    """Take a docstring apart."""
    begins = re.compile(r"^:(?=(?:param|raises|return)(?: [^:]+)?:)", re.MULTILINE)
    text, *fields = begins.split(inspect.cleandoc(docstring or ""))
    params: dict[str, str] = {}
    raises: list[tuple[str, str]] = []
    returns = ""
    for field in fields:
        head, _, rest = field.partition(":")
        kind, _, names = head.partition(" ")
        meaning = _plain(rest)
        if kind == "param":
            params |= {name.strip(): meaning for name in names.split(",")}
        elif kind == "raises":
            raises.append((names, meaning))
        elif kind == "return":
            returns = meaning
    return Doc(_markdown(text.strip()), params, returns, tuple(raises))


def _plain(text: str) -> str:
    return _markdown(" ".join(text.split()))


def _markdown(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    # What is indented after a double colon is code.
    text = re.sub(r"::\n\n((?:    .*\n?|\n)+)", lambda found: f":\n\n```python\n{inspect.cleandoc(found[1])}\n```\n", text)
    return text.replace("``", "`")


@cache
def classes() -> tuple[type[Any], ...]:
    """Return every operator and sensor that users import, in the order of their modules."""
    info = get_provider_info()
    found: list[type[Any]] = []
    for floor in ("operators", "sensors"):
        for entry in info[floor]:
            for name in entry["python-modules"]:
                module = importlib.import_module(name)
                found += [value for value in map(vars(module).get, module.__all__) if _is_one(value)]
    return tuple(found)


def _is_one(value: Any) -> bool:
    return inspect.isclass(value) and value.__name__.startswith(tuple(SERVICES)) and hasattr(value, "template_fields")


def where(cls: type[Any]) -> str:
    """Return the module that users import a class from."""
    info = get_provider_info()
    modules = [name for floor in ("operators", "sensors") for entry in info[floor] for name in entry["python-modules"]]
    return next(name for name in modules if getattr(importlib.import_module(name), cls.__name__, None) is cls)


def parameters(cls: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the parameters of a class with default and meaning: its own first, then what it shares.

    :raises LookupError: for one that no docstring explains
    """
    explained: dict[str, str] = {}
    for base in reversed(_ours(cls)):
        explained |= {
            name: meaning for name, meaning in parsed(base.__doc__).params.items() if not meaning.startswith("see ")
        }
    seen: set[str] = set()
    for base in _ours(cls):
        if "__init__" not in vars(base):
            continue
        for name, parameter in inspect.signature(base.__init__).parameters.items():
            if name in seen or name == "self" or parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                continue
            seen.add(name)
            if name not in explained:
                raise LookupError(f"{cls.__name__} does not say what {name} is")
            yield name, _default(name, parameter.default), explained[name]


def _ours(cls: type[Any]) -> list[type[Any]]:
    return [base for base in cls.__mro__ if base.__module__.startswith(PACKAGE)]


def _default(name: str, value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if name == "deferrable" and value == default_deferrable():
        return "`[operators] default_deferrable`"
    if value is None:
        return ""
    if isinstance(value, dt.timedelta):
        return f"{value.days} days" if value.days > 1 else f"{value.total_seconds() / 3600:g} hours"
    if isinstance(value, frozenset):
        return f"`{sorted(value)}`"
    return f"`{value!r}`"


@cache
def examples() -> dict[str, tuple[str, ...]]:
    """Return class to the examples that use it."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "example_dags").glob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
        for name in names:
            found.setdefault(name, []).append(file.name)
    return {name: tuple(files) for name, files in found.items()}


def rendered(service: str) -> str:
    """Return the page of a service.

    :param service: what the names of its classes begin with
    """
    mine = [cls for cls in classes() if cls.__name__.startswith(service)]
    parts = [HEAD.format(service=service.replace("Esputnik", "eSputnik"))]
    parts += [f"* [{cls.__name__}](#{cls.__name__.lower()}): {_first_sentence(cls)}\n" for cls in mine]
    entries = [*map(_entry, mine)]
    page = "".join(entries)
    made_of = [cls for cls in values() if cls.__name__ in rows.__all__ or f"`{cls.__name__}`" in page]
    parts += [f"* [What parameters are made of](#what-parameters-are-made-of): {', '.join(map(_link, made_of))}\n"]
    parts += ["\n", *entries, VALUES, *map(_value_entry, made_of), TAIL, *_errors()]
    return "".join(parts)


@cache
def values() -> tuple[type[Any], ...]:
    """Return what users build and hand to parameters: sources of rows, places for them, mappings, ledgers."""
    names = [rows.RowSource.__name__]
    found = [getattr(rows, name) for name in rows.__all__ if name not in names]
    return (ContactMapping, SqlLedger, *found)


def value_parameters(cls: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the parameters of such a class with default and meaning.

    :raises LookupError: for one that its docstring does not explain
    """
    explained = parsed(cls.__doc__).params
    for name, parameter in inspect.signature(cls).parameters.items():
        if name not in explained:
            raise LookupError(f"{cls.__name__} does not say what {name} is")
        has_factory = "factory" in repr(parameter.default).lower()
        yield name, "" if has_factory else _default(name, parameter.default), explained[name]


def _value_entry(cls: type[Any]) -> str:
    lines = [f"### {cls.__name__}", "", f"`{_public(cls)}`", "", parsed(cls.__doc__).text, ""]
    lines += ["| Parameter | Default | Meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in value_parameters(cls)]
    return "\n".join([*lines, "", ""])


def _public(cls: type[Any]) -> str:
    """Return the module that users import such a class from."""
    modules = [f"{PACKAGE}.rows", f"{PACKAGE}.operators.ledgers", f"{PACKAGE}.operators.esputnik.imports"]
    return next(name for name in modules if getattr(importlib.import_module(name), cls.__name__, None) is cls)


def _link(cls: type[Any]) -> str:
    return f"[{cls.__name__}](#{cls.__name__.lower()})"


def _first_sentence(cls: type[Any]) -> str:
    text = " ".join(parsed(cls.__doc__).text.split("\n\n")[0].split())
    return re.split(r"(?<=[.:])\s", text)[0].rstrip(":.")


def _entry(cls: type[Any]) -> str:
    doc = parsed(cls.__doc__)
    lines = [f"## {cls.__name__}", "", f"`{where(cls)}`", "", doc.text, ""]
    lines += ["| Parameter | Default | Meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{name}` | {default} | {meaning.replace('|', chr(92) + '|')} |" for name, default, meaning in parameters(cls)
    ]
    lines += ["", f"**Returns** {returned(cls) or 'nothing'}.".replace("..", "."), ""]
    lines += ["**Errors**", "", *(f"* `{error}`: {when}" for error, when in raised(cls)), ""]
    files = ", ".join(f"[{file}](../../example_dags/{file})" for file in examples().get(cls.__name__, ()))
    lines += [f"**Example** {files}" if files else "", ""]
    return "\n".join(lines) + "\n"


def returned(cls: type[Any]) -> str:
    """Return what a class returns: as its own docstring says, or that of what it is built on."""
    said = (parsed(base.execute.__doc__).returns for base in _ours(cls) if "execute" in vars(base))
    return next(filter(None, said), "")


def raised(cls: type[Any]) -> list[tuple[str, str]]:
    """Return the errors of a class, its own first, with when they are raised."""
    docs = [base.__doc__ for base in _ours(cls)]
    docs += [vars(base)["execute"].__doc__ for base in _ours(cls) if "execute" in vars(base)]
    return [*dict.fromkeys(error for doc in docs for error in parsed(doc).raises)]


def _errors() -> Iterator[str]:
    from airflow_provider_sendpulse import exceptions

    final = exceptions.FinalFailure
    for name in exceptions.__all__:
        cls = getattr(exceptions, name)
        if issubclass(cls, exceptions.ServiceError) and cls is not exceptions.ServiceError:
            meaning = parsed(cls.__doc__).text.split("\n\n")[0].replace("\n", " ")
            yield f"| `{name}` | {'yes' if issubclass(cls, final) else ''} | {meaning} |\n"


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for prefix, page in SERVICES.items():
        if any(cls.__name__.startswith(prefix) for cls in classes()):
            (PAGES / f"{page}.md").write_text(rendered(prefix))
            sys.stdout.write(f"docs/operators/{page}.md is written\n")
