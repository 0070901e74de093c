"""Our pages inside Shopify's admin: whose they are, who may frame them, and that no cookie plays a part."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from plugin import shops, tokens
from plugin.config import settings
from plugin.db import transaction
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from tests.install.store import (
    CLIENT_ID,
    DOMAIN,
    OLD_SECRET,
    connection_of,
    credentials_of,
    fetched,
    installed,
    open_in_admin,
    with_query,
)

FRAMERS = [f"https://{DOMAIN}", "https://admin.shopify.com"]
APP_BRIDGE = f'<script data-api-key="{CLIENT_ID}" src="https://cdn.shopify.com/shopifycloud/app-bridge.js"></script>'
RETRY = "X-Shopify-Retry-Invalid-Session-Request"
QUERY = f"embedded=1&shop={DOMAIN}"
PAGES = [
    "/segments",
    "/segments/new",
    "/rehearsal",
    "/deliveries",
    "/connections",
    "/requests",
    "/docs/shopify",
    "/docs/segments",
]


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both by the other tests of installs."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def browser(site, store):
    """A browser that keeps no cookie of ours, as inside a frame of another site."""
    return site.app.test_client(use_cookies=False)


@pytest.fixture
def opened(browser, store):
    """The same, after the app was opened and so installed."""
    assert open_in_admin(browser, store).status_code == 200
    return browser


def policy(answer):
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split("; "))
    return {name: allowed for name, *allowed in parts}


def bearer(store, **claims):
    return {"Authorization": f"Bearer {store.token(**claims)}"}


def connection_key(engine):
    found = connection_of(engine)
    return found.shop_id, found.connection_id


def post(browser, store, path, token=None, **form):
    return browser.post(f"{path}?{QUERY}", data={"id_token": token or store.token()} | form)


class TestOpening:
    def test_the_first_time_installs_it_without_a_step_by_hand(self, site, store, browser):
        answer = open_in_admin(browser, store)
        assert "Practice Shop" in answer.text
        assert f"Tagsmith is connected with {DOMAIN}" in answer.text
        [shop], [connection] = site.rows(Shop), site.rows(Connection)
        assert (shop.domain, connection.state) == (DOMAIN, "active")
        [asked] = store.asked()
        assert asked["grant_type"].endswith("token-exchange")
        assert asked["expiring"] == "1"
        assert credentials_of(site.engine)["refresh_token"]

    def test_the_shop_is_written_to_as_the_admin_is_shown_until_somebody_chooses(self, site, store, browser):
        open_in_admin(browser, store, locale="de-AT")
        assert [one.language for one in site.rows(Shop)] == ["de"]
        post(browser, store, "/settings/language", language="en")
        with transaction(site.engine) as session:
            shops.uninstall(session, *connection_key(site.engine))
        open_in_admin(browser, store, locale="de")
        assert [one.language for one in site.rows(Shop)] == ["en"]

    def test_later_no_token_is_asked_for_and_nothing_said(self, store, opened):
        answer = open_in_admin(opened, store)
        assert answer.status_code == 200
        assert "is connected with" not in answer.text
        assert len(store.asked()) == 1

    def test_a_paused_connection_is_resumed(self, site, store, opened, time):
        found = connection_of(site.engine)
        with transaction(site.engine) as session:
            shops.pause(session, found.shop_id, found.connection_id, "reconnect needed")
        open_in_admin(opened, store)
        now = connection_of(site.engine)
        assert (now.state, now.reason, now.connection_id) == ("active", None, found.connection_id)

    def test_a_removed_one_goes_on_with_its_shop(self, site, store, opened, time):
        found = connection_of(site.engine)
        with transaction(site.engine) as session:
            shops.uninstall(session, found.shop_id, found.connection_id)
        answer = fetched(opened, f"/segments?{QUERY}&id_token={store.token()}", follow_redirects=True)
        assert "Practice Shop" in answer.text
        assert (connection_of(site.engine).state, len(site.rows(Shop))) == ("active", 1)

    def test_after_an_install_outside_it_simply_opens(self, site, store, browser):
        installed(site, store)
        assert "Practice Shop" in open_in_admin(browser, store).text
        assert len(store.asked()) == 1

    @pytest.mark.parametrize("given", [f"shop={DOMAIN}", "host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ"])
    def test_opened_outside_the_admin_it_leads_into_it(self, browser, given):
        answer = browser.get(f"/app/shopify?{given}")
        assert answer.headers["Location"] == f"https://admin.shopify.com/store/acme/apps/{CLIENT_ID}"

    @pytest.mark.parametrize("given", ["", "shop=evil.example", "host=ZXZpbC5leGFtcGxlL3N0b3JlL2E", "host=%C3%A9"])
    def test_it_leads_nowhere_else(self, browser, given):
        assert browser.get(f"/app/shopify?{given}").headers["Location"] == "/login"

    def test_a_store_that_does_not_answer_is_said_within_the_frame(self, site, store, browser):
        store.stand_in.faults.add("error", path="graphql")
        answer = open_in_admin(browser, store)
        assert answer.status_code == 409
        assert policy(answer)["frame-ancestors"] == FRAMERS
        assert site.rows(Shop) == []

    def test_a_token_that_shopify_no_longer_takes_is_fetched_anew(self, site, store, browser):
        store.admin.app.client_secrets.remove(OLD_SECRET)
        old = store.token(secret=OLD_SECRET)
        page = fetched(browser, f"/app/shopify?{QUERY}&id_token={old}")
        assert urlsplit(page.headers["Location"]).path == "/app/shopify/bounce"
        fetch = browser.get("/app/shopify", headers={"Authorization": f"Bearer {old}"})
        assert (fetch.status_code, fetch.headers[RETRY]) == (401, "1")
        assert site.rows(Shop) == []


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_works_by_the_token_of_its_address(self, store, opened, path):
        answer = opened.get(f"{path}?{QUERY}&id_token={store.token()}")
        assert answer.status_code == 200
        assert APP_BRIDGE in answer.text
        assert answer.text.index("<script") == answer.text.index(APP_BRIDGE)
        assert "Sign out" not in answer.text

    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_works_by_the_token_of_a_fetch(self, store, opened, path):
        assert opened.get(path, headers=bearer(store)).status_code == 200

    def test_the_secret_before_a_rotation_still_says_who_is_looking(self, store, opened):
        assert opened.get("/segments", headers=bearer(store, secret=OLD_SECRET)).status_code == 200

    def test_pages_may_be_framed_by_that_shops_admin_alone(self, store, opened):
        for path in PAGES:
            answer = opened.get(path, headers=bearer(store))
            allowed = policy(answer)
            assert allowed.pop("frame-ancestors") == FRAMERS
            [ours, nonce, theirs] = allowed.pop("script-src")
            assert (ours, nonce[:7], theirs) == ("'self'", "'nonce-", "https://cdn.shopify.com")
            assert allowed.pop("default-src") == allowed.pop("base-uri") == ["'none'"]
            assert set(map(tuple, allowed.values())) == {("'self'",)}
            assert "X-Frame-Options" not in answer.headers
            assert answer.headers["Cache-Control"] == "no-store"
            assert len(answer.headers.getlist("Content-Security-Policy")) == 1

    def test_no_cookie_is_set_and_none_is_heeded(self, site, store, opened):
        browser, _ = installed(site, store)
        other = site.visitor(site.shop("theirs"))
        assert "theirs" in other.client.get("/segments").text
        for client in (opened, browser, other.client):
            answer = client.get("/segments", headers=bearer(store))
            assert "Practice Shop" in answer.text
            assert "theirs" not in answer.text
            assert answer.headers.getlist("Set-Cookie") == []
        assert "theirs" in other.client.get("/segments").text
        assert urlsplit(other.client.get(f"/segments?{QUERY}").headers["Location"]).path == "/app/shopify/bounce"

    def test_what_a_cookie_holds_to_be_said_is_not_said_in_a_frame(self, site, store, opened):
        other = site.visitor(site.shop("theirs")).client
        with other.session_transaction() as session:
            session["_flashes"] = [("message", "for theirs alone")]
        assert "for theirs alone" not in other.get("/segments", headers=bearer(store)).text
        assert "for theirs alone" in other.get("/segments").text

    def test_the_shop_comes_from_the_token_and_not_from_the_address(self, site, store, opened):
        site.shop("theirs")
        answer = opened.get(f"/segments?embedded=1&shop=theirs.myshopify.com&id_token={store.token()}")
        assert "Practice Shop" in answer.text
        assert "theirs regulars" not in answer.text
        assert policy(answer)["frame-ancestors"] == FRAMERS

    def test_ids_of_another_shop_are_nothing_here(self, site, store, opened):
        theirs = site.shop("theirs")
        path = f"/segments/{theirs.ids['segment_id']}"
        assert opened.get(path, headers=bearer(store)).status_code == 404
        assert opened.post(f"{path}/switch", headers=bearer(store), data={"enabled": ""}).status_code == 404

    def test_every_address_on_a_page_stays_in_the_frame(self, store, opened):
        for path in PAGES:
            text = opened.get(f"{path}?{store.admin.launch()}").text
            for place in re.findall(r'(?:href|action)="(/[^"#]*)"', text):
                if not place.startswith("/static/"):
                    given = parse_qs(urlsplit(place.replace("&amp;", "&")).query)
                    assert (given["embedded"], given["shop"], len(given["host"])) == (["1"], [DOMAIN], 1), place
                    assert "id_token" not in given

    def test_a_form_that_is_sent_as_an_address_stays_in_the_frame(self, store, opened):
        forms = [
            form
            for path in ("/segments", "/deliveries", "/segments/overlap")
            for form in re.findall(
                r'<form[^>]* method="get".*?</form>',
                opened.get(f"{path}?{store.admin.launch()}", follow_redirects=True).text,
                flags=re.DOTALL,
            )
        ]
        assert forms
        for form in forms:
            sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            assert (sent["embedded"], sent["shop"], sent["locale"]) == ("1", DOMAIN, "en")
            assert "id_token" not in sent

    def test_a_form_is_taken_with_its_token_and_says_what_came_of_it(self, site, store, opened):
        sent = {"action": "save", "name": "Regulars", "query": "number_of_orders > 2"}
        answer = post(opened, store, "/segments/new", **sent)
        assert answer.status_code == 302
        assert [row.name for row in site.rows(Segment)] == ["Regulars"]
        page = fetched(opened, answer.headers["Location"])
        assert page.status_code == 200
        assert "Regulars is kept, and is being computed." in page.text
        assert "is kept" not in fetched(opened, with_query(answer.headers["Location"], said=None)).text

    def test_what_comes_of_a_form_is_said_also_where_it_leads_to_a_part_of_a_page(self, site, store, opened):
        post(opened, store, "/segments/new", action="save", name="Regulars", query="number_of_orders > 2")
        [segment] = site.rows(Segment)
        place = post(opened, store, f"/segments/{segment.segment_id}/snapshots", name="Spring").headers["Location"]
        assert urlsplit(place).fragment == "snapshots"
        assert {"id_token", "said"} <= dict(parse_qsl(urlsplit(place).query)).keys()

    def test_what_is_said_cannot_be_made_up_or_taken_along(self, site, store, opened, time):
        answer = post(opened, store, "/segments/new", action="save", name="A", query="number_of_orders > 2")
        place = answer.headers["Location"]
        said = dict(parse_qsl(urlsplit(place).query))["said"]
        for wrong in (f"{said}x", "x", said[5:]):
            assert "is kept" not in fetched(opened, with_query(place, said=wrong)).text
        time.move(timedelta(minutes=6))
        assert "is kept" not in fetched(opened, with_query(place, said=said, id_token=store.token())).text

    def test_the_editors_check_is_answered_to_a_fetch(self, store, opened):
        answer = opened.post(
            f"/segments/check?{QUERY}", headers=bearer(store), data={"query": "number_of_orders > 2", "step": "count"}
        )
        assert answer.json["ok"] is True
        assert answer.json["count"] == 0

    def test_a_part_of_a_page_is_answered_to_htmx_by_the_token_of_its_request(self, store, opened, time):
        asked = bearer(store) | {"HX-Request": "true", "HX-Request-Type": "partial"}
        part = opened.get(f"/first-steps?{QUERY}", headers=asked)
        assert part.text.lstrip().startswith('<div id="steps"')
        assert f'hx-get="/first-steps?embedded=1&amp;shop={DOMAIN}"' in part.text
        assert policy(part)["frame-ancestors"] == FRAMERS
        time.move(timedelta(minutes=2))
        late = opened.get(f"/first-steps?{QUERY}", headers=asked)
        assert (late.status_code, late.headers[RETRY]) == (401, "1")

    def test_what_htmx_sends_needs_no_other_token_and_comes_back_into_the_frame(self, store, opened):
        answer = opened.post(f"/first-steps/away?{QUERY}", headers=bearer(store), data={"away": "no"})
        assert answer.status_code == 302
        assert fetched(opened, answer.headers["Location"], headers=bearer(store)).status_code == 200

    def test_the_admin_is_told_where_the_pages_are_and_ours_show_no_menu_beside_its_own(self, store, opened):
        text = opened.get(f"/segments?{store.admin.launch()}").text
        menu = re.search(r"<s-app-nav>(.*?)</s-app-nav>", text)[1]
        places = dict(re.findall(r'<s-link href="(/[^"]*)"[^>]*>([^<]+)</s-link>', menu))
        assert list(places.values())[:3] == ["Home", "Segments", "Customers"]
        assert menu.count(' rel="home"') == 1
        for place in places:
            assert parse_qs(urlsplit(place.replace("&amp;", "&")).query)["shop"] == [DOMAIN]
        assert 'id="menu"' not in text
        assert "<title>Segments</title>" in text

    def test_an_error_within_the_frame_can_be_seen_there(self, site, store, opened):
        site.app.testing = False
        with transaction(site.engine) as session:
            session.connection().exec_driver_sql("ALTER TABLE data_requests RENAME TO elsewhere")
        sent = {"headers": bearer(store)}
        for answer in (
            opened.get("/segments/nobody", **sent),
            opened.get("/nowhere", **sent),
            opened.put("/segments", **sent),
            opened.post("/segments/proposed", **sent),
            opened.post("/segments/new", data={"query": "x" * 300_000}, **sent),
            opened.post("/first-steps/rehearsal", **sent),
            opened.get("/requests", **sent),
        ):
            assert answer.status_code in (400, 404, 405, 409, 413, 500), answer.request.path
            assert policy(answer)["frame-ancestors"] == FRAMERS
            assert "X-Frame-Options" not in answer.headers
            assert "/app/shopify" not in answer.headers.get("Location", "")


class TestWhoProvesNothing:
    def bad(self, store, time):
        yield "stolen"
        yield store.token(secret="another")
        yield store.token(aud="another app")
        yield store.token(exp=int(time.at.timestamp()) - 11)
        yield store.token(nbf=int(time.at.timestamp()) + 11)
        yield store.token(dest="https://other.myshopify.com")
        yield store.token(algorithm="none")

    def test_a_page_is_not_shown_but_a_token_fetched(self, store, opened, time):
        for token in ("", *self.bad(store, time)):
            place = f"/segments?{QUERY}" + (f"&id_token={token}" if token else "")
            answer = opened.get(place)
            assert answer.status_code == 302, token
            parts = urlsplit(answer.headers["Location"])
            assert parts.path == "/app/shopify/bounce"
            reload = parse_qs(parts.query)["shopify-reload"]
            assert reload == [f"/segments?embedded=1&shop={DOMAIN}"]
            page = fetched(opened, answer.headers["Location"])
            assert page.status_code == 200
            assert APP_BRIDGE in page.text
            assert policy(page)["frame-ancestors"] == FRAMERS

    def test_a_fetch_is_refused_and_asked_to_come_again(self, site, store, opened, time):
        before = site.everything()
        for token in self.bad(store, time):
            headers = {"Authorization": f"Bearer {token}"}
            for answer in (
                opened.get("/segments", headers=headers),
                opened.get(f"/segments?{QUERY}", headers=headers),
                opened.post("/segments/new", headers=headers, data={"action": "save", "name": "a"}),
            ):
                assert (answer.status_code, answer.headers[RETRY]) == (401, "1")
        assert site.everything() == before

    def test_a_form_without_a_token_changes_nothing(self, site, store, opened, time):
        before = site.everything()
        for token in ("", *self.bad(store, time)):
            form = {"id_token": token, "action": "save", "name": "a", "query": "number_of_orders > 2"}
            answer = opened.post(f"/segments/new?{QUERY}", data=form)
            assert (answer.status_code, answer.headers[RETRY]) == (401, "1")
        assert site.everything() == before

    def test_a_token_in_a_form_counts_in_a_frame_alone(self, site, store, opened):
        form = {"id_token": store.token(), "action": "save", "name": "a", "query": "number_of_orders > 2"}
        assert opened.post("/segments/new", data=form).status_code == 400
        assert site.rows(Segment) == []

    def test_a_token_of_somebody_not_installed_shows_no_page(self, site, store, browser):
        answer = browser.get(f"/segments?{QUERY}&id_token={store.token()}")
        assert urlsplit(answer.headers["Location"]).path == "/app/shopify"
        assert site.rows(Shop) == []

    def test_what_needs_no_token_is_framed_by_nobody_without_one(self, opened):
        for path in ("/login", "/setup?code=x", "/install/shopify"):
            answer = opened.get(f"{path}{'&' if '?' in path else '?'}{QUERY}")
            assert policy(answer)["frame-ancestors"] == ["'none'"], path

    @pytest.mark.parametrize(
        "shop",
        [
            *("evil.example", "acme.myshopify.com.evil.example", "acme.myshopify.com%20https://evil.example"),
            *("acme.myshopify.com;script-src%20*", "acme.myshopify.com%0A", "*", ""),
        ],
    )
    def test_nobody_but_a_shop_may_frame_even_the_page_that_fetches_a_token(self, store, opened, shop):
        for path in ("/app/shopify/bounce?shopify-reload=/segments&", "/segments?", "/app/shopify?", "/login?"):
            answer = opened.get(f"{path}embedded=1&shop={shop}")
            assert policy(answer)["frame-ancestors"] == ["'none'"], path
            assert answer.headers["X-Frame-Options"] == "DENY"

    @pytest.mark.parametrize(
        "target",
        [
            *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "", "segments"),
            *("/\t/evil.example", "/%0d%0aSet-Cookie:x", "https:/evil.example", "\\\\evil.example", "/a\x00"),
        ],
    )
    def test_the_token_is_carried_to_no_other_site(self, store, opened, target):
        from urllib.parse import quote, unquote

        answer = opened.get(f"/app/shopify/bounce?{QUERY}&shopify-reload={quote(unquote(target), safe='')}")
        assert answer.status_code == 400

    def test_without_an_app_of_ours_nothing_is_framed(self, site, store, opened, monkeypatch):
        for name in ("ID", "SECRET", "SECRET_OLD"):
            monkeypatch.delenv(f"SHOPIFY_CLIENT_{name}")
        settings.cache_clear()
        answer = opened.get(f"/segments?{QUERY}&id_token={store.token()}")
        assert answer.headers["Location"] == "/login"
        assert policy(answer)["frame-ancestors"] == ["'none'"]

    def test_outside_nothing_has_changed(self, site, opened):
        answer = site.visitor(site.shop("mine")).client.get("/segments")
        assert policy(answer)["frame-ancestors"] == ["'none'"]
        assert policy(answer)["script-src"][::2] == ["'self'"]
        assert "cdn.shopify.com" not in answer.text


def test_the_token_that_was_exchanged_serves(site, store, opened, time):
    found = connection_of(site.engine)
    time.move(timedelta(hours=2))
    assert tokens.opened(site.engine, found.shop_id, found.connection_id).connector.check().account == DOMAIN
