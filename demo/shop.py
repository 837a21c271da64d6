# SPDX-License-Identifier: Apache-2.0
"""The database of a small shop: its schema, and two weeks in its life, which repeat if more are asked for.

Everybody in it is made up: addresses are in domains that are reserved for examples, telephone numbers in a range that is
reserved for films.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

SCHEMA = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    phone TEXT,
    name TEXT NOT NULL,
    language TEXT NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    product TEXT NOT NULL,
    total NUMERIC NOT NULL,
    ordered_on DATE NOT NULL
);
CREATE TABLE carts (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    product TEXT NOT NULL,
    price NUMERIC NOT NULL,
    left_on DATE NOT NULL,
    notified INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE digest_audience (
    run_id TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT,
    name TEXT NOT NULL,
    last_order TEXT NOT NULL,
    last_order_date DATE NOT NULL,
    spent NUMERIC NOT NULL,
    PRIMARY KEY (run_id, email)
);
CREATE TABLE opt_outs (
    email TEXT PRIMARY KEY,
    opted_out_on DATE NOT NULL,
    is_back INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE complaints (
    email TEXT PRIMARY KEY,
    complained_on DATE NOT NULL,
    is_settled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE erasure_requests (
    email TEXT PRIMARY KEY,
    requested_on DATE NOT NULL,
    run_id TEXT
);
"""

FIRST_MONDAY = date(2026, 1, 5)
WEEK = timedelta(days=7)

# Name, address before and after the @, language. The nicknames and the apostrophe are meant.
_CUSTOMERS = [
    ("Олена Коваленко", "olena.kovalenko@kyiv.example.com", "uk"),
    ("Тарас Шевчук", "taras@lviv.example.org", "uk"),
    ("Софія 🌻", "sofiia+digest@kyiv.example.com", "uk"),
    ("James O'Neill", "james.oneill@mail.example.net", "en"),
    ("Марʼяна Дзюба", "mariana.dziuba@odesa.example.com", "uk"),
    ("Zoë Müller", "zoe_mueller@berlin.example.org", "en"),
    ("Їжакевич Євген", "yizhakevych@lviv.example.org", "uk"),
    ("Anna-Lena Größe", "anna-lena@berlin.example.org", "en"),
    ("Богдан", "bohdan@dnipro.example.net", "uk"),
    ("Grace Okafor", "grace.okafor@mail.example.net", "en"),
    ("Ґаля Ґудзь", "galia@poltava.example.com", "uk"),
    ("Noah “Nono” Smith", "noah@mail.example.net", "en"),
    ("Ірина Мельник", "iryna.melnyk@kharkiv.example.com", "uk"),
    ("Łukasz Żak", "lukasz.zak@warszawa.example.org", "en"),
    ("Дмитро Бондар", "d.bondar@kyiv.example.com", "uk"),
    ("Emma & Sons", "emma.sons@mail.example.net", "en"),
    ("Наталія Ткаченко", "nataliia@kyiv.example.com", "uk"),
    ("Юрій 🚲 Кравець", "yurii.kravets@lviv.example.org", "uk"),
    ("Chloé Durand", "chloe.durand@paris.example.org", "en"),
    ("Василь Лисенко", "vasyl.lysenko@ternopil.example.com", "uk"),
    ("Liam Chen", "liam.chen@mail.example.net", "en"),
    ("Оксана", "oksana1987@kyiv.example.com", "uk"),
    ("Ángel Núñez", "angel@madrid.example.org", "en"),
    ("Христина Поліщук", "khrystyna@lviv.example.org", "uk"),
    ("Олег Щербак", "oleh.shcherbak@dnipro.example.net", "uk"),
    ("Ruth Cohen", "ruth.cohen@mail.example.net", "en"),
    ("Соломія 🎻", "solomiia@lviv.example.org", "uk"),
    ("Ivan Petrov", "ivan.petrov@mail.example.net", "en"),
    ("Ганна Савченко", "hanna.savchenko@odesa.example.com", "uk"),
    ("Maja Kowalska", "maja@warszawa.example.org", "en"),
    ("Степан Руденко", "stepan@chernivtsi.example.com", "uk"),
    ("Freya 🦊", "freya@mail.example.net", "en"),
    ("Лариса Гончар", "larysa.honchar@kyiv.example.com", "uk"),
    ("Mateo Rossi", "mateo.rossi@roma.example.org", "en"),
    ("Павло", "pavlo@kharkiv.example.com", "uk"),
    ("Hannah Weiß", "hannah.weiss@berlin.example.org", "en"),
]
_PRODUCTS = [
    ("Чай «Карпати»", 185),
    ("Teapot", 940),
    ("Honey 🍯", 260),
    ("Книга «Тигролови»", 320),
    ("Linen shirt", 1480),
    ("Свічка", 145.5),
    ("Walnut board", 690),
    ("Вишиванка", 2150),
]
# Who buys in which week, by place in the list above: some in one week only, some in both, the last ones never.
_BUYERS = ([*range(15)], [*range(8, 34)])
# Who leaves a cart behind; one customer leaves two.
_LEAVERS = ([0, 3, 12, 34, 34], [5, 9, 17, 18, 22, 30, 33, 34])

# Who wants no more mail, who has complained, who is to be forgotten: by place in the list, and days after the first Monday.
_OPTED_OUT = [(1, 0), (6, 1), (11, 1), (20, 9)]
_COMPLAINED = [(14, 1)]
_TO_ERASE = [(3, 0), (19, 2)]


