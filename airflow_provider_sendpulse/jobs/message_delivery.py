# SPDX-License-Identifier: Apache-2.0
"""What the recipient's server said to a transactional message, for somebody who waits until it is delivered."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_sendpulse.exceptions import MessageNotDelivered
from airflow_provider_sendpulse.jobs.waiting import Decision, Verdict
from airflow_provider_sendpulse.sendpulse.smtp import SentMessage

NOTHING_YET = 0
"""Stands for the answer of a server that has said nothing yet, or of a message that is not listed yet."""

_MEANINGS = {
    512: "the recipient's domain or its mail server was not found",
    521: "the recipient's domain takes no mail",
    541: "refused as spam",
    550: "the mailbox does not exist, or refuses the message",
    551: "the mailbox is elsewhere",
    552: "the mailbox is full, or the message too large",
    553: "the address is not valid there",
    554: "refused, often as spam or by a blocklist",
    556: "the recipient's domain takes no mail",
}


def answer_code(found: Sequence[SentMessage]) -> int:
    """Return the code of the one message that was found, or :data:`NOTHING_YET`."""
    return (found[0].smtp_answer_code or NOTHING_YET) if found else NOTHING_YET


def judge_message(message_id: str, code: int) -> Decision:
    """Decide on the answer of the recipient's server.

    :param code: a reply code of SMTP (RFC 5321): 2xx is delivered, 4xx is tried again, 5xx is final
    """
    if code == NOTHING_YET:
        return Decision(Verdict.WAIT, code, "no answer yet")
    if 200 <= code < 300:
        return Decision(Verdict.DONE, code, "delivered")
    if 400 <= code < 500:
        return Decision(Verdict.WAIT, code, "not taken for now")
    if not 500 <= code < 600:
        return Decision(Verdict.WAIT, code, "not documented")
    meaning = _MEANINGS.get(code, "refused for good")
    error = MessageNotDelivered(
        f"Message {message_id} was not delivered: the recipient's server answered {code} ({meaning}). Its words are in the "
        "SMTP section of the SendPulse dashboard, and in smtp.bounces() for a day. Check the address, or write to it by "
        "another way."
    )
    return Decision(Verdict.FAILED, code, meaning, error)


__all__ = ["NOTHING_YET", "answer_code", "judge_message"]
