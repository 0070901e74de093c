"""The guard: a surge is held before it is written, and ends by a release or by being taken back."""

import pytest
from sqlalchemy import update

from plugin import lanes
from plugin.db import reading, table, transaction
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Contact, Destination, Hold, TagCount
from plugin.tagging import alerts, holding
from tests.keeping.postbox import Postbox
from tests.tagging.interference import step, survives
from tests.tagging.merchant import EMAIL, address

LIMIT = 5


@pytest.fixture
def shop(merchants):
    """A merchant with one live segment of ten members, all tagged, and a limit that a test can reach."""

    def make(platform="klaviyo", **columns):
        merchant = merchants(platforms=[platform])
        limit(merchant, **{"guard_contacts": LIMIT, "guard_percent": 20} | columns)
        merchant.customers(*range(40))
        vip = merchant.segment("vip")
        merchant.enter(vip, *range(10))
        merchant.work()
        merchant.time.move(hours=1)
        return merchant, vip

    return make


def limit(merchant, **columns):
    with transaction(merchant.engine) as session:
        session.execute(update(table(Shop)).where(table(Shop).c.shop_id == merchant.shop_id).values(**columns))


def state(merchant):
    [row] = merchant.rows(Destination)
    return row.state


def tagged(merchant):
    [platform] = merchant.places
    return {contact for contact, tags in merchant.tags(platform).items() if "seg:vip" in tags}


def those(*numbers):
    return {address(number) for number in numbers}


@pytest.mark.parametrize("platform", EMAIL)
def test_a_surge_is_held_before_any_of_it_is_written_and_a_release_lets_it_go(shop, platform):
    merchant, vip = shop(platform)
    merchant.enter(vip, *range(10, 10 + LIMIT + 1))
    other = merchant.segment("other")
    merchant.enter(other, *range(10, 14))
    merchant.work()
    assert tagged(merchant) == those(*range(10))
    assert sum("seg:other" in tags for tags in merchant.tags(platform).values()) == 4
    [held] = merchant.rows(Hold)
    assert (held.segment_id, held.added, held.removed, held.size) == (vip, LIMIT + 1, 0, 10)
    assert merchant.settled()
    merchant.release(vip)
    merchant.work()
    assert tagged(merchant) == those(*range(10 + LIMIT + 1))
    assert [row.released_at is None for row in merchant.rows(Hold)] == [False]


def test_a_day_is_counted_together_and_the_next_one_anew(shop):
    merchant, vip = shop()
    for first in (10, 12):
        merchant.enter(vip, first, first + 1)
        merchant.work()
        merchant.time.move(hours=2)
    merchant.enter(vip, 14)
    merchant.work()
    merchant.time.move(hours=1)
    assert len(tagged(merchant)) == 10 + LIMIT
    merchant.enter(vip, 15)
    merchant.work()
    assert state(merchant) == "held"
    [held] = merchant.rows(Hold)
    assert (held.added, held.size) == (LIMIT + 1, 10)
    merchant.release(vip)
    merchant.work()
    merchant.time.move(hours=26)
    merchant.leave(vip, *range(LIMIT))
    merchant.work()
    assert (state(merchant), len(tagged(merchant))) == ("live", 11)
    merchant.leave(vip, LIMIT)
    merchant.work()
    assert (state(merchant), len(tagged(merchant))) == ("held", 11)
    assert sorted(row.removed for row in merchant.rows(Hold)) == [0, LIMIT + 1]
    merchant.time.move(hours=26)
    merchant.release(vip)
    merchant.work()
    assert merchant.rows(TagCount) == []


def test_what_was_agreed_to_and_what_nobody_is_asked_about_passes(shop):
    merchant, vip = shop()
    new = merchant.segment("new", released=False)
    merchant.enter(new, *range(30))
    merchant.release(new)
    for cause, numbers in (("merged", range(10, 20)), ("agreed", range(20, 30))):
        merchant.enter(vip, *numbers, cause=cause)
    merchant.work()
    assert tagged(merchant) == those(*range(30))
    merchant.leave(vip, *range(10), cause="consent")
    merchant.leave(vip, *range(10, 20), cause="deleted")
    merchant.work()
    assert tagged(merchant) == those(*range(20, 30))
    assert merchant.rows(Hold) == []


def test_withdrawn_consent_takes_a_tag_off_that_is_held(shop):
    merchant, vip = shop()
    merchant.enter(vip, *range(10, 30))
    merchant.work()
    assert state(merchant) == "held"
    merchant.leave(vip, 1, 2)
    merchant.leave(vip, 3, cause="consent")
    merchant.work()
    assert tagged(merchant) == those(*range(10)) - those(3)


