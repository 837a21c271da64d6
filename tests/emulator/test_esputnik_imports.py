# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
from contact_channels import email, sms


def person(address: str, **more):
    return {"channels": [email(address)], **more}


def test_effects_come_when_it_is_finished(esputnik, emulator):
    people = ["ada@example.com", person("grace@example.com", channels=[email("grace@example.com"), sms("380501112233")])]
    options = {"groupNames": ["Readers"], "eventKeyForNewContacts": "fromShop", "contactFields": ["email", "sms"]}
    answer = esputnik.import_(*people, wait=False, **options)
    assert answer["id"] == 0
    path = f"/v1/importstatus/{answer['asyncSessionId']}"
    for status in ("STARTED", "IMPORTING"):
        told = esputnik.get(path)
        assert (told["status"], "mapping" in told) == (status, False)
        assert esputnik.contacts() == {}
        assert esputnik.get("/v1/groups") == []
        emulator.advance(1)
    told = esputnik.get(path)
    assert (told["status"], told["timestamp"]) == ("FINISHED", "2026-03-02T09:00:02+0200")
    assert told["mapping"] == [
        {"dedupeValue": "ada@example.com", "contactId": 500000001},
        {"dedupeValue": "grace@example.com", "contactId": 500000002},
    ]
    readers = [one["id"] for one in esputnik.get(f"/v1/group/{esputnik.segment('Readers')}/contacts")]
    assert readers == [500000001, 500000002]
    assert all(contact["confirmed"] for contact in esputnik.contacts().values())
    assert esputnik.events() == [
        ("fromShop", "ada@example.com", {"contactId": "500000001", "EmailAddress": "ada@example.com", "SMS": ""}),
        (
            "fromShop",
            "grace@example.com",
            {"contactId": "500000002", "EmailAddress": "grace@example.com", "SMS": "380501112233"},
        ),
    ]


def test_the_event_of_a_phone_alone(esputnik):
    phone = {"channels": [sms("380501112233")]}
    esputnik.import_(phone, dedupeOn="sms", contactFields=["sms"], eventKeyForNewContacts="fromShop")
    params = {"contactId": "500000001", "EmailAddress": "", "SMS": "380501112233"}
    assert esputnik.events() == [("fromShop", "380501112233", params)]


def test_states_move_with_reads(esputnik, emulator):
    emulator.configure(transitions="reads", esputnik_import_reads=2)
    path = f"/v1/importstatus/{esputnik.import_('ada@example.com', wait=False)['asyncSessionId']}"
    emulator.advance(600)
    statuses = [esputnik.get(path)["status"] for _ in range(6)]
    assert statuses == ["STARTED", "STARTED", "IMPORTING", "IMPORTING", "FINISHED", "FINISHED"]


def test_omitted_contact_fields_wipe(esputnik):
    full = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "channels": [email("ada@example.com"), sms("380501112233")],
        "address": {"town": "Lviv"},
        "externalCustomerId": "a-1",
        "fields": [{"id": 30002, "value": "5"}],
    }
    esputnik.post("/v1/contact", full)
    esputnik.import_(person("ada@example.com", firstName="Augusta"), contactFields=None)
    contact = esputnik.contacts()["ada@example.com"]
    assert contact["firstName"] == "Augusta"
    assert [channel["type"] for channel in contact["channels"]] == ["email"]
    assert not {"lastName", "address", "externalCustomerId"} & contact.keys()
    assert contact["fields"] == [{"id": 30002, "value": "5"}]


def test_listed_fields_without_data_are_emptied(esputnik):
    esputnik.post(
        "/v1/contact", person("ada@example.com", firstName="Ada", lastName="L", fields=[{"id": 30004, "value": "x"}])
    )
    changed = person("ada@example.com", lastName="King", fields=[{"id": 30002, "value": "7"}])
    esputnik.import_(changed, contactFields=["firstName"], customFieldsIDs=[30004])
    contact = esputnik.contacts()["ada@example.com"]
    assert "firstName" not in contact
    assert contact["lastName"] == "L"
    assert contact["fields"] == []
    esputnik.import_(changed, contactFields=["lastName", "sms"], customFieldsIDs=[30002])
    contact = esputnik.contacts()["ada@example.com"]
    assert (contact["lastName"], contact["fields"]) == ("King", [{"id": 30002, "value": "7"}])