@dataclass(frozen=True)
class Person:
    """Somebody in the audience of a week."""

    email: str
    name: str
    phone: str | None


@dataclass(frozen=True)
class Statistics:
    """One row of what was written back."""

    campaign_id: int
    recipients: int
    delivered: int
    opened: int
    clicked: int


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database, and close it."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        yield connection


def create(path: Path, weeks: int = 2) -> dict[str, int]:
    """Make the database, and return how many rows each table has.

    :param weeks: how many weeks it has had orders and abandoned carts for
    """
    with opened(path) as shop, shop:
        shop.executescript(SCHEMA)
        shop.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", _customers())
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", _orders(weeks))
        shop.executemany("INSERT INTO carts VALUES (?, ?, ?, ?, ?, 0)", _carts(weeks))
        for table, places in (("opt_outs", _OPTED_OUT), ("complaints", _COMPLAINED), ("erasure_requests", _TO_ERASE)):
            rows = [(_CUSTOMERS[place][1], (FIRST_MONDAY + timedelta(days=day)).isoformat()) for place, day in places]
            shop.executemany(f"INSERT INTO {table} VALUES (?, ?, {'NULL' if table == 'erasure_requests' else 0})", rows)  # noqa: S608
        return {
            table: int(shop.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608
            for table in ("customers", "orders", "carts")
        }


def customers(path: Path) -> list[Person]:
    """Return everybody the shop knows."""
    with opened(path) as shop:
        return [Person(*row) for row in shop.execute("SELECT email, name, phone FROM customers")]


def buyers(path: Path, first: date, end: date) -> list[Person]:
    """Return who ordered from a day on and before another: the audience, found without the example's query."""
    with opened(path) as shop:
        ids = {
            customer
            for customer, day in shop.execute("SELECT customer_id, ordered_on FROM orders")
            if first <= date.fromisoformat(day) < end
        }
        everybody = shop.execute("SELECT id, email, name, phone FROM customers ORDER BY email")
        return [Person(email, name, phone) for customer, email, name, phone in everybody if customer in ids]


def abandoned_carts(path: Path, first: date, end: date) -> list[tuple[int, str]]:
    """Return the carts left from a day on and before another: number and address."""
    with opened(path) as shop:
        found = shop.execute("SELECT carts.id, email, left_on FROM carts JOIN customers ON customers.id = customer_id")
        return [(cart, email) for cart, email, day in found if first <= date.fromisoformat(day) < end]


def audience_size(path: Path, run_id: str) -> int:
    """Return how many rows a run has selected."""
    with opened(path) as shop:
        return int(shop.execute("SELECT COUNT(*) FROM digest_audience WHERE run_id = ?", (run_id,)).fetchone()[0])


def statistics(path: Path) -> list[Statistics]:
    """Return what was written back, into a table that is not there before."""
    with opened(path) as shop:
        if not shop.execute("SELECT 1 FROM sqlite_master WHERE name = 'campaign_statistics'").fetchone():
            return []
        rows = shop.execute(
            "SELECT campaign_id, recipients, delivered, opened, clicked FROM campaign_statistics ORDER BY campaign_id"
        )
        return [Statistics(*row) for row in rows]


def _customers() -> Iterator[tuple[int, str, str | None, str, str]]:
    for place, (name, email, language) in enumerate(_CUSTOMERS):
        # Not everybody has left a number.
        phone = None if place % 5 == 4 else f"+447700900{100 + place}"
        yield place + 1, email, phone, name, language


def _orders(weeks: int) -> Iterator[tuple[int, int, str, float, str]]:
    rows: list[tuple[int, str, float, date]] = []
    for week, buyers_of_week in _of_each_week(_BUYERS, weeks):
        monday = FIRST_MONDAY + week * WEEK
        for place in buyers_of_week:
            product, price = _PRODUCTS[(place + week) % len(_PRODUCTS)]
            rows.append((place + 1, product, price, monday + timedelta(days=place % 7)))
            if place % 4 == 0:
                # A second order in the same week must not make a second message.
                product, price = _PRODUCTS[(place + 3) % len(_PRODUCTS)]
                rows.append((place + 1, product, price, monday + timedelta(days=6)))
    # The day before the first week and the day after the last belong to neither.
    rows.append((36, "Teapot", 940, FIRST_MONDAY - timedelta(days=1)))
    rows.append((36, "Teapot", 940, FIRST_MONDAY + weeks * WEEK))
    for number, (customer, product, total, day) in enumerate(rows, start=1):
        yield number, customer, product, total, day.isoformat()


def _of_each_week(places: tuple[list[int], list[int]], weeks: int) -> Iterator[tuple[int, list[int]]]:
    for week in range(weeks):
        yield week, places[week % 2]


def _carts(weeks: int) -> Iterator[tuple[int, int, str, float, str]]:
    number = 700
    for week, leavers in _of_each_week(_LEAVERS, weeks):
        for position, place in enumerate(leavers):
            number += 1
            product, price = _PRODUCTS[(position * 3 + week) % len(_PRODUCTS)]
            yield number, place + 1, product, price, (FIRST_MONDAY + week * WEEK + timedelta(days=position % 7)).isoformat()


__all__ = [
    "FIRST_MONDAY",
    "SCHEMA",
    "WEEK",
    "Person",
    "Statistics",
    "abandoned_carts",
    "audience_size",
    "buyers",
    "create",
    "customers",
    "opened",
    "statistics",
]
