# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import itertools

import pytest


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def status(api, campaign):
    return api.get(f"/campaigns/{campaign}")["status"]


def codes(emulator, campaign):
    return [code for code, _ in emulator.state.campaigns.find(campaign).history]


def mailed_to(emulator):
    return sorted(message.to for message in emulator.state.mailbox)


def test_create_answer(api, emulator):
    book = api.book(3)
    answer = api.campaign(book)
    assert answer == {
        "id": answer["id"],
        "status": 13,
        "count": 3,
        "tariff_email_qty": 3,
        "overdraft_price": "0.0000",
        "ovedraft_currency": "USD",
    }
    emulator.configure(create_answer="manual")
    older = api.campaign(book, name="Older")
    assert (older["status"], older["count"], older["overdraft_price"]) == (0, 0, 0)
    emulator.advance(60)
    assert codes(emulator, older["id"]) == [0, 13, 2, 7, 3]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender_name": None}, 701),
        ({"sender_email": None}, 701),
        ({"sender_email": "other@example.com"}, 704),
        ({"subject": ""}, 720),
        ({"body": None}, 721),
        ({"body": "*** not base64 ***"}, 422),
        ({"body": base64.b64encode(b"\xff\xfe").decode()}, 422),
        ({"list_id": None}, 722),
        ({"list_id": 1}, 703),
        ({"list_id": "many"}, 422),
        ({"list_id": None, "segment_id": 9}, 703),
        ({"send_date": "2026-03-02 08:59:59"}, 799),
        ({"send_date": "2026-03-03T10:00:00"}, 799),
        ({"send_date": 5}, 799),
        ({"type": "other"}, 422),
        ({"attachments": {str(i): "text" for i in range(6)}}, 422),
        ({"attachments_binary": {"a.bin": "***"}}, 422),
    ],
)
def test_create_refusals(api, emulator, changes, code):
    fields = {**api.fields(api.book()), **changes}
    fields = {name: value for name, value in fields.items() if value is not None}
    assert api.refused("POST", "/campaigns", fields) == (422, code)
    assert len(emulator.state.campaigns) == 0


def test_refusals_take_the_status_of_the_settings(api, emulator):
    emulator.configure(http_status_campaign_refused=400)
    assert api.refused("POST", "/campaigns", api.fields(1)) == (400, 703)


def test_more_refusals(api, emulator):
    books = [api.book(1, f"Book {number}") for number in range(11)]
    assert api.refused("POST", "/campaigns", api.fields(books)) == (422, 422)
    assert api.refused("POST", "/campaigns", api.fields(books[:2], is_test=True)) == (422, 422)
    assert api.refused("POST", "/campaigns", api.fields(None, template_id=1, body=None)) == (404, 290)
    emulator.configure(balance_exhausted=True)
    assert api.refused("POST", "/campaigns", api.fields(books[0])) == (422, 707)
    emulator.configure(balance_exhausted=False, plan_recipients=0)
    assert api.refused("POST", "/campaigns", api.fields(books[0])) == (422, 708)


def test_small_campaign_skips_moderation_and_mails_once(api, emulator):
    first = api.book(3, "First")
    second = api.book(5, "Second")
    campaign = api.campaign([first, str(second)])["id"]
    assert api.get(f"/addressbooks/{first}")[0]["status"] == 5
    emulator.advance(1)
    assert api.get(f"/addressbooks/{first}")[0]["status"] == 0
    assert mailed_to(emulator) == []
    emulator.advance(60)
    assert codes(emulator, campaign) == [13, 2, 7, 3]
    assert mailed_to(emulator) == [f"reader{number}@example.com" for number in range(5)]


def test_large_campaign_is_moderated_and_each_status_lasts_its_time(api, emulator):
    emulator.configure(seconds_in_status={"1": 600})
    campaign = api.campaign(api.book(20))["id"]
    emulator.advance(300)
    assert status(api, campaign) == 1
    emulator.advance(400)
    history = emulator.state.campaigns.find(campaign).history
    assert [code for code, _ in history] == [13, 1, 14, 2, 7, 3]
    seconds = [(later[1] - earlier[1]).total_seconds() for earlier, later in itertools.pairwise(history)]
    assert seconds == [1, 600, 1, 1, 1]


