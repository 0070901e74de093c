"""An order that a webhook only names is read from the store, safely repeated, and only as long as it is needed."""

import random

import pytest
from sqlalchemy import delete

from connectors.records import CustomerRedaction
from plugin import ingest, lanes
from plugin.db import table, transaction
from plugin.models.commerce import LineItem, Order
from plugin.models.inbox import Refetch
from plugin.models.shops import Counter
from plugin.privacy import redact_customer
from plugin.sandbox import Shop, payloads, records
from plugin.sandbox.model import total
from plugin.sandbox.shop import merchant


@pytest.fixture
def shop(world):
    """The store's own shop, all of whose webhooks come here."""
    made = Shop(world.stand_in.state, world.stand_in.store, seed=4, until=world.time(), customers=20)
    for topic in ("orders/create", "orders/updated", "orders/edited", "customers/purchasing_summary"):
        world.stand_in.subscribe(topic, f"{world.site.origin}/webhooks/shopify")
    return made


@pytest.fixture
def order(world, shop):
    """An order of the store's, told by webhook."""
    found = next(one for one in records.orders(shop.state, newest_first=True) if one["customer_id"])
    world.tell("orders/create", payloads.order(shop.store, found, shop.customer(found["customer_id"])))
    return found


def edit(world, shop, order):
    world.time.move(hours=1)
    [(topic, payload)] = merchant.edit(shop.state, world.stand_in.ids, order, random.Random(1), world.time())
    world.tell(topic, payload)


def amounts(world):
    return dict(world.rows(Order, "order_id", "amount_minor"))


def units(world, order):
    return sum(row.quantity for row in world.rows(LineItem) if row.order_id == str(order["id"]))


def test_an_edited_order_is_read_anew(world, shop, order):
    before = amounts(world)[str(order["id"])]
    edit(world, shop, order)
    assert amounts(world)[str(order["id"])] == before
    assert world.work("refetch") == 1
    assert amounts(world)[str(order["id"])] == total(order) > before
    assert units(world, order) == sum(line["quantity"] for line in order["lines"])
    assert world.rows(Refetch) == []


def test_the_row_is_the_same_as_the_webhook_would_have_made(world, shop, order):
    edit(world, shop, order)
    world.work("refetch")
    [fetched] = [dict(row._mapping) for row in world.rows(Order)]
    lines = sorted(map(repr, world.rows(LineItem)))
    with transaction(world.engine) as session:
        session.execute(delete(Order))
        session.execute(delete(LineItem))
    world.tell("orders/updated", payloads.order(shop.store, order, shop.customer(order["customer_id"])))
    [told] = [dict(row._mapping) for row in world.rows(Order)]
    not_told_by_the_api = {"landing_site", "referring_site", "user_agent", "countries", "regions", "cities"}
    differing = {name for name in told if fetched[name] != told[name]}
    assert differing <= not_told_by_the_api | {"updated_at"}  # which is sharpened by the moment it was told
    assert fetched["updated_at"].replace(microsecond=0) == told["updated_at"].replace(microsecond=0)
    assert sorted(map(repr, world.rows(LineItem))) == lines


def test_what_fails_is_tried_again_and_nothing_is_lost(world, shop, order):
    edit(world, shop, order)
    world.shopify.stop()
    world.work("refetch")
    assert len(world.rows(Refetch)) == 1
    assert world.lane("refetch").error
    assert world.lane("refetch").due_at > world.time()


def test_an_order_edited_again_while_it_was_read_is_read_again(world, shop, order):
    edit(world, shop, order)
    told = payloads.edited(order, order["lines"][0], 1, 1, "2026-11-22T13:00:00Z")
    answered = world.stand_in.roots["order"]

    def meanwhile(info, id):  # noqa: A002
        world.stand_in.roots["order"] = answered
        world.tell("orders/edited", told)
        return answered(info, id)

    world.stand_in.roots["order"] = meanwhile
    before = world.requests
    world.work("refetch")
    assert world.requests - before == 2
    assert world.rows(Refetch) == []


def test_no_order_is_asked_for_with_a_token_that_is_about_to_end(world, shop, order):
    edit(world, shop, order)
    edit(world, shop, next(one for one in records.orders(shop.state) if one["customer_id"] and one != order))
    world.token_ends(minutes=6)
    answered, asked = world.stand_in.roots["order"], []

    def slowly(info, id):  # noqa: A002
        asked.append(id)
        world.time.move(minutes=5, seconds=30)
        return answered(info, id)

    world.stand_in.roots["order"] = slowly
    claim = lanes.claim(world.engine, world.shop_id, f"refetch:{world.connection_id}")
    lanes.attempt(world.engine, claim, ingest.refetch)
    assert len(asked) == len(world.rows(Refetch)) == 1
    assert world.lane("refetch").due_at == world.time()


def test_an_order_that_we_may_not_see_is_counted_and_let_go(world, shop, order):
    edit(world, shop, order)
    world.stand_in.roots["order"] = lambda _, id: None  # noqa: A006
    world.work("refetch")
    assert world.rows(Refetch) == []
    [(name, count)] = world.rows(Counter, "name", "count")
    assert (name, count) == ("unseen:shopify:order", 1)


def test_a_summary_that_names_an_unknown_order_brings_it_after_a_while(world, shop):
    found = next(one for one in records.orders(shop.state, newest_first=True) if one["customer_id"])
    buyer = shop.customer(found["customer_id"]) | {"last_order": {"id": found["id"], "name": "", "at": found["at"]}}
    world.tell("customers/purchasing_summary", payloads.purchasing_summary(shop.store, buyer, "2026-11-22T12:00:00Z"))
    assert world.work("refetch") == 0
    world.time.move(minutes=6)
    assert world.work("refetch") == 1
    assert amounts(world).keys() == {str(found["id"])}


def test_a_summary_of_an_order_that_has_come_by_itself_costs_no_call(world, shop, order):
    buyer = shop.customer(order["customer_id"]) | {"last_order": {"id": order["id"], "name": "", "at": order["at"]}}
    world.tell("customers/purchasing_summary", payloads.purchasing_summary(shop.store, buyer, "2026-11-22T12:00:00Z"))
    world.time.move(minutes=6)
    before = world.requests
    assert world.work("refetch") == 1
    assert (world.requests, world.rows(Refetch)) == (before, [])


def test_of_somebody_forgotten_nothing_is_asked_and_nothing_comes_back(world, shop, order):
    edit(world, shop, order)
    with transaction(world.engine) as session:
        redact_customer(session, world.shop(), CustomerRedaction(str(order["customer_id"]), order["email"]))
    assert world.rows(Refetch) == []
    edit(world, shop, order)
    world.work("refetch")
    [row] = world.rows(Order)
    assert (row.customer_id, row.name) == (None, None)


def test_a_lane_taken_over_stores_nothing(world, shop, order):
    edit(world, shop, order)
    before = amounts(world)
    answered = world.stand_in.roots["order"]

    def overtaken(info, id):  # noqa: A002
        with transaction(world.engine) as session:
            lane = table(type(world.lane("refetch")))
            session.execute(lane.update().values(fence=lane.c.fence + 1))
        return answered(info, id)

    world.stand_in.roots["order"] = overtaken
    claim = lanes.claim(world.engine, world.shop_id, f"refetch:{world.connection_id}")
    lanes.attempt(world.engine, claim, ingest.refetch)
    assert amounts(world) == before
    assert len(world.rows(Refetch)) == 1