def test_what_identifies_is_not_updated(esputnik):
    esputnik.post("/v1/contact", person("ada@example.com", externalCustomerId="a-1"))
    esputnik.import_(
        person("new@example.com", externalCustomerId="a-1", firstName="Ada"), contactFields=["firstName", "email"]
    )
    assert esputnik.contacts()["ada@example.com"]["firstName"] == "Ada"
    esputnik.import_(
        person("new@example.com", externalCustomerId="a-1"), contactFields=["email"], dedupeOn="externalCustomerId"
    )
    assert set(esputnik.contacts()) == {"new@example.com"}


class TestMatching:
    """Both keys are there: the caller's own id and the address."""

    def existing(self, emulator, *external_ids: str | None) -> list[int]:
        account = emulator.state.esputnik
        made = []
        for external_id in external_ids:
            contact = account.contacts.create("panel", emulator.emulator.clock.now())
            contact.channels["email"] = [email("ada@example.com")]
            contact.values |= {"externalCustomerId": external_id} if external_id else {}
            account.contacts.changed(contact, emulator.emulator.clock.now())
            made.append(contact.id)
        return made

    @pytest.mark.parametrize(
        ("external_ids", "expected"),
        [
            ([None], 0),
            ([None, None], 1),
            (["other", None], 1),
            ([None, "other"], 0),
            (["other", "another"], None),
            (["mine", None], 0),
            ([], None),
        ],
    )
    def test_who_is_meant(self, esputnik, emulator, external_ids, expected):
        ids = self.existing(emulator, *external_ids)
        status = esputnik.import_(person("ada@example.com", externalCustomerId="mine"))
        wanted = 500000001 + len(ids) if expected is None else ids[expected]
        assert status["mapping"] == [{"dedupeValue": "ada@example.com", "contactId": wanted}]
        assert emulator.state.esputnik.contacts.get(wanted).external_id == "mine"

    def test_the_own_id_alone_by_a_switch(self, esputnik, emulator):
        self.existing(emulator, None)
        emulator.configure(esputnik_external_id="only")
        status = esputnik.import_(person("ada@example.com", externalCustomerId="mine"))
        assert status["mapping"][0]["contactId"] == 500000002

    @pytest.mark.parametrize("by_id", [True, False])
    def test_deleted_contacts(self, esputnik, by_id):
        row = person("ada@example.com", **({"externalCustomerId": "a-1"} if by_id else {}))
        number = esputnik.post("/v1/contact", row)["id"]
        esputnik.told("DELETE", f"/v1/contact/{number}")
        options = {"eventKeyForNewContacts": "fromShop"}
        assert esputnik.import_(row, **options)["mapping"] == []
        assert esputnik.contacts() == {}
        assert esputnik.import_(row, restoreDeleted=True, **options)["mapping"][0]["contactId"] == number
        assert set(esputnik.contacts()) == {"ada@example.com"}
        assert esputnik.events() == []


@pytest.mark.parametrize(
    ("options", "row", "expected"),
    [
        ({"dedupeOn": "sms"}, {"channels": [sms("+38 050 111 22 33")]}, 500000001),
        ({"dedupeOn": "email_or_sms"}, {"channels": [sms("380501112233"), email("other@example.com")]}, 500000001),
        ({"dedupeOn": "email_or_sms"}, {"channels": [email("ADA@example.com")]}, 500000001),
        ({"dedupeOn": "id"}, {"id": 500000001, "channels": [email("other@example.com")]}, 500000001),
        ({"dedupeOn": "push"}, {"channels": [{"type": "mobilepush", "value": "token"}]}, 500000001),
        (
            {"dedupeOn": "fieldId", "fieldId": 30004},
            {"channels": [email("x@example.com")], "fields": [{"id": "30004", "value": "K7"}]},
            500000001,
        ),
        ({"dedupeOn": "externalCustomerId"}, {"externalCustomerId": 71, "channels": [email("x@example.com")]}, 500000001),
        ({"dedupeOn": "email"}, {"channels": [email("other@example.com")]}, 500000002),
    ],
)
def test_ways_to_identify(esputnik, options, row, expected):
    everything = {
        "channels": [email("ada@example.com"), sms("380501112233"), {"type": "mobilepush", "value": "token"}],
        "fields": [{"id": 30004, "value": "K7"}],
        "externalCustomerId": "71",
    }
    esputnik.post("/v1/contact", everything)
    status = esputnik.import_(row, contactFields=["firstName"], **options)
    assert [entry["contactId"] for entry in status["mapping"]] == [expected]


