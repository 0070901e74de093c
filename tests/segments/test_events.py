"""What queries ask of events: tags as they were then, the latest answer to a survey, and what supplies a name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.records import Customer, Event, Product
from plugin import api_keys, clock, ingest, shops
from plugin.db import reading, table, transaction
from plugin.models.segments import Stale
from plugin.segments.asking import ask, figures
from plugin.segments.asking.comparing import Scope
from plugin.segments.asking.compiler import condition
from plugin.segments.asking.moments import Moment
from plugin.segments.language import check, parse, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.vocabulary import WHOLE_TABLE
from plugin.worker import work_all

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SENT = ("site.searched IS NOT NULL", "call_received MATCHES ()", "event MATCHES (name = 'talk')", "nps_score = 10")
VIEWED = "storefront.product_viewed MATCHES (tag = 'Sale')"
TAGGED = "storefront.collection_viewed MATCHES (tag = 'sale')"


class World:
    def __init__(self, engine):
        self.engine = engine
        with transaction(engine) as session:
            self.shop, _ = shops.add_shop(
                session, name="Gifts", platform="shopify", domain="gifts.example.com", zone="UTC", currency="GBP"
            )

    def send_with_a_key(self):
        with transaction(self.engine) as session:
            api_keys.add(session, self.shop.shop_id, "calls", ["events:write"])

    def tell(self, *records):
        with transaction(self.engine) as session:
            ingest.store(session, self.shop, "store", records)

    def members(self, query, at=None):
        with reading(self.engine) as session:
            return "".join(one.customer_id for one in ask.members(session, self.shop, query, at))

    def words(self):
        with reading(self.engine) as session:
            return vocabulary.of(session, self.shop)

    def stale(self):
        """Who is to be evaluated again; nobody afterwards."""
        with transaction(self.engine) as session:
            found = session.scalars(select(table(Stale).c.customer_id)).all()
            session.execute(table(Stale).delete())
        return "".join(sorted(found))


@pytest.fixture
def world(engine):
    with clock.freeze(NOW):
        made = World(engine)
        made.tell(*(Customer(one, NOW - 90 * DAY, NOW - 90 * DAY) for one in "abcd"))
        yield made


def viewed(who, at, product="7", **more):
    return Event(f"{who}{at}{product}", "product_viewed", at, who, subject_id=product, **more)


def described(at, *tags, title=None):
    return Product("7", at, title=title, tags=tags)


def test_a_name_is_there_once_something_supplies_it_and_says_what_would(world):
    for query in (*SENT, TAGGED):
        [error] = check(query, world.words()).errors
        assert error.code == "NOT_AVAILABLE"
        assert "key" in error.message or "tags of collections" in error.message
    assert check(VIEWED, world.words()).ok
    world.send_with_a_key()
    assert all(check(query, world.words()).ok for query in (*SENT, TAGGED, VIEWED))
    with transaction(world.engine) as session:
        [key] = api_keys.all_of(session, world.shop.shop_id)
        api_keys.revoke(session, world.shop.shop_id, key.key_id)
    assert check(SENT[0], world.words()).ok  # what came by it is still there
    for name in ("email.opened", "shopify_email.clicked"):  # no connection of this shop tells of e-mails
        [error] = check(f"{name} MATCHES (activity_id = 1)", world.words()).errors
        assert (error.code, "e-mail platform" in error.message) == ("NOT_AVAILABLE", True)
        with pytest.raises(SegmentErrors):
            world.members(f"{name} IS NULL")


def test_opens_of_e_mails_are_asked_for_like_other_events(world):
    world.tell(
        Event("1", "email.opened", NOW - DAY, "a", subject_id="spring"),
        Event("2", "email.clicked", NOW - DAY, "b", subject_id="spring"),
        Event("3", "shopify_email.opened", NOW - DAY, "c", subject_id="9"),
    )
    asked = {
        "email.opened MATCHES (activity_id = 'spring', date >= -7d)": "a",
        "email.clicked IS NOT NULL": "b",
        "shopify_email.opened MATCHES (activity_id = 9)": "c",
        "email.opened MATCHES (count >= 2)": "",
    }
    people = figures.figures(figures.Asked(paid_orders_only=False), ()).cte("people")
    scope = Scope(figures.Asked(paid_orders_only=False), "GBP", Moment(NOW, "UTC"), people.c, enough_buyers=True)
    with reading(world.engine) as session:
        for query, expected in asked.items():
            met = select(people.c.customer_id).where(condition(parse(query, WHOLE_TABLE), scope))
            found = session.scalars(met, figures.parameters(world.shop.shop_id, NOW)).all()
            assert "".join(found) == expected, query


def test_the_tags_of_a_view_are_those_told_with_it_else_those_of_the_product_then(world):
    world.tell(
        described(NOW - 20 * DAY, "Sale"),
        described(NOW - 10 * DAY, "new"),
        viewed("a", NOW - 15 * DAY),
        viewed("b", NOW - 5 * DAY),
        viewed("c", NOW - 30 * DAY),  # from before anything was known: as first known
        viewed("d", NOW - 5 * DAY, tags=("SALE",)),
        viewed("d", NOW - 15 * DAY, product="8"),
    )
    assert world.members(VIEWED) == "acd"
    assert world.members("storefront.product_viewed MATCHES (tag = 'new')") == "b"
    assert world.members("storefront.product_viewed MATCHES (tag NOT IN ('sale', 'new'))") == "d"


def test_whoever_viewed_a_product_is_asked_again_when_its_tags_then_turn_out_to_be_others(world):
    world.tell(viewed("a", NOW - 15 * DAY), viewed("b", NOW - 5 * DAY), viewed("c", NOW - 5 * DAY, tags=()))
    world.stale()
    moves = []
    for told in (
        described(NOW - 10 * DAY, "sale"),  # the first known
        described(NOW - 9 * DAY, "sale", title="Another"),  # the same tags
        described(NOW - 6 * DAY, "new"),
        described(NOW, "late"),  # nobody has seen it like this
        described(NOW - 20 * DAY, "old"),  # known later, from before
    ):
        world.tell(told)
        moves.append((world.stale(), world.members(VIEWED)))
    assert moves == [("ab", "ab"), ("", "ab"), ("b", "a"), ("", "a"), ("a", "")]


def answer(number, who, survey, score, at=NOW - DAY):
    return Event(str(number), "survey_answered", at, who, subject=survey, score=score and Decimal(score))


def test_the_latest_answer_on_the_scale_of_its_survey_is_the_score(world):
    world.send_with_a_key()
    world.tell(
        answer(1, "a", "nps", "6", NOW - 9 * DAY),
        answer(2, "a", "nps", "9"),
        answer(3, "a", "nps", None, NOW),
        answer(4, "a", "nps", "11", NOW),
        answer(5, "a", "nps", "9.5", NOW),
        answer(6, "b", "nps", "8"),
        answer(7, "b", "csat", "8"),
        answer(8, "b", "csat", "5", NOW - 2 * DAY),
        answer(9, "c", "NPS", "10"),
        answer(10, "c", "nps", "3", NOW + DAY),
    )
    groups = ("PROMOTER", "PASSIVE", "DETRACTOR")
    assert [world.members(f"nps_group = '{one}'") for one in groups] == ["a", "b", ""]
    assert world.members("nps_score IS NULL") == "cd"
    assert world.members("csat_score >= 4") == "b"
    assert [world.members(f"nps_group = '{one}'", NOW - 5 * DAY) for one in groups] == ["", "", "a"]
    assert [world.members(f"nps_group = '{one}'", NOW + DAY) for one in groups] == ["a", "b", "c"]
    assert world.members("survey_answered MATCHES (survey = 'nps', score > 9.25)") == "a"


def test_a_new_day_moves_whoever_did_something_just_so_long_ago(world):
    from plugin.models.segments import Membership
    from plugin.segments.kept import keep

    world.send_with_a_key()
    world.tell(
        Event("1", "call_received", NOW - 7 * DAY, "a"),
        Event("2", "call_received", NOW - 6 * DAY, "b"),
        Event("3", "searched", NOW - 7 * DAY, "c", subject="mug"),
    )
    with transaction(world.engine) as session:
        keep.add(session, world.shop, "Called", "call_received MATCHES (date >= -7d)")
    found = []
    for days in range(3):
        with clock.freeze(NOW + days * DAY):
            work_all(world.engine, lambda _, kind: kind == "recompute")
            with reading(world.engine) as session:
                found.append("".join(sorted(session.scalars(select(table(Membership).c.customer_id)))))
    assert found == ["ab", "b", ""]
