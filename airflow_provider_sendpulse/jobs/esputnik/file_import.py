# SPDX-License-Identifier: Apache-2.0
"""A file of contacts, imported once by all the tries of a task.

Nothing documents how to ask for the session that comes of it. So what an earlier try has begun is either known by its id,
and not begun again, or it is over when the file is imported once more.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_sendpulse.api.call import Call, JsonBody
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik.uploads import Upload
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, ServiceError, ServiceUnavailable
from airflow_provider_sendpulse.jobs.esputnik.import_pace import SETTLE_WINDOW
from airflow_provider_sendpulse.jobs.esputnik.session_waiting import AGAIN
from airflow_provider_sendpulse.jobs.esputnik.unanswered import MOST_SILENCE, UnansweredImport, repeats
from airflow_provider_sendpulse.jobs.position import PositionStore
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileImport:
    """The import of a file.

    :param call: starts it
    :param what: tells it from the import of another file, or into another account: a digest, never a credential
    :param settle_window: seconds after which an import whose answer was lost has been carried out, if it ever will be
    """

    call: Call[Upload]
    what: str
    settle_window: float = SETTLE_WINDOW

    def run(self, sender: Sender, store: PositionStore, clock: Clock) -> Upload:
        """Import the file, unless an earlier try has.

        Whoever calls this forgets what is kept at the end.

        :param store: keeps what was begun for another try
        :raises ServiceUnavailable: when two answers were lost
        :raises ServiceError: as the call does
        """
        value = store.read()
        kept: Mapping[str, Any] = value if isinstance(value, Mapping) and value.get("what") == self.what else {}
        if kept.get("import_id"):
            log.info("An earlier try has begun this import: %s.", kept["import_id"])
            return Upload(str(kept["import_id"]))
        if kept.get("unanswered"):
            self._wait(UnansweredImport(**kept["unanswered"]), clock)
        silence = 0
        while True:
            sending = UnansweredImport(since=clock.now())
            self._keep(store, unanswered=asdict(sending))
            try:
                upload = sender.send(self.call)
            except ServiceError as error:
                if not (isinstance(error, AmbiguousOutcome) or repeats(error)):
                    store.delete()
                    raise
                missed = replace(sending, missed_at=clock.now())
                self._keep(store, unanswered=asdict(missed))
                silence += 1
                if silence == MOST_SILENCE:
                    raise ServiceUnavailable(
                        f"{error} That was the second time. Another try imports the file again. {AGAIN}"
                    ) from error
                log.warning("%s", error)
                self._wait(missed, clock)
            else:
                self._keep(store, import_id=upload.import_id)
                return upload

    def _wait(self, unanswered: UnansweredImport, clock: Clock) -> None:
        now = clock.now()
        left = max(unanswered.settled_at(now, self.settle_window) - now, 0.0)
        log.warning(
            "Whether eSputnik has got the import is not known. It is asked again in %.0f s, when whatever has come of that "
            "is over.",
            left,
        )
        clock.sleep(left)

    def _keep(self, store: PositionStore, **what: Any) -> None:
        store.write({"what": self.what, **what})


def which_file(call: Call[Upload], account: str) -> str:
    """Return what tells an import from others, without a credential: of a URL, that is all but user, password and query.

    :param account: what tells one account from another
    """
    if not isinstance(call.body, JsonBody):
        raise TypeError("not the import of a file")
    link = urlsplit(call.body.value["link"])
    parts = {**call.body.value, "link": f"{link.scheme}://{link.hostname}{link.path}", "account": account}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


__all__ = ["FileImport", "which_file"]
