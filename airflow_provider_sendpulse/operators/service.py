# SPDX-License-Identifier: Apache-2.0
"""What the operators of both services share: how their fields are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.confidential import hide

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context


class ServiceOperator(BaseOperator):
    """An operator with a connection to a service that reaches people.

    Two kinds of template fields differ from Airflow's:

    * In :attr:`recipient_fields`, ``{{ … }}`` belongs to the service, which fills it in for every recipient. Such a field
      may come from XCom; Airflow's Jinja leaves its text alone.
    * :attr:`personal_fields` hold addresses or what is known of people. Airflow stores what a template field shows after
      rendering, so these show a count, and an error in one of them does not quote it.

    What comes from XCom is data and never a template, however it gets here.
    """

    recipient_fields: ClassVar[frozenset[str]] = frozenset()
    personal_fields: ClassVar[Mapping[str, str]] = {}
    """Field to what its content is called, in the plural."""

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        # Both a plain and a mapped operator render through this method of the instance that will be executed.
        names = [*template_fields]
        if parent is not self:
            super()._do_render_template_fields(parent, names, context, jinja_env, seen_oids)
            return
        data = _fields_of_expanded_data(self, context)
        try:
            for name in names:
                if name in data or name in self.recipient_fields:
                    setattr(self, name, _resolved(getattr(self, name), context))
                elif name in self.personal_fields:
                    self._render_personal(name, context, jinja_env, seen_oids)
            done = {*data, *self.recipient_fields, *self.personal_fields}
            ordinary = [name for name in names if name not in done]
            super()._do_render_template_fields(parent, ordinary, context, jinja_env, seen_oids)
            for name in ordinary:
                # Before 3.2, Airflow fails to store a field with keys that JSON does not have, such as ids of fields.
                if isinstance(value := getattr(self, name), dict):
                    setattr(self, name, _with_text_keys(value))
        finally:
            for name in names:
                if name in self.personal_fields:
                    setattr(self, name, hide(getattr(self, name), self.personal_fields[name]))

    def _render_personal(self, name: str, context: Context, jinja_env: jinja2.Environment, seen_oids: set[int]) -> None:
        """Render a field as Airflow does, except that an error shows nothing of what is in it."""
        value = getattr(self, name)
        if callable(getattr(value, "resolve", None)):
            # Airflow takes an XComArg inside a literal ``expand_kwargs`` for a value that is resolved already.
            seen_oids = seen_oids - {id(value)}
        try:
            if callable(value):
                rendered = value(context=context, jinja_env=jinja_env)
            else:
                rendered = self.render_template(value, context, jinja_env, seen_oids)
        except Exception as error:
            told = type(error).__name__
            if told == "UndefinedError":
                # It quotes names of the expression only; which one is not defined is what its author has to know.
                told = f"{told}: {redact(str(error))}"
        else:
            setattr(self, name, rendered)
            return
        # Not inside the handler, so that the first error with its text is not shown along.
        raise InvalidRequest(f"The template field {name} cannot be rendered ({told}). Its content is not shown.")


def plain_text(value: Any) -> str:
    """Return the text of an argument: native rendering makes numbers of ``20260105``, and XCom may hold nothing."""
    return "" if value is None else str(value)


def _fields_of_expanded_data(operator: BaseOperator, context: Context) -> frozenset[str]:
    """Return the fields whose values ``expand_kwargs`` took from XCom: Airflow would render them as templates."""
    dag = operator.get_dag()
    mapped = None if dag is None else dag.task_dict.get(operator.task_id)
    expanded = getattr(mapped, "expand_input", None)
    if getattr(expanded, "EXPAND_INPUT_TYPE", None) != "list-of-dicts":
        return frozenset()
    source: Any = getattr(expanded, "value", None)
    if isinstance(source, Sequence) and isinstance(source[context["ti"].map_index or 0], Mapping):
        # Written in the DAG file.
        return frozenset()
    given = getattr(mapped, "partial_kwargs", {})
    return frozenset(name for name in operator.template_fields if name not in given)


def _with_text_keys(value: Any) -> Any:
    """Return a value whose numeric keys are text, as they are in JSON."""
    if not isinstance(value, dict):
        return value
    return {
        str(name) if isinstance(name, int) and not isinstance(name, bool) else name: _with_text_keys(item)
        for name, item in value.items()
    }


def _resolved(value: Any, context: Context) -> Any:
    """Return a value with what comes from XCom filled in, and its text as it is."""
    if callable(resolve := getattr(value, "resolve", None)):
        return resolve(context)
    if isinstance(value, Mapping):
        return {name: _resolved(item, context) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_resolved(item, context) for item in value]
    return value


__all__ = ["ServiceOperator", "plain_text"]
