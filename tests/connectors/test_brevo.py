"""Brevo: who is looked up and how, which lists stand for tags, and what becomes of each contact that is put on one."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.base import Identity
from connectors.email.brevo import Brevo
from connectors.errors import PermanentError, RetryableError
from connectors.http import encode
from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import Contact, MadeTag, TagChange
from tests.connectors.contract import EngagementHooksContract, TagMakerContract, answer_everything

ORIGIN = "https://api.brevo.com/v3"
CONTACT = re.compile(rf"{ORIGIN}/contacts/(?!lists|folders).+")
BREVO = Brevo({"api_key": "xkeysib-0123456789abcdef0123456789abcdef01"})
ACCOUNT = {
    "organization_id": "5fa2b8c123456789abcdef01",
    "companyName": "Practice",
    "dateTimePreferences": {"timezone": "Europe/London"},
}


def told(kind, **more):
    """Return an event as Brevo's documentation shows them."""
    about = {"id": 17, "camp_id": 5, "email": "Ada@example.com", "campaign name": "Spring", "event": kind, "tag": ""}
    times = {
        "date_event": "2026-11-20 10:00:00",
        "ts_sent": 1_795_000_000,
        "ts_event": 1_795_168_800,
        "ts": 1_795_172_400,
    }
    return {**about, **times, **more}


AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


class TestBrevo(TagMakerContract, EngagementHooksContract):
    connector = BREVO
    identity = Identity("5fa2b8c123456789abcdef01", "Practice", "Europe/London")
    forbidden_keys = frozenset(
        {
            *("emailBlacklisted", "emailBlacklist", "smsBlacklisted", "attributes", "listIds", "unlinkListIds"),
            *("email", "emails", "all", "jsonBody", "updateEnabled"),
        }
    )
    forbidden_paths = ("/contacts/import", "/contacts/doubleOptin", "/contacts/batch")
    calls_when_all_enter = 67
    calls_when_all_swap = 144
    answer: ClassVar = {"contacts": {"success": [], "failure": []}}

    def fewest_lookups(self, count):
        return count if count <= 20 else super().fewest_lookups(count)

    def contact(self, number, tags=()):
        return Contact(f"person-{number}@example.com", str(9_007_199_254_740_993 + number), tuple(tags))

    def serve_identity(self, api):
        api.get(f"{ORIGIN}/account", json=ACCOUNT)

    spring: ClassVar = {"email": "Ada@example.com", "subject_id": "5", "subject": "Spring"}
    hooked: ClassVar = {
        json.dumps(told("opened")).encode(): [Event("8af67df4bc5267055d60a7a1acdc4d95", "email.opened", AT, **spring)],
        json.dumps(told("unique_proxy_open", ts_epoch=1_795_168_800_500)).encode(): [
            Event(
                "f16d2402d7b1691f86e562f8532e1a4c",
                "email.opened",
                AT + timedelta(milliseconds=500),
                machine=True,
                **spring,
            )
        ],
        json.dumps(told("contactUpdated")).encode(): [],
        json.dumps([told("click", URL="https://example.com/"), {"event": "spam"}, told("hard_bounce")]).encode(): [
            Event(
                "3cdc2577048fd67c6f863f3734da79fb", "email.clicked", AT, **{**spring, "subject": "https://example.com/"}
            ),
            Event("5014b40bf209719d009a35695d0fb587", "email.bounced", AT, **spring),
        ],
    }

    def sent(self, body, secret):
        return Webhook({"authorization": f"Bearer {secret}"}, body)

    def test_the_same_event_has_the_same_id_however_it_comes_and_others_have_others(self):
        some = [told("opened"), told("click", URL="a"), told("click", URL="b"), told("opened", camp_id=6), told("spam")]
        single = [BREVO.engagement(self.sent(json.dumps(one).encode(), "s"))[0].event_id for one in some]
        batch = BREVO.engagement(self.sent(json.dumps([*some, {**some[0], "ts": 5}]).encode(), "s"))
        assert [one.event_id for one in batch] == [*single, single[0]]
        assert len(set(single)) == len(some)

    @pytest.mark.parametrize("wrong", [{"ts_event": None}, {"email": None}, {"ts_event": 10**18}, {"event": 5}])
    def test_an_event_without_its_time_or_person_is_read_by_nobody(self, wrong):
        with pytest.raises(PermanentError):
            BREVO.engagement(self.sent(json.dumps(told("opened", **wrong)).encode(), "s"))

    def test_a_hook_is_made_once_and_mended_where_it_is_another(self, api):
        ours, hooks = "https://tagsmith.example.com/x", f"{ORIGIN}/webhooks"
        other = {"id": 1, "url": "https://example.com/theirs", "events": ["opened"]}
        api.get(hooks, json={"webhooks": [other]})
        api.post(hooks, status=201, json={"id": 2})
        BREVO.send_engagement(ours, "s3cret")
        made = json.loads(api.calls[-1].request.body)
        assert (made["type"], made["url"], made["auth"]) == ("marketing", ours, {"type": "bearer", "token": "s3cret"})
        api.upsert("GET", hooks, json={"webhooks": [other, {**made, "id": 2}]})
        BREVO.send_engagement(ours, "s3cret")
        assert [call.request.method for call in api.calls] == ["GET", "POST", "GET"]
        api.put(f"{hooks}/2", status=204)
        BREVO.send_engagement(ours, "another")
        assert json.loads(api.calls[-1].request.body)["auth"]["token"] == "another"

    def test_an_account_without_hooks_may_answer_that_there_is_no_such_thing(self, api):
        api.get(f"{ORIGIN}/webhooks", status=404, json={"code": "document_not_found"})
        api.post(f"{ORIGIN}/webhooks", status=201, json={"id": 2})
        BREVO.send_engagement("https://tagsmith.example.com/x", "s3cret")
        assert len(api.calls) == 2


