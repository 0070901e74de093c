"""Views of the shop's pages: from browsers, believed little, kept of known customers alone, forgotten with them."""

import json
from datetime import timedelta

import pytest
import requests

from connectors.records import Customer, CustomerRedaction, Merged
from plugin import ingest, site
from plugin.db import transaction
from plugin.models.events import Event
from plugin.models.segments import Membership
from plugin.models.shops import Counter
from plugin.models.site import Pixel
from plugin.privacy import redact_customer
from plugin.segments.kept import keep
from plugin.segments.language.errors import SegmentErrors
from plugin.web.machines.pixel import OF_A_SHOP, OF_AN_ADDRESS

ANN = "9007199254740993"  # one more than a JavaScript number can count to


@pytest.fixture
def shop(world):
    """A shop whose pages hold our pixel, and which knows Ann."""
    with transaction(world.engine) as session:
        world.key = site.ask(session, world.connection)
        ann = Customer(ANN, world.time(), world.time(), email="ann@example.com")
        ingest.store(session, world.shop(), world.connection_id, [ann])
    world.work("pixel")
    world.browser = world.app.test_client()
    return world


def event(number=1, **fields):
    told = {
        "id": f"sh-0a1b2c3d-{number:04}",
        "name": "product_viewed",
        "customer": ANN,
        "subject": "8000000000000000001",
    }
    return told | fields


def send(world, told, key=None, address="203.0.113.7", **more):
    body = told if isinstance(told, bytes) else json.dumps(told)
    where = {"REMOTE_ADDR": address}
    return world.browser.post(f"/pixel/{key or world.key}", data=body, environ_base=where, **more)


def views(world):
    return world.rows(Event, "customer_id", "kind", "subject_id", "happened_at")


def test_the_app_switches_the_pixel_on_with_the_address_of_the_shop(shop):
    held = shop.stand_in.pixels.held()
    assert held["settings"] == {"address": f"{shop.site.origin}/pixel/{shop.key}"}
    [row] = shop.rows(Pixel)
    assert (row.platform_id, row.error) == (held["id"], None)
    assert shop.lane("pixel").due_at is None


def test_a_new_address_is_told_to_the_pixel_that_is_on(shop, monkeypatch):
    with transaction(shop.engine) as session:
        assert site.ask(session, shop.connection, "https://new.example.com") == shop.key
    shop.work("pixel")
    assert shop.stand_in.pixels.held()["settings"] == {"address": f"https://new.example.com/pixel/{shop.key}"}


def test_a_shop_where_it_cannot_run_is_in_order_otherwise_and_asked_again(world):
    world.stand_in.pixels.extension = False
    with transaction(world.engine) as session:
        site.ask(session, world.connection)
    world.work("pixel")
    [row] = world.rows(Pixel)
    assert "no web pixel extension" in row.error
    assert world.connection.state == "active"
    world.stand_in.pixels.extension = True
    world.time.move(days=1)
    world.work("pixel")
    [row] = world.rows(Pixel)
    assert (row.error, bool(row.platform_id)) == (None, True)


def test_without_the_scope_the_connection_is_not_paused(world):
    world.stand_in.pixels.scopes = ()
    with transaction(world.engine) as session:
        site.ask(session, world.connection)
    world.work("pixel")
    assert world.connection.state == "active"
    assert "write_pixels" in world.rows(Pixel)[0].error


def test_a_view_is_kept_with_its_id_exact_and_dated_by_its_arrival(shop):
    assert send(shop, event()).status_code == 204
    assert views(shop) == [(ANN, "product_viewed", "8000000000000000001", shop.time())]


def test_it_arrives_over_http_from_any_origin_as_a_beacon_sends_it(shop):
    address = f"{shop.site.origin}/pixel/{shop.key}"
    asked = requests.options(address, headers={"Origin": "null", "Access-Control-Request-Method": "POST"}, timeout=5)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    headers = {"Origin": "null", "Content-Type": "text/plain;charset=UTF-8"}
    answer = requests.post(address, data=json.dumps(event()), headers=headers, timeout=5)
    assert (answer.status_code, answer.text, answer.headers["Access-Control-Allow-Origin"]) == (204, "", "*")
    assert "Set-Cookie" not in answer.headers
    assert len(views(shop)) == 1


def test_the_same_event_counts_once(shop):
    for _ in range(3):
        assert send(shop, event()).status_code == 204
    assert len(views(shop)) == 1


def test_somebody_unknown_is_dropped_and_counted_and_nobody_is_told(shop):
    assert send(shop, event(customer="7")).status_code == 204
    assert views(shop) == []
    assert shop.rows(Counter, "name", "count") == [("unknown:shopify:product_viewed", 1)]


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 900,
        event(customer=int(ANN)),
        event(customer=None),
        event(customer=f"gid://shopify/Customer/{ANN}"),
        event(customer="٣"),
        event(subject=""),
        event(name="checkout_completed"),
        event(name="product_viewed "),
        event(id="x"),
        event(id="a" * 65),
        event(id="sh-0a1b2c3d\n"),
        event(more=1),
        {"id": "sh-0a1b2c3d-0001"},
    ],
)
def test_what_has_not_the_shape_of_an_event_is_refused(shop, told):
    assert send(shop, told).status_code == 400
    assert views(shop) == []


