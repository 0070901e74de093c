"""Segments of the store's own beside our tags: made once, renamed and dropped with ours, and never anybody else's."""

import pytest

from connectors.stores.shopify import Shopify
from plugin import shops
from plugin.db import reading, transaction
from plugin.models.tagging import Audience
from plugin.segments.kept import keep
from plugin.tagging import audiences, keeping, rehearsal
from tests.tagging.interference import KilledError, around, survives
from tests.tagging.merchant import WORK

VIP = ("vip", "customer_tags CONTAINS 'seg:vip'")


@pytest.fixture
def store(merchants):
    return merchants(platforms=["shopify"])


def want(merchant, segment_id):
    with transaction(merchant.engine) as session:
        audiences.want(session, merchant.shop_id, segment_id, merchant.places["shopify"])


def edit(merchant, segment_id, **changes):
    with transaction(merchant.engine) as session:
        shop = shops.shop(session, merchant.shop_id)
        segment = keep.get(session, merchant.shop_id, segment_id)
        wanted = {"name": segment.name, "query": segment.query, "tag": segment.tag} | changes
        keep.edit(session, shop, segment_id, **wanted)


def switch(merchant, segment_id, *, enabled):
    with transaction(merchant.engine) as session:
        keep.switch(session, merchant.shop_id, segment_id, enabled=enabled)


def there(merchant):
    return [(one["name"], one["query"]) for one in merchant.shopify.segments.all()]


def state(merchant):
    [row] = merchant.rows(Audience)
    return row.state


def made(merchant):
    segment_id = merchant.segment("vip")
    want(merchant, segment_id)
    merchant.work()
    return segment_id


def foreign(merchant, name="vip"):
    merchant.shopify.segments.create(name, VIP[1])


def test_it_is_made_once(store):
    segment_id = made(store)
    want(store, segment_id)
    store.work()
    assert there(store) == [VIP]
    assert state(store) == "made"
    assert len([one for one in store.calls("shopify") if "segmentCreate" in str(one["body"])]) == 1


def test_without_being_asked_for_none_is_made(store):
    store.segment("vip")
    store.work()
    assert there(store) == []


def test_it_has_our_name_and_tag_also_after_they_have_changed(store):
    segment_id = made(store)
    edit(store, segment_id, name="Best buyers", tag="seg:best")
    store.work()
    assert there(store) == [("Best buyers", "customer_tags CONTAINS 'seg:best'")]


def test_it_goes_with_ours_and_comes_back_when_asked_for(store):
    segment_id = made(store)
    foreign(store, "theirs")
    switch(store, segment_id, enabled=False)
    store.work()
    assert there(store) == [("theirs", VIP[1])]
    switch(store, segment_id, enabled=True)
    store.work()
    assert len(there(store)) == 1
    store.release(segment_id)
    want(store, segment_id)
    store.work()
    assert set(there(store)) == {VIP, ("theirs", VIP[1])}


def test_one_that_the_merchant_deleted_stays_deleted_until_it_is_asked_for_again(store):
    segment_id = made(store)
    for one in store.shopify.segments.all():
        store.shopify.state.delete("segment", str(one["id"]))
    edit(store, segment_id, name="Best")
    store.work()
    assert (there(store), state(store)) == ([], "gone")
    edit(store, segment_id, name="Better")
    switch(store, segment_id, enabled=False)
    store.work()
    assert (there(store), state(store)) == ([], "dropped")
    switch(store, segment_id, enabled=True)
    want(store, segment_id)
    store.work()
    assert there(store) == [("Better", VIP[1])]


def test_one_of_the_merchants_is_never_taken_for_ours(store):
    foreign(store)
    store.time.move(hours=1)
    segment_id = made(store)
    assert (there(store), state(store)) == ([VIP], "refused")
    [row] = store.rows(Audience)
    assert "taken" in row.error
    switch(store, segment_id, enabled=False)
    store.work()
    assert there(store) == [VIP]


def test_a_name_that_was_taken_is_tried_again_with_another(store):
    foreign(store)
    segment_id = made(store)
    edit(store, segment_id, name="Our own")
    store.work()
    assert set(there(store)) == {VIP, ("Our own", VIP[1])}
    assert state(store) == "made"


