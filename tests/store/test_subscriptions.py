"""Subscriptions that have vanished are put back, stale ones ended, and a scope that comes back ends a pause."""

import pytest
from sqlalchemy import update

from plugin import shops, subscriptions
from plugin.attributes.definitions import define
from plugin.db import transaction
from plugin.models.attributes import AttributeValue
from plugin.models.inbox import Delivery
from plugin.models.shops import Connection
from plugin.models.site import Subscription
from plugin.sandbox import payloads, records
from plugin.sandbox.shopify.schema import TOPICS
from tests.store.world import DOMAIN

EVERY_TOPIC = len(TOPICS)


@pytest.fixture
def asked(world):
    """The shop's webhooks have been asked for, at an address of its own."""
    with transaction(world.engine) as session:
        world.url = subscriptions.send_here(session, world.connection)
    world.time.move(days=1)
    world.work("subscriptions")
    return world


def listed(world):
    return [(one["topic"], one["uri"]) for one in world.stand_in.subscriptions.nodes(None, None, None, reverse=False)]


def kept(world):
    [row] = world.rows(Subscription)
    return row


def test_everything_is_asked_for_at_the_connections_own_address(asked):
    assert sorted(listed(asked)) == sorted((topic, asked.url) for topic in TOPICS)
    assert asked.url.startswith(f"{asked.site.origin}/webhooks/shopify/")
    assert (kept(asked).put_back, kept(asked).ended, kept(asked).refused) == (0, 0, [])


def test_the_token_of_an_address_stands_nowhere_in_the_database(asked):
    token = asked.url.rpartition("/")[2]
    assert len(token) > 30
    for model in (Subscription, Connection):
        assert token not in repr(asked.rows(model))


def test_the_address_stays_the_same_however_often_it_is_asked_for(asked):
    with transaction(asked.engine) as session:
        assert subscriptions.send_here(session, asked.connection) == asked.url


def test_a_delivery_at_the_own_address_is_kept(asked):
    assert asked.tell("shop/redact", payloads.shop_redact(asked.stand_in.store)) == 0  # by configuration alone
    assert asked.tell("customers/delete", payloads.customer_deleted(2**60)) == 1
    assert [row.state for row in asked.rows(Delivery)] == ["done"]


def test_a_delivery_at_an_address_that_is_nobodys_is_refused(asked):
    asked.stand_in.subscribe("customers/delete", asked.url + "x")
    asked.tell("customers/delete", payloads.customer_deleted(2**60))
    assert {(one.uri == asked.url, one.status) for one in asked.stand_in.sender.attempts} == {(True, 200), (False, 401)}
    assert len(asked.rows(Delivery)) == 1


def test_both_families_of_headers_arrive(asked):
    asked.stand_in.signer = type(asked.stand_in.signer)(
        DOMAIN, asked.stand_in.api_secret, "2026-10", asked.stand_in.signer.chance, family="Shopify-"
    )
    asked.tell("customers/delete", payloads.customer_deleted(2**60))
    [row] = asked.rows(Delivery)
    assert (row.topic, row.state) == ("customers/delete", "done")


def test_a_topic_subscribed_twice_does_no_harm(asked):
    asked.stand_in.subscribe("customers/delete", asked.url)  # by the app's configuration as well
    asked.stand_in.subscribe("customers/delete", f"{asked.site.origin}/webhooks/shopify")
    assert asked.tell("customers/delete", payloads.customer_deleted(2**60)) == 3
    assert {row.state for row in asked.rows(Delivery)} == {"done"}
    assert len(asked.rows(Delivery)) == 3  # three deliveries, each with an id of its own, end in the same row


def test_what_vanished_after_eight_failures_is_put_back_and_counted(asked):
    asked.site.stop()
    asked.stand_in.emit("customers/delete", payloads.customer_deleted(1))
    assert asked.stand_in.sender.flush()
    assert len(asked.stand_in.sender.attempts) == 9
    assert len(listed(asked)) == EVERY_TOPIC - 1
    asked.time.move(days=1)
    asked.work("subscriptions")
    assert len(listed(asked)) == EVERY_TOPIC
    assert kept(asked).put_back == 1
    assert kept(asked).checked_at == asked.time()


