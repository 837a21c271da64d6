# SPDX-License-Identifier: Apache-2.0
"""Operators for templates."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.jobs.publishing import publish
from airflow_provider_sendpulse.jobs.template_files import read_documents
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.operators.content import located

if TYPE_CHECKING:
    from airflow.sdk import Context

_CLOCK: Clock = SystemClock()


class SendPulsePublishTemplatesOperator(SendPulseOperator):
    """Publish templates from files, such as those beside the DAG in git: create the missing, edit those that differ.

    A file name says which template it is: ``welcome.en.html`` is the template ``welcome`` in English. The languages are
    ``en``, ``ru``, ``ua``, ``tr``, ``es`` and ``pt``; a file without one is in the language ``lang``. Any other two letters
    in that place fail, as ``uk`` does for ``ua``. Of a folder, the ``.html`` and ``.htm`` files directly in it are taken.

    Files go to SendPulse as they are: nothing in them is rendered by Airflow, and ``{{ … }}`` is SendPulse's own. A
    template whose body is the same, but for line ends and space around it, is only read. A template that no file is for
    stays as it is, and SendPulse's own are never touched.

    Use the returned ids as ``template_id`` of a campaign: a ``real_id`` stays the same when a template is edited.

    :param path: a file, or a folder with at least one template: absolute, or below the DAG's folder or its template search
        path (templated)
    :param lang: language of files that name none (templated)
    :param template_name: what templates are called in SendPulse, with ``{name}`` and ``{lang}`` filled in; where SendPulse
        refuses one name in two languages, ``{name}-{lang}`` tells them apart (templated)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "path", "lang", "template_name")

    def __init__(self, *, path: str, lang: str | None = None, template_name: str = "{name}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.lang = lang
        self.template_name = template_name

    def execute(self, context: Context) -> dict[str, int]:
        """Publish the templates.

        :return: the ``real_id`` of each template by the name of its file and its language, such as ``welcome/en``
        :raises InvalidRequest: when ``path`` is nothing that can be published, there are two templates of one name and
            language in the account, or one is of the visual editor; nothing was written
        :raises FinalFailure: when a name is taken by a template in another language
        :raises ServiceUnavailable: when it is not known whether a template was created, or one stays in processing; a retry
            looks again before it writes
        """
        documents = read_documents(
            located(self, plain_text(self.path), "path"),
            lang=plain_text(self.lang).strip() or None,
            template_name=plain_text(self.template_name),
        )
        with self.hook as hook:
            return publish(hook, documents, _CLOCK)


__all__ = ["SendPulsePublishTemplatesOperator"]
