"""Mailchimp: where a key leads, who is looked up and how, what segments and batches are sent, what became of each."""

import gzip
import hmac
import io
import json
import re
import tarfile
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from connectors.base import Identity
from connectors.email.mailchimp import Mailchimp
from connectors.errors import ConfigurationError, PermanentError, RetryableError, SignatureError
from connectors.installs import Callback
from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import Contact, MadeTag, Refused, TagChange
from tests.connectors.contract import (
    EngagementHooksContract,
    EngagementSourceContract,
    SeveralAccountsContract,
    TagMakerContract,
)

KEY = "0123456789abcdef0123456789abcdef-us19"
ORIGIN = "https://us19.api.mailchimp.com/3.0"
LIST = f"{ORIGIN}/lists/a1b2c3"
MEMBERS = f"{LIST}/members"
SEGMENTS = f"{LIST}/segments"
BATCHES = f"{ORIGIN}/batches"
ARCHIVE = "https://mailchimp-api-batch.s3.amazonaws.com/b4tch.tar.gz"
APP = {"client_id": "our-app", "api_secret": "our-secret-of-mailchimp"}
MAILCHIMP = Mailchimp({"api_key": KEY, "audience": "a1b2c3", **APP})


CAMPAIGN = f"{ORIGIN}/reports/c4mp"
SENT_AT = datetime(2026, 11, 20, 8, tzinfo=UTC)


def event(number, kind, way, minutes=0, subject="Autumn", campaign="c4mp"):
    person = sha256(f"person-{number}@example.com".encode()).hexdigest()[:16]
    at = SENT_AT + timedelta(minutes=minutes)
    email = f"person-{number}@example.com"
    return Event(
        f"{campaign or 'a1b2c3'}:{person}:{way}", f"email.{kind}", at, email=email, subject_id=campaign, subject=subject
    )


def moment(minutes):
    return (SENT_AT + timedelta(minutes=minutes)).isoformat()


def link(url):
    return sha256(url.encode()).hexdigest()[:16]


SHOP = "https://shop.example.com/sale"
PAST = (
    event(1, "delivered", "delivered"),
    event(1, "opened", f"open:{moment(1)}", 1),
    event(1, "opened", f"open:{moment(5)}", 5),
    event(1, "clicked", f"click:{moment(2)}:{link(SHOP)}", 2, SHOP),
    event(2, "bounced", "bounce:hard", 3),
    event(3, "bounced", f"bounce:{moment(4)}", 4),
    event(1, "unsubscribed", "unsubscribed", 6),
    event(4, "marked_as_spam", "spam", 7),
)


def report(campaign="c4mp", audience="a1b2c3", **figures):
    """A report with its figures, of a campaign for an audience."""
    usual = {"emails_sent": 4, "opens": 2, "clicks": 1, "hard": 1, "unsubscribed": 1, "abuse_reports": 1} | figures
    about = {"id": campaign, "list_id": audience, "type": "regular", "campaign_title": "Autumn", "send_time": moment(0)}
    return about | {
        "emails_sent": usual["emails_sent"],
        "opens": {"opens_total": usual["opens"]},
        "clicks": {"clicks_total": usual["clicks"]},
        "bounces": {"hard_bounces": usual["hard"], "soft_bounces": 1, "syntax_errors": 0},
        "unsubscribed": usual["unsubscribed"],
        "abuse_reports": usual["abuse_reports"],
    }


def did(number, *activity):
    return {"email_address": f"person-{number}@example.com", "activity": list(activity)}


ACTIVITY = [
    did(
        1,
        {"action": "open", "timestamp": moment(1)},
        {"action": "click", "timestamp": moment(2), "url": SHOP},
        {"action": "open", "timestamp": moment(5)},
    ),
    did(2, {"action": "bounce", "type": "hard", "timestamp": moment(3)}),
    did(3, {"action": "bounce", "type": "soft", "timestamp": moment(4)}, {"action": "forwarded"}),
    did(5),
]


def form(**fields):
    return urlencode({name.replace("__", "[") + ("]" if "__" in name else ""): value for name, value in fields.items()})


def left(number, told="unsubscribe", **data):
    told_of = {"data__email": f"person-{number}@example.com", "data__list_id": "a1b2c3", "data__merges__FNAME": "Ü"}
    return form(type=told, fired_at="2026-11-20 08:06:00", **told_of, **data).encode()


