# SPDX-License-Identifier: Apache-2.0
"""Templates as files: their names and languages are in the file names.

``welcome.en.html`` is the template ``welcome`` in English: a file name ends in ``.html`` or ``.htm``, and a language of
SendPulse may stand before that. What else stands between dots belongs to the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse.languages import LANGUAGES, require_language

SUFFIXES = (".html", ".htm")

_HINTS: Mapping[str, str] = {"uk": " Ukrainian is 'ua'."}
_LANGUAGE_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Document:
    """One template as it is to be.

    :param key: name of the file without its language, and the language, such as ``welcome/en``
    :param name: what the template is called in SendPulse
    :param body: HTML, with all that SendPulse fills in for every recipient
    """

    key: str
    name: str
    lang: str
    body: str = field(repr=False)


def read_documents(path: Path, *, lang: str | None, template_name: str) -> list[Document]:
    """Read a file, or all templates directly in a folder; hidden files and others than HTML are passed over.

    :param lang: language of files that name none
    :param template_name: what templates are called in SendPulse; ``{name}`` and ``{lang}`` are filled in
    :raises InvalidRequest: for a folder without templates, a file that is empty, not UTF-8 or without a language, a
        language that SendPulse does not have, or two files for one template
    """
    require_language(lang)
    if not template_name.strip():
        raise InvalidRequest("template_name is empty.")
    files = [path] if not path.is_dir() else [file for file in sorted(path.iterdir()) if _is_template(file)]
    if not files:
        raise InvalidRequest(f"There is no template in {path}: no file that ends in {' or '.join(SUFFIXES)}.")
    found: dict[tuple[str, str], Path] = {}
    documents = []
    for file in files:
        name, language = _named(file, lang)
        called = template_name.replace("{name}", name).replace("{lang}", language).strip()
        if (other := found.setdefault((called, language), file)) is not file:
            raise InvalidRequest(f"{other.name} and {file.name} are both the template {called!r} in {language}.")
        documents.append(Document(f"{name}/{language}", called, language, _body(file)))
    return documents


def _is_template(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _named(file: Path, lang: str | None) -> tuple[str, str]:
    if file.suffix.lower() not in SUFFIXES:
        raise InvalidRequest(f"{file.name} does not end in {' or '.join(SUFFIXES)}.")
    name, _, last = file.stem.rpartition(".")
    if name and last in LANGUAGES:
        return name, last
    if name and len(last) == _LANGUAGE_LENGTH and last.isalpha():
        # Otherwise a language that is spelt as elsewhere would become a part of the name, in a wrong language.
        raise InvalidRequest(
            f"{file.name}: SendPulse has no language {last!r}; it has {', '.join(LANGUAGES)}.{_HINTS.get(last, '')}"
        )
    if lang is None:
        raise InvalidRequest(
            f"{file.name} names no language. Call it {file.stem}.en{file.suffix}, for example, or set lang."
        )
    return file.stem, lang


def _body(file: Path) -> str:
    try:
        # As it is, with its line ends; a byte order mark is not a part of the message.
        body = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file.name} could not be read ({type(error).__name__}); it is to be UTF-8.") from None
    if not body.strip():
        raise InvalidRequest(f"{file.name} is empty.")
    return body


__all__ = ["SUFFIXES", "Document", "read_documents"]
