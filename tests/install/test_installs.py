"""Installing from outside the admin: consent, the way back, and what is there afterwards, however it went before."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin import clock, shops, tokens
from plugin.config import MissingSecretError, settings
from plugin.db import transaction
from plugin.models.lanes import Lane
from plugin.models.shops import Connection, Route, Shop
from tests.install.store import (
    CALLBACK,
    CLIENT_ID,
    DOMAIN,
    OLD_SECRET,
    SECRET,
    fetched,
    installed,
    running,
    set_password,
    webhook,
    with_query,
)
from tests.web.site import PASSWORD, Site


def lanes_of(site):
    return {row.kind: row for row in site.rows(Lane)}


class TestTheFirstTime:
    def test_consent_makes_shop_connection_route_and_lanes(self, site, store):
        installed(site, store)
        [shop] = site.rows(Shop)
        assert (shop.name, shop.domain, shop.zone, shop.currency) == ("Practice Shop", DOMAIN, "Europe/London", "GBP")
        assert shop.history_at is None
        [connection] = site.rows(Connection)
        assert (connection.state, connection.role, connection.account) == ("active", "store", DOMAIN)
        assert {row.shop_id for row in site.rows(Route)} == {shop.shop_id}
        assert [row.address for row in site.rows(Route) if row.platform == "shopify"] == [DOMAIN]
        lanes = lanes_of(site)
        id_ = connection.connection_id
        assert lanes.keys() == {
            *("inbox", "recompute", "figures", "privacy", "scores", "days", "compared", "thresholds", "retention"),
            *(f"{kind}:{id_}" for kind in ("sync", "tokens", "backfill", "subscriptions", "ratings", "pixel")),
        }
        assert lanes[f"tokens:{id_}"].due_at == clock.now() + tokens.EVERY
        assert lanes[f"sync:{id_}"].due_at == clock.now()

    def test_the_merchant_sets_a_password_and_is_in(self, site, store):
        browser, answer = installed(site, store)
        assert f"Tagsmith is connected with {DOMAIN}." in browser.get(answer.headers["Location"]).text
        visitor, entered = set_password(browser, answer)
        assert "Practice Shop" in visitor.said(entered)
        assert site.visitor().post("/login", shop=DOMAIN, password=PASSWORD).status_code == 302

    def test_webhooks_of_our_app_are_in_its_configuration_and_not_asked_for(self, site, store):
        installed(site, store)
        assert list(store.stand_in.state.walk("subscription")) == []

    def test_webhooks_are_taken_with_the_apps_secret_and_the_one_before(self, site, store):
        installed(site, store)
        client = site.app.test_client()
        for number, secret in enumerate((SECRET, OLD_SECRET)):
            sent = webhook("orders/create", {"id": 1}, secret=secret, webhook_id=str(number))
            assert client.post("/webhooks/shopify", **sent).status_code == 200
        sent = webhook("orders/create", {"id": 1}, secret="another", webhook_id="3")
        assert client.post("/webhooks/shopify", **sent).status_code == 401

    def test_a_shop_that_was_added_and_waits_for_its_store_gets_it(self, site, store):
        with transaction(site.engine) as session:
            added, _ = shops.add_shop(
                session, name="Acme", platform="shopify", domain=DOMAIN, zone="Europe/Paris", currency="EUR"
            )
        installed(site, store)
        [shop] = site.rows(Shop)
        assert (shop.shop_id, shop.name) == (added.shop_id, "Acme")

    def test_no_transaction_is_open_while_the_store_is_asked(self, site, store):
        open_then = []
        store.stand_in.app.before_request(lambda: open_then.append(site.engine.pool.checkedout()))
        installed(site, store)
        assert len(open_then) >= 4
        assert set(open_then) == {0}


class TestTheWayBack:
    @pytest.fixture
    def begun(self, site, store):
        browser = site.app.test_client()
        answer = browser.get(f"/install/shopify?shop={DOMAIN}")
        return browser, answer, store.consent(answer.headers["Location"])

    def test_the_browser_is_sent_to_the_stores_page_of_consent(self, begun, store):
        place = begun[1].headers["Location"]
        assert place.startswith(f"{store.origin}/admin/oauth/authorize?")
        assert parse_qs(urlsplit(place).query)["redirect_uri"] == [CALLBACK]

    def test_the_state_is_in_a_cookie_of_ten_minutes_for_this_path_alone(self, begun):
        [cookie] = begun[1].headers.getlist("Set-Cookie")
        assert cookie.startswith("tagsmith-install=")
        for part in ("Max-Age=600", "HttpOnly", "SameSite=Lax", "Path=/install/shopify"):
            assert part in cookie
        state = parse_qs(urlsplit(begun[1].headers["Location"]).query)["state"][0]
        assert len(state) >= 32

    def test_the_states_cookie_is_signed_with_the_sites_key_and_not_with_the_apps_secret(self, begun, monkeypatch):
        browser, _, back = begun
        monkeypatch.setenv("SECRET_KEY", "another key")
        settings.cache_clear()
        assert fetched(browser, back).status_code == 400

    def test_another_browser_cannot_come_back(self, site, store, begun):
        answer = fetched(site.app.test_client(), begun[2])
        assert answer.status_code == 400
        assert "did not begin the install" in answer.text
        assert store.asked() == []
        assert site.rows(Shop) == []

    def test_ten_minutes_are_enough_for_a_page_of_consent(self, site, store, time):
        browser = site.app.test_client()
        place = browser.get(f"/install/shopify?shop={DOMAIN}").headers["Location"]
        time.move(timedelta(minutes=9, seconds=59))
        assert fetched(browser, store.consent(place)).status_code == 302
        place = browser.get(f"/install/shopify?shop={DOMAIN}").headers["Location"]
        time.move(timedelta(minutes=10, seconds=1))
        browser.set_cookie("tagsmith-install", browser.get_cookie("tagsmith-install", path="/install/shopify").value)
        assert fetched(browser, store.consent(place)).status_code == 400

    def test_the_state_of_one_store_does_not_serve_another(self, site, store, begun):
        browser = begun[0]
        other = browser.get("/install/shopify?shop=other.myshopify.com")
        assert other.status_code == 302
        assert fetched(browser, begun[2]).status_code == 400

    @pytest.mark.parametrize("name", ["code", "hmac", "host", "shop", "state", "timestamp"])
    def test_a_parameter_that_is_changed_missing_or_repeated_ends_it(self, site, store, begun, name):
        browser, _, back = begun
        for place in (with_query(back, **{name: "other"}), with_query(back, **{name: None}), f"{back}&{name}=other"):
            assert fetched(browser, place).status_code in (400, 404), place
        assert fetched(browser, f"{back}&surprise=1").status_code == 400
        assert store.asked() == []
        assert fetched(browser, back).status_code == 302

    def test_what_is_too_old_ends_it(self, begun, time):
        time.move(timedelta(minutes=6))
        assert fetched(begun[0], begun[2]).status_code == 400

    def test_a_code_serves_once_and_the_cookie_goes(self, site, begun):
        browser, _, back = begun
        assert fetched(browser, back).status_code == 302
        assert browser.get_cookie("tagsmith-install", path="/install/shopify") is None
        assert fetched(browser, back).status_code == 400
        assert len(site.rows(Shop)) == 1

    def test_a_store_that_does_not_answer_is_said_and_the_merchant_begins_again(self, site, store, begun):
        store.stand_in.faults.add("error", path="graphql")
        answer = fetched(begun[0], begun[2])
        assert answer.status_code == 409
        assert "could not be connected" in answer.text
        assert f"/install/shopify?shop={DOMAIN}" in answer.text
        assert site.rows(Shop) == []
        installed(site, store, begun[0])
        assert len(site.rows(Shop)) == 1

    def test_missing_scopes_are_named(self, site, app_settings):
        with running() as store:
            store.stand_in.roots["currentAppInstallation"] = lambda _: {"accessScopes": [{"handle": "read_orders"}]}
            site.app.extensions["practice_origins"]["shopify"] = store.origin
            _, answer = installed(site, store)
        assert "lacks read_customers, write_customers, read_products" in answer.text
        assert site.rows(Shop) == []

    @pytest.mark.parametrize("shop", ["evil.example", "acme.myshopify.com.evil.example", "acme", "javascript:alert(1)"])
    def test_nobody_is_sent_to_what_is_no_store(self, site, shop):
        answer = site.app.test_client().get("/install/shopify", query_string={"shop": shop})
        assert answer.status_code == 400
        assert "Location" not in answer.headers

    def test_without_a_name_the_store_is_asked_for(self, site):
        answer = site.app.test_client().get("/install/shopify")
        assert answer.status_code == 200
        assert 'name="shop"' in answer.text

    def test_without_an_app_there_is_nothing_to_install(self, engine, time):
        client = Site(engine).app.test_client()
        assert client.get(f"/install/shopify?shop={DOMAIN}").status_code == 404
        assert client.get(f"/install/shopify/callback?shop={DOMAIN}").status_code == 404
        assert client.get(f"/app/shopify?embedded=1&shop={DOMAIN}").headers["Location"] == "/login"


class TestSettings:
    @pytest.mark.parametrize(
        "given",
        [
            {"SHOPIFY_CLIENT_ID": CLIENT_ID},
            {"SHOPIFY_CLIENT_SECRET": SECRET},
            {"SHOPIFY_CLIENT_ID": CLIENT_ID, "SHOPIFY_CLIENT_SECRET": "made up for this test"},
            {
                "SHOPIFY_CLIENT_ID": CLIENT_ID,
                "SHOPIFY_CLIENT_SECRET": SECRET,
                "SHOPIFY_CLIENT_SECRET_OLD": "made up for this test",
            },
        ],
        ids=["id alone", "secret alone", "the session key is the secret", "the session key is the old secret"],
    )
    def test_what_does_not_fit_together_is_refused_at_the_start(self, time, monkeypatch, given):
        with monkeypatch.context() as environment:
            for name, value in given.items():
                environment.setenv(name, value)
            settings.cache_clear()
            with pytest.raises(MissingSecretError):
                settings()