def test_campaign_moves_by_reads(api, emulator):
    emulator.configure(transitions="reads", reads_in_status={"13": 2})
    campaign = api.campaign(api.book(20))["id"]
    emulator.advance(1000)
    seen = [status(api, campaign) for _ in range(8)]
    assert seen == [13, 13, 1, 14, 2, 7, 3, 3]


def test_who_waits_for_the_book_unlocks_it_by_reads(api, emulator):
    emulator.configure(transitions="reads")
    book = api.book()
    api.campaign(book)
    assert [api.get(f"/addressbooks/{book}")[0]["status"] for _ in range(2)] == [5, 0]


def test_new_contacts_are_activated_by_approval(api, emulator):
    book = api.book(2, contact_status=0)
    campaign = api.campaign(book)["id"]
    emulator.advance(60)
    assert status(api, campaign) == 3
    assert api.get(f"/addressbooks/{book}")[0]["active_email_qty"] >= 1
    assert len(mailed_to(emulator)) == 2


def test_nobody_to_mail(api, emulator):
    book = api.book(2, contact_status=4)
    campaign = api.campaign(book)["id"]
    emulator.advance(60)
    assert codes(emulator, campaign) == [13, 12]
    emulator.configure(activate_contacts_on_approval=False)
    waiting = api.campaign(api.book(2, "New", contact_status=0))["id"]
    emulator.advance(60)
    assert status(api, waiting) == 12


def test_contacts_that_load_late_miss_the_campaign(api, emulator):
    book = api.book(2)
    emulator.configure(contacts_visible_late=True, book_load_seconds=30)
    api.post(f"/addressbooks/{book}/emails", {"emails": ["late@example.com"]})
    api.campaign(book)
    emulator.advance(60)
    assert "late@example.com" not in mailed_to(emulator)
    assert api.get(f"/addressbooks/{book}/emails/total") == {"total": 3}


def test_who_unsubscribes_before_the_sending_gets_nothing(api, emulator):
    book = api.book(2)
    api.campaign(book)
    emulator.advance(1)
    api.post(f"/addressbooks/{book}/emails/unsubscribe", {"emails": ["reader0@example.com"]})
    emulator.advance(60)
    assert mailed_to(emulator) == ["reader1@example.com"]


def test_variables_are_frozen_when_mailed(api, emulator):
    book = api.book(1)
    api.campaign(book)
    path = f"/addressbooks/{book}/emails/variable"
    emulator.advance(1)
    api.post(path, {"email": "reader0@example.com", "variables": [{"name": "Имя", "value": "Before"}]})
    emulator.advance(60)
    api.post(path, {"email": "reader0@example.com", "variables": [{"name": "Имя", "value": "After"}]})
    (message,) = emulator.state.mailbox
    assert message.rendered_subject() == "Before, hello"
    assert "Вітаємо, Before!" in message.rendered_body()


def test_dynamic_list_takes_in_later_contacts(api, emulator):
    book = api.book(1)
    api.campaign(book, send_date="2026-03-02 12:00:00", use_dynamic_list=True)
    emulator.advance(60)
    api.post(f"/addressbooks/{book}/emails", {"emails": ["later@example.com"]})
    emulator.advance(4 * 3600)
    assert "later@example.com" in mailed_to(emulator)


def test_scheduled_campaign_waits_for_its_date_in_the_accounts_zone(api, emulator):
    campaign = api.campaign(api.book(20), send_date="2026-03-02 10:00:00")["id"]
    emulator.advance(3599)
    assert status(api, campaign) == 14
    assert [item["id"] for item in api.get("/campaigns?planed=1")] == [campaign]
    assert api.get(f"/campaigns/{campaign}")["send_date"] == "2026-03-02 10:00:00"
    emulator.advance(60)
    assert codes(emulator, campaign) == [13, 1, 14, 2, 7, 3]
    assert api.get("/campaigns?planed=1") == []


