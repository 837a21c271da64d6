# SPDX-License-Identifier: Apache-2.0
"""Text of a campaign: run-time values in ``[[ … ]]`` are filled in here, ``{{ … }}`` stays for SendPulse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.operators.base import plain_text

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import BaseOperator

_DELIMITERS: dict[str, Any] = {
    "block_start_string": "[%",
    "block_end_string": "%]",
    "variable_start_string": "[[",
    "variable_end_string": "]]",
    # "[#" is common in subjects: "Order [#123]".
    "comment_start_string": "[%#",
    "comment_end_string": "#%]",
}


class ContentRenderer:
    """Fills run-time values into subject and body.

    Values are HTML-escaped in a body (``| safe`` where a value is HTML itself). An unknown name is an error, so that a
    misspelt one never reaches a reader.

    :param operator: the task, for its DAG's templates folder, macros and filters
    :param values: Airflow's context and the operator's ``body_params``, which win
    """

    def __init__(self, operator: BaseOperator, values: Mapping[str, Any]) -> None:
        self._operator = operator
        self._values = values

    def html_or_file(self, text: Any, file: Any, name: str) -> str | None:
        """Render HTML that is given as text, or as the path of a file.

        :param name: name of the parameter of the text; that of the file ends in ``_file``
        :raises InvalidRequest: when it is no text, or cannot be read or rendered
        """
        if file is not None:
            name = f"{name}_file"
            text = self.read(plain_text(file), name)
        return None if text is None else self.html(text, name)

    def html(self, text: Any, name: str) -> str:
        """Render HTML, such as a body."""
        if not isinstance(text, str):
            raise InvalidRequest(f"{name} is a {type(text).__name__}, not text.")
        return self._render(text, name, autoescape=True)

    def plain(self, text: str, name: str) -> str:
        """Render plain text, such as a subject."""
        return self._render(text, name, autoescape=False)

    def read(self, path: str, name: str) -> str:
        """Return the text of a file: an absolute path, or one below the DAG's folder or its template search path.

        :raises InvalidRequest: when it cannot be read
        """
        try:
            if Path(path).is_absolute():
                return Path(path).read_text(encoding="utf-8")
            environment = _environment(self._operator)
            if environment.loader is None:
                raise InvalidRequest(f"{name} {path!r} is relative, and the task has no DAG folder to look in.")
            return environment.loader.get_source(environment, path)[0]
        except (OSError, UnicodeDecodeError, LookupError) as error:
            raise InvalidRequest(
                f"{name} {path!r} could not be read ({type(error).__name__}). {_told(_folders(self._operator))}"
            ) from error

    def _render(self, text: str, name: str, *, autoescape: bool) -> str:
        import jinja2

        environment = _environment(self._operator).overlay(
            **_DELIMITERS, autoescape=autoescape, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
        )
        try:
            return environment.from_string(text).render(self._values)
        except (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            wrong = f"{type(error).__name__}: {redact(str(error))}"
        # Out here, because Airflow logs an exception's chain too, and what the error quotes may be personal.
        raise InvalidRequest(
            f"{name} could not be rendered: {wrong}. Run-time values stand in [[ … ]] and [% … %]; what is meant for "
            "SendPulse in {{ … }} is left alone."
        )


def located(operator: BaseOperator, path: str, name: str) -> Path:
    """Return a file or a folder: an absolute path, or one below the DAG's folder or its template search path.

    :param name: what the path is called, for the message
    :raises InvalidRequest: when it is empty, or there is none
    """
    if not path.strip():
        raise InvalidRequest(f"{name} is empty.")
    given = Path(path.strip())
    folders = [] if given.is_absolute() else _folders(operator)
    for folder in folders or [Path("/")]:
        found = (folder / given).resolve()
        if found.exists() and (given.is_absolute() or found.is_relative_to(folder.resolve())):
            return found
    raise InvalidRequest(f"{name} {path!r} does not exist. {_told(folders)}")


def _environment(operator: BaseOperator) -> jinja2.Environment:
    from jinja2.sandbox import SandboxedEnvironment

    if operator.has_dag():
        return operator.dag.get_template_env(force_sandboxed=True)
    return SandboxedEnvironment()


def _folders(operator: BaseOperator) -> list[Path]:
    return [Path(folder) for folder in getattr(_environment(operator).loader, "searchpath", [])]


def _told(folders: Sequence[Path]) -> str:
    return f"Relative paths are looked up in {', '.join(map(str, folders)) or 'nowhere'}."


__all__ = ["ContentRenderer", "located"]
