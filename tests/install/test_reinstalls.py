"""Installed again, at the same time, after it was removed or forgotten, and with a merchant's own app."""

import re
import threading
from datetime import timedelta

import pytest

from connectors.base import Identity
from plugin import clock, lanes, shops, subscriptions, tokens
from plugin.db import reading, transaction
from plugin.models.commerce import Customer
from plugin.models.lanes import Lane
from plugin.models.shops import Account, Connection, Route, Shop
from plugin.models.site import Subscription
from plugin.sandbox.shopify import App
from plugin.seal import unseal
from plugin.segments.kept import keep
from plugin.worker import work_all
from tests.install.store import (
    CALLBACK,
    DOMAIN,
    SECRET,
    command,
    connection_of,
    credentials_of,
    fetched,
    installed,
    open_in_admin,
    running,
    set_password,
    webhook,
)
from tests.web.site import Site, Visitor


class TestAgain:
    def test_an_install_over_an_install_renews_the_tokens_and_lets_the_merchant_in(self, site, store):
        browser, answer = installed(site, store)
        set_password(browser, answer)
        before = site.rows(Account), credentials_of(site.engine)
        other, answer = installed(site, store)
        assert answer.headers["Location"] == "/first-steps"
        assert "Practice Shop" in other.get("/segments").text
        assert site.rows(Account) == before[0]
        assert credentials_of(site.engine)["access_token"] != before[1]["access_token"]
        assert len(site.rows(Shop)) == len(site.rows(Connection)) == 1
        assert sorted(row.platform for row in site.rows(Route)) == ["pixel", "shopify"]

    def test_of_two_tabs_the_one_that_began_last_comes_through(self, site, store):
        browser = site.app.test_client()
        places = [browser.get(f"/install/shopify?shop={DOMAIN}").headers["Location"] for _ in range(2)]
        first, second = map(store.consent, places)
        assert fetched(browser, first).status_code == 400
        assert fetched(browser, second).status_code == 302
        assert len(site.rows(Shop)) == 1

    def test_a_second_install_while_the_first_is_running_makes_one_shop(self, site, store):
        browsers = [site.app.test_client() for _ in range(4)]
        backs = [store.consent(one.get(f"/install/shopify?shop={DOMAIN}").headers["Location"]) for one in browsers]
        start, statuses = threading.Barrier(len(browsers)), []

        def come_back(browser, back):
            start.wait()
            statuses.append(fetched(browser, back).status_code)

        threads = [threading.Thread(target=come_back, args=pair) for pair in zip(browsers, backs, strict=True)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert statuses == [302] * 4
        assert len(site.rows(Shop)) == len(site.rows(Connection)) == 1
        assert sorted(row.platform for row in site.rows(Route)) == ["pixel", "shopify"]
        found = connection_of(site.engine)
        assert tokens.opened(site.engine, found.shop_id, found.connection_id).connector.check().account == DOMAIN

    def test_two_for_a_shop_that_waits_make_one_connection(self, site, store):
        with transaction(site.engine) as session:
            shops.add_shop(session, name="Acme", platform="shopify", domain=DOMAIN, zone="UTC", currency="EUR")
        self.test_a_second_install_while_the_first_is_running_makes_one_shop(site, store)


class TestGone:
    @pytest.fixture
    def full(self, site, store):
        """A store with a customer and a segment, whose webhooks come to the site."""
        installed(site, store)
        found = connection_of(site.engine)
        with transaction(site.engine) as session:
            shop = shops.shop(session, found.shop_id)
            shops.history_complete(session, shop.shop_id, clock.now())
            keep.add(session, shop, "Regulars", "number_of_orders > 2")
            session.add(
                Customer(
                    shop_id=shop.shop_id, customer_id="1", guest=False, seen_at=clock.now(), email="anna@example.com"
                )
            )
        return found

    def tell(self, site, topic, body, **more):
        answer = site.app.test_client().post("/webhooks/shopify", **webhook(topic, body, **more))
        assert answer.status_code == 200
        work_all(site.engine, lambda _, kind: kind == "inbox")

    def uninstall(self, site, store, **more):
        store.admin.tokens.revoke()
        self.tell(site, "app/uninstalled", {"id": 1, "myshopify_domain": DOMAIN}, webhook_id="gone", **more)

    def test_an_uninstall_ends_the_tokens_and_all_work(self, site, store, full, time):
        time.move(timedelta(minutes=1))
        self.uninstall(site, store)
        assert connection_of(site.engine).state == "gone"
        assert credentials_of(site.engine) == {"shop": DOMAIN, "access_token": ""}

    def test_installed_again_the_same_shop_goes_on_with_its_history(self, site, store, full, time):
        time.move(timedelta(minutes=1))
        self.uninstall(site, store)
        time.move(timedelta(days=1))
        installed(site, store)
        [shop], [connection] = site.rows(Shop), site.rows(Connection)
        assert (shop.shop_id, connection.connection_id) == (full.shop_id, full.connection_id)
        assert connection.state == "active"
        assert shop.history_at is not None
        assert [row.email for row in site.rows(Customer)] == ["anna@example.com"]
        assert [tokens.opened(site.engine, full.shop_id, full.connection_id).connector.check().account] == [DOMAIN]

    def test_an_uninstall_that_is_told_late_leaves_the_new_install_alone(self, site, store, full, time):
        time.move(timedelta(minutes=1))
        removed_at = time.at
        store.admin.tokens.revoke()
        time.move(timedelta(minutes=5))
        installed(site, store)
        self.uninstall(site, store, at=removed_at)
        assert connection_of(site.engine).state == "active"
        self.uninstall(site, store)  # the same delivery again
        assert connection_of(site.engine).state == "active"
        time.move(timedelta(minutes=5))
        store.admin.tokens.revoke()
        self.tell(site, "app/uninstalled", {"id": 1, "myshopify_domain": DOMAIN}, webhook_id="gone for good")
        assert connection_of(site.engine).state == "gone"

    def test_what_the_tokens_before_are_refused_pauses_nothing(self, site, store, full, time):
        """Work that was begun before the uninstall comes to its end after the new install."""

        def work(engine, _claim):
            before = shops.opened(connection_of(engine)).connector
            time.move(timedelta(minutes=1))
            self.uninstall(site, store)
            time.move(timedelta(seconds=10))
            installed(site, store)
            before.check()

        claim = lanes.claim(site.engine, full.shop_id, f"sync:{full.connection_id}", lanes.nobodys)
        lanes.attempt(site.engine, claim, work)
        assert connection_of(site.engine).state == "active"
        with reading(site.engine) as session:
            assert session.get(Lane, (full.shop_id, f"sync:{full.connection_id}")).due_at is not None

    def test_once_it_was_forgotten_it_starts_anew(self, site, store, full, time):
        time.move(timedelta(minutes=1))
        self.uninstall(site, store)
        time.move(timedelta(days=2))
        self.tell(site, "shop/redact", {"shop_id": 1, "shop_domain": DOMAIN}, webhook_id="forget")
        [shop] = site.rows(Shop)
        assert (shop.name, shop.domain) == ("", "")
        time.move(timedelta(days=1))
        browser, answer = installed(site, store)
        [shop] = site.rows(Shop)
        assert (shop.shop_id, shop.name, shop.domain) == (full.shop_id, "Practice Shop", DOMAIN)
        assert shop.history_at is None
        assert site.rows(Customer) == []
        visitor, _ = set_password(browser, answer)
        assert "There are no segments yet" in visitor.page("/segments")
        self.tell(
            site,
            "customers/create",
            {
                "id": 7,
                "email": "bo@example.com",
                "created_at": "2026-11-25T12:00:00Z",
                "updated_at": "2026-11-25T12:00:00Z",
            },
            webhook_id="new",
        )
        assert [row.email for row in site.rows(Customer)] == ["bo@example.com"]

    def test_no_other_store_takes_the_place_of_one_that_is_gone(self, site, store, full, time):
        time.move(timedelta(minutes=1))
        self.uninstall(site, store)
        other = Identity("other.myshopify.com", "Other")
        with transaction(site.engine) as session:
            shop = shops.shop(session, full.shop_id)
            with pytest.raises(PermissionError, match="exactly one store"):
                shops.connect(session, shop, "shopify", {"shop": other.account}, other)
        installed(site, store)
        assert [(row.account, row.state) for row in site.rows(Connection)] == [(DOMAIN, "active")]

    def test_the_pages_offer_to_connect_again(self, site, store, full, time):
        visitor = Visitor(site.app.test_client())
        _, answer = installed(site, store, visitor.client)
        set_password(visitor.client, answer)
        assert "Connect again" not in visitor.page("/connections")
        time.move(timedelta(minutes=1))
        self.uninstall(site, store)
        page = visitor.page("/connections")
        assert f'href="/install/shopify?shop={DOMAIN}"' in page
        assert "Connect again" in page


class TestAMerchantsOwnApp:
    @pytest.fixture
    def own(self, time, engine):
        """A store with an app that the merchant made, whose credentials were entered; ours plays no part."""
        app = App("own-client-id", ["its own secret"], [CALLBACK], public=False)
        with running(app) as store:
            site = Site(engine)
            site.app.extensions["practice_origins"]["shopify"] = store.origin
            yield site, store

    def enter(self, database_url):
        """Add the shop and its own app by commands; return what they said."""
        own = {"SHOPIFY_OWN_CLIENT_ID": "own-client-id", "SHOPIFY_OWN_CLIENT_SECRET": "its own secret"}
        named = ("--platform", "shopify", "--domain", DOMAIN, "--zone", "UTC", "--currency", "EUR")
        command(database_url, "shops", "add", "Acme", *named)
        return command(database_url, "connect", "shopify", "--shop", DOMAIN, "--own-app", **own)

    def test_is_installed_by_its_own_id_and_secret_and_subscribed_by_the_api(self, own, database_url):
        site, store = own
        assert f"/install/shopify?shop={DOMAIN}" in self.enter(database_url)
        [waiting] = site.rows(Connection)
        assert (waiting.state, waiting.reason) == ("paused", "the app has still to be installed in the store")
        installed(site, store)
        [connection] = site.rows(Connection)
        assert (connection.connection_id, connection.state) == (waiting.connection_id, "active")
        kept = unseal(connection.shop_id, connection.sealed)
        assert (kept["client_id"], kept["api_secret"]) == ("own-client-id", "its own secret")
        addresses = {one["uri"] for one in store.stand_in.state.walk("subscription")}
        [address] = addresses
        assert re.fullmatch(r"http://127\.0\.0\.1:8000/webhooks/shopify/[\w-]{32}", address)
        client = site.app.test_client()
        for place in (address, "/webhooks/shopify"):  # what the app's settings name for the compliance topics
            for secret, status in (("its own secret", 200), (SECRET, 401)):
                sent = webhook("orders/create", {"id": 1}, secret=secret)
                assert client.post(place, **sent).status_code == status

    def test_our_app_in_the_admin_takes_its_place(self, site, store, database_url):
        self.enter(database_url)
        with transaction(site.engine) as session:
            subscriptions.send_here(session, connection_of(site.engine))
        assert open_in_admin(site.app.test_client(), store).status_code == 200
        assert site.rows(Subscription) == []  # ours are in its configuration, and asking for them would double each
        assert credentials_of(site.engine).keys() == {"shop", "access_token", "refresh_token", "expires_at", "scope"}
        assert connection_of(site.engine).state == "active"

    def test_webhooks_that_could_not_be_asked_for_are_said(self, own, database_url):
        site, store = own
        self.enter(database_url)
        store.stand_in.faults.add("error", body="webhookSubscription")
        browser, answer = installed(site, store)
        assert "answered 500" in browser.get(answer.headers["Location"]).text
        assert connection_of(site.engine).state == "active"
