# SPDX-License-Identifier: Apache-2.0
"""Rows of which none may arrive twice: check, claim, send, record, one window at a time."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, ServiceError, ServiceUnavailable
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.crew import Crew, Done, crew, drain
from airflow_provider_sendpulse.jobs.fates import Fates
from airflow_provider_sendpulse.jobs.latest import Thing
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.plan import Condition, Plan, Row, contact_digest
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Outgoing
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

WINDOW = 20
"""Rows that are claimed in the ledger at once, unless one call holds more: as many are in doubt when the process ends in
between."""

_FIRST = 3
_IN_A_ROW = 3
_GRACE = 5.0
"""Seconds for which an interrupted process waits for answers that are under way."""

_PATIENCE = 60.0
"""Seconds to wait at most, in all, for other runs to end the rows that they are sending."""

_POLL = 3.0
"""Seconds between two looks at these."""

_LOOKED_UP = 500

_PASSED = frozenset({Entry.RECORDED, Entry.LISTED})
"""What another run has done with already."""

_EARLY = (
    "another run is sending an earlier row for the same one, or has died over it: not sent, so as not to arrive before "
    "it. A retry or a later run sends it"
)

Build = Callable[[Sequence[Person]], Call[Any]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What a call that was carried out says of one of its rows.

    :param outcome: accepted, rejected (and not carried out for this row), or in doubt
    :param reason: why, for one that was not accepted
    """

    outcome: Outcome = Outcome.ACCEPTED
    reason: str = ""


Judge = Callable[[Sequence[Item], Any], Sequence[Fate]]
"""Says of the answer to a call what became of its rows, in their order."""


def send_once(
    sender: Sender,
    items: Iterable[Item],
    build: Build,
    ledger: Ledger,
    report: Report,
    *,
    per_call: int,
    outgoing: Outgoing,
    clock: Clock,
    rules: SendingRules = SendingRules(),
    judge: Judge | None = None,
    condition: Condition | None = None,
    thing: Thing | None = None,
) -> None:
    """Read rows to the end, then send those that were not sent before.

    A call for several rows that is refused because of one of them, or because they are too many, was not carried out: it
    is made again for either half, down to the rows that are refused alone.

    :param build: makes the call for at most ``per_call`` rows
    :param outgoing: makes what goes out of a row's values
    :param judge: says what became of each row of a call; without it, a call that is carried out is accepted as a whole
    :param condition: what a row that was not sent before has to fulfil, or it is skipped and not claimed; asked of all rows
        when the last one is read, and before the first is sent
    :param thing: says what a row brings to another state, which takes a few rows. Rows of one thing are never in one call
        nor under way together, and none is sent after a later one of the same thing, also when a call is refused, a row is
        sent again, or another run with the same rows is at it. The first rows of all things are sent before the second ones
    :param report: settles on; whoever yields the items has settled what was found wrong
    :raises InvalidRequest: when there is more to send than ``rules`` or the ledger allow; nothing was sent
    :raises Refused: when a refusal cannot be due to a row, or the first rows are all refused alone with none accepted: rows
        of three things, as several of one may well be wrong in the same way
    :raises ServiceUnavailable: when some answers in a row were lost: what is wrong is not the rows. Only these are in doubt
    :raises ServiceError: when going on is no use; what was not sent is given back, and a retry of the task goes on there
    """
    with contextlib.closing(Plan(ledger, report, rules, outgoing, condition, thing)) as plan:
        plan.fill(items, clock)
        size = max(WINDOW, per_call * rules.concurrency if per_call > 1 else 0)
        calls = plan.to_send.calls(size, per_call)
        log.info("To send: %s.", rules.require_moderate(len(plan.to_send), calls))

        def carry_out(call: Call[Any]) -> Any:
            return sender.send(call)

        workers = crew(carry_out, rules.concurrency)
        try:
            windows = _Windows(workers, build, ledger, report, rules, plan, per_call, clock, judge)
            for window in plan.to_send.windows(size):
                windows.send(window)
            windows.wait_for_others()
            for window in plan.taken.windows(size):
                windows.send_released(window)
            windows.tell_others()
        finally:
            workers.dismiss()


