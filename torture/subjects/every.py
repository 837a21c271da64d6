# SPDX-License-Identifier: Apache-2.0
"""Every subject there is."""

from __future__ import annotations

from torture.subjects.esputnik_audience import EsputnikAfterAnImport, EsputnikAudience, EsputnikPartnerFile
from torture.subjects.esputnik_broadcast import EsputnikBroadcast, EsputnikCalledOffBroadcast
from torture.subjects.esputnik_contacts import EsputnikCustomer, EsputnikSegments, EsputnikSignUp
from torture.subjects.esputnik_messages import EsputnikMessages
from torture.subjects.sendpulse_to_esputnik import SendPulseToEsputnik
from torture.subjects.subject import Subject
from torture.subjects.weekly_digest import WeeklyDigest

SUBJECTS: tuple[Subject, ...] = (
    WeeklyDigest(),
    EsputnikAudience(),
    EsputnikPartnerFile(),
    EsputnikAfterAnImport(),
    EsputnikMessages(),
    EsputnikCustomer(),
    EsputnikSignUp(),
    EsputnikSegments(),
    EsputnikBroadcast(),
    EsputnikCalledOffBroadcast(),
    SendPulseToEsputnik(),
)


def subjects_of(example: str | None, *, under_airflow: bool = False) -> list[Subject]:
    """Return the subject of a name, or all of an example's file when none has its name; all there are without one.

    :param under_airflow: only those that are for part 2, too
    """
    named = [subject for subject in SUBJECTS if subject.name == example]
    found = named or [subject for subject in SUBJECTS if example in (None, subject.file)]
    return [subject for subject in found if subject.under_airflow is not None or not under_airflow]


__all__ = ["SUBJECTS", "subjects_of"]