class TestMailchimp(TagMakerContract, EngagementSourceContract, EngagementHooksContract, SeveralAccountsContract):
    connector = MAILCHIMP
    identity = Identity("a1b2c3", "Friends of the shop")
    public_credentials = ("audience", "client_id")
    signs_callback = False
    choice = (Identity("a1b2c3", "Friends of the shop"), Identity("d4e5f6", "Mailchimp"))
    forbidden_keys = frozenset(
        {
            *("status", "status_if_new", "marketing_permissions", "update_existing", "sync_tags"),
            *("email_address", "merge_fields", "members", "interests"),
        }
    )
    forbidden_paths = ("/members?", "/actions/", "audiences")
    calls_when_all_enter = 20
    calls_when_all_swap = 24
    written_by_address = True
    answer: ClassVar = {"id": "1", "members_added": [], "total_added": 0, "total_removed": 0}

    def serve_identity(self, api):
        api.get(LIST, json={"id": "a1b2c3", "name": "Friends of the shop"})

    def serve_accounts(self, api):
        lists = [{"id": "a1b2c3", "name": "Friends of the shop"}, {"id": "d4e5f6", "name": ""}]
        api.get(f"{ORIGIN}/lists", json={"lists": lists, "total_items": 2})

    def returned(self, secret=None):
        return [("code", "c0de"), ("state", "st4te")]

    def grant(self):
        return {"access_token": "t0ken", "expires_in": 0, "scope": None, "dc": "us19"}

    def fewest_lookups(self, count):
        return count if count <= 20 else 1

    def a_job(self):
        return "1;b4tch"

    engagement = PAST
    shown = ("signed by s3cret", "signed by another")
    hooked: ClassVar = {
        left(1, data__campaign_id="c4mp", data__action="unsub", data__reason="manual"): [
            event(1, "unsubscribed", "unsubscribed", 6, None)
        ],
        left(1, data__action="unsub"): [event(1, "unsubscribed", f"unsubscribed:{moment(6)}", 6, None, None)],
        left(1, "cleaned", data__campaign_id="c4mp", data__reason="hard"): [
            event(1, "bounced", "bounce:hard", 6, None)
        ],
        left(4, "cleaned", data__campaign_id="c4mp", data__reason="abuse"): [
            event(4, "marked_as_spam", "spam", 6, None)
        ],
        left(1, data__action="delete", data__reason="manual"): [],
        left(1, "profile"): [],
    }

    def sent(self, body, secret):
        key, at = secret.removeprefix("signed by "), "1795348800"
        digest = hmac.new(key.encode(), f"{at}.".encode() + body, sha256).hexdigest()
        return Webhook({"x-mailchimp-signature": f"t={at},v1={digest}"}, body)

    def serve_engagement(self, api):
        serve(api)


@pytest.fixture(autouse=True)
def _made_tags():
    MAILCHIMP.ids = {"SEG:VIP": "11", "seg:vip": "11", "seg:new": "12", "seg:ü": "13"}


def serve(api, *reports):
    """Answer what is asked of campaigns: their figures, and what stands below them."""
    api.get(f"{ORIGIN}/reports", json={"reports": [*(reports or (report(),)), report("other", "another audience")]})
    people = [{"email_address": key(number), "status": "sent" if number == 1 else "hard"} for number in (1, 2)]
    api.get(f"{CAMPAIGN}/sent-to", json={"sent_to": people, "total_items": 2})
    api.get(f"{CAMPAIGN}/email-activity", json={"emails": ACTIVITY, "total_items": 4})
    gone = [{"email_address": key(1), "timestamp": moment(6)}]
    api.get(f"{CAMPAIGN}/unsubscribed", json={"unsubscribes": gone, "total_items": 1})
    spam = [{"email_address": key(4), "date": moment(7)}, {"email_address": None, "date": moment(7)}]
    api.get(f"{CAMPAIGN}/abuse-reports", json={"abuse_reports": spam, "total_items": 2})


def key(number):
    return f"person-{number}@example.com"


def keys(*numbers):
    return tuple(map(key, numbers))


def digest(address):
    return md5(address.encode()).hexdigest()


def change(number, add=(), remove=(), *, quietly=False, address=None):
    return TagChange(Contact(key(number), address or key(number)), tuple(add), tuple(remove), quietly=quietly)


def member(number, *tags, status="subscribed", address=None):
    held = [{"id": at, "name": name} for at, name in enumerate(tags, 100)]
    return {"email_address": address or key(number), "status": status, "tags": held}


def asked(call):
    return {name: value for name, [value] in parse_qs(urlsplit(call.request.url).query).items()}


def sent(call):
    return json.loads(call.request.body)


def emails(*numbers):
    return [{"email_address": key(number)} for number in numbers]


def answered(api, added=(), removed=(), errors=(), segment="11"):
    body = {"members_added": emails(*added), "members_removed": emails(*removed), "errors": list(errors)}
    body |= {"total_added": len(added), "total_removed": len(removed), "error_count": len(errors)}
    api.post(f"{SEGMENTS}/{segment}", json=body)


def refused(api, *sides, message="None of the emails provided were subscribed to the list"):
    errors = [{"field": side, "message": message} for side in sides]
    api.post(f"{SEGMENTS}/11", status=400, json={"title": "Invalid Resource", "status": 400, "errors": errors})