def test_a_large_body_is_not_read(shop):
    assert send(shop, event(id="a" * 2_000)).status_code == 413
    assert (
        send(shop, b"{" + b" " * 2_000, content_length=None, headers={"Transfer-Encoding": "chunked"}).status_code
        >= 400
    )
    assert views(shop) == []


def test_a_key_that_is_nobodys_leads_nowhere(shop):
    assert send(shop, event(), key="nobodys").status_code == 404
    assert send(shop, event(), key="practice-shop.myshopify.com").status_code == 404
    with transaction(shop.engine) as session:
        from plugin import shops

        shops.uninstall(session, shop.shop_id, shop.connection_id)
    assert send(shop, event()).status_code == 404
    assert views(shop) == []


def test_nothing_can_be_read_there(shop):
    assert shop.browser.get(f"/pixel/{shop.key}").status_code == 405


def test_one_address_may_send_so_many_a_minute(shop):
    for number in range(OF_AN_ADDRESS):
        assert send(shop, event(number, customer="7")).status_code == 204
    refused = send(shop, event(99))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert send(shop, event(99), address="203.0.113.8").status_code == 204
    shop.time.move(seconds=61)
    assert send(shop, event(98)).status_code == 204


def test_one_shop_takes_so_many_a_minute_from_whatever_addresses(shop):
    of_shops, _ = shop.app.extensions["pixel rates"]
    for _ in range(OF_A_SHOP):
        assert of_shops.admits(shop.key)
    assert send(shop, event()).status_code == 429


def test_the_kind_of_device_is_kept_with_a_view(shop):
    phone = (
        "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
    )
    send(shop, event(), headers={"User-Agent": phone})
    assert shop.rows(Event, "device", "browser", "operating_system") == [("mobile", "chrome", "android")]


def test_no_address_is_kept_anywhere(shop):
    send(shop, event())
    memory = [vars(rates) for rates in shop.app.extensions["pixel rates"]]
    assert "203.0.113.7" not in repr(memory)
    assert "203.0.113.7" not in repr(shop.rows(Event))


def test_a_segment_asks_who_viewed_what(shop):
    with transaction(shop.engine) as session:
        query = "storefront.product_viewed MATCHES (id = 8000000000000000001, date >= -7d, count >= 2)"
        keep.add(session, shop.shop(), "Viewers", query)
    members = []
    for number in range(2):
        send(shop, event(number))
        shop.time.move(minutes=1)
        shop.work("recompute")
        members.append([row.customer_id for row in shop.rows(Membership)])
    shop.time.move(days=8)
    shop.work("recompute")
    assert [*members, shop.rows(Membership)] == [[], [ANN], []]


def test_a_segment_for_rewards_cannot_rest_on_views_alone(shop):
    with transaction(shop.engine) as session, pytest.raises(SegmentErrors, match="for rewards"):
        keep.add(session, shop.shop(), "Gifts", "storefront.product_viewed IS NOT NULL", rewards=True)
    with transaction(shop.engine) as session:
        query = "storefront.product_viewed IS NOT NULL AND number_of_orders >= 1"
        segment = keep.add(session, shop.shop(), "Gifts", query, rewards=True)
    given = {"name": "Gifts", "query": "storefront.product_viewed IS NOT NULL", "tag": segment.tag}
    with transaction(shop.engine) as session, pytest.raises(SegmentErrors):
        keep.edit(session, shop.shop(), segment.segment_id, **given)
    with transaction(shop.engine) as session:
        assert keep.edit(session, shop.shop(), segment.segment_id, **given, rewards=False).rewards is False
    with transaction(shop.engine) as session, pytest.raises(SegmentErrors):
        keep.edit(session, shop.shop(), segment.segment_id, **given, rewards=True)


def test_views_of_a_merged_customer_are_those_of_who_was_kept(shop):
    send(shop, event())
    with transaction(shop.engine) as session:
        ingest.store(session, shop.shop(), shop.connection_id, [Merged("8", ANN, shop.time())])
    send(shop, event(2))
    assert [customer for customer, *_ in views(shop)] == ["8", "8"]


def test_views_go_with_the_customer_and_do_not_come_back(shop):
    send(shop, event())
    with transaction(shop.engine) as session:
        redact_customer(session, shop.shop(), CustomerRedaction(ANN, None))
    assert views(shop) == []
    send(shop, event(2))
    assert views(shop) == []


def test_views_are_kept_for_a_time_and_who_loses_some_is_evaluated_again(shop):
    with transaction(shop.engine) as session:
        keep.add(session, shop.shop(), "Viewers", "storefront.product_viewed IS NOT NULL")
    send(shop, event())
    shop.time.move(minutes=1)
    shop.work("recompute")
    assert len(shop.rows(Membership)) == 1
    shop.time.move(days=401)
    shop.work("retention", "recompute")
    shop.time.at += timedelta(minutes=1)
    shop.work("recompute")
    assert (views(shop), shop.rows(Membership)) == ([], [])
