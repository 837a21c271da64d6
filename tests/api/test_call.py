# SPDX-License-Identifier: Apache-2.0
"""Calls and pages as values."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.call import Call, Host, PagedCall, Paging, Repeat, SecretUrl, as_is, nothing
from airflow_provider_sendpulse.exceptions import ServiceError

EMAILS = Call(
    method="GET", path="/addressbooks/{id}/emails/{email}", values={"id": 7, "email": "ivan@example.com"}, read=as_is
)


def listing(**changes):
    return PagedCall(method="GET", path="/books", read=as_is, repeat=Repeat.ALWAYS, **changes)


def test_the_operation_shows_numbers_and_no_text():
    assert EMAILS.operation == "GET /addressbooks/7/emails/{email}"
    assert "ivan" not in repr(EMAILS)


def test_the_operation_shows_no_query():
    assert Call.raw("GET", "/x", query={"email": "ivan@example.com"}).operation == "GET /x"


def test_a_secret_url_shows_nowhere():
    call = Call(method="POST", path="", read=nothing, host=SecretUrl("https://events.invalid/events/id/canary/1"))
    assert call.operation == "POST (event URL)"
    assert "canary" not in repr(call)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in {".", ".."}))
def test_any_text_is_one_segment_of_the_path(text):
    call = Call(method="GET", path="/a/{text}/b", values={"text": text}, read=as_is)
    _, a, segment, b = call.target.split("/")
    assert (a, b) == ("a", "b")
    assert urllib.parse.unquote(segment) == text
    assert segment.isascii()
    assert not set(segment) & set("?#+& ")
    assert call.operation == "GET /a/{text}/b"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_would_change_the_path_is_refused(value):
    with pytest.raises(ValueError, match="empty or consists of dots"):
        _ = Call(method="DELETE", path="/a/{x}", values={"x": value}, read=as_is).target


def test_a_missing_value_stays_as_it_stands():
    assert Call.raw("GET", "/a/{x}").target == "/a/{x}"


@given(st.dictionaries(st.text("abcя", min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_query_comes_back_as_it_was(query):
    target = Call.raw("GET", "/x", query=query).target
    assert dict(urllib.parse.parse_qsl(target.partition("?")[2], keep_blank_values=True)) == query


@pytest.mark.parametrize(
    ("method", "repeat", "reaches_people"),
    [("get", Repeat.ALWAYS, False), ("POST", Repeat.IF_NOT_EXECUTED, True), ("DELETE", Repeat.IF_NOT_EXECUTED, True)],
)
def test_raw_calls_are_careful(method, repeat, reaches_people):
    call = Call.raw(method, "/x")
    assert (call.method, call.repeat, call.reaches_people) == (method.upper(), repeat, reaches_people)
    assert Call.raw("POST", "/x", reaches_people=False, repeat=Repeat.ALWAYS).repeat is Repeat.ALWAYS


def test_calls_are_careful_by_default():
    assert EMAILS.repeat is Repeat.IF_NOT_EXECUTED
    assert EMAILS.host is Host.API
    assert EMAILS.authorised


def test_reading_changes_only_how_the_answer_is_read():
    other = EMAILS.reading(len)
    assert other.read is len
    assert other.target == EMAILS.target


@pytest.mark.parametrize("sizes", [[0], [3], [4, 1], [4, 4, 2], [4, 0]], ids=str)
def test_pages_until_one_is_not_full(lab, sizes):
    pages = [[f"{page}.{item}" for item in range(size)] for page, size in enumerate(sizes)]
    lab.answer(*[lab.reply(json=page) for page in pages])
    assert lab.client().pages(listing(limit=4, query={"q": "ы"})) == [item for page in pages for item in page]
    assert [request.target for request in lab.received] == [
        f"/books?q=%D1%8B&limit=4&offset={4 * number}" for number in range(len(sizes))
    ]


def test_pages_may_begin_anywhere(lab):
    lab.answer(lab.reply(json=[1, 2]), lab.reply(json=[3]))
    assert lab.client().pages(listing(limit=2, offset=10)) == [1, 2, 3]
    assert [request.target for request in lab.received] == [
        "/books?limit=2&offset=10",
        "/books?limit=2&offset=12",
    ]


def test_a_page_fuller_than_asked_for_moves_on_by_what_it_held(lab):
    lab.answer(lab.reply(json=[1, 2, 3]), lab.reply(json=[4]))
    assert lab.client().pages(listing(limit=2)) == [1, 2, 3, 4]
    assert lab.received[1].target == "/books?limit=2&offset=3"


def test_a_page_in_the_middle_is_repeated_alone(lab):
    lab.answer(lab.reply(json=[1, 2]), lab.reply(502, body=b"<html>"), lab.reply(json=[3]))
    assert lab.client().pages(listing(limit=2)) == [1, 2, 3]


def test_a_paged_call_sent_as_it_is_answers_with_one_page(lab):
    lab.answer(lab.reply(json=[1, 2]))
    assert lab.send(listing(limit=2)) == [1, 2]


def test_pages_are_fetched_only_when_needed(lab):
    lab.answer(lab.reply(json=[1, 2]))
    assert lab.client().first(listing(limit=2)) == 1


def test_pages_that_count_from_one():
    call = listing(limit=2, paging=Paging("maxrows", "startindex", first=1))
    assert call.target == "/books?maxrows=2&startindex=1"
    following = call.after([1, 2])
    assert following is not None
    assert following.target == "/books?maxrows=2&startindex=3"
    assert following.after([3]) is None


def test_pages_behind_a_cursor_end_with_an_empty_one():
    call = listing(limit=2, paging=Paging("maxrows", "offset"), cursor=lambda item: item)
    assert call.target == "/books?maxrows=2"
    following = call.after([3, 17])
    assert following is not None
    assert following.target == "/books?maxrows=2&offset=17"
    assert following.after([20]).target == "/books?maxrows=2&offset=20"
    assert following.after([]) is None
    for stuck in (17, 3):
        with pytest.raises(ServiceError, match="does not advance"):
            following.after([stuck])
