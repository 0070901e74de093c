"""A year of a real shop's orders, in by file and in by webhook, gives the counts that were worked out for it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from plugin import dates, shops
from plugin.db import reading
from plugin.segments.asking import ask
from tests.data import expected
from tests.loop.installation import ROOT, Installation, wait
from tests.loop.orders import customer_id, webhooks

AT = datetime(2011, 12, 10, 12, tzinfo=UTC)

COUNTS = [
    (None, 295),
    ("number_of_orders >= 5", 66),
    ("number_of_orders = 1", 97),
    ("amount_spent BETWEEN 250 AND 500.50", 48),
    ("last_order_date < -90d", 98),
    ("last_order_date <= -90d", 100),
    ("first_order_date >= -60d", 34),
    ("rfm_group = 'CHAMPIONS'", 42),
    ("rfm_group = 'DORMANT'", 84),
    ("customer_countries CONTAINS 'DE'", 3),
    ("customer_countries NOT CONTAINS 'GB' AND amount_spent >= 300", 27),
    ("products_purchased MATCHES (sku = '85123A', date >= -180d, sum_quantity >= 12)", 22),
    ("products_purchased NOT MATCHES (date > -3m)", 98),
    ("orders_placed MATCHES (date >= -90d, count >= 3, sum_amount >= 500)", 50),
    ("NOT (number_of_orders >= 2 OR amount_spent > 400)", 77),
]


@pytest.fixture
def installation(database_url, tmp_path, monkeypatch):
    made = Installation(
        database_url, tmp_path, monkeypatch, offset_seconds=(AT - datetime.now(UTC)).total_seconds(), recompute_after=2
    )
    yield made
    made.close()


def tagsmith(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plugin", *arguments],
        cwd=ROOT,
        env=os.environ | installation.settings,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_imported_export_gives_the_counts_that_were_worked_out(installation, shared):
    export = shared / "data" / "orders_export_300_customers.csv.gz"
    shop = ("--shop", installation.shop_id)
    imported = tagsmith(installation, "import-orders", str(export), *shop)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout == "1325 orders, 1325 of them new, 26915 lines, 0 rows left out\n"
    again = tagsmith(installation, "import-orders", str(export), *shop)
    assert again.stdout == "1325 orders, 0 of them new, 26915 lines, 0 rows left out\n"

    query = ("--query", "number_of_orders >= 5", "--at", "2011-12-10T12:00")
    counted = tagsmith(installation, "segments", "count", *shop, *query)
    assert counted.stdout == "66\n"
    assert counts(installation) == COUNTS


def counts(installation: Installation) -> list[tuple[str | None, int]]:
    with reading(installation.engine) as session:
        shop = shops.shop(session, installation.shop_id)
        return [(query, ask.count(session, shop, query, AT)) for query, _ in COUNTS]


def test_the_same_orders_as_webhooks_fill_the_same_segments_and_tag_exactly_their_members(installation, shared):
    orders = list(webhooks(shared / "data" / "orders_export_300_customers.csv.gz"))
    flows_through(installation, orders)
    assert counts(installation) == COUNTS


def flows_through(installation: Installation, orders: list[dict[str, object]]) -> None:
    """Send orders to the running app, and see memberships and the tags on both platforms agree to the last customer."""
    queries = [query for query, _ in COUNTS if query]
    buyers = sorted({str(order["email"]) for order in orders if order["email"]})
    installation.shopify.add([{"id": customer_id(email), "email": email} for email in buyers])
    installation.klaviyo.add([{"email": email} for email in buyers[::2]])
    installation.add_segments({f"Segment {number}": query for number, query in enumerate(queries)})
    for name in ("web", "worker"):
        installation.start(name)
    wait(installation.answers, 30, lambda: installation.log("web"))
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda order: installation.deliver("orders/create", order), orders))
    assert statuses == {200}
    installation.wait_until_settled()
    rescored(installation)

    members = installation.memberships()
    with reading(installation.engine) as session:
        shop = shops.shop(session, installation.shop_id)
        for number, query in enumerate(queries):
            expected = {person.customer_id for person in ask.members(session, shop, query)}
            assert members[f"seg:segment-{number}"] == expected, query
    in_store = {tag: found for tag, found in members.items() if found}
    assert installation.tags_in_shopify() == in_store
    addresses = {str(customer_id(email)): email.casefold() for email in buyers[::2]}
    by_address = {tag: {addresses[one] for one in found if one in addresses} for tag, found in members.items()}
    assert installation.tags_in_klaviyo() == {tag: found for tag, found in by_address.items() if found}
    assert len(installation.klaviyo.people()) == len(buyers[::2])


def rescored(installation: Installation) -> None:
    """Let the scores of the last midnight be worked out now that the orders are in, as the next midnight would."""
    assert tagsmith(installation, "recompute", "--shop", installation.shop_id).returncode == 0
    installation.wait_until_settled()


def test_a_made_up_export_says_the_same_without_the_shared_data(installation):
    place = ("--domain", "made-up.myshopify.com", "--zone", expected.ZONE, "--currency", expected.CURRENCY)
    made = tagsmith(installation, "shops", "add", "Made up", "--platform", "shopify", *place)
    assert made.returncode == 0, made.stderr
    imported = tagsmith(installation, "import-orders", str(expected.EXPORT), "--shop", "made-up.myshopify.com")
    assert imported.stdout.startswith(f"{expected.ORDERS} orders, {expected.ORDERS} of them new")
    faults = [line for line in imported.stderr.splitlines() if line.startswith("line ")]
    assert [int(fault.split()[1].rstrip(":")) for fault in faults] == list(expected.UNREADABLE_LINES)
    with reading(installation.engine) as session:
        shop = shops.by_name(session, "made-up.myshopify.com")
        at = dates.instant(datetime.fromisoformat(expected.AT), shop.zone)
        assert [(query, ask.count(session, shop, query, at)) for query, _ in expected.COUNTS] == list(expected.COUNTS)