def test_an_unknown_id_is_left_out(esputnik):
    assert esputnik.import_({"id": 7, "channels": [email("a@example.com")]}, dedupeOn="id")["mapping"] == []


def test_joining_and_leaving(esputnik):
    esputnik.import_("ada@example.com", "grace@example.com", groupNames=["New", "All"])
    esputnik.import_("ada@example.com", groupNames=["Old"], groupNamesExclude=["New", "Never"])
    segments = {one["name"]: esputnik.get(f"/v1/group/{one['id']}/contacts") for one in esputnik.get("/v1/groups")}
    assert {name: [one["id"] % 10 for one in people] for name, people in segments.items()} == {
        "New": [2],
        "All": [1, 2],
        "Old": [1],
    }


def test_rows_that_fail_are_told_in_a_200(esputnik):
    rows = ["ada@example.com", person("nobody"), {"firstName": "X"}, {"channels": [sms("380501112233")]}]
    answer = esputnik.import_(*rows, wait=False)
    assert [row["error"] for row in answer["failedContacts"]] == [
        "nobody is not valid email",
        "Contact must have at least one channel",
        "Contact has no value of email",
    ]
    assert answer["failedContacts"][0]["channels"] == [email("nobody")]


def test_one_row_that_fails_is_no_list(esputnik, emulator):
    answer = esputnik.import_("nobody", wait=False)
    assert answer["id"] == "0"
    assert answer["failedContacts"] == {"channels": [email("nobody")], "error": "nobody is not valid email"}
    emulator.configure(esputnik_collapse=False)
    answer = esputnik.import_("nobody", wait=False)
    assert (answer["id"], len(answer["failedContacts"])) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"contacts": []}, "contacts is required"),
        ({"contacts": None}, "contacts is required"),
        ({"dedupeOn": None}, "dedupeOn is required"),
        ({"dedupeOn": "name"}, "dedupeOn must be one of"),
        ({"dedupeOn": "fieldId"}, "fieldId"),
        ({"contactFields": ["nickname"]}, "contactFields"),
        ({"contacts": [{}] * 3001}, "3000"),
        ({"eventKeyForNewContacts": "from/shop"}, "forbidden"),
        ({"eventKeyForNewContacts": "x" * 101}, "longer"),
    ],
)
def test_refusals(esputnik, emulator, changes, text):
    body = {"contacts": [person("ada@example.com")], "dedupeOn": "email", **changes}
    status, told = esputnik.refused(
        "POST", "/v1/contacts", {key: value for key, value in body.items() if value is not None}
    )
    assert status == 400
    assert text in told
    assert len(emulator.state.esputnik.imports) == 0


def test_outcomes_on_request(esputnik, emulator):
    emulator.configure(esputnik_next_import_outcomes=["ERROR", "LOST", "REFUSED"])
    failed = esputnik.import_("ada@example.com")
    assert (failed["status"], failed["description"]) == ("ERROR", "Import failed")
    lost = esputnik.import_("ada@example.com", wait=False)["asyncSessionId"]
    emulator.advance(600)
    assert esputnik.refused("GET", f"/v1/importstatus/{lost}")[0] == 404
    emulator.configure(esputnik_unknown_session="error")
    assert esputnik.get(f"/v1/importstatus/{lost}")["status"] == "ERROR"
    emulator.configure(esputnik_unknown_session="empty")
    assert esputnik.get("/v1/importstatus/nothing") == {}
    refused = esputnik.import_("ada@example.com", wait=False)
    assert refused == {"id": 0, "errorMessage": "Contacts cannot be imported now"}
    assert esputnik.contacts() == {}


@pytest.mark.parametrize("transitions", ["clock", "reads"])
@pytest.mark.parametrize(("order", "expected"), [("time", "second"), ("reversed", "first")])
def test_imports_in_flight_may_be_out_of_order(esputnik, emulator, transitions, order, expected):
    emulator.configure(esputnik_import_order=order, transitions=transitions, esputnik_import_reads=0)
    options = {"contactFields": ["email", "languageCode"], "wait": False}
    sessions = [
        esputnik.import_(person("ada@example.com", languageCode=name), **options)["asyncSessionId"]
        for name in ("first", "second")
    ]
    emulator.advance(60)
    for _ in range(3):
        statuses = [esputnik.get(f"/v1/importstatus/{session}")["status"] for session in sessions]
    assert statuses == ["FINISHED", "FINISHED"]
    assert esputnik.contacts()["ada@example.com"]["languageCode"] == expected


