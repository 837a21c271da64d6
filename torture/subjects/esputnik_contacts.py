# SPDX-License-Identifier: Apache-2.0
"""Single customers, who have agreed or are asked, and a segment that is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from esputnik_state import EsputnikState

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop as shops
from demo.week import Week
from torture.ended import Ended, Occasion
from torture.picture import Picture, contact_line
from torture.subjects.pictured import PicturedSubject, doubtful

TILL, SIGN_UPS, BUYERS = "Customers of the till", "Sign-ups of the web shop", "Buyers of the week"
ADA, PHONE, OTHER = "ada@example.com", "+380671234567", "bob@example.com"
FORM = {"customer_id": 40, "email": ADA, "phone": PHONE, "name": "Ada", "points": 7}


class EsputnikCustomer(PicturedSubject):
    """Somebody who has agreed: written as confirmed, joins a segment that is not empty, and gets loyalty points."""

    name = dag_id = "esputnik_customer"
    file = "esputnik_contacts"
    has_agreed: ClassVar[bool] = True

    def occasion(self, number: int) -> Occasion:
        """Return a run for one customer."""
        return Occasion(number, "customer", *Week(number, keep=1).interval, {**FORM, "has_agreed": self.has_agreed})

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Have somebody else in the segment."""
        state = EsputnikState(emulator)
        state.segment(TILL, state.contact(OTHER, external_id="41"))
        return {}

    def wanted(self, ended: Ended) -> Picture:
        """Return both contacts, and both in the segment."""
        return {
            "contacts": Counter([contact_line(ADA, PHONE), contact_line(OTHER)]),
            f"contacts in {TILL!r}": Counter([ADA, OTHER]),
        }


class EsputnikSignUp(EsputnikCustomer):
    """Somebody who has not agreed: asked at most once."""

    name = "esputnik_sign_up"
    has_agreed = False
    sent_by: Mapping[str, str] = {
        "contacts": "ask",
        f"contacts in {SIGN_UPS!r}": "ask",
        "subscribeFromApi-webshop events": "ask",
    }
    completed_by: Mapping[str, str] = {"content of contacts": "points"}
    is_doubtful = doubtful(sent_by)

    def wanted(self, ended: Ended) -> Picture:
        """Return the contact that is asked, by one event."""
        return {
            "contacts": Counter([contact_line(ADA, PHONE, confirmed=False), contact_line(OTHER)]),
            f"contacts in {TILL!r}": Counter([OTHER]),
            f"contacts in {SIGN_UPS!r}": Counter([ADA]),
            "subscribeFromApi-webshop events": Counter([ADA]),
        }


class EsputnikSegments(PicturedSubject):
    """Everybody is in the segment; who has not ordered leaves, in small batches, and who asked for it is erased."""

    name = dag_id = "esputnik_segments"
    file = "esputnik_contacts"
    changes: Mapping[str, Any] = {"batch_size": 6}
    tables: Mapping[str, str] = {"esputnik_receipts": "contact_ids"}

    def occasion(self, number: int) -> Occasion:
        """Return a week."""
        week = Week(number, keep=1)
        return Occasion(number, f"segments-{week.end}", *week.interval)

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Make a contact of every customer, and put all into the segment."""
        state = EsputnikState(emulator)
        people = enumerate(shops.customers(shop), start=1)
        state.segment(BUYERS, *(state.contact(person.email, external_id=str(number)) for number, person in people))
        return {}

    def wanted(self, ended: Ended) -> Picture:
        """Return who is left, who of them is in the segment, and the receipts of the others."""
        with shops.opened(ended.shop) as database:
            erased = {email for (email,) in database.execute("SELECT email FROM erasure_requests")}
        days = ended.occasion.start.date(), ended.occasion.end.date()
        buyers = [person.email for person in shops.buyers(ended.shop, *days)]
        return {
            "contacts": Counter(
                contact_line(person.email) for person in shops.customers(ended.shop) if person.email not in erased
            ),
            f"contacts in {BUYERS!r}": Counter(email for email in buyers if email not in erased),
        }


__all__ = ["EsputnikCustomer", "EsputnikSegments", "EsputnikSignUp"]
