"""Tags of a ladder: never two of them on one contact, whoever stands where and whatever may be written."""

from plugin.db import transaction, upsert
from plugin.models.structures import LadderLevel
from plugin.tagging import rehearsal
from plugin.tagging.ladders import rungs
from tests.tagging.merchant import address


def ladder(merchant, *segment_ids):
    with transaction(merchant.engine) as session:
        own = {"shop_id": merchant.shop_id, "ladder_id": "L"}
        rows = [own | {"segment_id": one, "place": place} for place, one in enumerate(segment_ids)]
        assert rungs.name == LadderLevel.__tablename__
        upsert(session, rungs, rows)


def test_a_contact_of_two_customers_carries_the_tag_of_the_higher_level(merchant):
    merchant.customers(1, 2)
    silver, gold, other = (merchant.segment(name) for name in ("silver", "gold", "other"))
    ladder(merchant, silver, gold)
    merchant.readdress(2, address(1))
    merchant.enter(silver, 1)
    merchant.enter(gold, 2)
    merchant.enter(other, 1, 2)
    merchant.work()
    assert merchant.tags("klaviyo")[address(1)] == {"seg:gold", "seg:other"}
    assert (merchant.tags_of(1)[0], merchant.tags_of(2)[0]) == ({"seg:silver", "seg:other"}, {"seg:gold", "seg:other"})
    merchant.leave(gold, 2)
    merchant.work()
    assert merchant.tags("klaviyo")[address(1)] == {"seg:silver", "seg:other"}


def test_no_level_is_put_beside_one_that_is_held(merchant):
    merchant.customers(1, 2)
    silver, gold = merchant.segment("silver"), merchant.segment("gold")
    ladder(merchant, silver, gold)
    merchant.enter(silver, 1)
    merchant.work()
    with transaction(merchant.engine) as session:
        for connection_id in merchant.places.values():
            rehearsal.hold(session, merchant.shop_id, silver, connection_id)
    merchant.leave(silver, 1)
    merchant.enter(gold, 1, 2)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:silver"}, {"seg:silver"})
    assert merchant.tags_of(2) == ({"seg:gold"}, {"seg:gold"})
    merchant.release(silver)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:gold"}, {"seg:gold"})