@pytest.fixture(autouse=True)
def _lists():
    BREVO.ids = {"seg:vip": "7", "seg:new": "8"}


def key(number):
    return f"person-{number}@example.com"


def keys(*numbers):
    return tuple(map(key, numbers))


def change(number, add=("seg:vip",), remove=()):
    return TagChange(Contact(key(number), str(100 + number)), add, remove)


def known(number, *list_ids, email=None):
    return {"id": 100 + number, "email": email or key(number), "listIds": list(list_ids), "emailBlacklisted": True}


def page(api, *contacts, count, offset=0):
    params = {"limit": "1000", "offset": str(offset), "sort": "asc"}
    body = {"contacts": list(contacts), "count": count}
    return api.get(f"{ORIGIN}/contacts", json=body, match=[matching(params)])


def matching(params):
    from responses.matchers import query_param_matcher

    return query_param_matcher(params)


def look_up(*wanted):
    """Look up as the app does; return who was found, and who was told to be missing."""
    found, missing = [], set()
    calls = list(BREVO.lookups(wanted))
    while calls:
        call = calls.pop(0)
        answer = BREVO.look_up(call)
        found += answer.contacts
        missing |= {*answer.missing}
        if answer.more:
            calls.insert(0, answer.more)
        else:
            missing |= {*call.contacts} - {one.key for one in answer.contacts}
    return found, missing


