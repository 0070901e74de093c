"""Ids beyond what a JavaScript number can count to stay exact: from the store to every attribute of every page."""

import json
import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from connectors.records import Customer, LineItem, Order
from plugin import ingest, lanes, privacy, shops
from plugin.db import table, transaction
from plugin.models.commerce import Order as OrderRow
from plugin.models.privacy import DataRequest
from plugin.models.segments import Membership
from plugin.segments.kept import keep
from plugin.tagging import destinations
from tests.stopped import stopped
from tests.store.conftest import SCHEMA
from tests.store.world import World
from tests.web.site import Site, Visitor

BEYOND = 2**53 + 1  # the first that a JavaScript number cannot hold
EACH = 20  # of as many people, one whose own pages are looked at
LONG = re.compile(r"(?<![0-9a-fA-F-])\d{16,}(?![0-9a-fA-F-])")
FLOAT = re.compile(r"\d\.\d+e\+?\d+", re.IGNORECASE)  # how a script shows a number that it has rounded


class Page(HTMLParser):
    """Collects the links of a page, and every attribute, text and script in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.said = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.links |= {given[name] for name in ("href", "action") if given.get(name, "").startswith("/")}
        self.said += [value for value in given.values() if value]

    def handle_data(self, data):
        self.said.append(data)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop(request, engines, tmp_path_factory):
    """A shop on either database, filled once: nothing here changes it."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    with databases() as address, pytest.MonkeyPatch.context() as patch:
        with stopped(patch, tmp_path_factory.mktemp("ids")) as time:
            world = World(engines(address), time, patch, SCHEMA if SCHEMA.exists() else None)
            fill(world)
            yield world
            world.stop()
        engines(address).dispose()


def fill(world):
    """Hundreds of members with such ids, orders and carts, one tag written to the store, and a data request."""
    gids = world.stand_in.add({"email": f"p{n}@example.com"} for n in range(220))
    ids = [int(gid.rpartition("/")[2]) for gid in gids]
    assert min(ids) > BEYOND
    told = []
    for number, customer in enumerate([BEYOND, *ids]):
        who = Customer(str(customer), world.time(), world.time(), email=f"p{number}@example.com")
        line = LineItem(str(BEYOND * 3 + number), 1, 1, product_id=str(BEYOND * 5), amount_minor=100)
        order = Order(
            str(BEYOND * 2 + number), world.time(), world.time(), 100, "GBP", customer=who, lines=(line,), refunds=()
        )
        told += [who, order]
    with transaction(world.engine) as session:
        shop = world.shop()
        ingest.store(session, shop, world.connection_id, told)
        query = f"products_purchased MATCHES (id = {BEYOND * 5})"
        shops.shop(session, world.shop_id).guard_contacts = 1_000_000  # all enter after the release
        segment = keep.add(session, shop, "Beyond", query)
        destinations.release(session, world.shop_id, segment.segment_id, world.connection_id)
        session.add(
            DataRequest(
                shop_id=world.shop_id, request_id=str(BEYOND * 7), customer_id=str(BEYOND), asked_at=world.time()
            )
        )
        lanes.poke(session, world.shop_id, "recompute")
    world.time.move(minutes=1)
    world.work("recompute")
    for _ in range(20):  # in the rhythm of the store's limit
        world.work("sync")
        world.time.move(seconds=10)
    world.ids = {str(one) for one in (BEYOND, *ids)}
    numbers = range(len(world.ids))
    bought = {str(BEYOND * kind + number) for kind in (2, 3) for number in numbers}
    world.known = world.ids | bought | {str(BEYOND * 5), str(BEYOND * 7)}
    world.visitor = Visitor(world.app.test_client())
    world.visitor.enter(Site.account(world, world))
    world.met = {str(one) for one in (BEYOND, *ids[::EACH])}


def walk(shop):
    """Yield every page that can be reached by links, with its path; of pages about one person, those of some."""
    waiting, seen = ["/segments"], set()
    while waiting:
        path = waiting.pop()
        whose = set(LONG.findall(path.partition("?")[0])) & shop.ids
        if path in seen or path.startswith("/static") or "logout" in path or not whose <= shop.met:
            continue
        seen.add(path)
        answer = shop.visitor.client.get(path)
        assert answer.status_code in (200, 302, 401, 404, 405), (path, answer.status)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            page = Page(answer.text)
            waiting += sorted(page.links)
        yield path, answer


def test_they_are_exact_in_the_tables(shop):
    assert {row.customer_id for row in shop.rows(Membership)} == shop.ids
    with transaction(shop.engine) as session:
        orders = set(session.scalars(select(table(OrderRow).c.order_id)))
    assert orders == {str(BEYOND * 2 + number) for number in range(len(shop.ids))}


def test_they_are_exact_in_the_store(shop):
    tagged = {one["id"].rpartition("/")[2] for one in shop.stand_in.people() if one["tags"]}
    assert tagged == shop.ids - {str(BEYOND)}  # whom the store does not have


def test_they_are_exact_on_every_page_in_every_attribute_and_script(shop):
    found, pages = set(), 0
    for path, answer in walk(shop):
        pages += 1
        text = answer.get_data(as_text=True)
        said = Page(text).said if answer.mimetype == "text/html" else [text]
        for value in [path, *said]:
            numbers = set(LONG.findall(value))
            assert numbers <= shop.known | moments(value), (path, numbers - shop.known)
            found |= numbers & shop.ids
            assert not FLOAT.search(value), (path, value[:200])
    assert pages > 10
    assert str(BEYOND) in found
    assert len(found) > 2  # beside those in the export, where pages of members begin


def moments(address):
    """The microseconds since 1970 in the address of a page of history, which nobody counts with."""
    return set(re.findall(r"(?:before|after)=(\d{16})\.", address))


def test_no_answer_in_json_holds_them_as_numbers(shop):
    query = f"products_purchased MATCHES (id = {BEYOND * 5})"
    answer = shop.visitor.client.get("/segments/check", query_string={"query": query, "step": "count"})
    told = json.loads(answer.text, parse_int=lambda text: pytest.fail(text) if len(text) > 15 else int(text))
    assert (told["query"], told["count"]) == (query, len(shop.ids))


def test_the_export_of_a_person_holds_them_as_texts(shop):
    with transaction(shop.engine) as session:
        told = privacy.export(session, shop.shop(), str(BEYOND * 7))
    assert f'"{BEYOND}"' in json.dumps(told, default=str)
    assert str(BEYOND) not in re.sub(r'"[^"]*"', "", json.dumps(told, default=str))
