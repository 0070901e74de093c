"""The page that a merchant reads before connecting."""

import pytest

from connectors.stores.shopify import OPTIONAL_SCOPES, SCOPES
from tests.install.store import open_in_admin


@pytest.fixture
def database_url(sqlite_databases):
    with sqlite_databases() as address:
        yield address


def test_every_scope_is_there_with_its_reason(site):
    text = site.app.test_client().get("/docs/shopify").text
    for scope in (*SCOPES, *OPTIONAL_SCOPES):
        reason = text.partition(f"<code>{scope}</code>")[2].partition("</tr>")[0]
        assert len(reason) > 60, scope
        assert ("Optional." in reason) == (scope in OPTIONAL_SCOPES)


def test_the_addresses_to_be_entered_in_shopify_are_there_as_they_are(site, store):
    open_in_admin(browser := site.app.test_client(), store)
    for options in ({}, {"headers": {"Authorization": f"Bearer {store.token()}"}}):
        text = browser.get("/docs/shopify", **options).text
        assert "<code>http://127.0.0.1:8000/install/shopify/callback</code>" in text
        assert "<code>http://127.0.0.1:8000/webhooks/shopify</code>" in text


def test_it_is_for_everybody_and_has_the_shops_pages_around_it_for_those_who_are_in(site):
    assert 'href="/segments"' not in site.app.test_client().get("/docs/shopify").text
    visitor = site.visitor(site.shop("mine"))
    assert 'href="/docs/shopify"' in visitor.page("/connections")
    assert 'href="/segments"' in visitor.page("/docs/shopify")


def test_without_an_app_of_ours_it_tells_of_a_merchants_own_alone(site, monkeypatch):
    from plugin.config import settings

    for name in ("ID", "SECRET", "SECRET_OLD"):
        monkeypatch.delenv(f"SHOPIFY_CLIENT_{name}")
    settings.cache_clear()
    text = site.app.test_client().get("/docs/shopify").text
    assert "Install the app" not in text
    assert "With a custom app of your own" in text