class _Windows:
    """Sends window after window, and remembers between them how it goes."""

    def __init__(
        self,
        workers: Crew[Call[Any], Any],
        build: Build,
        ledger: Ledger,
        report: Report,
        rules: SendingRules,
        plan: Plan,
        per_call: int,
        clock: Clock,
        judge: Judge | None,
    ) -> None:
        self._workers = workers
        self._build = build
        self._ledger = ledger
        self._report = report
        self._rules = rules
        self._plan = plan
        self._per_call = per_call
        self._clock = clock
        self._judge = judge
        self._progress = Progress(clock, "call", report.counts.read, per_call)
        self._lost = self._others = 0
        self._refused_alone: set[bytes] = set()
        self._accepted = False

    def send(self, rows: Sequence[Row], *, is_last_look: bool = False) -> None:
        """Claim rows, send them, record them.

        :param is_last_look: whether rows that somebody else claims meanwhile are not looked at again
        """
        if self._rules.before_window is not None:
            self._rules.before_window()
        again = {item.key for item, is_again in rows if is_again}
        window = self._claimed(rows, again, is_last_look)
        fates = Fates(item.key for item in window)
        try:
            self._send(window, fates)
        finally:
            try:
                if self._rules.after_window is not None:
                    self._rules.after_window()
            finally:
                # A row that was in doubt before stays so when this attempt has certainly not sent it.
                self._ledger.settle(fates.recorded, fates.unsent - again)
                self._ledger.note_listed(fates.listed)

    def wait_for_others(self) -> None:
        """Wait, but not for long, while other runs are sending the rows that they have claimed."""
        end = self._clock.now() + _PATIENCE
        while self._any_taken() and (left := end - self._clock.now()) > 0:
            if self._rules.before_window is not None:
                self._rules.before_window()
            self._clock.sleep(min(_POLL, left))

    def tell_others(self) -> None:
        """Say how many rows were left to other runs."""
        if self._others:
            log.info(
                "%s %s are being sent by another run, which answers for them: skipped.",
                f"{self._others:,}",
                self._rules.noun,
            )

    def send_released(self, rows: Sequence[Row]) -> None:
        """Look once more at rows that somebody else had claimed, and send those that were given back."""
        known = self._ledger.look_up([item.key for item, _ in rows])
        free = []
        for item, _ in rows:
            if item.key in known:
                self._plan.passed.note(item)
        for item, _ in rows:
            entry = known.get(item.key, Entry.NEW)
            if entry is Entry.NEW and self._plan.passed.is_after(item):
                self._report.settle(item.person, Outcome.SKIPPED)
            elif entry is Entry.NEW:
                free.append((item, False))
            elif entry in _PASSED:
                self._report.settle(item.person, Outcome.SKIPPED)
            elif entry is Entry.TAKEN:
                self._leave(item)
            else:
                self._doubt(item)
        if free := self._plan.fulfilling(free):
            self.send(free, is_last_look=True)

    def _claimed(self, rows: Sequence[Row], again: set[str], is_last_look: bool) -> list[Item]:
        """Claim rows, and return those that are ours to send."""
        contacts = {item.key: contact_digest(item.person) for item, _ in rows}
        ours = self._ledger.claim(contacts, again=again)
        if lost := contacts.keys() - ours:
            # Another process was faster, since the plan was made.
            self._pass_over([item for item, _ in rows if item.key in lost], is_last_look)
        if self._rules.interval is not None and ours:
            overtaken = self._rules.interval.overtaken({key: contacts[key] for key in ours}, self._clock.now())
            if overtaken:
                self._ledger.settle([], overtaken - again)
                self._settle([item for item, _ in rows if item.key in overtaken], Outcome.SKIPPED)
                ours -= overtaken
        claimed = [item for item, _ in rows if item.key in ours]
        untimely = self._put_off(claimed, again, is_last_look)
        return [item for item in claimed if item.key not in untimely]

    def _put_off(self, items: Sequence[Item], again: set[str], is_last_look: bool) -> set[str]:
        """Give back what another run makes untimely, by the order in which the rows of a thing arrive; return its keys."""
        found = self._plan.rivals.untimely(items)
        if untimely := found.late | found.early:
            self._ledger.settle([], untimely - again)
        for item in items:
            if item.key in found.late:
                self._report.settle(item.person, Outcome.SKIPPED)
            elif item.key in found.early and is_last_look:
                self._settle([item], Outcome.REJECTED, _EARLY)
            elif item.key in found.early:
                self._plan.taken.add(item)
        return untimely

    def _pass_over(self, items: Sequence[Item], is_last_look: bool) -> None:
        known = self._ledger.look_up([item.key for item in items])
        for item in items:
            entry = known.get(item.key, Entry.NEW)
            if entry in _PASSED:
                self._report.settle(item.person, Outcome.SKIPPED)
            elif entry is Entry.IN_DOUBT:
                self._doubt(item)
            elif not is_last_look:
                self._plan.taken.add(item)
            elif entry is Entry.TAKEN:
                self._leave(item)
            else:
                # Given back in this moment: nobody has sent it, and the next run will.
                self._report.settle(item.person, Outcome.SKIPPED)

    def _send(self, window: Sequence[Item], fates: Fates) -> None:
        waiting = deque(chunks(window, self._per_call))
        sending: dict[int, list[Item]] = {}
        ending: BaseException | None = None
        try:
            while waiting or sending:
                while waiting and ending is None and len(sending) < self._at_once:
                    group = waiting.popleft()
                    call = self._build([item.person for item in group])
                    # From here on these count as in doubt until something says otherwise, whatever ends this process.
                    fates.leave([item.key for item in group])
                    for item in group:
                        self._plan.passed.note(item)
                    sending[id(call)] = group
                    self._workers.submit(call)
                done = self._workers.take()
                if done is None:
                    break
                group = sending.pop(id(done.job))
                if _is_worth_halving(group, done.error):
                    fates.unsent.update(item.key for item in group)
                    # At the end, so that larger parts are tried before smaller ones: whether any row is accepted is
                    # known before single ones are refused.
                    waiting.extend(chunks(group, (len(group) + 1) // 2))
                    continue
                error = self._conclude(group, done, fates)
                ending = ending or error
        except BaseException:
            # Interrupted, or a call that cannot be built: the answers under way are still worth a moment.
            for done in drain(self._workers, _GRACE):
                group = sending.pop(id(done.job))
                if _is_worth_halving(group, done.error):
                    fates.unsent.update(item.key for item in group)
                else:
                    self._conclude(group, done, fates)
            for group in sending.values():
                self._list(group, "the task was ended while this row was being sent", fates)
            raise
        if ending is not None:
            raise ending

    @property
    def _at_once(self) -> int:
        """One call after the other until it is clear that they work, and again as soon as an answer is lost."""
        return self._rules.concurrency if self._accepted and not self._lost else 1

    def _conclude(self, group: Sequence[Item], done: Done[Call[Any], Any], fates: Fates) -> BaseException | None:
        """Settle a call that has ended, and return what ends the sending, if that does."""
        self._progress.tell(self._report.counts)
        keys = [item.key for item in group]
        result = done.error
        if result is None:
            self._lost = 0
            self._accepted = True
            self._take(group, done.result, fates)
        elif isinstance(result, AmbiguousOutcome):
            self._list(group, f"in doubt: {result}", fates)
            self._lost += 1
            if self._lost >= _IN_A_ROW:
                return ServiceUnavailable(
                    f"{self._lost} answers in a row were lost ({self._report.counts}). These rows are in doubt and are not "
                    "sent again; a retry of the task goes on with the others."
                )
        elif isinstance(result, Refused):
            fates.unsent.update(keys)
            # What is too large for a single row is due to that.
            if not result.due_to_a_row and not result.is_too_large:
                return result
            if not self._accepted:
                self._refused_alone.update(map(self._plan.thing_of, group))
                if len(self._refused_alone) >= _FIRST:
                    return result
            self._settle(group, Outcome.REJECTED, str(result))
        elif isinstance(result, ServiceError):
            fates.unsent.update(keys)
            return result
        else:
            self._list(group, f"in doubt: sending it ended with {type(result).__name__}", fates)
            return result
        return None

    def _take(self, group: Sequence[Item], answer: Any, fates: Fates) -> None:
        """Settle the rows of a call that was carried out."""
        if self._judge is None:
            fates.recorded.update(item.key for item in group)
            self._settle(group, Outcome.ACCEPTED)
            return
        for item, fate in zip(group, self._judge(group, answer), strict=True):
            if fate.outcome is Outcome.IN_DOUBT:
                self._list([item], fate.reason, fates)
                continue
            (fates.recorded if fate.outcome is Outcome.ACCEPTED else fates.unsent).add(item.key)
            self._settle([item], fate.outcome, fate.reason)

    def _list(self, group: Sequence[Item], reason: str, fates: Fates) -> None:
        fates.listed.update(item.key for item in group)
        self._settle(group, Outcome.IN_DOUBT, reason)

    def _any_taken(self) -> bool:
        return any(
            Entry.TAKEN in self._ledger.look_up([item.key for item, _ in rows]).values()
            for rows in self._plan.taken.windows(_LOOKED_UP)
        )

    def _leave(self, item: Item) -> None:
        """Leave a row to the run that is just sending it."""
        self._others += 1
        self._report.settle(item.person, Outcome.SKIPPED)

    def _doubt(self, item: Item) -> None:
        reason = (
            "another run has begun to send this row, and has not recorded it: not sent again. Look for it in the service's "
            'dashboard; if_in_doubt="resend" sends it once more'
        )
        self._report.settle(item.person, Outcome.IN_DOUBT, reason, item.label)

    def _settle(self, items: Iterable[Item], outcome: Outcome, reason: str = "") -> None:
        for item in items:
            self._report.settle(item.person, outcome, reason, item.label)


def _is_worth_halving(group: Sequence[Item], result: BaseException | None) -> bool:
    """Whether a call for several rows was refused, and so not carried out, and may be accepted for fewer."""
    return len(group) > 1 and isinstance(result, Refused) and (result.due_to_a_row or result.is_too_large)


__all__ = ["WINDOW", "Fate", "Judge", "send_once"]
