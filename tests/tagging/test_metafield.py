"""Tags kept in a field of our own beside or instead of tags: whole, ours alone, by the same ledger and rehearsal."""

import pytest
from sqlalchemy import update

from connectors.errors import ConnectorError
from connectors.records import DataRequest
from connectors.stores.shopify.writings import FIELD, FIELD_TYPE
from plugin import shops
from plugin.commands import shops as shops_command
from plugin.commands.base import WrongUseError
from plugin.db import reading, table, transaction
from plugin.models.shops import Connection
from plugin.models.tagging import Destination, Drift, Job, Push
from plugin.privacy import requests
from plugin.tagging import keeping, leaving, rehearsal
from tests.tagging.interference import survives
from tests.tagging.test_drift import read_back, repair


@pytest.fixture
def store(merchants):
    return merchants(platforms=["shopify"])


def kept(merchant, way):
    return keeping.choose(merchant.engine, merchant.shop_id, merchant.places["shopify"], way)


def set_up(merchant, way):
    """Let a connection keep tags in a way from its beginning."""
    connections = table(Connection)
    with transaction(merchant.engine) as session:
        session.execute(update(connections).where(connections.c.shop_id == merchant.shop_id).values(tags_as=way))


def fields(merchant):
    names = {contact: number for number, contact in merchant.ids.items()}
    return {names[gid.rpartition("/")[2]]: set(held) for gid, held in merchant.shopify.metafields.held().items()}


def tags(merchant):
    held = merchant.tags("shopify")
    return {number: held[contact] for number, contact in merchant.ids.items() if held.get(contact)}


def rehearsed(merchant):
    with reading(merchant.engine) as session:
        return rehearsal.rehearse(session, merchant.opened("shopify"))


@pytest.mark.parametrize(("way", "in_tags", "in_field"), [("tags", 1, 0), ("both", 1, 1), ("metafield", 0, 1)])
@pytest.mark.parametrize("count", [4, 203])
def test_who_enters_and_leaves_is_written_where_the_merchant_likes(store, way, in_tags, in_field, count):
    store.customers(*range(count), tags=["Wholesale"])
    set_up(store, way)
    vip, new = store.segment("vip"), store.segment("new")
    everybody = range(count)
    store.enter(vip, *everybody)
    store.enter(new, 0)
    store.work()
    wanted = {number: {"seg:vip", "seg:new"} if number == 0 else {"seg:vip"} for number in everybody}
    assert fields(store) == (wanted if in_field else {})
    assert tags(store) == {number: {"Wholesale"} | (held if in_tags else set()) for number, held in wanted.items()}
    store.leave(vip, *everybody)
    store.work()
    assert fields(store) == ({0: {"seg:new"}} if in_field else {})
    assert tags(store)[0] == {"Wholesale", *(["seg:new"] if in_tags else [])}
    assert tags(store)[1] == {"Wholesale"}
    assert store.settled()
    assert not store.rows(Push)
    assert all(not one.added and not one.removed for one in store.hear(store.records()))


def test_another_way_begins_with_a_rehearsal_of_exactly_what_it_will_do(store):
    store.customers(1, 2, tags=["Wholesale"])
    vip = store.segment("vip")
    store.enter(vip, 1, 2)
    store.work()
    assert kept(store, "metafield")
    store.work()
    assert {row.state for row in store.rows(Destination)} == {"rehearsal"}
    assert (tags(store)[1], fields(store)) == ({"Wholesale", "seg:vip"}, {})
    told = rehearsed(store)
    assert told.segments[vip] == {"added": 2, "removed": 2}
    assert told.calls == 1
    assert {line.add for line in told.lines} == {("seg:vip",)}
    store.release(vip)
    store.work()
    assert tags(store) == {1: {"Wholesale"}, 2: {"Wholesale"}}
    assert fields(store) == {1: {"seg:vip"}, 2: {"seg:vip"}}
    assert not kept(store, "metafield"), "it is kept so already"


def test_both_is_counted_once(store):
    store.customers(1)
    set_up(store, "both")
    vip = store.segment("vip", released=False)
    store.enter(vip, 1)
    assert rehearsed(store).segments[vip] == {"unsure": 1}


