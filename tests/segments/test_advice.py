"""Hints that need a shop: other segments, consent, tags that nobody writes, and orders in another currency."""

import json
from datetime import UTC, datetime

from plugin import clock, shops
from plugin.__main__ import main
from plugin.db import transaction
from plugin.models.commerce import Customer, Order, ProductVersion, TagChange
from plugin.models.segments import Membership
from plugin.models.shops import Connection
from plugin.segments.hints import Hint, advice
from plugin.segments.kept import keep
from plugin.segments.language import parse, vocabulary
from tests.segments.test_language import marked

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONSENTING = "email_subscription_status = 'SUBSCRIBED'"


def a_shop(session, name):
    shop, _ = shops.add_shop(
        session, name=name, platform="shopify", domain=f"{name}.myshopify.com", zone="UTC", currency="USD"
    )
    mine = {"shop_id": shop.shop_id}
    session.add(TagChange(**mine, customer_id="1", folded="vip", tag="VIP", added=True, changed_at=NOON))
    session.add(ProductVersion(**mine, product_id="1", updated_at=NOON, tags=("sale",)))
    for number in ("1", "2"):
        session.add(Customer(**mine, customer_id=number, seen_at=NOON, created_at=NOON))
        order = {"order_id": number, "customer_id": number, "placed_at": NOON, "counts": True, "currency": "USD"}
        session.add(Order(**mine, **order, total_minor=1000, amount_minor=1000))
    return shop


def hinted(session, shop, text, segment_id=None):
    plain, places = marked(text)
    found = advice.in_shop(session, shop, parse(plain), NOON, segment_id)
    assert [place for one in found for place in one.places] == places
    return [one.code for one in found]


def test_other_segments_that_hold_all_members_are_named(engine):
    with clock.freeze(NOON), transaction(engine) as session:
        mine, theirs = a_shop(session, "mine"), a_shop(session, "theirs")
        often = keep.add(session, mine, "Often", "number_of_orders > 2")
        keep.add(session, theirs, "Everybody", "number_of_orders >= 0")
        text = "«number_of_orders > 3 AND amount_spent > 5»"
        assert hinted(session, mine, text) == [Hint.SUBSET_OF_SEGMENT]
        assert hinted(session, mine, "number_of_orders > 3", often.segment_id) == []
        assert list(advice.by_members(session, mine, "amount_spent > 5", parse("amount_spent > 5"), NOON)) == []
        for number in ("1", "2"):
            key = {"shop_id": mine.shop_id, "segment_id": often.segment_id, "customer_id": number}
            session.add(Membership(**key, entered_at=NOON, cause="edited"))
        session.flush()
        [found] = advice.by_members(session, mine, "amount_spent > 5", parse("amount_spent > 5"), NOON)
        assert (found.code, "Often" in found.message, "2" in found.message) == (Hint.SUBSET_OF_SEGMENT, True, True)
        of_it = parse("IN SEGMENT 'Often'", vocabulary.of(session, mine))
        assert list(advice.by_members(session, mine, "IN SEGMENT 'Often'", of_it, NOON)) == []


def test_a_segment_that_goes_to_an_email_platform_asks_for_consent(engine):
    with clock.freeze(NOON), transaction(engine) as session:
        shop = a_shop(session, "mine")
        kept = keep.add(session, shop, "Often", "number_of_orders > 2")
        assert hinted(session, shop, "amount_spent > 5") == []
        session.add(
            Connection(
                shop_id=shop.shop_id,
                connection_id="k",
                platform="klaviyo",
                role="email",
                account="a",
                sealed="",
                created_at=NOON,
            )
        )
        session.flush()
        assert hinted(session, shop, "«amount_spent > 5 OR rfm_recency = 5»") == [Hint.WITHOUT_CONSENT]
        assert hinted(session, shop, f"amount_spent > 5 AND {CONSENTING}") == []
        assert hinted(session, shop, "number_of_orders > 2", kept.segment_id) == []  # its tag goes to no such place
        keep.add(session, shop, "Subscribed", CONSENTING)
        words = vocabulary.of(session, shop)
        assert advice.in_shop(session, shop, parse("IN SEGMENT 'Subscribed' AND amount_spent > 5", words), NOON) == []


def test_tags_that_nobody_writes_are_named(engine):
    with clock.freeze(NOON), transaction(engine) as session:
        shop = a_shop(session, "mine")
        keep.add(session, shop, "Often", "number_of_orders > 2", "seg:often")
        assert (
            hinted(
                session, shop, "customer_tags CONTAINS 'Vip' OR customer_tags NOT CONTAINS 'VIP' AND rfm_recency = 5"
            )
            == []
        )
        text = "«customer_tags CONTAINS 'vpi'» AND «customer_tags NOT CONTAINS 'SEG:often'»"
        assert hinted(session, shop, text) == [Hint.TAG_NOBODY_WRITES] * 2
        text = "products_purchased MATCHES (tag = 'Sale') OR products_purchased MATCHES («tag IN ('sale', 'new')»)"
        assert hinted(session, shop, text) == [Hint.TAG_NOBODY_WRITES]


def test_amounts_are_compared_beside_orders_that_have_none_in_the_shops_currency(engine):
    with clock.freeze(NOON), transaction(engine) as session:
        shop = a_shop(session, "mine")
        text = "«amount_spent > 5» OR orders_placed MATCHES (count > 1, «sum_amount > 9»)"
        foreign = {"order_id": "9", "customer_id": "1", "placed_at": NOON, "counts": True, "currency": "EUR"}
        session.add(Order(shop_id=a_shop(session, "theirs").shop_id, **foreign))
        assert hinted(session, shop, text.replace("«", "").replace("»", "")) == []
        session.add(Order(shop_id=shop.shop_id, **foreign))
        session.flush()
        assert hinted(session, shop, text) == [Hint.MONEY_ACROSS_CURRENCIES]
        assert hinted(session, shop, "number_of_orders > 2") == []


def test_the_command_says_all_of_it(capsys):
    assert main(["segments", "check", "rfm_recency > 5 -- never"]) == 0
    said = json.loads(capsys.readouterr().out)
    reason = {"code": "NAME_NOT_IN_SHOPIFY", "start": 0, "end": 11, "message": "Shopify's segments have no rfm_recency"}
    assert said["shopify"] == {"ok": False, "reasons": [reason]}
    [hint] = said["hints"]
    assert (hint["code"], hint["start"], hint["end"], hint["places"]) == (
        "ALWAYS_EMPTY",
        0,
        15,
        [{"start": 0, "end": 15}],
    )
    assert main(["segments", "check", "amount_spent > 5"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "ok": True,
        "canonical": "amount_spent > 5",
        "shopify": {"ok": True, "text": "amount_spent > 5", "reasons": []},
        "hints": [],
    }