def test_a_changed_metafield_comes_by_webhook_once_its_attribute_is_known(asked):
    asked.stand_in.add([{"id": 8_000, "email": "ada@example.com"}])
    told = payloads.customer(asked.stand_in.store, records.customer(asked.stand_in.state, 8_000))
    asked.tell("customers/update", told)
    assert asked.rows(AttributeValue) == []
    with transaction(asked.engine) as session:
        define(session, shops.shop(session, asked.shop_id), "facts.birth_date", "date", source="metafield")
    asked.time.move(days=1)
    asked.work("subscriptions")
    asked.tell("customers/update", told)
    [(key, value)] = asked.rows(AttributeValue, "key", "value")
    assert key == "facts.birth_date"
    assert len(value) == len("1950-01-01")
    assert (kept(asked).put_back, kept(asked).refused) == (0, [])


def test_addresses_that_were_ours_are_ended_and_others_stay(asked):
    ask = asked.stand_in.subscriptions.create
    before = asked.requests
    for uri in (f"{asked.site.origin}/webhooks/shopify", "https://other.example/webhooks/shopify"):
        ask("ORDERS_CREATE", {"uri": uri})
    asked.time.move(days=1)
    asked.work("subscriptions")
    assert ("ORDERS_CREATE", "https://other.example/webhooks/shopify") in listed(asked)
    assert len(listed(asked)) == EVERY_TOPIC + 1
    assert kept(asked).ended == 1
    assert asked.requests - before == 3  # whose shop it is, what there is, what is to end


def test_it_is_looked_after_every_night_and_when_nothing_is_wrong_costs_two_calls(asked):
    assert asked.lane("subscriptions").due_at.hour == 0
    before = asked.requests
    asked.time.move(days=1)
    assert asked.work("subscriptions") == 1
    assert asked.requests - before == 2


def test_a_shop_whose_webhooks_the_app_configures_is_subscribed_to_nothing(world):
    world.time.move(days=1)
    world.work("subscriptions")
    assert listed(world) == []
    assert world.requests == 1


def test_a_scope_that_was_taken_away_pauses_and_one_regained_resumes(asked):
    granted = asked.stand_in.roots["currentAppInstallation"]
    fewer = {"accessScopes": [{"handle": "read_customers", "description": ""}], "__typename": "AppInstallation"}
    asked.stand_in.roots["currentAppInstallation"] = lambda _: fewer
    told = payloads.scopes_updated(asked.stand_in.store, ["read_orders"], [], "2026-11-23T12:00:00Z")
    asked.tell("app/scopes_update", told)
    asked.work("subscriptions")
    assert (asked.connection.state, asked.connection.reason) == (
        "paused",
        "shopify: the app lacks write_customers, read_orders, read_products",
    )
    asked.stand_in.roots["currentAppInstallation"] = granted
    asked.tell("app/scopes_update", told)
    asked.work("subscriptions")
    assert (asked.connection.state, asked.connection.reason) == ("active", None)
    assert asked.lane("sync").due_at == asked.time()


def test_what_was_mended_goes_on_by_itself_the_next_night(asked):
    with transaction(asked.engine) as session:
        shops.pause(session, asked.shop_id, asked.connection_id, "the token was refused")
    asked.time.move(days=1)
    asked.work("subscriptions")
    assert asked.connection.state == "active"


def test_a_connection_that_is_gone_is_left_alone(asked):
    with transaction(asked.engine) as session:
        session.execute(update(Connection).values(state="gone"))
    before = asked.requests
    asked.time.move(days=1)
    asked.work("subscriptions")
    assert asked.requests == before
    assert asked.lane("subscriptions").due_at is None


def test_a_store_that_somebody_has_paused_stays_so_whatever_the_night_finds(asked):
    with transaction(asked.engine) as session:
        shops.pause(session, asked.shop_id, asked.connection_id, shops.BY_HAND)
    asked.time.move(days=2)
    asked.work("subscriptions")
    [row] = [one for one in asked.rows(Connection) if one.connection_id == asked.connection_id]
    assert (row.state, row.reason) == ("paused", shops.BY_HAND)
