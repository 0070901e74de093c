"""What a shop's queries may name: what its platforms supply, and an error that says who would where they do not."""

from __future__ import annotations

import pytest

from plugin import shops
from plugin.db import transaction
from plugin.segments.kept import keep
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import Code, SegmentErrors

SHOPIFYS_OWN = "shopify_rfm_group = 'LOYAL'"


def shop_on(session, platform):
    return shops.add_shop(
        session, name=platform, platform=platform, domain=f"{platform}.example.com", zone="UTC", currency="EUR"
    )[0]


def test_a_store_of_another_platform_is_told_who_would_supply_what_it_lacks(engine):
    with transaction(engine) as session:
        shop = shop_on(session, "plainstore")
        with pytest.raises(SegmentErrors) as refused:
            keep.add(session, shop, "Loyal", f"number_of_orders > 1 AND {SHOPIFYS_OWN}")
    [error] = refused.value.errors
    assert (error.code, error.start, error.end) == (Code.NOT_AVAILABLE, 25, 42)
    assert "a Shopify store" in error.message


def test_a_shopify_store_has_it(engine):
    with transaction(engine) as session:
        segment = keep.add(session, shop_on(session, "shopify"), "Loyal", SHOPIFYS_OWN)
    assert segment.query == SHOPIFYS_OWN


def test_what_shopify_tells_to_no_app_is_refused_with_that_reason(engine):
    with transaction(engine) as session, pytest.raises(SegmentErrors) as refused:
        keep.add(session, shop_on(session, "shopify"), "By an app", "created_by_app_id = 1234567")
    [error] = refused.value.errors
    assert (error.code, error.start, error.end) == (Code.NOT_AVAILABLE, 0, 17)
    assert "Shopify tells that to no app" in error.message


def test_what_a_shop_may_name_holds_its_own_segments_alone(engine):
    with transaction(engine) as session:
        one, other = shop_on(session, "shopify"), shop_on(session, "plainstore")
        mine = keep.add(session, one, "Mine", "number_of_orders > 1")
        keep.add(session, other, "Theirs", "number_of_orders > 1")
        assert vocabulary.of(session, one).segments == ((mine.segment_id, "Mine"),)