def test_back_to_tags_the_field_is_taken_away(store):
    store.customers(1)
    set_up(store, "both")
    vip = store.segment("vip")
    store.enter(vip, 1)
    store.work()
    kept(store, "tags")
    store.release(vip)
    store.work()
    assert (tags(store), fields(store)) == ({1: {"seg:vip"}}, {})


def test_a_tag_of_the_merchants_is_not_taken_for_ours_since_the_field_says_the_same(store):
    store.customers(1)
    set_up(store, "metafield")
    vip = store.segment("vip")
    store.enter(vip, 1)
    store.work()
    store.time.move(hours=1)
    store.shopify.roots["tagsAdd"](None, id=f"gid://shopify/Customer/{store.ids[1]}", tags=["seg:vip"])
    store.hear(store.records())
    store.leave(vip, 1)
    store.work()
    assert (tags(store), fields(store)) == ({1: {"seg:vip"}}, {})


def test_the_field_is_defined_as_a_filter_where_there_is_room_and_once(store):
    for way in ("both", "metafield", "both"):
        kept(store, way)
    assert store.shopify.state.get("metafield_definition", "segments") == {
        "type": "list.single_line_text_field",
        "filtered": True,
    }


def test_without_room_for_a_filter_it_is_defined_without(store):
    store.shopify.metafields.filters = 0
    kept(store, "both")
    assert store.shopify.state.get("metafield_definition", "segments")["filtered"] is False


def test_where_the_platform_would_not_have_it_all_stays_as_it_was(store):
    vip = store.segment("vip")
    store.shopify.faults.add("error", body="metafieldDefinitionCreate")
    with pytest.raises(ConnectorError):
        kept(store, "both")
    assert [row.tags_as for row in store.rows(Connection)] == ["tags"]
    assert [(row.segment_id, row.state) for row in store.rows(Destination)] == [(vip, "live")]


def test_only_who_has_such_a_field_offers_it(merchant):
    with pytest.raises(keeping.NoFieldError):
        keeping.choose(merchant.engine, merchant.shop_id, merchant.places["klaviyo"], "both")
    with pytest.raises(keeping.NoFieldError):
        kept(merchant, "elsewhere")
    with pytest.raises(LookupError):
        keeping.choose(merchant.engine, merchant.shop_id, "another", "both")


def test_what_is_held_stands_still_in_the_field_as_well(store):
    store.customers(1)
    set_up(store, "both")
    vip, new = store.segment("vip"), store.segment("new")
    store.enter(vip, 1)
    store.work()
    with transaction(store.engine) as session:
        rehearsal.hold(session, store.shop_id, vip, store.places["shopify"])
    store.leave(vip, 1)
    store.enter(new, 1)
    store.work()
    assert tags(store) == fields(store) == {1: {"seg:vip", "seg:new"}}
    store.release(vip)
    store.work()
    assert tags(store) == fields(store) == {1: {"seg:new"}}


def test_the_command_says_where_there_is_no_such_field(merchant):
    shops_command.keep_as(merchant.engine, merchant.shop_id, merchant.places["shopify"], "both")
    with pytest.raises(WrongUseError):
        shops_command.keep_as(merchant.engine, merchant.shop_id, merchant.places["klaviyo"], "both")
    assert {row.platform: row.tags_as for row in merchant.rows(Connection)} == {"shopify": "both", "klaviyo": "tags"}


def test_a_person_is_told_what_is_kept_in_the_field(store):
    store.customers(1)
    set_up(store, "both")
    store.enter(store.segment("vip"), 1)
    store.work()
    asked = DataRequest("17", store.ids[1], None)
    with transaction(store.engine) as session:
        shop = shops.shop(session, store.shop_id)
        requests.ask(session, shop, asked)
        told = requests.export(session, shop, "17")["tags_written"]
    assert {(row["tag"], row["in_field"], row["state"]) for row in told} == {
        ("seg:vip", False, "confirmed"),
        ("seg:vip", True, "confirmed"),
    }


