# SPDX-License-Identifier: Apache-2.0
"""What cannot be kept is refused at the door, so that pages and state can always be read."""

from __future__ import annotations

import pytest
import requests

BROKEN = [
    rb'"\ud83d"',
    rb'"a\uDC00b"',
    rb'{"\ud83d": 1}',
    b"1e400",
    b"-1E999",
    b"NaN",
    b"-Infinity",
    b"1" + b"0" * 400,
    b"[" * 20_000 + b"]" * 20_000,
]
NAMES = ["lone", "second half", "name", "huge", "negative", "NaN", "infinity", "long", "deep"]
PLACES = ["/", "/ui/inbox", "/ui/events", "/ui/requests", "/ui/esputnik", "/__emulator__/state"]


def everything_answers(emulator):
    for path in [*PLACES, "/__emulator__/requests"]:
        assert requests.get(emulator.url + path, timeout=10).status_code == 200, path


@pytest.fixture(params=BROKEN, ids=NAMES)
def broken(request):
    return request.param


@pytest.mark.parametrize("path", ["/events/name/cart", "/addressbooks", "/esputnik/api/v2/event", "/__emulator__/books"])
def test_refused(api, esputnik, emulator, broken, path):
    body = b'{"email": "a@example.com", "bookName": "B", "name": "B", "eventTypeKey": "e", "keyValue": "k", "params": [' + (
        b'{"name": "x", "value": %b}], "x": %b}' % (broken, broken)
    )
    headers = {"Content-Type": "application/json", **({} if "esputnik" in path else api.headers)}
    auth = esputnik.auth if "esputnik" in path else None
    answer = requests.post(emulator.url + path, data=body, headers=headers, auth=auth, timeout=10)
    assert answer.status_code == 400
    assert not emulator.state.events
    assert not len(emulator.state.books)
    assert not emulator.state.esputnik.events
    everything_answers(emulator)


def test_characters_beyond_the_first_plane_are_whole(api, emulator):
    answer = api.send("POST", "/addressbooks", data=rb'{"bookName": "\ud83d\ude00 1e400"}')
    assert answer.status_code == 200
    assert [book.name for book in emulator.state.books] == ["\U0001f600 1e400"]
    everything_answers(emulator)


@pytest.mark.parametrize("emails", ['["a@example.com", "\\\\ud83d"]', "a:1:{i:0;d:INF;}"])
def test_texts_that_hold_json_or_php(api, emulator, emails):
    book = api.book(0)
    body = ('{"emails": "' + emails.replace('"', '\\"') + '"}').encode()
    answer = api.send("POST", f"/addressbooks/{book}/emails", data=body)
    assert answer.status_code == 422
    everything_answers(emulator)