def test_send_date_follows_the_configured_zone(api, emulator):
    emulator.configure(time_zone="UTC")
    assert api.refused("POST", "/campaigns", api.fields(api.book(), send_date="2026-03-02 06:59:59")) == (
        422,
        799,
    )
    campaign = api.campaign(api.book(1, "Other"), send_date="2026-03-02 07:30:00")["id"]
    emulator.advance(1700)
    assert status(api, campaign) == 14


def test_scheduled_campaign_waits_also_where_reads_move_it(api, emulator):
    emulator.configure(transitions="reads")
    campaign = api.campaign(api.book(1), send_date="2026-03-02 10:00:00")["id"]
    assert [status(api, campaign) for _ in range(5)] == [13, 14, 14, 14, 14]
    emulator.advance(3600)
    assert [status(api, campaign) for _ in range(3)] == [2, 7, 3]


def test_a_strict_sender_domain_sends_at_once(api, emulator):
    emulator.configure(ignore_send_date=True)
    campaign = api.campaign(api.book(1), send_date="2026-03-03 10:00:00")["id"]
    emulator.advance(60)
    assert status(api, campaign) == 3


def test_draft_stays(api, emulator):
    assert api.campaign(api.book(), type="draft")["status"] == 26
    emulator.advance(86400)
    assert len(emulator.state.mailbox) == 0


@pytest.mark.parametrize(
    ("outcome", "expected", "mailed"),
    [
        (5, [13, 1, 5], 0),
        (11, [13, 1, 11], 0),
        (12, [13, 12], 0),
        (16, [13, 1, 16], 0),
        (22, [13, 1, 14, 2, 22, 23], 2),
        (23, [13, 1, 14, 2, 22, 23], 2),
        (25, [13, 1, 14, 2, 25], 2),
        (27, [13, 1, 27], 0),
        (34, [13, 1, 34], 0),
        ([1, 9, 7, 3], [13, 1, 9, 7, 3], 4),
    ],
)
def test_scripted_outcomes(api, emulator, outcome, expected, mailed):
    emulator.configure(next_campaign_outcomes=[outcome])
    book = api.book(4)
    scripted, ordinary = api.campaign(book)["id"], api.campaign(book, name="Next")["id"]
    emulator.advance(60)
    assert codes(emulator, scripted) == expected
    assert len(emulator.state.mailbox.of_campaign(scripted)) == mailed
    assert status(api, ordinary) == 3


def test_status_set_by_hand_goes_on_as_told(api, emulator):
    emulator.configure(next_campaign_outcomes=[11])
    campaign = api.campaign(api.book(2))["id"]
    emulator.advance(60)
    api.control("PUT", f"/campaigns/{campaign}/status", {"status": 14, "then": [2, 7, 3]})
    emulator.advance(60)
    assert codes(emulator, campaign) == [13, 1, 11, 14, 2, 7, 3]
    assert len(emulator.state.mailbox) == 2


def test_campaign_of_the_dashboard_is_in_no_limit(api, emulator):
    emulator.configure(campaigns_per_window=0)
    campaign = api.control("POST", "/campaigns", api.fields(api.book(1)))["id"]
    emulator.advance(60)
    assert status(api, campaign) == 3


def test_cancel(api, emulator):
    campaign = api.campaign(api.book(20))["id"]
    emulator.advance(1)
    assert api.send("DELETE", f"/campaigns/{campaign}").json() == {"result": True}
    emulator.advance(60)
    assert status(api, campaign) == 16
    assert mailed_to(emulator) == []
    assert api.refused("DELETE", f"/campaigns/{campaign}") == (422, 602)
    emulator.configure(cancel_again="accept")
    assert api.send("DELETE", f"/campaigns/{campaign}").status_code == 200
    assert api.refused("DELETE", "/campaigns/1") == (422, 802)