def test_a_share_below_the_shops_limit_is_no_surge(shop):
    merchant, vip = shop(guard_percent=70)
    merchant.enter(vip, *range(10, 10 + LIMIT + 2))
    merchant.work()
    assert (state(merchant), len(tagged(merchant))) == ("live", 17)


def test_who_is_not_on_the_platform_is_looked_up_before_anything_is_held(shop):
    merchant, vip = shop()
    merchant.customers(*range(50, 70), mail=False)
    merchant.enter(vip, 10, *range(50, 70))
    merchant.work()
    assert tagged(merchant) == those(*range(11))
    assert merchant.rows(Hold) == []
    merchant.klaviyo.add([{"email": address(number)} for number in range(50, 70)])
    merchant.time.move(hours=24)
    merchant.work()
    assert state(merchant) == "held"
    assert tagged(merchant) == those(*range(11))


@pytest.mark.parametrize("platform", EMAIL)
def test_taking_back_leaves_the_tags_of_the_membership_before_and_says_so_in_numbers(shop, platform):
    merchant, vip = shop(platform)
    merchant.time.move(hours=24)
    merchant.enter(vip, 10, 11, 12)
    merchant.leave(vip, 0, 1)
    merchant.work()
    merchant.time.move(minutes=10)
    merchant.leave(vip, 10)
    merchant.enter(vip, 0)
    merchant.work()
    merchant.enter(vip, *range(13, 30))
    merchant.work()
    assert tagged(merchant) == those(0, *range(2, 10), 11, 12)
    place = merchant.opened(platform)
    with reading(merchant.engine) as session:
        said = holding.back(session, place, holding.of(session, place, vip))
    assert (said.off, said.on) == (those(11, 12), those(1))
    with transaction(merchant.engine) as session:
        holding.ask_back(session, place, vip)
    merchant.work()
    assert tagged(merchant) == those(*range(10))
    assert (state(merchant), merchant.settled()) == ("held", True)
    merchant.release(vip)
    merchant.work()
    assert tagged(merchant) == those(0, *range(2, 10), *range(11, 30))


def test_whoever_is_killed_anywhere_counts_nobody_twice_and_holds_all_the_same(shop, monkeypatch, time):
    def scene(merchant, vip):
        merchant.enter(vip, 10, 11, 12)
        merchant.work()
        merchant.enter(vip, 13, 14)
        merchant.work()
        merchant.enter(vip, *range(15, 20))
        merchant.work()
        place = merchant.opened("klaviyo")
        with transaction(merchant.engine) as session:
            holding.ask_back(session, place, vip)
        merchant.work()

    def outcome(merchant):
        [held] = merchant.rows(Hold)
        counted = sum(row.added for row in merchant.rows(TagCount))
        return held.added, held.removed, counted, tagged(merchant), state(merchant)

    began = time.at
    merchant, vip = shop()
    scene(merchant, vip)
    assert outcome(merchant) == (10, 0, 5, those(*range(10)), "held")
    point, alive = 0, False
    while not alive:
        point, time.at = point + 3 * step(merchant.engine), began
        merchant, vip = shop()
        merchant.enter(vip, 10, 11, 12)
        alive = survives(monkeypatch, merchant.engine, point, merchant.work)
        merchant.work()
        scene(merchant, vip)
        assert outcome(merchant) == (10, 0, 5, those(*range(10)), "held"), f"killed at {point}"
        merchant.close()


def test_a_hold_is_told_by_mail_to_whoever_looks_after_the_segment_once(shop, monkeypatch):
    from plugin.config import settings

    merchant, vip = shop(alert_email="shop@example.com")
    with Postbox() as box:
        for name, value in (
            ("HOST", "127.0.0.1"),
            ("PORT", str(box.port)),
            ("TLS", "none"),
            ("SENDER", "t@example.com"),
        ):
            monkeypatch.setenv(f"SMTP_{name}", value)
        settings.cache_clear()
        merchant.enter(vip, *range(10, 30))
        merchant.work()
        for _ in range(2):
            claim = lanes.claim(merchant.engine, merchant.shop_id, holding.LANE)
            if claim:
                lanes.attempt(merchant.engine, claim, alerts.work)
            with transaction(merchant.engine) as session:
                lanes.poke(session, merchant.shop_id, holding.LANE)
        [mail] = box.mails
        assert (mail["To"], "20 contacts" in mail.get_content()) == ("shop@example.com", True)
        assert not any(row.contact in mail.get_content() for row in merchant.rows(Contact))
    settings.cache_clear()
    with reading(merchant.engine) as session:
        assert session.get(Segment, (merchant.shop_id, vip)).name in mail["Subject"]
