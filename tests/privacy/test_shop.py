"""A shop that is to be forgotten leaves a shell, by which what the platform demands is still known for its own."""

import pytest
from sqlalchemy import update
from sqlmodel import SQLModel

from connectors.base import Identity
from connectors.records import CustomerRedaction, DataRequest, ShopRedaction, Uninstalled
from connectors.sources import Webhook
from connectors.stores.shopify import signature
from plugin import ingest, privacy, shops
from plugin.db import reading, table, transaction
from plugin.models.lanes import Lane
from plugin.seal import unseal
from tests.privacy.everywhere import Written, fill
from tests.privacy.test_staying_forgotten import order
from tests.privacy.world import DOMAIN, NOW, YOLANDA, ZEBULON

SHELL = {"shops", "connections", "routes", "lanes", "deliveries"}


def redaction(world, webhook_id=""):
    return world.deliver("shop/redact", ZEBULON.payload("shop/redact"), webhook_id)


@pytest.fixture
def uninstalled(world):
    """A shop full of people, whose app the merchant removed two days ago."""
    for who in (ZEBULON, YOLANDA):
        world.tell_all(who)
    world.work("inbox")
    with transaction(world.engine) as session:
        fill(session, world.shop_id, world.mail, Written(ZEBULON, ZEBULON.id, ZEBULON.contact, 1), NOW)
        session.execute(update(Lane).where(table(Lane).c.kind == "kept 1").values(error=f"{ZEBULON.email} was refused"))
    world.deliver("app/uninstalled", ZEBULON.payload("app/uninstalled"))
    world.work("inbox")
    world.time.move(days=2)
    return world


def test_of_a_forgotten_shop_a_shell_is_left(uninstalled):
    world = uninstalled
    redaction(world)
    world.work()
    assert {name for name in SQLModel.metadata.tables if world.rows(name)} == SHELL
    assert world.traces_of(ZEBULON) == world.traces_of(YOLANDA) == {}
    assert [(row.headers, row.body, row.error) for row in world.rows("deliveries")] == [
        ("{}", b"", None) for _ in world.rows("deliveries")
    ]
    shop = world.shop()
    assert (shop.name, shop.domain, shop.history_at) == ("", "", None)
    [connection] = world.rows("connections")
    assert (connection.connection_id, connection.state) == (world.store, "gone")
    assert unseal(world.shop_id, connection.sealed) == {"shop": DOMAIN, "access_token": "", "api_secret": "secret"}
    assert {row.kind for row in world.rows("lanes")} >= {"inbox", "privacy", "recompute", f"sync:{world.store}"}
    assert f"sync:{world.mail}" not in {row.kind for row in world.rows("lanes")}


def test_a_shop_that_was_never_uninstalled_can_be_forgotten_too(world):
    world.tell_all(ZEBULON)
    redaction(world)
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert [row.state for row in world.rows("connections")] == ["gone"]


def test_another_shop_is_not_concerned(world):
    with transaction(world.engine) as session:
        other, _ = shops.add_shop(
            session, name="Other", platform="shopify", domain="other", zone="Europe/London", currency="GBP"
        )
        ingest.store(session, other, "connection", [order()])
    before = {name: [row for row in rows if other.shop_id in row] for name, rows in world.dump().items()}
    redaction(world)
    world.work()
    after = {name: [row for row in rows if other.shop_id in row] for name, rows in world.dump().items()}
    assert after == before
    assert before["orders"]


def test_what_comes_later_is_not_kept_and_the_demand_can_be_repeated(uninstalled):
    world = uninstalled
    redaction(world, "the-demand")
    world.work()
    assert not redaction(world, "the-demand")
    world.tell_all(ZEBULON)
    world.redact(YOLANDA)
    redaction(world)
    world.work()
    assert {name for name in SQLModel.metadata.tables if world.rows(name)} == SHELL
    assert world.traces_of(ZEBULON) == world.traces_of(YOLANDA) == {}


def test_demands_of_the_platform_are_still_known_for_its_own(uninstalled):
    world = uninstalled
    redaction(world)
    world.work()
    with reading(world.engine) as session:
        [connection] = shops.connections(session, world.shop_id)
        connector = shops.opened(connection).connector
    body = ZEBULON.payload("customers/redact")
    headers = {
        "x-shopify-hmac-sha256": signature("secret", body).decode(),
        "x-shopify-shop-domain": DOMAIN,
        "x-shopify-topic": "customers/redact",
    }
    connector.verify(Webhook(headers, body))


def test_only_what_the_platform_demands_comes_in(uninstalled):
    world = uninstalled
    redaction(world)
    world.work()
    demands = [Uninstalled(), DataRequest("1", None, None), CustomerRedaction(None, "a@example.com"), ShopRedaction()]
    with transaction(world.engine) as session:
        admitted = privacy.admit(session, shops.shop(session, world.shop_id), [order(), *demands])
    assert admitted == demands


def install_again(world):
    with transaction(world.engine) as session:
        shop = shops.shop(session, world.shop_id)
        secrets = {"shop": DOMAIN, "access_token": "new", "api_secret": "secret"}
        again = shops.connect(session, shop, "shopify", secrets, Identity(DOMAIN, DOMAIN))
        assert again.connection_id == world.store


def test_a_forgotten_shop_can_be_installed_again(uninstalled):
    world = uninstalled
    redaction(world, "the-demand")
    world.work()
    install_again(world)
    world.tell_all(ZEBULON)
    assert not redaction(world, "the-demand")  # delivered once more, it does not forget what is new
    world.work()
    assert [row.customer_id for row in world.rows("customers")] == [ZEBULON.id]
    world.time.move(hours=1)
    world.work()
    assert [row.customer_id for row in world.rows("customers")] == [ZEBULON.id]


def test_what_a_lane_still_wrote_of_a_forgotten_shop_goes_a_little_later(uninstalled):
    world = uninstalled
    redaction(world)
    world.work("inbox")
    with transaction(world.engine) as session:  # as a recompute would that had read everything before
        fill(session, world.shop_id, world.mail, Written(ZEBULON, ZEBULON.id, ZEBULON.contact, 2), NOW)
    world.work("privacy")
    assert world.traces_of(ZEBULON) == {}