def test_cancel_unlocks_the_book_and_comes_too_late_for_what_is_out(api, emulator):
    book = api.book(4)
    first = api.campaign(book)["id"]
    api.send("DELETE", f"/campaigns/{first}")
    assert api.get(f"/addressbooks/{book}")[0]["status"] == 0
    second = api.campaign(book, name="Second")["id"]
    emulator.advance(1)
    assert status(api, second) == 2
    api.send("DELETE", f"/campaigns/{second}")
    assert len(emulator.state.mailbox) == 2
    third = api.campaign(book, name="Third")["id"]
    emulator.advance(60)
    assert api.refused("DELETE", f"/campaigns/{third}") == (422, 602)


def test_edit_a_scheduled_campaign(api, emulator):
    campaign = api.campaign(api.book(1), send_date="2026-03-02 12:00:00")["id"]
    path = f"/campaigns/{campaign}"
    changes = {"subject": "New", "body": encoded("<p>new</p>"), "send_date": "2026-03-02 11:00:00"}
    assert api.send("PATCH", path, changes).json() == {"result": True, "id": campaign}
    assert api.get(path)["send_date"] == "2026-03-02 11:00:00"
    emulator.configure(patch_answer="campaign")
    assert api.send("PATCH", path, {"name": "Renamed"}).json()["ovedraft_currency"] == "USD"
    emulator.advance(2 * 3600 + 60)
    (message,) = emulator.state.mailbox
    assert (message.subject, message.body) == ("New", "<p>new</p>")
    assert api.refused("PATCH", path, {"name": "Too late"}) == (422, 800)
    assert api.refused("PATCH", "/campaigns/1", {"name": "None"}) == (422, 802)


def test_refused_edit_changes_nothing(api, emulator):
    campaign = api.campaign(api.book(1), send_date="2026-03-02 12:00:00")["id"]
    path = f"/campaigns/{campaign}"
    assert api.refused("PATCH", path, {"subject": "New", "send_date": "2020-01-01 00:00:00"}) == (422, 799)
    assert emulator.state.campaigns.find(campaign).content.subject != "New"
    emulator.configure(patch_requires_all_fields=True)
    assert api.refused("PATCH", path, {"subject": "New"}) == (422, 422)


def test_tests_go_to_the_sender_or_to_named_addresses(api, emulator):
    book = api.book(3)
    campaign = api.campaign(book, is_test=True)
    assert campaign["status"] == 4
    addresses = ["one@example.com", "two@example.com"]
    answer = api.send("PATCH", "/campaigns", api.fields(book, send_test_only=addresses))
    emulator.advance(60)
    assert [status(api, campaign["id"]), status(api, answer.json()["id"])] == [8, 8]
    assert mailed_to(emulator) == ["one@example.com", "shop@example.com", "two@example.com"]
    many = [f"a{number}@example.com" for number in range(4)]
    assert api.refused("PATCH", "/campaigns", api.fields(book, send_test_only=many)) == (422, 422)


def test_list_order_filter_and_pages(api, emulator):
    emulator.configure(campaigns_per_window=None)
    book = api.book(1)
    first = api.campaign(book, name="First")["id"]
    emulator.advance(60)
    second = api.campaign(book, name="Second", type="draft")["id"]
    third = api.campaign(book, name="Third")["id"]

    def ids(query):
        return [campaign["id"] for campaign in api.get(f"/campaigns?{query}")]

    assert ids("") == [first, second, third]
    assert ids("order=desc") == [third, second, first]
    assert ids("order=desc&limit=1&offset=1") == [second]
    assert ids("status[]=3&status[]=26") == [first, second]
    assert ids("status%5B%5D=13") == [third]
    assert api.refused("GET", "/campaigns?limit=101") == (422, 422)
    assert api.refused("GET", "/campaigns?order=up") == (422, 422)