def test_one_mapping_can_collapse(esputnik, emulator):
    emulator.configure(esputnik_collapse_mapping=True)
    mapping = esputnik.import_("ada@example.com")["mapping"]
    assert mapping == {"dedupeValue": "ada@example.com", "contactId": "500000001"}


def test_three_thousand_are_no_burden(esputnik):
    for _ in range(2):
        status = esputnik.import_(*(f"reader{number}@example.com" for number in range(3000)), groupNames=["All"])
        assert len(status["mapping"]) == 3000
    assert len(esputnik.contacts()) == 3000


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], str]]:
    """Serve a file at an address of this machine, to those who know the password."""
    servers = []

    def start(content: bytes) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers.get("Authorization") == "Basic dXNlcjpwQHNz"
                self.send_response(200 if known else 401)
                self.end_headers()
                self.wfile.write(content if known else b"")

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://user:p%40ss@127.0.0.1:{server.server_port}/contacts.csv"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


FILE = (
    "\ufeffFirst Name,E-mail,SMS,City,SHOP.SHOP,Unknown\n"
    'Ada,ada@example.com,380501112233,"Lviv, old town",Lviv,1\n'
    "Grace,grace@example.com,,,,2\n"
    "Nobody,no address,,,,3\n"
)


def test_a_file_is_imported(esputnik, emulator, serve):
    esputnik.post("/v1/contact", person("ada@example.com", lastName="Lovelace"))
    link = serve(FILE.encode())
    body = {"dedupeOn": "email", "link": link, "groupNames": ["File"], "eventKeyForNewContacts": "fromFile"}
    answer = esputnik.post("/v1/contacts/upload", body)
    assert answer["valid"] is True
    emulator.advance(60)
    status = esputnik.get(f"/v1/importstatus/{answer['importId']}")
    assert [entry["contactId"] for entry in status["mapping"]] == [500000001, 500000002]
    ada = esputnik.contacts()["ada@example.com"]
    assert (ada["lastName"], ada["address"], ada["fields"]) == (
        "Lovelace",
        {"town": "Lviv, old town"},
        [{"id": 30003, "value": "Lviv"}],
    )
    assert [key for _, key, _ in esputnik.events()] == ["grace@example.com"]
    (session,) = emulator.state.as_dict()["esputnik"]["imports"]
    assert "p%40ss" not in session["source"]
    assert session["source"].endswith("/contacts.csv")
    assert emulator.requests.records("esputnik.contacts.upload")[0].body is None


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "empty"), ("E-mail\nИмя".encode("cp1251"), "UTF-8"), (b"Name\nAda\n", "no column that identifies")],
)
def test_files_that_are_none(esputnik, serve, content, text):
    answer = esputnik.post("/v1/contacts/upload", {"dedupeOn": "email", "link": serve(content)})
    assert answer["valid"] is False
    assert text in answer["message"]
    assert "importId" not in answer


@pytest.mark.parametrize("link", ["http://example.com/a.csv", "ftp://127.0.0.1/a.csv", "http://127.0.0.1:1/a.csv"])
def test_files_of_other_machines_are_not_fetched(esputnik, link):
    answer = esputnik.post("/v1/contacts/upload", {"dedupeOn": "email", "link": link})
    assert answer["valid"] is False
    assert "cannot be fetched" in answer["message"]


def test_a_wrong_password_of_the_file(esputnik, serve):
    link = serve(FILE.encode()).replace("p%40ss", "wrong")
    answer = esputnik.post("/v1/contacts/upload", {"dedupeOn": "email", "link": link})
    assert (answer["valid"], "wrong" in answer["message"]) == (False, False)
    assert "HTTP 401" in answer["message"]


def test_uploads_are_refused(esputnik):
    assert esputnik.refused("POST", "/v1/contacts/upload", {"dedupeOn": "email"})[0] == 400
    link = "http://127.0.0.1:1/a.csv"
    assert esputnik.refused("POST", "/v1/contacts/upload", {"dedupeOn": "fieldId", "link": link})[0] == 400