class TestTheKey:
    @pytest.mark.parametrize("suffix", ["us1", "us19", "us206"])
    def test_says_where_it_is_sent(self, api, suffix):
        api.get(f"https://{suffix}.api.mailchimp.com/3.0/lists/x", json={"id": "x", "name": "X"})
        assert Mailchimp({"api_key": f"0123abcd-{suffix}", "audience": "x"}).check().name == "X"

    @pytest.mark.parametrize(
        "given",
        [
            *("", "0123", "0123-", "-us1", "0123-us", "0123-evil.example/", "0123-us1.evil.example", "0123-us1@evil"),
            *(
                "0123-us1/..",
                "0123-us1#",
                "0123-us1?",
                "0123-us1:80",
                "0123-us1\n",
                "0123-ｕｓ1",
                "0123-us١",
                "a-b-us1",
            ),
        ],
    )
    def test_leads_to_no_other_host(self, api, given):
        with pytest.raises(ConfigurationError, match="data centre"):
            Mailchimp({"api_key": given, "audience": "x"}).check()
        assert not api.calls

    def test_is_shown_to_mailchimp_alone_and_in_its_own_header(self, api):
        api.get(LIST, json={"id": "a1b2c3", "name": "X"})
        MAILCHIMP.check()
        assert api.calls[0].request.headers["Authorization"].startswith("Basic ")
        assert KEY not in api.calls[0].request.url

    def test_that_does_not_see_the_audience_is_a_matter_for_the_merchant(self, api):
        api.get(LIST, status=404, json={"title": "Resource Not Found", "status": 404})
        with pytest.raises(ConfigurationError, match="no audience with this id"):
            MAILCHIMP.check()

    def test_an_audience_of_whatever_characters_stays_in_its_place(self, api):
        api.get(f"{ORIGIN}/lists/..%2F..%2Fx%3Fy", json={"id": "x", "name": "X"})
        assert Mailchimp({"api_key": KEY, "audience": "../../x?y"}).check().account == "x"


class TestConsent:
    BACK = "https://tagsmith.example.com/back"
    LOGIN = "https://login.mailchimp.com/oauth2"

    def exchanged(self, api, told):
        api.post(f"{self.LOGIN}/token", json={"access_token": "t0ken", "expires_in": 0, "scope": None})
        api.get(f"{self.LOGIN}/metadata", json=told)
        return MAILCHIMP.exchange(Callback("", "c0de", "st4te"), self.BACK, datetime(2026, 11, 22, 12, tzinfo=UTC))

    def test_gives_a_token_without_end_that_is_sent_to_the_data_centre_told_of_it(self, api):
        grant = self.exchanged(api, {"dc": "us206", "api_endpoint": "https://evil.example"})
        assert grant.expires_at is None
        [asked, told] = api.calls
        assert dict(parse_qsl(asked.request.body)) == {
            "grant_type": "authorization_code",
            "client_id": APP["client_id"],
            "client_secret": APP["api_secret"],
            "redirect_uri": self.BACK,
            "code": "c0de",
        }
        assert told.request.headers["Authorization"] == "OAuth t0ken"
        api.get("https://us206.api.mailchimp.com/3.0/lists/x", json={"id": "x", "name": "X"})
        assert Mailchimp({**grant.credentials, "audience": "x"}).check().name == "X"
        assert api.calls[2].request.headers["Authorization"] == "Bearer t0ken"

    @pytest.mark.parametrize(
        "told",
        [{"error": "invalid_token"}, {"dc": "evil.example/"}, {"dc": "us1.evil"}, {"dc": 1}, {"dc": "us1\n"}, []],
    )
    def test_that_names_no_data_centre_leads_nowhere(self, api, told):
        with pytest.raises(ConfigurationError, match="data centre"):
            self.exchanged(api, told)


class TestBeingAskedToWait:
    def test_who_is_turned_away_without_json_comes_back_later(self, api):
        api.get(LIST, status=403, body="<html>")
        with pytest.raises(RetryableError) as caught:
            MAILCHIMP.check()
        assert 20 <= caught.value.retry_after <= 60

    def test_too_many_at_once_come_back_at_different_times(self, api):
        api.get(LIST, status=429, json={"title": "Too Many Requests"})
        waits = set()
        for _ in range(5):
            with pytest.raises(RetryableError) as caught:
                MAILCHIMP.check()
            waits.add(caught.value.retry_after)
        assert len(waits) > 1
        assert all(20 <= one <= 60 for one in waits)