def test_statistics_in_both_shapes(api, emulator):
    emulator.configure(open_share=1.0, click_share=0.5, bounce_share=0.1)
    campaign = api.campaign(api.book(100))["id"]
    emulator.advance(60)
    path = f"/campaigns/{campaign}"
    counts = {item["code"]: item["count"] for item in api.get(path)["statistics"]}
    assert counts[1] == 100
    assert 100 > counts[2] > counts[4] > 0
    assert counts[3] == counts[2]
    assert "body" not in api.get(path)["message"]
    emulator.configure(campaign_statistics="object")
    newer = api.get(path)
    assert {item["code"]: item["count"] for item in newer["statistics"]["general"]} == counts
    assert newer["statistics"]["clicks"] == [{"url": "https://shop.example/a?b=1", "count": counts[4]}]
    assert newer["message"]["body"].startswith("<p>Вітаємо")
    (listed,) = api.get("/campaigns")
    assert listed["statistics"]["opening"] == counts[3]
    assert listed["statistics"]["error"] == 100 - counts[2]
    emulator.configure(campaign_list_statistics=False)
    assert "statistics" not in api.get("/campaigns")[0]
    assert api.get(f"{path}/referrals") == [{"link": "https://shop.example/a?b=1", "count": counts[4]}]
    assert sum(api.get(f"{path}/countries").values()) == counts[3]


def test_outcomes_depend_on_the_seed_alone(api, emulator):
    def outcomes(seed):
        emulator.reset()
        emulator.configure(seed=seed)
        api.campaign(api.book(60))
        emulator.advance(60)
        return [message.detail for message in emulator.state.mailbox]

    first = outcomes(1)
    assert outcomes(1) == first
    assert outcomes(2) != first


def test_forced_outcomes_and_their_trace_on_contacts(api, emulator):
    emulator.configure(outcomes={"reader0@example.com": 6, "reader1@example.com": 5}, bounce_share=0.0)
    book = api.book(3)
    campaign = api.campaign(book)["id"]
    emulator.advance(60)
    assert [contact["status"] for contact in api.get(f"/addressbooks/{book}/emails")] == [9, 4, 1]
    answer = api.get(f"/campaigns/{campaign}/email/reader0%40example.com")
    assert answer["detail_status"] == 6
    assert answer["sent_date"].startswith("2026-03-02 09:00:")
    assert api.refused("GET", f"/campaigns/{campaign}/email/nobody@example.com") == (422, 502)


def test_opens_can_come_later(api, emulator):
    emulator.configure(open_share=1.0, bounce_share=0.0, engagement_seconds=3600)
    campaign = api.campaign(api.book(10))["id"]
    emulator.advance(5)

    def opened():
        return {item["code"]: item["count"] for item in api.get(f"/campaigns/{campaign}")["statistics"]}.get(3, 0)

    early = opened()
    emulator.advance(7200)
    assert early < opened() == 10


def test_new_campaign_can_be_missing_from_lists_for_a_while(api, emulator):
    book = api.book()
    emulator.configure(campaign_visibility_seconds=30)
    campaign = api.campaign(book)["id"]
    assert api.get("/campaigns") == []
    assert api.get(f"/addressbooks/{book}/campaigns") == []
    assert status(api, campaign) == 13
    emulator.advance(30)
    assert len(api.get("/campaigns")) == 1
    emulator.configure(campaign_visibility_seconds=0, campaign_visibility_reads=2)
    api.campaign(book, name="Second")
    assert [len(api.get("/campaigns")) for _ in range(3)] == [1, 1, 2]


def test_segment_and_template(api, emulator):
    book = api.book(2)
    emulator.configure(segments={"77": book})
    template = api.post("/template", {"body": encoded("<p>Hi {{Имя}}</p>"), "name": "T"})["real_id"]
    api.campaign(None, segment_id=77, body=None, template_id=template)
    emulator.advance(60)
    assert {message.rendered_body() for message in emulator.state.mailbox} == {
        "<p>Hi Олена 0</p>",
        "<p>Hi Олена 1</p>",
    }
