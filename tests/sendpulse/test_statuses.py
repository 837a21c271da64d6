# SPDX-License-Identifier: Apache-2.0
"""Every documented code against tables written out by hand."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode, advice, meaning
from airflow_provider_sendpulse.sendpulse.statuses import (
    AddressBookStatus,
    CampaignStatus,
    ContactStatus,
    DeliveryStatus,
    StatusClass,
)

BOOKS = {0: "success", 1: "failure", 3: "needs a human", 4: "in progress", 5: "in progress"}
CAMPAIGNS = {
    0: "in progress",
    1: "in progress",
    2: "in progress",
    3: "success",
    4: "in progress",
    5: "failure",
    6: "failure",
    7: "in progress",
    8: "success",
    9: "in progress",
    10: "in progress",
    11: "needs a human",
    12: "failure",
    13: "in progress",
    14: "in progress",
    15: "in progress",
    16: "cancelled",
    22: "in progress",
    23: "partial",
    25: "failure",
    26: "draft",
    27: "needs a human",
    28: "in progress",
    33: "needs a human",
    36: "draft",
}
CONTACTS = {0: False, 1: True, **dict.fromkeys(range(2, 15), False)}
DELIVERIES = {
    0: "In the queue",
    1: "Sent, outcome unknown",
    2: "Delivered",
    3: "Opened",
    4: "A link was followed",
    5: "Unsubscribed through the link",
    6: "The address does not exist",
    7: "Temporarily unavailable",
    8: "Unavailable",
    9: "Rejected by the server as spam",
    10: "The mailbox is full",
    11: "The recipient marked it as spam",
    12: "Failed for other reasons",
    13: "Not sent",
    14: "The domain does not exist",
    15: "Unsubscribed earlier",
    16: "The address is invalid",
    17: "Sending is temporarily forbidden",
    18: "Disabled by the administrator",
    20: "Unsubscribed already",
}


@pytest.mark.parametrize(("code", "status_class"), BOOKS.items())
def test_address_book(code, status_class):
    assert AddressBookStatus.of(code).status_class is StatusClass(status_class)


@pytest.mark.parametrize(("code", "status_class"), CAMPAIGNS.items())
def test_campaign(code, status_class):
    assert CampaignStatus.of(code).status_class is StatusClass(status_class)


@pytest.mark.parametrize("code", [-1, 2, 6, 7, 99])
def test_an_unknown_address_book_status(code):
    assert AddressBookStatus.of(code) is None


@pytest.mark.parametrize("code", [-1, 17, 18, 19, 20, 21, 24, 29, 30, 31, 32, 34, 35, 37, 100])
def test_an_unknown_campaign_status(code):
    assert CampaignStatus.of(code) is None


def test_contact():
    assert {status.code: status.mailable for status in ContactStatus} == CONTACTS


def test_delivery():
    assert {status.code: status.meaning for status in DeliveryStatus} == DELIVERIES


@pytest.mark.parametrize("statuses", [AddressBookStatus, CampaignStatus, ContactStatus, DeliveryStatus])
def test_no_code_is_missing_or_there_twice(statuses):
    documented = {AddressBookStatus: BOOKS, CampaignStatus: CAMPAIGNS, ContactStatus: CONTACTS, DeliveryStatus: DELIVERIES}
    assert sorted(status.code for status in statuses.__members__.values()) == sorted(documented[statuses])
    assert all(status.meaning for status in statuses)


@pytest.mark.parametrize("status", [*AddressBookStatus, *CampaignStatus], ids=lambda status: f"{status}")
def test_whatever_ends_badly_says_what_to_do(status):
    passing = status.status_class in (StatusClass.IN_PROGRESS, StatusClass.SUCCESS)
    assert bool(status.advice) is not passing


CODES = [
    1, 8, 10, 11, 12, 13, 14, 17, 19, 20, 21, 31, 32, 97, 201, 203, 211, 213, 290, 299, 301, 303, 400, 502, 503, 550, 573,
    602, 701, 703, 704, 707, 708, 711, 720, 721, 722, 731, 791, 799, 800, 802, 832, 901, 902, 903, 904, 905, 906, 999, 1003,
    1004, 1005, 1101, 1104, 2900, 21356, 2020202020, 3030303030,
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_an_error_code_has_a_meaning(code):
    assert meaning(code)


def test_error_codes_are_there_once():
    assert sorted(member.code for member in ErrorCode.__members__.values()) == CODES


@pytest.mark.parametrize("code", [None, 0, 401, 422, 123456])
def test_an_unknown_error_code_means_nothing(code):
    assert (meaning(code), advice(code)) == ("", "")


def test_classes_of_contacts_and_deliveries():
    by_class = {}
    for status in ContactStatus:
        by_class.setdefault(status.contact_class.value, []).append(status.code)
    assert by_class == {
        "new": [0],
        "mailable": [1],
        "awaiting confirmation": [2, 3, 7],
        "opted out": [4, 6],
        "blocked": [5, 8, 10, 11, 12],
        "undeliverable": [9],
        "deleted": [13],
        "temporarily unavailable": [14],
    }
    by_class = {}
    for status in DeliveryStatus:
        by_class.setdefault(status.delivery_class.value, []).append(status.code)
    assert by_class == {
        "pending": [0, 1, 7, 17],
        "reached": [2, 3, 4],
        "unwanted": [5, 11],
        "failed": [6, 8, 9, 10, 12, 14, 16],
        "not sent": [13, 15, 18, 20],
    }