def test_another_name_that_is_taken_leaves_ours_as_it_was_and_no_second_one_is_made(store):
    segment_id = made(store)
    foreign(store, "Best")
    edit(store, segment_id, name="Best")
    store.work()
    assert (set(there(store)), state(store)) == ({VIP, ("Best", VIP[1])}, "refused")
    want(store, segment_id)
    edit(store, segment_id, name="Better")
    store.work()
    assert (set(there(store)), state(store)) == ({("Better", VIP[1]), ("Best", VIP[1])}, "made")
    edit(store, segment_id, name="Best")
    store.work()
    switch(store, segment_id, enabled=False)
    store.work()
    assert there(store) == [("Best", VIP[1])]


def test_given_up_and_wanted_again_before_anybody_looked_it_stays_as_it_is(store):
    segment_id = made(store)
    [before] = store.shopify.segments.all()
    switch(store, segment_id, enabled=False)
    switch(store, segment_id, enabled=True)
    want(store, segment_id)
    store.work()
    assert store.shopify.segments.all() == [before]
    assert state(store) == "made"


def test_a_tag_that_cannot_stand_in_a_query_is_refused_and_tags_go_on(store):
    store.customers(1)
    segment_id = store.segment("o'hara", tag="seg:o'hara")
    want(store, segment_id)
    store.enter(segment_id, 1)
    store.work()
    assert (there(store), state(store)) == ([], "refused")
    assert store.tags_of(1)[0] == {"seg:o'hara"}


def test_where_tags_are_kept_in_the_field_alone_there_is_none(store):
    made(store)
    keeping.choose(store.engine, store.shop_id, store.places["shopify"], "metafield")
    store.work()
    assert there(store) == []


def test_a_failure_is_made_up_for(store):
    for fault in ("lost", "error", "half", "throttled"):
        store.shopify.faults.add(fault, body="segmentCreate", seconds=5)
    made(store)
    store.work(patience=7_200)
    assert (there(store), state(store)) == ([VIP], "made")


def test_one_given_up_while_it_is_made_is_dropped(store, monkeypatch):
    segment_id = store.segment("vip")
    want(store, segment_id)

    def give_up(*_):
        with transaction(store.engine) as session:
            audiences.give_up(session, store.shop_id, segment_id)

    around(monkeypatch, "shopify", after_make_audience=give_up)
    store.work()
    assert (there(store), state(store)) == ([], "dropped")


def test_one_wanted_again_while_it_is_dropped_is_made_again(store, monkeypatch):
    segment_id = made(store)
    with transaction(store.engine) as session:
        audiences.give_up(session, store.shop_id, segment_id)
    dropped = Shopify.drop_audience

    def meanwhile(connector, audience_id):
        dropped(connector, audience_id)
        want(store, segment_id)

    monkeypatch.setattr(Shopify, "drop_audience", meanwhile)
    store.work()
    assert there(store) == [VIP]
    assert state(store) == "made"


@pytest.mark.parametrize("ending", ["made", "changed", "dropped"])
def test_wherever_a_worker_is_killed_there_is_one_in_the_end(merchants, monkeypatch, time, ending):
    began, point, alive = time.at, 0, False
    while not alive:
        point, time.at = point + 1, began
        merchant = merchants(platforms=["shopify"])
        segment_id = merchant.segment("vip")
        want(merchant, segment_id)
        if ending != "made":
            merchant.work()
        if ending == "changed":
            edit(merchant, segment_id, name="Best")
        elif ending == "dropped":
            switch(merchant, segment_id, enabled=False)
        alive = survives(monkeypatch, merchant.engine, point, merchant.work)
        merchant.work()
        wanted = {"made": [VIP], "changed": [("Best", VIP[1])], "dropped": []}[ending]
        assert there(merchant) == wanted, f"killed at point {point}"
        merchant.close()
    assert point > 3


def test_killed_in_the_making_and_given_up_it_is_dropped_all_the_same(merchants, monkeypatch):
    merchant = merchants(platforms=["shopify"])
    segment_id = merchant.segment("vip")
    want(merchant, segment_id)

    def kill(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        around(patched, "shopify", after_make_audience=kill)
        with pytest.raises(KilledError):
            merchant.work()
    switch(merchant, segment_id, enabled=False)
    merchant.work()
    assert there(merchant) == []


def test_an_e_mail_platform_has_none(merchant):
    segment_id = merchant.segment("vip")
    with transaction(merchant.engine) as session:
        audiences.want(session, merchant.shop_id, segment_id, merchant.places["klaviyo"])
    merchant.work()
    assert state(merchant) == "wanted"
    with reading(merchant.engine) as session:
        assert rehearsal.rehearse(session, merchant.opened("klaviyo")).segments == {}
    assert WORK