class TestLookingUp:
    def test_a_few_are_asked_for_by_their_addresses(self, api):
        api.get(f"{ORIGIN}/contacts/person-1%40example.com?identifierType=email_id", json=known(1, 7, 9))
        api.get(f"{ORIGIN}/contacts/person-2%40example.com?identifierType=email_id", status=404, json={})
        assert look_up(key(1), key(2)) == ([Contact(key(1), "101", ("seg:vip",))], {key(2)})

    def test_what_is_no_address_is_nobodys(self, api):
        api.get(CONTACT, status=400, json={"code": "invalid_parameter", "message": "Invalid email address"})
        assert look_up("nonsense") == ([], {"nonsense"})

    def test_no_error_holds_the_address_that_was_asked_for(self, api):
        api.get(CONTACT, status=422, json={})
        with pytest.raises(PermanentError) as caught:
            look_up("ada@example.com")
        assert "ada" not in str(caught.value)

    def test_many_are_found_on_the_pages_of_all_contacts_and_the_rest_of_them_is_missing(self, api):
        wanted = keys(*range(30))
        page(api, *(known(n, 8, email=key(n).upper()) for n in range(10)), {"id": 5, "listIds": []}, count=2_001)
        page(api, *(known(n) for n in range(10, 29)), count=2_001, offset=1_000)
        api.get(f"{ORIGIN}/contacts/person-29%40example.com?identifierType=email_id", status=404, json={})
        found, missing = look_up(*wanted)
        assert [one.key for one in found] == list(keys(*range(29)))
        assert found[0] == Contact(key(0), "100", ("seg:new",))
        assert missing == {key(29)}
        assert len(api.calls) == 3, "for the last of them alone, one call is enough where a page would be one as well"

    def test_a_look_up_ends_as_soon_as_everybody_is_found(self, api):
        page(api, *(known(n) for n in range(30)), count=1_000_000)
        assert look_up(*keys(*range(30)))[1] == set()
        assert len(api.calls) == 1

    def test_few_in_a_large_audience_are_asked_for_one_by_one_once_that_takes_fewer_calls(self, api):
        page(api, known(0), count=1_000_000)
        api.get(CONTACT, status=404, json={})
        found, missing = look_up(*keys(*range(30)))
        assert ([one.key for one in found], missing) == ([key(0)], {*keys(*range(1, 30))})
        assert len(api.calls) == 30

    def test_where_contacts_have_gone_between_two_pages_nobody_is_passed_over(self, api):
        page(api, *(known(n) for n in range(10)), count=10_500)
        page(api, *(known(n) for n in range(10, 15)), count=10_497, offset=1_000)
        page(api, *(known(n) for n in range(15, 30)), count=10_497, offset=997)
        assert look_up(*keys(*range(30)))[1] == set()

    def test_a_page_that_is_refused_is_asked_for_again_later_whoever_is_looked_up(self, api):
        api.get(f"{ORIGIN}/contacts", status=400, json={})
        with pytest.raises(RetryableError):
            look_up(*keys(*range(30)))


class TestLists:
    def folders(self, api, *found, url="folders", key="folders"):
        for at in range(0, max(1, len(found)), 50):
            some = [{"id": number, "name": name} for number, name in found[at : at + 50]]
            params = {"limit": "50", "offset": str(at), "sort": "asc"}
            body = {key: some, "count": len(found)} if found else {"count": 0}
            api.get(f"{ORIGIN}/contacts/{url}", json=body, match=[matching(params)])

    def lists(self, api, *found):
        self.folders(api, *found, url="folders/3/lists", key="lists")

    def made(self, api, what, number):
        api.post(f"{ORIGIN}/contacts/{what}", status=201, json={"id": number})

    def test_makes_the_folder_and_the_list_where_neither_is_there(self, api):
        self.folders(api)
        self.made(api, "folders", 3)
        self.lists(api)
        self.made(api, "lists", 12)
        assert BREVO.make_tag("seg:vip") == MadeTag("12", made=True)
        sent = [json.loads(call.request.body) for call in api.calls if call.request.method == "POST"]
        assert sent == [{"name": "Tagsmith segments"}, {"folderId": 3, "name": "seg:vip"}]

    def test_finds_a_list_by_its_name_in_our_folder_alone_however_many_there_are(self, api):
        self.folders(api, *((number, f"Folder {number}") for number in range(100, 160)), (3, "Tagsmith segments"))
        self.lists(api, *((number, f"seg:{number}") for number in range(50)), (77, "SEG:vip"))
        assert BREVO.make_tag("seg:VIP") == MadeTag("77", made=False)

    @pytest.mark.parametrize(("count", "status", "gone"), [(0, 204, True), (0, 404, True), (2, 204, False)])
    def test_deletes_a_list_only_if_nobody_is_on_it(self, api, count, status, gone):
        on = {"contacts": [known(1, 7)][:count], "count": count}
        api.get(f"{ORIGIN}/contacts/lists/7/contacts", json=on, match=[matching({"limit": "1"})])
        api.delete(f"{ORIGIN}/contacts/lists/7", status=status)
        self.folders(api)
        assert BREVO.drop_tag("7") is gone
        assert [call.request.method for call in api.calls] == ["GET", "DELETE", "GET"][: 3 if gone else 1]

    @pytest.mark.parametrize("others", [(), ((8, "Theirs"),)])
    def test_deletes_our_folder_with_the_last_list_in_it_and_not_before(self, api, others):
        api.get(f"{ORIGIN}/contacts/lists/7/contacts", status=404, json={"code": "document_not_found"})
        self.folders(api, (2, "Your first folder"), (3, "Tagsmith segments"))
        self.lists(api, *others)
        folder = api.delete(f"{ORIGIN}/contacts/folders/3", status=204)
        assert BREVO.drop_tag("7") is True
        assert folder.call_count == (0 if others else 1)

    def test_deletes_no_list_on_an_answer_that_does_not_say_who_is_on_it(self, api):
        api.get(f"{ORIGIN}/contacts/lists/7/contacts", json={})
        with pytest.raises(PermanentError):
            BREVO.drop_tag("7")