def test_one_who_is_gone_does_not_keep_24_others_from_it(store):
    store.customers(*range(10))
    set_up(store, "metafield")
    vip, new = store.segment("vip"), store.segment("new")
    store.enter(vip, *range(10))
    store.work()
    store.shopify.state.delete("customer", store.ids[3])
    store.time.move(hours=1)
    store.enter(new, *range(10))
    store.work()
    assert {number: held for number, held in fields(store).items() if number != 3} == {
        number: {"seg:vip", "seg:new"} for number in range(10) if number != 3
    }
    assert {(row.contact, row.state) for row in store.rows(Push)} == {(store.ids[3], "missing")}


def test_wherever_a_worker_is_killed_the_next_one_ends_as_if_nothing_had_happened(merchants, monkeypatch, time):
    def scene():
        merchant = merchants(platforms=["shopify"])
        set_up(merchant, "both")
        merchant.customers(1, 2, 3)
        vip, new = merchant.segment("vip"), merchant.segment("new")
        merchant.enter(vip, 1, 2)
        merchant.work()
        merchant.leave(vip, 1)
        merchant.enter(new, 2, 3)
        return merchant

    def outcome(merchant):
        states = {row.state for row in merchant.rows(Push)}
        return tags(merchant), fields(merchant), states, merchant.rows(Job)

    began, point, alive = time.at, 0, False
    while not alive:
        point, time.at = point + 1, began
        merchant = scene()
        alive = survives(monkeypatch, merchant.engine, point, merchant.work)
        merchant.work()
        both = {2: {"seg:vip", "seg:new"}, 3: {"seg:new"}}
        assert outcome(merchant) == (both, both, set(), []), f"killed at point {point}"
        merchant.close()
    assert point > 5


@pytest.mark.parametrize("begun", [False, True])
def test_the_fields_definition_goes_with_the_last_that_is_in_it_before_uninstalling(store, begun):
    store.customers(1, 2, tags=["Wholesale"])
    vip = store.segment("vip")
    store.enter(vip, 1, 2)
    if begun:
        store.shopify.faults.add("lost", body="metafieldDefinitionCreate")
        with pytest.raises(ConnectorError):
            kept(store, "both")
    else:
        kept(store, "both")
        store.release(vip)
    store.work()
    assert fields(store) == ({} if begun else {1: {"seg:vip"}, 2: {"seg:vip"}})
    assert store.shopify.state.count("metafield_definition") == 1
    place = store.opened("shopify")
    with transaction(store.engine) as session:
        assert leaving.left(session, place).fields == 1
        leaving.begin(session, place)
    store.shopify.faults.add("error", body="metafieldDefinitionDelete")
    store.work()
    assert (fields(store), tags(store)) == ({}, {1: {"Wholesale"}, 2: {"Wholesale"}})
    assert store.shopify.state.count("metafield_definition") == 0
    assert [row.tags_as for row in store.rows(Connection)] == ["tags"]
    with reading(store.engine) as session:
        assert not leaving.left(session, place).any


@pytest.mark.parametrize("way", ["metafield", "both"])
def test_what_stands_in_the_metafield_is_read_back_and_put_right(store, way):
    store.customers(1, 2, 3)
    set_up(store, way)
    vip = store.segment("vip")
    store.enter(vip, 1, 2, 3)
    store.work()
    store.time.move(minutes=10)
    store.leave(vip, 3)
    store.work()
    store.time.move(minutes=10)
    assert read_back(store) == []
    right = fields(store)
    for number, value in ((2, "[]"), (3, '["seg:vip"]')):
        owner = f"gid://shopify/Customer/{store.ids[number]}"
        store.shopify.metafields.set([{"ownerId": owner, "key": FIELD, "type": FIELD_TYPE, "value": value}])
    assert read_back(store) == [("back", store.ids[3]), ("lost", store.ids[2])]
    assert {row.tag for row in store.rows(Drift)} == {",seg:vip"}
    assert repair(store) == 2
    assert fields(store) | {3: set()} == right | {3: set()}
    assert not fields(store).get(3)
    store.time.move(minutes=10)
    assert read_back(store) == []
