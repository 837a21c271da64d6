# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI files that SendPulse publishes, as judges of requests and answers.

They lie beside the project (``../shared/vendor-openapi``), or where the environment variable ``SENDPULSE_OPENAPI`` says.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).parents[2]
FILES = ("sendpulse-bulk-email.yaml", "sendpulse-smtp.yaml", "sendpulse-a360.yaml")
METHODS = ("get", "post", "put", "patch", "delete")
_NUMBERS = re.compile(r"/\d+(?=/|$)")


def directory() -> Path:
    """Where the files are, or would be."""
    given = os.environ.get("SENDPULSE_OPENAPI")
    return Path(given) if given else ROOT.parent / "shared" / "vendor-openapi"


def why_to_skip() -> str:
    """Say which files are not there; nothing when they all are, or have to be, which ``CI=true`` says."""
    lacking = [str(directory() / name) for name in FILES if not (directory() / name).is_file()]
    if not lacking or os.environ.get("CI", "").lower() in ("1", "true"):
        return ""
    return f"SendPulse's OpenAPI files are not there: {', '.join(lacking)}"


@dataclass(frozen=True)
class Operation:
    """One operation of the contract."""

    method: str
    path: str
    pointer: str
    content: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]
    contract: Contract

    def deviations_of_request(self, target: str, content_type: str, body: bytes) -> set[str]:
        """Name the places of a request that are not as described; what is not described at all is one."""
        found = set()
        described = {(entry["in"], entry["name"]): entry["schema"] for entry in self.parameters}
        url = urlsplit(target)
        for name, text in zip(_names(self.path), _values(self.path, url.path), strict=True):
            schema = described.get(("path", name), {"type": "string"})
            if not self.contract.is_valid(schema, _typed(text, schema)):
                found.add(f"path {name}")
        queries = parse_qsl(url.query, keep_blank_values=True)
        for name in dict.fromkeys(name for name, _ in queries):
            values = [value for key, value in queries if key == name]
            schema = described.get(("query", name))
            if schema is None or not self.contract.is_valid(schema, _query_value(values, schema)):
                found.add(f"query {name}")
        return found | self._deviations_of_body(content_type, body)

    def deviations_of_answer(self, status: int, answer: Any) -> set[str]:
        """Name the places of an answer that are not as described."""
        responses = self.content["responses"]
        if str(status) not in responses:
            return {f"answer status {status}"}
        pointer = f"{self.pointer}/responses/{status}/content/application~1json/schema"
        if "application/json" not in responses[str(status)].get("content", {}):
            return set()
        return self.contract.errors(pointer, answer, "answer")

    def _deviations_of_body(self, content_type: str, body: bytes) -> set[str]:
        described = self.content.get("requestBody", {}).get("content", {})
        if not body:
            return {"request"} if self.content.get("requestBody", {}).get("required") else set()
        if content_type not in described:
            return {f"request as {content_type}"}
        value = json.loads(body)
        pointer = f"{self.pointer}/requestBody/content/application~1json/schema"
        known = self.contract.resolved(described[content_type]["schema"]).get("properties")
        found = self.contract.errors(pointer, value, "request")
        if known is not None and isinstance(value, dict):
            found |= {f"request /{name}" for name in value if name not in known}
        return found


class Contract:
    """All three files."""

    def __init__(self) -> None:
        self._documents = {name: yaml.safe_load((directory() / name).read_text()) for name in FILES}
        # The file of the email service refers to a component that only the file of the SMTP service has.
        self.borrowed = _borrow(self._documents)
        resources = [
            (f"urn:{name}", Resource(contents=document, specification=DRAFT202012))
            for name, document in self._documents.items()
        ]
        self._registry: Registry[Any] = Registry().with_resources(resources)

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation, those with more fixed parts in their path first."""
        found = []
        for name, document in self._documents.items():
            for path, item in document["paths"].items():
                for method in METHODS:
                    if method in item:
                        place = path.replace("~", "~0").replace("/", "~1")
                        parameters = (*item.get("parameters", ()), *item[method].get("parameters", ()))
                        pointer = f"urn:{name}#/paths/{place}/{method}"
                        found.append(Operation(method.upper(), path, pointer, item[method], parameters, self))
        return sorted(found, key=lambda operation: operation.path.count("{"))

    def find(self, method: str, target: str) -> Operation | None:
        """Return the operation that a request is of, if there is one."""
        path = urlsplit(target).path
        for operation in self.operations:
            if operation.method == method and re.fullmatch(_pattern(operation.path), path):
                return operation
        return None

    def errors(self, pointer: str, value: Any, part: str) -> set[str]:
        """Name the places of a value that its schema does not allow; positions in lists are stars."""
        validator = Draft202012Validator({"$ref": pointer}, registry=self._registry)
        places = ["".join(f"/{step}" for step in error.absolute_path) for error in validator.iter_errors(value)]
        return {f"{part} {_NUMBERS.sub('/*', place)}".strip() for place in places}

    def is_valid(self, schema: dict[str, Any], value: Any) -> bool:
        """Whether a schema of its own allows a value."""
        return bool(Draft202012Validator(schema).is_valid(value))

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema, or the component that it refers to."""
        reference = schema.get("$ref", "")
        if not reference:
            return schema
        name = reference.rpartition("/")[2]
        return next(
            document["components"]["schemas"][name]
            for document in self._documents.values()
            if name in document["components"]["schemas"]
        )


def _borrow(documents: dict[str, Any]) -> set[tuple[str, str]]:
    """Give each file the components that it refers to and has not, from another; return which."""
    everywhere = {
        name: schema for document in documents.values() for name, schema in document["components"]["schemas"].items()
    }
    borrowed = set()
    for file, document in documents.items():
        own = document["components"]["schemas"]
        for name in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))) - own.keys():
            own[name] = everywhere[name]
            borrowed.add((file, name))
    return borrowed


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _pattern(path: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path))


def _values(template: str, path: str) -> list[str]:
    match = re.fullmatch(_pattern(template), path)
    assert match is not None
    return [unquote(value) for value in match.groups()]


def _typed(text: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _query_value(values: list[str], schema: dict[str, Any]) -> Any:
    if schema.get("type") == "array":
        return [_typed(value, schema["items"]) for value in values]
    return _typed(values[-1], schema)