class TestLookingUp:
    def test_few_are_asked_for_by_the_hash_of_their_address(self, api):
        [call] = MAILCHIMP.lookups([key(1)])
        api.get(f"{MEMBERS}/{digest(key(1))}", json=member(1, "seg:vip", "Own", address="Person-1@Example.com"))
        found = MAILCHIMP.look_up(call)
        assert found.contacts == (Contact(key(1), "Person-1@Example.com", ("seg:vip", "Own")),)
        assert found.more is None

    def test_a_tag_that_the_merchant_renamed_is_still_ours(self, api):
        [call] = MAILCHIMP.lookups([key(1)])
        about = member(1) | {"tags": [{"id": 11, "name": "Best customers"}, {"id": 99, "name": "Own"}]}
        api.get(f"{MEMBERS}/{digest(key(1))}", json=about)
        assert MAILCHIMP.look_up(call).contacts[0].tags == ("seg:vip", "Own")

    def test_who_is_not_there_or_archived_is_missing(self, api):
        api.get(f"{MEMBERS}/{digest(key(1))}", status=404, json={"status": 404})
        api.get(f"{MEMBERS}/{digest(key(2))}", json=member(2, status="archived"))
        for call in MAILCHIMP.lookups(keys(1, 2)):
            found = MAILCHIMP.look_up(call)
            assert (found.contacts, found.more) == ((), None)

    def test_the_unsubscribed_are_there(self, api):
        [call] = MAILCHIMP.lookups([key(1)])
        api.get(f"{MEMBERS}/{digest(key(1))}", json=member(1, status="unsubscribed"))
        assert MAILCHIMP.look_up(call).contacts == (Contact(key(1), key(1)),)

    def test_no_message_holds_the_hash_of_an_address(self, api):
        [call] = MAILCHIMP.lookups([key(1)])
        api.get(f"{MEMBERS}/{digest(key(1))}", status=503)
        with pytest.raises(RetryableError, match="GET member answered 503"):
            MAILCHIMP.look_up(call)

    def test_many_are_read_page_by_page_until_all_are_found(self, api):
        wanted = [key(number) for number in range(0, 3_000, 100)]
        pages = [[member(number) for number in range(start, start + 1_000)] for start in range(0, 3_000, 1_000)]
        for page in pages:
            api.get(MEMBERS, json={"members": page, "total_items": 1_000_000 // 100})
        [call] = MAILCHIMP.lookups(wanted)
        found = []
        while call:
            answer = MAILCHIMP.look_up(call)
            found += [one.key for one in answer.contacts]
            call = answer.more
        assert found == wanted
        assert [asked(each)["offset"] for each in api.calls] == ["0", "1000", "2000"]
        assert asked(api.calls[0])["count"] == "1000"
        assert asked(api.calls[0])["fields"] == "members.email_address,members.status,members.tags,total_items"

    def test_in_an_audience_with_more_pages_than_contacts_they_are_asked_for_one_by_one(self, api):
        wanted = [key(number) for number in range(21)]
        api.get(MEMBERS, json={"members": [member(0)], "total_items": 1_000_000})
        for number in range(1, 21):
            there = {"json": member(number)} if number % 2 else {"status": 404, "json": {}}
            api.get(f"{MEMBERS}/{digest(key(number))}", **there)
        [call] = MAILCHIMP.lookups(wanted)
        found, missing = [], []
        while call:
            answer = MAILCHIMP.look_up(call)
            found += [one.key for one in answer.contacts]
            missing += answer.missing
            call = answer.more
        assert found == [key(0), *(key(number) for number in range(1, 21, 2))]
        assert missing == [key(number) for number in range(2, 21, 2)]
        assert len(api.calls) == 21


class TestTags:
    def test_one_that_is_there_is_taken_whatever_the_case_of_its_letters(self, api):
        there = [{"id": 7, "name": "Other"}, {"id": 31, "name": "SEG:VIP"}, {"id": 30, "name": "Seg:Vip"}]
        api.get(SEGMENTS, json={"segments": there, "total_items": 3})
        assert MAILCHIMP.make_tag("seg:vip") == MadeTag("30", made=False)
        assert asked(api.calls[0])["type"] == "static"

    def test_one_that_is_not_on_any_page_is_made_without_members(self, api):
        many = [{"id": number, "name": f"tag {number}"} for number in range(1_500)]
        api.get(SEGMENTS, json={"segments": many[:1_000], "total_items": 1_500})
        api.get(SEGMENTS, json={"segments": many[1_000:], "total_items": 1_500})
        api.post(SEGMENTS, json={"id": 4711, "name": "seg:vip"})
        assert MAILCHIMP.make_tag("seg:vip") == MadeTag("4711", made=True)
        assert sent(api.calls[2]) == {"name": "seg:vip", "static_segment": []}

    def test_one_that_is_gone_already_is_dropped_as_well(self, api):
        api.get(f"{SEGMENTS}/11/members", json={"members": [], "total_items": 0})
        api.get(MEMBERS, json={"members": [], "total_items": 0})
        api.delete(f"{SEGMENTS}/11", status=404, json={})
        assert MAILCHIMP.drop_tag("11") is True

    @pytest.mark.parametrize(("count", "gone"), [(0, True), (3, False)])
    def test_one_is_dropped_only_if_nobody_carries_it_subscribed_or_not(self, api, count, gone):
        api.get(f"{SEGMENTS}/11/members", json={"members": [{"id": "a"}][:count], "total_items": count})
        api.get(MEMBERS, json={"members": [{"id": "a", "tags": [{"id": 12}]}], "total_items": 1})
        api.delete(f"{SEGMENTS}/11", status=204)
        assert MAILCHIMP.drop_tag("11") is gone
        others = dict.fromkeys(("include_cleaned", "include_transactional", "include_unsubscribed"), "true")
        assert asked(api.calls[0]) == {**others, "fields": "members.id,total_items", "count": "1"}
        assert [call.request.method for call in api.calls] == ["GET", "GET", "GET", "DELETE"][: 4 if gone else 1]

    @pytest.mark.parametrize(("tags", "count"), [((11,), 1), ((12,), 10_001)])
    def test_one_stays_that_somebody_hidden_carries_or_may(self, api, tags, count):
        api.get(f"{SEGMENTS}/11/members", json={"members": [], "total_items": 0})
        page = [{"id": "a", "tags": [{"id": tag} for tag in tags]}] * min(count, 1_000)
        api.get(MEMBERS, json={"members": page, "total_items": count})
        assert MAILCHIMP.drop_tag("11") is False
        assert asked(api.calls[1])["status"] == "pending"

    def test_one_is_not_dropped_on_an_answer_that_does_not_say_who_carries_it(self, api):
        api.get(f"{SEGMENTS}/11/members", json={})
        with pytest.raises(PermanentError):
            MAILCHIMP.drop_tag("11")


class TestPlanning:
    def test_a_tags_newcomers_and_leavers_share_a_call(self):
        changes = [change(1, ["seg:vip"], ["seg:new"]), change(2, ["seg:new"]), change(3, [], ["SEG:VIP"])]
        vip, new = MAILCHIMP.plan(changes)
        assert vip.body == {
            "segment": "11",
            "tag": "seg:vip",
            "members_to_add": [key(1)],
            "members_to_remove": [key(3)],
        }
        assert (vip.endpoint, vip.contacts, vip.cost) == ("segments", keys(1, 3), 1)
        assert new.body["members_to_add"] == [key(2)]
        assert new.body["members_to_remove"] == [key(1)]

    def test_a_side_with_nobody_is_left_out(self):
        [call] = MAILCHIMP.plan([change(1, ["seg:vip"])])
        assert "members_to_remove" not in call.body

    def test_members_are_written_as_mailchimp_spells_them(self):
        [call] = MAILCHIMP.plan([change(1, ["seg:vip"], address="Person-1@Example.com")])
        assert call.body["members_to_add"] == ["Person-1@Example.com"]
        assert call.contacts == keys(1)

    def test_plans_as_recorded(self):
        changes = [
            change(1, ["seg:vip", "seg:ü"], ["seg:new"]),
            change(2, [], ["seg:vip"]),
            change(3, ["seg:vip"], ["seg:new"], quietly=True),
        ]
        plan = [
            {"endpoint": one.endpoint, "contacts": one.contacts, "body": one.body} for one in MAILCHIMP.plan(changes)
        ]
        golden = json.loads((Path(__file__).parent / "golden" / "mailchimp_plan.json").read_text())
        assert json.loads(json.dumps(plan)) == golden


class TestSending:
    def send(self, *changes):
        [call] = MAILCHIMP.plan(changes)
        return MAILCHIMP.send(call)

    def test_who_is_named_was_moved_and_who_is_not_is_missing(self, api):
        answered(api, added=[1], removed=[4])
        outcome = self.send(*(change(n, ["seg:vip"]) for n in (1, 2)), *(change(n, [], ["seg:vip"]) for n in (3, 4)))
        assert sent(api.calls[0]) == {
            "members_to_add": [key(1), key(2)],
            "members_to_remove": [key(3), key(4)],
        }
        assert (outcome.accepted, outcome.missing, outcome.refused) == (keys(1, 4), keys(2, 3), ())

    def test_what_had_been_done_before_is_done(self, api):
        done = [
            {"email_addresses": [key(1)], "error": "Email addresses already exist in the static segment"},
            {"email_addresses": [key(2)], "error": "Email addresses do not exist in the static segment"},
        ]
        answered(api, errors=done)
        assert self.send(change(1, ["seg:vip"]), change(2, [], ["seg:vip"])).accepted == keys(1, 2)

    def test_any_other_error_is_about_those_whom_it_names(self, api):
        wrong = [{"email_addresses": [key(2).upper()], "error": f"{key(2)} is in a compliance state"}]
        answered(api, added=[1], errors=wrong)
        outcome = self.send(change(1, ["seg:vip"]), change(2, ["seg:vip"]))
        assert outcome.refused == (Refused(key(2), "… is in a compliance state"),)
        assert (outcome.accepted, outcome.missing) == (keys(1), ())

    def test_a_side_of_strangers_alone_does_not_stop_the_other(self, api):
        refused(api, "members_to_add")
        answered(api, removed=[2])
        outcome = self.send(change(1, ["seg:vip"]), change(2, [], ["seg:vip"]))
        assert sent(api.calls[1]) == {"members_to_remove": [key(2)]}
        assert (outcome.accepted, outcome.missing) == (keys(2), keys(1))

    def test_strangers_alone_are_missing(self, api):
        refused(api, "members_to_add", "members_to_remove")
        assert self.send(change(1, ["seg:vip"]), change(2, [], ["seg:vip"])).missing == keys(1, 2)
        assert len(api.calls) == 1

    def test_a_call_refused_for_something_else_says_so(self, api):
        refused(api, "members_to_add", message="please provide at most 500 items")
        with pytest.raises(PermanentError):
            self.send(change(1, ["seg:vip"]))

    def test_an_answer_that_names_nobody_is_not_believed(self, api):
        answered(api)
        assert self.send(change(1, ["seg:vip"]), change(2, ["seg:vip"])).again == keys(1, 2)

    def test_a_total_of_all_stands_for_all(self, api):
        api.post(f"{SEGMENTS}/11", json={"members_added": emails(1), "total_added": 2, "total_removed": 0})
        assert self.send(change(1, ["seg:vip"]), change(2, ["seg:vip"])).accepted == keys(1, 2)

    def test_a_tag_that_the_merchant_deleted_is_lost_and_nobody_else(self, api):
        api.post(f"{SEGMENTS}/11", status=404, json={"title": "Resource Not Found"})
        outcome = self.send(change(1, ["seg:vip"]))
        assert outcome.lost == ("seg:vip",)
        assert (outcome.accepted, outcome.missing, outcome.refused, outcome.again) == ((), (), (), ())


def archived(*results):
    """An archive as Mailchimp leaves it: a folder, and files with a list of results each."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        folder = tarfile.TarInfo("b4tch/")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for at, result in enumerate(results):
            content = json.dumps([result]).encode()
            about = tarfile.TarInfo(f"b4tch/{at}.json")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return packed.getvalue()


def sparse(size):
    """An archive of one kilobyte whose file says to be `size` bytes, all of them holes."""
    about = tarfile.TarInfo("b4tch/0.json")
    about.type, about.size = tarfile.GNUTYPE_SPARSE, 0
    header = bytearray(about.tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410] = b"%011o\0" % size, b"%011o\0" % 0
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + b"\0" * 1024)


def result(at, status, answer=None):
    return {"status_code": status, "operation_id": str(at), "response": json.dumps(answer) if answer else ""}


def finished(api, status="finished", total=3, errors=1, batch="b4tch"):
    about = {"id": batch, "status": status, "total_operations": total, "finished_operations": total}
    api.get(f"{BATCHES}/{batch}", json=about | {"errored_operations": errors, "response_body_url": ARCHIVE})


class TestQuietChanges:
    def test_each_member_has_an_operation_that_sets_nothing_off(self, api):
        [call] = MAILCHIMP.plan(
            [change(1, ["seg:vip"], ["seg:new"], quietly=True), change(2, ["seg:vip"], quietly=True)]
        )
        for segment, name in (("11", "VIP club"), ("12", "seg:new")):  # the merchant has renamed the first
            api.get(f"{SEGMENTS}/{segment}", json={"name": name})
        api.post(BATCHES, json={"id": "b4tch", "status": "pending"})
        outcome = MAILCHIMP.send(call)
        first, second = sent(api.calls[-1])["operations"]
        assert first["method"] == "POST"
        assert first["path"] == f"/lists/a1b2c3/members/{digest(key(1))}/tags"
        tags = [{"name": "VIP club", "status": "active"}, {"name": "seg:new", "status": "inactive"}]
        assert json.loads(first["body"]) == {"tags": tags, "is_syncing": True}
        assert [first["operation_id"], second["operation_id"]] == ["0", "1"]
        assert outcome.job == "2;b4tch"
        assert outcome.accepted == ()

    def test_of_a_tag_that_is_gone_nothing_is_made_anew(self, api):
        [call] = MAILCHIMP.plan([change(1, ["seg:vip"], ["seg:new"], quietly=True)])
        api.get(f"{SEGMENTS}/11", status=404, json={})
        api.get(f"{SEGMENTS}/12", json={"name": "seg:new"})
        assert MAILCHIMP.send(call).lost == ("seg:vip",)

    def test_no_operation_holds_what_touches_consent(self, api):
        [call] = MAILCHIMP.plan([change(number, ["seg:vip"], ["seg:new"], quietly=True) for number in range(50)])
        for segment in ("11", "12"):
            api.get(f"{SEGMENTS}/{segment}", json={"name": f"seg:{segment}"})
        api.post(BATCHES, json={"id": "b4tch", "status": "pending"})
        MAILCHIMP.send(call)
        for one in sent(api.calls[-1])["operations"]:
            assert re.fullmatch(r"/lists/a1b2c3/members/[0-9a-f]{32}/tags", one["path"])
            body = json.loads(one["body"])
            assert body.keys() == {"tags", "is_syncing"}
            assert {name for tag in body["tags"] for name in tag} == {"name", "status"}
            assert {tag["status"] for tag in body["tags"]} <= {"active", "inactive"}

    def test_ten_thousand_take_ten_batches(self):
        calls = MAILCHIMP.plan([change(number, ["seg:vip"], quietly=True) for number in range(10_000)])
        assert [len(call.contacts) for call in calls] == [1_000] * 10

    def poll(self):
        return MAILCHIMP.poll("3;b4tch", keys(0, 1, 2))

    @pytest.mark.parametrize("status", ["pending", "preprocessing", "started", "finalizing"])
    def test_a_batch_that_runs_has_no_outcome_yet(self, api, status):
        finished(api, status)
        assert self.poll() is None

    def test_a_batch_without_errors_has_accepted_all(self, api):
        finished(api, errors=0)
        assert self.poll().accepted == keys(0, 1, 2)

    def test_the_archive_says_what_became_of_each_member(self, api):
        finished(api)
        compliance = {"title": "Member In Compliance State", "detail": f"{key(1)} has unsubscribed"}
        api.get(ARCHIVE, body=archived(result(1, 400, compliance), result(0, 204), result(2, 404, {})))
        outcome = self.poll()
        assert (outcome.accepted, outcome.missing) == (keys(0), keys(2))
        assert outcome.refused == (Refused(key(1), "Member In Compliance State"),)

    def test_the_archive_is_asked_for_without_credentials(self, api):
        finished(api)
        api.get(ARCHIVE, body=archived(result(0, 204)))
        self.poll()
        assert "Authorization" not in api.calls[1].request.headers

    @pytest.mark.parametrize(
        "elsewhere", ["http://s3.example/x", "https://127.0.0.1/x", "https://[", "file:///etc/passwd"]
    )
    def test_an_archive_where_nothing_may_be_fetched_is_not_fetched(self, api, elsewhere):
        api.passthru_prefixes = ("https://127.0.0.1",)
        about = {"id": "b4tch", "status": "finished", "errored_operations": 1, "response_body_url": elsewhere}
        api.get(f"{BATCHES}/b4tch", json=about)
        with pytest.raises(ConfigurationError, match="may not be called"):
            self.poll()

    def test_who_is_not_told_of_or_was_turned_away_is_sent_again(self, api):
        finished(api)
        api.get(ARCHIVE, body=archived(result(0, 429), result(2, 503), result(17, 204), result("x", 204)))
        assert self.poll().again == keys(0, 1, 2)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            archived(result(0, 204))[:-40],
            gzip.compress(b"\0" * 60_000_000),
            gzip.compress(b"x"),
            gzip.compress(archived(result(0, 204))),
        ],
        ids=["nothing", "a page", "cut off", "zeros", "no archive", "packed twice"],
    )
    def test_an_archive_that_cannot_be_read_is_asked_for_later(self, api, content):
        finished(api)
        api.get(ARCHIVE, body=content)
        with pytest.raises(RetryableError):
            self.poll()

    def test_an_archive_that_would_fill_the_memory_with_holes_is_not_read(self, api):
        finished(api)
        api.get(ARCHIVE, body=sparse(60_000_000))
        with pytest.raises(RetryableError, match="too large"):
            self.poll()

    def test_a_batch_that_nobody_knows_any_more_is_sent_again(self, api):
        api.get(f"{BATCHES}/b4tch", status=404, json={})
        assert self.poll().again == keys(0, 1, 2)

    def test_contacts_that_are_not_those_of_the_call_are_sent_again(self, api):
        assert MAILCHIMP.poll("4;b4tch", keys(0, 1, 2)).again == keys(0, 1, 2)
        assert not api.calls


class TestReports:
    now = SENT_AT + timedelta(days=1)

    def round(self, cursor=None, now=None):
        """Ask until a round is over; return its events and where to go on."""
        events = []
        while True:
            told = MAILCHIMP.told(cursor, SENT_AT - timedelta(days=90), now or self.now)
            events += told.events
            cursor = json.loads(json.dumps(told.cursor))
            if not told.more:
                return events, cursor

    def paths(self, api):
        return [call.request.url.partition("/3.0/")[2].partition("?")[0] for call in api.calls]

    def test_campaigns_without_news_are_not_read_again(self, api):
        serve(api)
        _, cursor = self.round()
        api.calls.reset()
        events, _ = self.round(cursor)
        assert events == []
        assert self.paths(api) == ["reports"]

    def test_what_has_changed_is_read_from_shortly_before_the_last_time(self, api):
        serve(api)
        _, cursor = self.round()
        api.replace("GET", f"{ORIGIN}/reports", json={"reports": [report(opens=3)]})
        api.calls.reset()
        events, cursor = self.round(cursor, self.now + timedelta(days=2))
        assert self.paths(api) == ["reports", "reports/c4mp/email-activity"]
        assert asked(api.calls[1])["since"] == (self.now - timedelta(hours=1)).isoformat()
        assert {one.event_id for one in events} <= {one.event_id for one in PAST}
        self.round(cursor, self.now + timedelta(days=2))
        assert len(api.calls) == 3

    def test_campaigns_are_followed_for_a_month_and_those_of_long_ago_read_once(self, api):
        serve(api)
        later = SENT_AT + timedelta(days=60)
        events, cursor = self.round(now=later)
        assert len(events) == len(PAST)
        api.replace("GET", f"{ORIGIN}/reports", json={"reports": [report(opens=9)]})
        events, cursor = self.round(cursor, later)
        assert (events, cursor["known"]) == ([], {})

    def test_many_recipients_are_read_page_by_page(self, api):
        serve(api)
        for start in (0, 1_000):
            people = [did(number, {"action": "open", "timestamp": moment(1)}) for number in range(start, start + 1_000)]
            page = {"emails": people[: 1_000 if not start else 5], "total_items": 1_005}
            (api.replace if not start else api.add)("GET", f"{CAMPAIGN}/email-activity", json=page)
        events, _ = self.round()
        assert len({one.email for one in events if one.kind == "email.opened"}) == 1_005

    def test_a_campaign_that_the_merchant_deleted_meanwhile_stops_nothing(self, api):
        serve(api)
        api.replace("GET", f"{CAMPAIGN}/email-activity", status=404, json={})
        events, cursor = self.round()
        assert len(events) == 3
        assert cursor["until"] is None

    def test_of_a_series_nobody_knows_when_an_e_mail_was_delivered(self, api):
        serve(api, report() | {"type": "automation"})
        events, _ = self.round()
        assert [one.kind for one in events if one.kind == "email.delivered"] == []


class TestHooks:
    HERE = "https://tagsmith.example.com/hooks/mailchimp/t0ken"
    WANTED: ClassVar = {
        "events": {
            "subscribe": False,
            "unsubscribe": True,
            "profile": False,
            "cleaned": True,
            "upemail": False,
            "campaign": False,
        },
        "sources": {"user": True, "admin": True, "api": True},
    }

    def test_are_asked_for_once(self, api):
        api.get(f"{LIST}/webhooks", json={"webhooks": []})
        api.post(f"{LIST}/webhooks", json={"id": "h1"})
        MAILCHIMP.send_engagement(self.HERE, "secret")
        assert sent(api.calls[1]) == {"url": self.HERE, **self.WANTED}
        api.replace("GET", f"{LIST}/webhooks", json={"webhooks": [{"id": "h1", "url": self.HERE, **self.WANTED}]})
        MAILCHIMP.send_engagement(self.HERE, "secret")
        assert len(api.calls) == 3

    def test_are_proved_by_the_secret_that_is_told_when_they_are_made_and_else_by_their_address(self, api):
        api.get(f"{LIST}/webhooks", json={"webhooks": []})
        api.post(f"{LIST}/webhooks", json={"id": "h1", "signing_enabled": True, "signing_secret": "s3cret"})
        agreed = MAILCHIMP.send_engagement(self.HERE, "ours")
        body, moved = left(1), left(2)
        sent_here = TestMailchimp().sent(body, "signed by s3cret")
        MAILCHIMP.proved(sent_here, agreed)
        for wrong in (Webhook(sent_here.headers, moved), Webhook({"x-mailchimp-signature": "v1=é,t"}, body)):
            with pytest.raises(SignatureError):
                MAILCHIMP.proved(wrong, agreed)
        signed = {"id": "h1", "url": self.HERE, **self.WANTED, "signing_enabled": True}
        api.replace("GET", f"{LIST}/webhooks", json={"webhooks": [signed]})
        assert MAILCHIMP.send_engagement(self.HERE, agreed) == agreed
        api.replace("GET", f"{LIST}/webhooks", json={"webhooks": [signed | {"signing_enabled": False}]})
        unsigned = MAILCHIMP.send_engagement(self.HERE, "ours")
        assert unsigned == "ours"
        MAILCHIMP.proved(Webhook({}, body), unsigned)

    @pytest.mark.parametrize(("signs", "secret"), [(True, "ours"), (False, "signed by another")])
    def test_that_are_signed_otherwise_than_we_know_are_made_anew(self, api, signs, secret):
        there = {"id": "h1", "url": self.HERE, **self.WANTED, "signing_enabled": signs}
        api.get(f"{LIST}/webhooks", json={"webhooks": [there]})
        api.delete(f"{LIST}/webhooks/h1", status=204)
        api.post(f"{LIST}/webhooks", json={"id": "h2", "signing_enabled": True, "signing_secret": "new"})
        assert MAILCHIMP.send_engagement(self.HERE, secret) == "signed by new"

    def test_that_somebody_changed_are_put_right(self, api):
        changed = {"id": "h1", "url": self.HERE, **self.WANTED, "events": {"unsubscribe": False}}
        api.get(f"{LIST}/webhooks", json={"webhooks": [{"id": "h0", "url": "https://x.example"}, changed]})
        api.add("PATCH", f"{LIST}/webhooks/h1", json={"id": "h1"})
        MAILCHIMP.send_engagement(self.HERE, "secret")
        assert sent(api.calls[1]) == {"url": self.HERE, **self.WANTED}

    def test_and_reports_tell_of_one_unsubscription_under_one_id(self):
        body = left(1, data__campaign_id="c4mp", data__action="unsub").replace(b"person", b"Person")
        [told] = MAILCHIMP.engagement(Webhook({}, body))
        assert told.event_id in {one.event_id for one in PAST}
