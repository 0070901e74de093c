"""Five faults that Shopify's own Python package was seen to have, each of which ours has not."""

import base64

import pytest
import responses

from connectors.errors import RetryableError
from connectors.stores.shopify import Shopify
from tests.install.store import DOMAIN, SECRET, installed, webhook
from tests.install.test_frame import policy

GRAPHQL = f"https://{DOMAIN}/admin/api/2026-10/graphql.json"
SHOPIFY = Shopify({"shop": DOMAIN, "access_token": "shpat_made_up", "api_secret": SECRET})
COST = {
    "requestedQueryCost": 600,
    "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 100, "restoreRate": 50.0},
}


@pytest.fixture
def database_url(sqlite_databases):
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize("given", ["é", "☕", "\xff\xfe", base64.b64encode(b"x").decode() + "é"])
def test_a_signature_that_is_not_ascii_is_refused_and_breaks_nothing(site, store, given):
    installed(site, store)
    client = site.app.test_client()
    sent = webhook("orders/create", {"id": 1})
    raw = given.encode().decode("latin-1")  # as a server hands on a header's bytes
    headers = {**sent["headers"], "X-Shopify-Hmac-Sha256": raw}
    assert client.post("/webhooks/shopify", **{**sent, "headers": headers}).status_code == 401
    query = {"shop": DOMAIN, "code": "1", "state": "1", "timestamp": "1", "hmac": given}
    assert client.get("/install/shopify/callback", query_string=query).status_code == 400


def test_a_shop_that_is_none_never_reaches_the_policy_of_a_page(site, store):
    client = site.app.test_client()
    for path in ("/app/shopify", "/app/shopify/bounce", "/segments"):
        answer = client.get(path, query_string={"embedded": "1", "shop": "evil.example", "shopify-reload": "/segments"})
        assert "evil.example" not in str(answer.headers)
        assert policy(answer)["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("shop", ["evil.example", "other.myshopify.com", "acme.myshopify.com\u00a0", "é", ""])
def test_a_webhook_that_names_another_shop_in_its_header_is_refused(site, store, shop):
    installed(site, store)
    sent = webhook("orders/create", {"id": 1}, shop=shop.encode().decode("latin-1"))
    before = site.everything()
    assert site.app.test_client().post("/webhooks/shopify", **sent).status_code == 401
    assert site.everything() == before


def test_a_throttled_answer_of_status_200_says_how_long_to_wait(api):
    throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    api.post(GRAPHQL, json={"errors": [throttled], "extensions": {"cost": COST}})
    with pytest.raises(RetryableError) as caught:
        SHOPIFY.admin.ask("query { shop { name } }", {})
    assert caught.value.retry_after == (600 - 100) / 50


def test_data_beside_errors_is_kept(api):
    denied = {"message": "Access denied", "path": ["customer", "email"], "extensions": {"code": "ACCESS_DENIED"}}
    api.post(GRAPHQL, json={"data": {"customer": {"id": "gid://shopify/Customer/1"}}, "errors": [denied]})
    reply = SHOPIFY.admin.ask("query { customer { id } }", {})
    assert reply.data.data == {"customer": {"id": "gid://shopify/Customer/1"}}
    assert [trouble.code for trouble in reply.troubles] == ["ACCESS_DENIED"]
