"""Connectors over real HTTP against the practice shop, which knows the platforms by their specifications."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest

from connectors.base import Identity
from connectors.email.klaviyo import Klaviyo
from connectors.email.mailchimp import Mailchimp
from connectors.errors import ConfigurationError, RetryableError
from connectors.http import Http
from connectors.records import TagsChanged
from connectors.sources import Webhook
from connectors.stores.shopify import Shopify, subscriptions
from connectors.writers import Contact, TagChange
from plugin.sandbox import KlaviyoStandIn, Server, ShopifyStandIn, State
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.specification import checker
from plugin.sandbox.webhooks import Sender
from tests.conftest import SHARED

SHOP = "practice-shop.myshopify.com"
SCHEMA = SHARED / "specs/shopify/admin_2026-10.introspection.json.gz"
MAILCHIMP_API = SHARED / "specs/email/mailchimp/mailchimp-marketing-3.0.90.swagger2.restored.json.gz"
KLAVIYO_API = SHARED / "specs/email/klaviyo/klaviyo-stable.json.gz"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state():
    made = State(None)
    yield made
    made.close()


@pytest.fixture
def shop(state, clock):
    """Shopify's stand-in, with Shopify's own schema where that is at hand, and a connector on it."""
    schema = SCHEMA if SCHEMA.exists() else None
    stand_in = ShopifyStandIn(state, clock, SHOP, "a-token", "a-secret", schema_path=schema, sender=Sender(retries=()))
    with Server(stand_in.app) as server:
        credentials = {"shop": SHOP, "access_token": "a-token", "api_secret": "a-secret"}
        stand_in.connector = Shopify(credentials, Http("shopify", server.origin))
        yield stand_in
        stand_in.stop()


@pytest.fixture
def audience(state, clock):
    """Mailchimp's stand-in, with Mailchimp's own description where that is at hand, and a connector."""
    check = checker(MAILCHIMP_API) if MAILCHIMP_API.exists() else None
    stand_in = MailchimpStandIn(state, clock, "0123456789abcdef-us19", batch_polls=2, check=check)
    with Server(stand_in.app) as server:
        stand_in.connector = Mailchimp(stand_in.credentials, Http("mailchimp", server.origin))
        yield stand_in
        stand_in.stop()


@pytest.fixture
def mail(state, clock):
    """Klaviyo's stand-in, which judges bodies by Klaviyo's own description where that is at hand, and a connector."""
    stand_in = KlaviyoStandIn(
        state, clock, "a-key", rates={}, job_polls=2, check=checker(KLAVIYO_API) if KLAVIYO_API.exists() else None
    )
    with Server(stand_in.app) as server:
        stand_in.connector = Klaviyo({"api_key": "a-key"}, Http("klaviyo", server.origin))
        yield stand_in
        stand_in.stop()


def found(connector, *keys):
    return {one.key: one for call in connector.lookups(keys) for one in connector.look_up(call).contacts}


def change(contact, add=(), remove=(), tags=()):
    return TagChange(contact, tuple(add), tuple(remove), tuple(tags))


def finish(connector, call, outcome):
    """Ask for a job until it has an outcome."""
    while (became := connector.poll(outcome.job, call.contacts)) is None:
        pass
    return became


class TestShopify:
    def tags(self, shop):
        return {one["email"]: one["tags"] for one in shop.people()}

    def test_says_whose_shop_it_is(self, shop):
        assert shop.connector.check() == Identity(SHOP, "Practice Shop", "Europe/London", "GBP")

    def test_a_wrong_token_pauses_the_connection(self, shop):
        wrong = Shopify({**shop.connector.credentials, "access_token": "wrong"}, shop.connector.http)
        with pytest.raises(ConfigurationError):
            wrong.check()

    def test_tags_come_and_go_and_others_stay(self, shop):
        [ada, _] = shop.add(
            [{"email": "ada@example.com", "tags": ["Wholesale", "seg:new"]}, {"email": "bo@example.com"}]
        )
        contacts = found(shop.connector, ada.rpartition("/")[2], "Bo@example.com", "nobody@example.com", "1")
        assert contacts.keys() == {ada.rpartition("/")[2], "Bo@example.com"}
        assert contacts[ada.rpartition("/")[2]].tags == ("seg:new", "Wholesale")
        changes = [
            change(contacts[ada.rpartition("/")[2]], ["seg:vip"], ["seg:new"]),
            change(contacts["Bo@example.com"], ["seg:vip"]),
        ]
        [call] = shop.connector.plan(changes)
        for _ in range(2):  # whatever is written may be written again
            assert set(shop.connector.send(call).accepted) == contacts.keys()
            assert self.tags(shop) == {"ada@example.com": ["Wholesale", "seg:vip"], "bo@example.com": ["seg:vip"]}

    def test_hundreds_of_customers_fit_the_shops_points(self, shop):
        ids = [gid.rpartition("/")[2] for gid in shop.add({"email": f"p{n}@example.com"} for n in range(251))]
        contacts = found(shop.connector, *ids)
        assert list(contacts) == ids
        few = list(contacts.values())[:200]
        calls = shop.connector.plan([change(one, ["seg:a"], ["seg:b"]) for one in few])
        assert len(calls) == 8
        outcome = shop.connector.send(calls[0])
        assert len(outcome.accepted) == 25
        assert outcome.available < 2_000 - 500

    def test_a_customer_that_is_gone_is_missing(self, shop):
        [ada, bo] = shop.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
        contacts = found(shop.connector, "ada@example.com", "bo@example.com")
        shop.state.delete("customer", bo.rpartition("/")[2])
        [call] = shop.connector.plan([change(one, ["seg:vip"]) for one in contacts.values()])
        outcome = shop.connector.send(call)
        assert (outcome.accepted, outcome.missing) == (("ada@example.com",), ("bo@example.com",))
        assert ada

    def test_an_empty_bucket_says_how_long_to_wait(self, shop):
        shop.add([{"email": "ada@example.com"}])
        [call] = shop.connector.plan(
            [change(one, ["seg:vip"]) for one in found(shop.connector, "ada@example.com").values()]
        )
        shop.bucket.available = 3
        with pytest.raises(RetryableError) as caught:
            shop.connector.send(call)
        assert caught.value.retry_after == 1
        assert self.tags(shop) == {"ada@example.com": []}

    @pytest.mark.parametrize("kind", ["error", "half", "lost"])
    def test_after_a_failure_the_same_call_does_it_once(self, shop, kind):
        shop.add([{"email": "ada@example.com", "tags": ["seg:new"]}])
        contact = found(shop.connector, "ada@example.com")["ada@example.com"]
        [call] = shop.connector.plan([change(contact, ["seg:vip"], ["seg:new"])])
        shop.faults.add(kind)
        with pytest.raises(RetryableError):
            shop.connector.send(call)
        assert shop.connector.send(call).accepted == ("ada@example.com",)
        assert self.tags(shop) == {"ada@example.com": ["seg:vip"]}

    def test_subscribes_once_and_understands_what_then_comes(self, shop):
        received = Queue()
        with receiver(received) as url:
            shop.connector.subscribe(url)
            shop.connector.subscribe(url)
            wanted = shop.connector.topics - subscriptions.COMPLIANCE
            assert sorted(held["topic"] for held in shop.state.walk("subscription")) == sorted(wanted)
            shop.add([{"email": "ada@example.com"}])
            contact = found(shop.connector, "ada@example.com")["ada@example.com"]
            [call] = shop.connector.plan([change(contact, ["seg:vip"])])
            shop.connector.send(call)
            webhook = received.get(timeout=10)
        shop.connector.verify(webhook)
        assert shop.connector.address(webhook) == SHOP
        [record] = shop.connector.parse(webhook)
        assert record == TagsChanged(contact.platform_id, record.changed_at, added=("seg:vip",))
        assert abs(record.changed_at - shop.now()) < timedelta(seconds=2)


class receiver:  # noqa: N801  used as a function
    """Somebody who receives webhooks, as the app would see them."""

    def __init__(self, received):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put(Webhook({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/hooks"

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class TestMailchimp:
    """Quiet changes: what comes of them is in an archive behind an address of its own."""

    def test_says_which_audience_it_is(self, audience):
        assert audience.connector.check() == Identity(audience.audience, "Practice Shop")

    def test_members_are_tagged_quietly_and_each_outcome_is_told(self, audience):
        audience.add([{"email": f"p{n}@example.com", "tags": ["own", "seg:old"]} for n in range(3)])
        audience.connector.ids = {tag: audience.connector.make_tag(tag).tag_id for tag in ("seg:vip", "seg:old")}
        contacts = found(audience.connector, *(f"P{n}@example.com".casefold() for n in range(3)))
        changes = [replace(change(one, ["seg:vip"], ["seg:old"]), quietly=True) for one in contacts.values()]
        [call] = audience.connector.plan(changes)
        assert call.endpoint == "batches"
        audience.state.delete("member", audience.members.by_email("p1@example.com")["id"])
        outcome = finish(audience.connector, call, audience.connector.send(call))
        assert (outcome.accepted, outcome.missing) == (("p0@example.com", "p2@example.com"), ("p1@example.com",))
        assert audience.tags() == {"p0@example.com": {"own", "seg:vip"}, "p2@example.com": {"own", "seg:vip"}}
        assert len(audience.segments.names()) == 3

    def test_a_tag_is_made_once_and_dropped_only_without_carriers(self, audience):
        made = audience.connector.make_tag("seg:vip")
        again = audience.connector.make_tag("SEG:vip")
        assert (made.made, again.made, again.tag_id) == (True, False, made.tag_id)
        statuses = ("subscribed", "unsubscribed", "cleaned", "transactional", "pending", "archived")
        for one in statuses:
            audience.add([{"email": f"{one}@example.com", "tags": ["seg:vip"]}])
            audience.members.keep(audience.members.by_email(f"{one}@example.com") | {"status": one})
            assert audience.connector.drop_tag(made.tag_id) is False
            assert audience.tags()[f"{one}@example.com"] == {"seg:vip"}
            audience.remove(f"{one}@example.com")
        assert [audience.connector.drop_tag(made.tag_id) for _ in range(2)] == [True, True]
        assert not audience.segments.names()


class TestKlaviyo:
    def held(self, mail):
        return {one["email"]: one["properties"] for one in mail.people()}

    def test_says_whose_account_it_is(self, mail):
        assert mail.connector.check() == Identity("Pr4ct1", "Practice Shop", "Europe/London", "GBP")

    def test_a_wrong_key_pauses_the_connection(self, mail):
        with pytest.raises(ConfigurationError):
            Klaviyo({"api_key": "wrong"}, mail.connector.http).check()

    def test_only_profiles_that_were_there_are_written_and_nobody_is_made(self, mail):
        mail.add([{"email": "Ada@example.com", "properties": {"colour": "red"}}, {"email": "bo@example.com"}])
        before = {one["id"]: one["consent"] for one in mail.people()}
        contacts = found(mail.connector, "ada@example.com", "bo@example.com", "stranger@example.com")
        assert contacts.keys() == {"ada@example.com", "bo@example.com"}
        [call] = mail.connector.plan([change(one, tags=["seg:vip", "seg:new"]) for one in contacts.values()])
        for _ in range(2):
            outcome = mail.connector.send(call)
            assert set(finish(mail.connector, call, outcome).accepted) == contacts.keys()
            assert {one["id"]: one["consent"] for one in mail.people()} == before
            assert self.held(mail)["Ada@example.com"] == {"colour": "red", "tagsmith_segments": ["seg:new", "seg:vip"]}
        assert found(mail.connector, "ada@example.com")["ada@example.com"].tags == ("seg:new", "seg:vip")

    def test_the_last_tag_goes_by_an_empty_list(self, mail):
        mail.add([{"email": "ada@example.com", "properties": {"tagsmith_segments": ["seg:vip"]}}])
        [call] = mail.connector.plan([change(one) for one in found(mail.connector, "ada@example.com").values()])
        finish(mail.connector, call, mail.connector.send(call))
        assert self.held(mail) == {"ada@example.com": {"tagsmith_segments": []}}

    def test_a_profile_that_is_gone_is_missing_and_is_not_made_again(self, mail):
        ids = mail.add([{"email": f"p{n}@example.com"} for n in range(3)])
        contacts = found(mail.connector, *(f"p{n}@example.com" for n in range(3)))
        mail.state.delete("profile", ids[1])
        [call] = mail.connector.plan([change(one, tags=["seg:vip"]) for one in contacts.values()])
        outcome = finish(mail.connector, call, mail.connector.send(call))
        assert outcome.missing == ("p1@example.com",)
        assert set(outcome.accepted) == {"p0@example.com", "p2@example.com"}
        assert len(mail.people()) == 2

    def test_a_failed_job_of_many_names_each_profile_over_all_pages(self, mail):
        ids = mail.add([{"email": f"p{n}@example.com"} for n in range(250)])
        contacts = found(mail.connector, *(f"p{n}@example.com" for n in range(250)))
        for gone in ids[::2]:
            mail.state.delete("profile", gone)
        [call] = mail.connector.plan([change(one, tags=["seg:vip"]) for one in contacts.values()])
        outcome = finish(mail.connector, call, mail.connector.send(call))
        assert len(outcome.missing) == len(outcome.accepted) == 125
        assert set(outcome.accepted) == {one["email"] for one in mail.people()}

    def test_a_cancelled_job_is_sent_again(self, mail):
        mail.add([{"email": "ada@example.com"}])
        [call] = mail.connector.plan(
            [change(one, tags=["seg:vip"]) for one in found(mail.connector, "ada@example.com").values()]
        )
        mail.faults.add("cancelled")
        assert finish(mail.connector, call, mail.connector.send(call)).again == ("ada@example.com",)
        assert finish(mail.connector, call, mail.connector.send(call)).accepted == ("ada@example.com",)

    @pytest.mark.parametrize("kind", ["error", "half", "lost"])
    def test_after_a_failure_the_same_call_does_it_once(self, mail, kind):
        mail.add([{"email": "ada@example.com"}])
        [call] = mail.connector.plan(
            [change(one, tags=["seg:vip"]) for one in found(mail.connector, "ada@example.com").values()]
        )
        mail.faults.add(kind, method="POST")
        with pytest.raises(RetryableError):
            mail.connector.send(call)
        assert finish(mail.connector, call, mail.connector.send(call)).accepted == ("ada@example.com",)
        assert self.held(mail) == {"ada@example.com": {"tagsmith_segments": ["seg:vip"]}}

    def test_odd_addresses_find_their_own_profiles(self, mail):
        odd = ["o'neil@example.com", "a+b@example.com", "ü@example.com"]
        mail.add([{"email": address} for address in odd])
        assert found(mail.connector, *odd).keys() == set(odd)


def test_bodies_that_klaviyo_would_refuse_are_seen(shared):
    check = checker(shared / "specs/email/klaviyo/klaviyo-stable.json.gz")
    [call] = Klaviyo({"api_key": "k"}).plan([change(Contact("ada@example.com", "01ADA"), tags=["seg:vip"])])
    path = "/api/profile-bulk-import-jobs"
    assert check("POST", path, call.body) == []
    for wrong in ({"id": 17}, {"attributes": {"properties": []}}, {"type": "contact"}, {"tags": ["seg:vip"]}):
        profile = {**call.body["data"]["attributes"]["profiles"]["data"][0], **wrong}
        body = {"data": {**call.body["data"], "attributes": {"profiles": {"data": [profile]}}}}
        assert check("POST", path, body), wrong
