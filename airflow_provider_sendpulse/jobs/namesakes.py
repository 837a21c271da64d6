# SPDX-License-Identifier: Apache-2.0
"""Names without a marker that are like the one we give: cut by the service, and then ours, or given by somebody else.

What a cut has left of our name is told from a namesake by the names beside it: a service that cuts, cuts all at one length,
so one that lists a longer name has not cut this one. The marker itself is nobody else's: a name that has its beginning may
always be ours.
"""

from __future__ import annotations

from airflow_provider_sendpulse.jobs.marker import Marker


class Namesakes:
    """Tells names that a service may have cut from those that are only alike.

    :param marker: the marker that a name of ours ends in
    :param given: the name that we give, before the marker is added
    """

    def __init__(self, marker: Marker, given: str) -> None:
        self._marker = marker
        self._given = given
        self._longest = (0, 0, 0)

    def see(self, name: str) -> None:
        """Take note of a name that the service has kept, whoever gave it."""
        characters, units, octets = _lengths(name)
        self._longest = (max(self._longest[0], characters), max(self._longest[1], units), max(self._longest[2], octets))

    def may_be_cut(self, name: str) -> bool:
        """Whether a name may be what the service left of ours, by all the names that were seen."""
        if not self._marker.is_cut_in(name, self._given):
            return False
        cut_off = self._marker.least_cut(name, self._given)
        return cut_off is None or any(
            longest < length for longest, length in zip(self._longest, _lengths(cut_off), strict=True)
        )


def _lengths(name: str) -> tuple[int, int, int]:
    """Return how long a name is in all that a service may count: characters, units of UTF-16, bytes of UTF-8."""
    # JSON may hold halves of characters, which have no bytes of their own.
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    return len(name), units, len(name.encode("utf-8", "surrogatepass"))


__all__ = ["Namesakes"]