class TestPlanning:
    def test_each_call_is_about_one_list_and_writes_by_brevos_own_ids(self):
        calls = BREVO.plan([change(1, ("seg:vip",), ("seg:new",)), change(2), change(3, (), ("seg:new",))])
        assert [(call.body["put"], call.body["list"], call.contacts) for call in calls] == [
            ("add", "7", keys(1, 2)),
            ("remove", "8", keys(1, 3)),
        ]

    def test_plans_as_recorded(self):
        golden = (Path(__file__).parent / "golden" / "brevo_plan.json").read_bytes()
        calls = BREVO.plan([change(1, ("seg:vip",), ("seg:new",)), change(2)])
        assert encode([call.body for call in calls]) == golden.strip()


class TestSending:
    def plan(self, count=3, **tags):
        [call] = BREVO.plan([change(number, **tags) for number in range(count)])
        return call

    def answers(self, api, *success, put="add"):
        body = {"contacts": {"success": list(success), "failure": [1]}}
        api.post(f"{ORIGIN}/contacts/lists/7/contacts/{put}", status=201, json=body)

    def test_contacts_that_were_put_on_are_accepted(self, api):
        self.answers(api, 100, 101, 102)
        outcome = BREVO.send(self.plan())
        assert (outcome.accepted, outcome.more) == (keys(0, 1, 2), None)
        assert json.loads(api.calls[0].request.body) == {"ids": [100, 101, 102]}

    def test_those_who_failed_are_looked_at_one_after_the_other(self, api):
        self.answers(api, 101)
        first = BREVO.send(self.plan(4))
        assert (first.accepted, first.more.contacts) == (keys(1), keys(0, 2, 3))
        one = f"{ORIGIN}/contacts/{{}}?identifierType=contact_id"
        api.get(one.format(100), json=known(0, 7))
        api.get(one.format(102), status=404, json={})
        api.get(one.format(103), json=known(3, 9))
        there = BREVO.send(first.more)
        gone = BREVO.send(there.more)
        neither = BREVO.send(gone.more)
        assert (there.accepted, gone.missing, neither.again) == (keys(0), keys(2), keys(3))
        assert neither.more is None

    def test_a_call_in_which_all_failed_is_no_failure(self, api):
        message = "Contact already in list and/or does not exist"
        answer_everything(api, status=400, json={"code": "invalid_parameter", "message": message})
        assert BREVO.send(self.plan()).more.contacts == keys(0, 1, 2)

    def test_taken_off_means_not_on_the_list(self, api):
        self.answers(api, put="remove")
        api.get(CONTACT, json=known(0, 8))
        first = BREVO.send(self.plan(1, add=(), remove=("seg:vip",)))
        assert BREVO.send(first.more).accepted == keys(0)

    def test_another_refusal_is_told(self, api):
        answer_everything(api, status=400, json={"code": "bad_request", "message": "no"})
        with pytest.raises(PermanentError):
            BREVO.send(self.plan())

    def test_too_early_is_tried_again(self, api):
        answer_everything(api, status=425, json={"code": "too_early"})
        with pytest.raises(RetryableError):
            BREVO.send(self.plan())

    def test_the_wait_is_until_the_window_ends(self, api):
        answer_everything(api, status=429, headers={"x-sib-ratelimit-reset": "1800"})
        with pytest.raises(RetryableError) as caught:
            BREVO.send(self.plan())
        assert caught.value.retry_after == 1_800
