"""What an edit would write, held against what it does: references, ladders with patience, pins, shared addresses."""

import random
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import update

from plugin import lanes, shops, stale
from plugin.db import reading, table, transaction, upsert
from plugin.insight import foreseen
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.structures import Ladder, LadderLevel
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import ladders, pins, recompute
from tests.tagging.merchant import Merchant, address

PEOPLE = range(24)
ABSENT = (21, 22, 23)  # from the e-mail platform
LANGUAGES = ("de", "en", "es", "fr")
NAMES = ("one", "two", "three", "four", "five", "six")
EDITS = 4


class Edited:
    """A shop, some days old, whose segments refer to each other and stand on a ladder, edited by chance."""

    def __init__(self, merchant: Merchant, chance: random.Random) -> None:
        self.merchant, self.chance = merchant, chance
        merchant.customers(*PEOPLE[: -len(ABSENT)])
        merchant.customers(*ABSENT, mail=False)
        for one, other in ((1, 2), (3, 4)):
            merchant.readdress(one, address(other))
        with transaction(merchant.engine) as session:
            session.execute(update(Customer).values(created_at=merchant.time()))
        for name in NAMES:
            self.do(partial(keep.add, name=name, query=self.query(name)))
        for row in self.segments():
            if row.name != "five":
                merchant.release(row.segment_id)
        for inside in (True, False, True, False):
            who = merchant.ids[chance.choice(PEOPLE)]
            self.do(partial(pins.pin, segment_id=self.some(1)[0], customer_id=who, inside=inside))
        while not merchant.rows(Ladder):
            self.try_to(self.ladder()[0])
        for _ in range(3):
            self.learn()
            self.run()
            merchant.time.move(days=1)
        self.run()

    def do(self, change):
        with transaction(self.merchant.engine) as session:
            return change(session, shops.shop(session, self.merchant.shop_id))

    def try_to(self, change):
        """Make a change that may go round in a circle; return whether it was made."""
        try:
            self.do(change)
        except (RefusedError, SegmentErrors):
            return False
        return True

    def segments(self):
        return sorted(self.merchant.rows(Segment), key=lambda row: row.name)

    def some(self, count):
        return self.chance.sample([row.segment_id for row in self.segments()], count)

    def query(self, name):
        """Ask for languages, mostly beside members of another segment."""
        some = ", ".join(f"'{one}'" for one in self.chance.sample(LANGUAGES, 2))
        there = [row.name for row in self.segments() if row.name != name]
        if not there or self.chance.random() < 0.3:
            return f"customer_language IN ({some})"
        other = self.chance.choice(there)
        return self.chance.choice(
            (
                f"customer_language = '{self.chance.choice(LANGUAGES)}' OR IN SEGMENT '{other}'",
                f"customer_language IN ({some}) AND NOT (IN SEGMENT '{other}')",
            )
        )

    def ladder(self):
        """Return a change of the ladder, and the levels that are or will be on it."""
        days = self.chance.choice(((0, 0), (2, 0), (0, 4)))
        plan = ladders.Plan("Ladder", tuple(self.some(3)), *days)
        levels = {*plan.levels, *(row.segment_id for row in self.merchant.rows(LadderLevel))}
        there = [row.ladder_id for row in self.merchant.rows(Ladder)]
        if not there:
            return partial(ladders.add, wanted=plan, agreed=True), levels
        if self.chance.random() < 0.3:
            return partial(ladders.remove, ladder_id=there[0], agreed=True), levels
        return partial(ladders.edit, ladder_id=there[0], wanted=plan, agreed=True), levels

    def learn(self):
        """Let some customers speak another language."""
        who = {self.merchant.ids[self.chance.choice(PEOPLE)] for _ in range(8)}
        own = {"shop_id": self.merchant.shop_id}
        rows = [own | {"customer_id": one, "language": self.chance.choice(LANGUAGES)} for one in sorted(who)]
        with transaction(self.merchant.engine) as session:
            upsert(session, table(Customer), rows, change=["language"])
            stale.mark(session, self.merchant.shop_id, dict.fromkeys(who, "profile"))

    def run(self):
        """Have everything computed and written."""
        with transaction(self.merchant.engine) as session:
            lanes.poke(session, self.merchant.shop_id, "recompute")
        claim = lanes.claim(self.merchant.engine, self.merchant.shop_id, "recompute")
        lanes.attempt(self.merchant.engine, claim, recompute.work)
        self.merchant.work()

    def seen(self):
        """Return the tags by platform and contact."""
        return {platform: self.merchant.tags(platform) for platform in self.merchant.places}


def edit(shop):
    """Foresee one edit by chance and make it; return what was foreseen, None where it cannot be made."""
    merchant = shop.merchant
    with reading(merchant.engine) as session:
        own = shops.shop(session, merchant.shop_id)
    try:
        if shop.chance.random() < 0.4:
            change, levels = shop.ladder()
            said = foreseen.standing(merchant.engine, own, change, levels, limit=100)
        else:
            row = shop.chance.choice(shop.segments())
            query = shop.query(row.name)
            change = partial(keep.edit, segment_id=row.segment_id, query=query, agreed=True)
            said = foreseen.edit(merchant.engine, own, row, limit=100, query=query)
        shop.do(change)
    except (RefusedError, SegmentErrors):
        return None
    return {one.connection.platform: one.rehearsed for one in said}


@pytest.mark.parametrize(("mail", "seed"), [("klaviyo", 0), ("klaviyo", 4), ("brevo", 6)])
def test_what_is_foreseen_of_an_edit_is_what_it_then_writes(merchants, mail, seed):
    shop = Edited(merchants(platforms=("shopify", mail)), random.Random(seed))
    made, lines = 0, 0
    while made < EDITS:
        before = {model: shop.merchant.rows(model) for model in (Segment, Membership, MembershipChange, Ladder)}
        known = {platform: shop.merchant.known(platform) for platform in shop.merchant.places}
        tags = shop.seen()
        if (said := edit(shop)) is None:
            assert all(shop.merchant.rows(model) == rows for model, rows in before.items())
            continue
        made += 1
        shop.run()
        for platform, now in shop.seen().items():
            if platform in said:
                lines += len(said[platform].lines)
                check(shop, said[platform], known[platform], tags[platform], now)
            else:
                assert now == tags[platform]
    assert lines > PEOPLE.stop


def check(shop, said, known, before, now):
    owners = {row.tag: row.segment_id for row in shop.merchant.rows(Segment)}
    lines = {line.contact: line for line in said.lines}
    changed = {contact for contact in now if now[contact] != before[contact]}
    assert changed == lines.keys() & now.keys()
    for contact, line in lines.items():
        there = contact in now
        assert line.state == ("known" if contact in known else "missing" if line.state == "missing" else "new")
        if there:
            assert (set(line.add), set(line.remove)) == (now[contact] - before[contact], before[contact] - now[contact])
    counted = {segment_id: Counter() for segment_id in said.segments}
    names = {"known": "added", "new": "unsure", "missing": "missing"}
    for line in lines.values():
        for tag in line.add:
            counted[owners[tag]][names[line.state]] += 1
        for tag in line.remove:
            counted[owners[tag]]["removed"] += 1
    assert said.segments == counted
