# SPDX-License-Identifier: Apache-2.0
"""Both transports against a peer on a real socket."""

from __future__ import annotations

import gzip
import socket
import time

import pytest

from airflow_provider_sendpulse.api.account import StaticKey, Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, FormBody, Repeat, as_is
from airflow_provider_sendpulse.api.policy import Effort
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, ServiceUnavailable

READ = Call.raw("GET", "/books")
WRITE = Call.raw("POST", "/campaigns", json_body={"name": "x"})
KEY = StaticKey("a-static-key-of-some-length")
ONCE = Effort(attempts=1)


def head(length, extra=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


def whose(lab, url, total=5.0):
    return lab.account(url, credentials=KEY, limits=(Limit(1e9, 1),), timeouts=Timeouts(connect=2.0, total=total))


def client(lab, url, effort=ONCE, total=5.0):
    return lab.client(whose(lab, url, total), effort=effort, real=True)


def test_a_refused_port_is_no_doubt(lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ServiceUnavailable, match=r"failed 3 times.*refused"):
        client(lab, f"http://127.0.0.1:{port}", Effort(attempts=3)).send(WRITE)


def test_a_host_without_an_address_is_no_doubt(lab):
    with pytest.raises(ServiceUnavailable, match="could not be re"):
        client(lab, "http://no-such-host.invalid").send(WRITE)


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://[", "http://"])
def test_a_host_that_is_no_url_is_no_doubt(lab, url):
    with pytest.raises((ServiceUnavailable, InvalidRequest)):
        client(lab, url).send(WRITE)


def closed(connection, request):
    return False


def half(connection, request):
    connection.sendall(head(100) + b'{"result": tr')
    return False


def half_a_chunk(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{")
    return False


def half_a_head(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    return False


def nonsense(connection, request):
    connection.sendall(b"SSH-2.0-OpenSSH\r\n")
    return False


def bad_gzip(connection, request):
    connection.sendall(head(5, "Content-Encoding: gzip\r\n") + b"plain")
    return True


@pytest.fixture(params=["reset", "closed", "half", "half_a_chunk", "half_a_head", "nonsense", "bad_gzip"])
def broken(request, tools):
    return tools.reset if request.param == "reset" else globals()[request.param]


def test_a_broken_answer_leaves_a_write_in_doubt(lab, peer, broken, tools):
    peer.behave = broken
    with pytest.raises(AmbiguousOutcome) as caught:
        client(lab, peer.url, Effort()).send(WRITE)
    assert len(peer.requests) == 1
    assert caught.value.__context__ is None
    assert peer.url not in tools.leaks(caught.value)


def test_a_broken_answer_to_a_read_is_repeated(lab, peer, broken, tools):
    def second_time(connection, request):
        return (broken if len(peer.requests) == 1 else tools.answer_json({"result": True}))(connection, request)

    peer.behave = second_time
    assert client(lab, peer.url, Effort()).send(READ) == {"result": True}
    assert len(peer.requests) == 2


def test_silence_ends_with_the_timeout(lab, peer):
    def silent(connection, request):
        peer.ended.wait()
        return False

    peer.behave = silent
    with pytest.raises(AmbiguousOutcome, match=r"in time|too long"):
        client(lab, peer.url, total=0.2).send(WRITE)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_answer_that_trickles_ends_with_the_timeout(lab, peer, chunked):
    def trickle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if chunked else head(1000))
        while not peer.ended.wait(0.02):
            connection.sendall(b"1\r\n \r\n" if chunked else b" ")
        return False

    peer.behave = trickle
    began = time.monotonic()
    # httpx has connect and total together.
    timeouts = Timeouts(connect=0.1, total=0.3)
    account = lab.account(peer.url, credentials=KEY, limits=(Limit(1e9, 1),), timeouts=timeouts)
    with pytest.raises(AmbiguousOutcome, match="took too long"):
        lab.client(account, effort=ONCE, real=True).send(WRITE)
    assert time.monotonic() - began < 3, "the whole answer would take twenty seconds"


def test_a_large_answer_arrives_whole(lab, peer, tools):
    value = {"text": "я" * 300_000}
    peer.behave = tools.answer_json(value)
    assert client(lab, peer.url).send(READ) == value


def test_compressed_and_chunked_answers(lab, peer):
    content = gzip.compress(b'{"result": true, "padding": "' + b"x" * 200_000 + b'"}')

    def behave(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(content), 50):
            part = content[start : start + 50]
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True

    peer.behave = behave
    sender = client(lab, peer.url)
    assert sender.send(READ)["result"] is True
    sender.send(READ)
    assert peer.connections == 1, "an answer read to its end leaves the connection usable"


def test_reads_share_a_connection_and_writes_have_their_own(lab, peer):
    sender = client(lab, peer.url)
    for _ in range(3):
        sender.send(READ)
    assert peer.connections == 1
    sender.send(WRITE)
    sender.send(WRITE)
    assert peer.connections == 3
    sender.send(READ)
    assert [request.connection for request in peer.requests] == [1, 1, 1, 2, 3, 1]


def test_a_write_survives_a_stale_connection(lab, peer, tools):
    sender = client(lab, peer.url)

    def answer_and_close(connection, request):
        tools.answer_json({"result": True})(connection, request)
        return False

    peer.behave = answer_and_close
    sender.send(READ)
    assert sender.send(WRITE) == {"result": True}


def test_a_client_can_be_used_after_it_was_closed(lab, peer):
    sender = client(lab, peer.url)
    sender.send(READ)
    sender.close()
    sender.send(READ)
    assert peer.connections == 2


def test_redirects_are_not_followed(lab, peer, tools):
    peer.behave = tools.answer_json({"message": "moved"}, "307 Temporary Redirect", f"Location: {peer.url}/other\r\n")
    with pytest.raises(Refused) as caught:
        client(lab, peer.url).send(WRITE)
    assert caught.value.status == 307
    assert len(peer.requests) == 1


def test_netrc_is_ignored(lab, peer, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    sender = client(lab, peer.url)
    sender.send(READ)
    sender.send(WRITE)
    sender.send(Call(method="GET", path="/open", read=as_is, authorised=False, repeat=Repeat.ALWAYS))
    assert [request.headers.get("authorization") for request in peer.requests] == [
        f"Bearer {KEY.key}",
        f"Bearer {KEY.key}",
        None,
    ]


def test_headers_on_the_wire(lab, peer):
    client(lab, peer.url).send(WRITE)
    (request,) = peer.requests
    assert request.headers["user-agent"] == "airflow-provider-sendpulse/test"
    assert request.headers["content-type"] == "application/json"
    assert request.body == b'{"name":"x"}'


@pytest.mark.parametrize(
    ("email", "encoded"),
    [
        ("a+b@x.com", "a%2Bb%40x.com"),
        ("first/last@x.com", "first%2Flast%40x.com"),
        ("иван@почта.рф", "%D0%B8%D0%B2%D0%B0%D0%BD%40%D0%BF%D0%BE%D1%87%D1%82%D0%B0.%D1%80%D1%84"),
        ("100%25@x.com", "100%2525%40x.com"),
        ("../../balance", "..%2F..%2Fbalance"),
        ("a?b#c@x.com", "a%3Fb%23c%40x.com"),
        ('"j d"@x.com', "%22j%20d%22%40x.com"),
    ],
)
def test_path_values_arrive_as_encoded(lab, peer, email, encoded):
    values = {"id": 7, "email": email}
    client(lab, peer.url).send(Call(method="GET", path="/addressbooks/{id}/emails/{email}", values=values, read=as_is))
    assert peer.requests[0].target == f"/addressbooks/7/emails/{encoded}"


def test_query_values_arrive_as_encoded(lab, peer):
    query = {"search": "a+b & c/d=é", "ids": [1, 2], "names": ["x", "y"], "active": True, "old": False, "none": None}
    client(lab, peer.url).send(Call.raw("GET", "/books", query=query))
    assert peer.requests[0].target == ("/books?search=a%2Bb+%26+c%2Fd%3D%C3%A9&ids=1&ids=2&names=x&names=y&active=1&old=0")


@pytest.mark.parametrize("multipart", [False, True])
def test_forms_arrive(lab, peer, multipart):
    call = Call(method="POST", path="/x", read=as_is, body=FormBody({"a": "b c"}, multipart=multipart))
    client(lab, peer.url).send(call)
    assert (b"b c" if multipart else b"a=b+c") in peer.requests[0].body
