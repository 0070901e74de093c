"""The practice shop's webhooks look like Shopify's."""

import json
from datetime import UTC, datetime
from random import Random

import pytest

from plugin.sandbox import payloads
from plugin.sandbox.model import Store
from plugin.sandbox.shop import Shop
from tests.sandbox.conftest import opened

DESCRIBED = "specs/shopify/webhooks/2026-07/schemas"
STORE = Store(1, "practice-shop.myshopify.com", "Practice Shop", "GBP", "Europe/London")
NOW = datetime(2026, 7, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def events():
    """Every payload of a small shop's opening and of some time in it, by topic."""
    with opened() as state:
        shop = Shop(state, STORE, seed=1, until=NOW, customers=60)
        buyer = next(shop.customers())
        told = [
            *shop.opening_events(),
            ("app/uninstalled", payloads.app_uninstalled(STORE)),
            ("shop/redact", payloads.shop_redact(STORE)),
            ("customers/redact", payloads.customer_redact(STORE, buyer, [2**60])),
            ("customers/data_request", payloads.data_request(STORE, buyer, [2**60], 1)),
            ("customers/delete", payloads.customer_deleted(buyer["id"])),
            ("customers/disable", payloads.customer(STORE, buyer)),
            ("customers/merge", payloads.merged(buyer["id"], 2**60, "failed")),
            ("app/scopes_update", payloads.scopes_updated(STORE, ["a"], ["b"], "2026-11-22T12:00:00Z")),
            ("customer.tags_removed", payloads.tags_changed(buyer["id"], ["x"], "2026-11-22T12:00:00Z")),
        ]
        chance = Random(2)
        for _ in range(250):
            told += shop.next_events(chance, NOW)
    by_topic = {}
    for topic, payload in told:
        by_topic.setdefault(topic, []).append(payload)
    return by_topic


@pytest.mark.parametrize(
    "topic",
    [
        "app/scopes_update",
        "app/uninstalled",
        "carts/create",
        "checkouts/create",
        "checkouts/update",
        "customer.tags_added",
        "customer.tags_removed",
        "customers/create",
        "customers/data_request",
        "customers/delete",
        "customers/disable",
        "customers/enable",
        "customers/merge",
        "customers/purchasing_summary",
        "customers/redact",
        "customers/update",
        "customers_email_marketing_consent/update",
        "orders/cancelled",
        "orders/create",
        "orders/edited",
        "orders/paid",
        "orders/updated",
        "products/create",
        "refunds/create",
        "shop/redact",
    ],
)
def test_a_payload_has_the_fields_that_shopify_documents(events, shared, topic):
    """Shopify's schemas are drawn from one sample each: only names, and the types of what is not null, are compared."""
    described = json.loads((shared / DESCRIBED / f"{topic.replace('/', '__')}.json").read_text())
    assert sorted({fault for payload in events[topic] for fault in unlike(payload, described)}) == []


TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def unlike(value, described, path=""):
    """Yield where `value` lacks a field, has one too many, or holds another type than is documented."""
    if not isinstance(described, dict) or value is None:
        return
    named = described.get("type", [])
    types = tuple(TYPES[name] for name in ([named] if isinstance(named, str) else named))
    if types and types != (type(None),) and not isinstance(value, types):
        yield f"{path}: {type(value).__name__} for {named}"
    elif isinstance(value, dict) and "properties" in described:
        yield from (f"{path}.{name} is missing" for name in set(described.get("required", ())) - value.keys())
        yield from (f"{path}.{name} is unknown" for name in value.keys() - described["properties"].keys())
        for name in value.keys() & described["properties"].keys():
            yield from unlike(value[name], described["properties"][name], f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from unlike(item, described.get("items"), f"{path}[]")


def test_an_order_adds_up(events):
    for order in events["orders/create"]:
        lines = sum(float(line["price"]) * line["quantity"] for line in order["line_items"])
        codes = sum(float(code["amount"]) for code in order["discount_codes"])
        shared_out = sum(float(part["amount"]) for line in order["line_items"] for part in line["discount_allocations"])
        shipping = sum(float(line["price"]) for line in order["shipping_lines"])
        assert lines == pytest.approx(float(order["total_line_items_price"]))
        assert codes == pytest.approx(shared_out) == pytest.approx(float(order["total_discounts"]))
        assert float(order["total_price"]) == pytest.approx(lines - codes + shipping)


def test_a_refund_is_told_with_the_order_it_belongs_to(events):
    orders = {order["id"]: order for order in events["orders/updated"]}
    for refund in events["refunds/create"]:
        order = orders[refund["order_id"]]
        given = sum(float(part["transactions"][0]["amount"]) for part in order["refunds"])
        assert refund["id"] in [part["id"] for part in order["refunds"]]
        assert float(order["current_total_price"]) == pytest.approx(float(order["total_price"]) - given)
        assert order["financial_status"] in ("partially_refunded", "refunded")
        left = {line["id"]: line["current_quantity"] for line in order["line_items"]}
        assert all(left[part["line_item_id"]] < part["line_item"]["quantity"] for part in refund["refund_line_items"])


def test_times_carry_the_offset_of_the_shops_zone(events):
    assert {order["created_at"] for order in events["orders/create"]} == {"2026-07-22T13:00:00+01:00"}
    assert {cart["created_at"][-5:] for cart in events["carts/create"]} == {".000Z"}


def test_ids_are_beyond_what_javascript_can_count(events):
    for topic in ("orders/create", "customers/create", "refunds/create", "products/create"):
        assert min(payload["id"] for payload in events[topic]) > 2**53


def test_a_customer_carries_no_tags_counts_or_consent(events):
    for customer in [*events["customers/create"], *(order["customer"] for order in events["orders/create"])]:
        assert customer.keys().isdisjoint({"tags", "orders_count", "total_spent", "email_marketing_consent"})


def test_a_cart_says_neither_whose_it_is_nor_where_to_write(events):
    for cart in events["carts/create"]:
        assert "@" not in json.dumps(cart)
        assert cart.keys().isdisjoint({"customer", "email"})


def test_a_checkout_has_a_token_and_no_id(events):
    for checkout in [*events["checkouts/create"], *events["checkouts/update"]]:
        assert checkout["token"]
        assert "id" not in checkout


def test_everybody_made_up_lives_at_example_com(events):
    emails = {order["email"] for order in events["orders/create"]}
    assert {email.rpartition("@")[2] for email in emails} == {"example.com"}
