"""A shop lived through: what a history tells arrives, a merchant changes things, and each run is judged plainly.

Between the steps of a history, and between the chunks of a run, segments are edited to other queries, refer to each
other, and are switched off and on; customers are pinned, ladders are made, changed and taken apart; zone, currency,
waiting time and the rule which orders count change; an order comes whose lines no database can add up; the clock is put
back. After each run members are held against those that `oracle.Segments` works out from everything there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, select, update

from connectors.records import Customer, Deleted, LineItem, Order, Record
from plugin import clock, ingest, lanes, shops, terms
from plugin.db import new_id, reading, table, transaction
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import ladders, pins, recompute, runs, sizes
from plugin.segments.membership.ladders import Plan
from tests import oracle
from tests.histories import History
from tests.worlds import world_of

customers, segments, memberships = table(CustomerRow), table(Segment), table(Membership)

FEW = 7  # customers in a chunk, so that a run has several
MUCH = 2**62  # of which two are more than a database adds up
SUMMED = "products_purchased MATCHES (sum_amount >= 1)"
BACK = (timedelta(microseconds=1), timedelta(seconds=2), timedelta(minutes=59), timedelta(hours=3), timedelta(days=2))


class Lived:
    """One shop, its history, and the plain evaluator beside it. `queries` are what its segments may ask."""

    def __init__(
        self,
        engine: Engine,
        history: History,
        queries: Sequence[str],
        seed: int,
        furnish: Callable[[Any, Shop], None] = lambda session, shop: None,
        names: int = 6,
    ) -> None:
        self.engine, self.history, self.queries, self.random = engine, history, queries, Random(seed)
        self.settings, self.told = history.settings, list[Record]()
        self.plain = oracle.Segments()
        self.ids: dict[str, str] = {}
        self.log: list[str] = []
        self.poisoned = False
        self.begin([f"S{number}" for number in range(names)], furnish)

    def begin(self, names: Sequence[str], furnish: Callable[[Any, Shop], None]) -> None:
        with clock.freeze(self.history.steps[0].at), transaction(self.engine) as session:
            given, domain = self.settings, f"{new_id()}.example.com"
            shop, _ = shops.add_shop(
                session, name=domain, platform="shopify", domain=domain, zone=given.zone, currency=given.currency
            )
            self.shop_id = shop.shop_id
            own = {"cart_wait_minutes": given.cart_wait_minutes, "paid_orders_only": given.paid_orders_only}
            session.execute(update(Shop).where(table(Shop).c.shop_id == shop.shop_id).values(own))
        with clock.freeze(self.history.steps[0].at), transaction(self.engine) as session:
            shop = shops.shop(session, self.shop_id)
            furnish(session, shop)
            for name, query in zip(names, self.queries, strict=False):
                self.ids[name] = keep.add(session, shop, name, query).segment_id
                self.plain.segments[name] = oracle.Segment(query)

    def live(self) -> None:
        """Go through the history. AssertionError: somebody is where they should not be."""
        for number, step in enumerate(self.history.steps):
            self.hear(step.at, step.records)
            for _ in range(self.random.choice((1, 2, 3)) if number else 0):
                self.act(step.at)
            for back in [self.random.choice(BACK)] if number and self.chance(25) else []:
                self.judge(step.at - back)
            self.judge(step.at)
        last = self.history.steps[-1].at
        if self.poisoned:
            self.heal(last)
            self.judge(last + timedelta(days=2))
            assert not self.failing(), self.log

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def hear(self, at: datetime, records: Sequence[Record]) -> None:
        self.told += records
        with clock.freeze(at), transaction(self.engine) as session:
            ingest.store(session, shops.shop(session, self.shop_id), "store", records)

    def judge(self, at: datetime) -> None:
        """Run, and compare with the plain evaluation as of the moment that the run has reached."""
        with clock.freeze(at):
            self.run(at)
        with reading(self.engine) as session:
            reached = shops.shop(session, self.shop_id).evaluated_at
        assert reached is not None
        assert at <= reached <= at + timedelta(hours=1), self.log
        failing = self.failing()
        assert self.poisoned or not failing, (failing, self.log)
        snapshot = oracle.Snapshot(world_of(self.told, self.settings), reached, scores={})
        expected, found = self.plain.run(snapshot, failing), self.members()
        differ = {
            name: (self.plain.segments[name].query, found[name] - who, who - found[name])
            for name, who in expected.items()
            if found[name] != who
        }
        assert not differ, f"at {at}: too many, too few: {differ} after {self.log}"
        self.judge_sizes(reached)

    def judge_sizes(self, at: datetime) -> None:
        """What is kept of how many are in each segment and who moved today is what there is."""
        with clock.freeze(at), reading(self.engine) as session:
            shop, ids = shops.shop(session, self.shop_id), list(self.ids.values())
            kept, counted = sizes.sizes(session, shop, ids), sizes.counted(session, shop, ids)
            assert kept == counted, (at, kept, counted, self.log)

    def run(self, at: datetime) -> None:
        """Do a run of the lane, as many chunks as it takes; now and then things change between two of them."""
        # of a segment that fails in the middle of a run it is not told for whom it had been evaluated before
        whole = self.poisoned or self.chance(50)
        before, recompute.CHUNK = recompute.CHUNK, recompute.CHUNK if whole else FEW
        try:
            claim = lanes.claim(self.engine, self.shop_id, "recompute", lanes.nobodys)
            assert claim
            turn, ended = 0, False
            while not ended:
                with transaction(self.engine) as session:
                    lanes.hold(session, claim)
                    ended = recompute.chunk(session, self.shop_id, runs.number(claim.fence, turn))
                turn += 1
                assert turn < 200, self.log
                if not ended and self.chance(5):
                    self.act(at, within=True)
            with transaction(self.engine) as session:
                lanes.release(session, claim, None)
        finally:
            recompute.CHUNK = before

    def failing(self) -> set[str]:
        """Return the segments that the app says it could not evaluate, or that wait for such."""
        ill = segments.c.enabled & segments.c.whole.in_(("failed", "waits"))
        with reading(self.engine) as session:
            return set(session.scalars(select(segments.c.name).where(segments.c.shop_id == self.shop_id, ill)))

    def members(self) -> dict[str, set[str]]:
        called = {segment_id: name for name, segment_id in self.ids.items()}
        found: dict[str, set[str]] = {name: set() for name in self.ids}
        with reading(self.engine) as session:
            names = self.called(session)
            own = select(memberships.c.segment_id, memberships.c.customer_id)
            for segment_id, one in session.execute(own.where(memberships.c.shop_id == self.shop_id)):
                found[called[segment_id]].add(names.get(one, one))
        return found

    def called(self, session: Any) -> dict[str, str]:
        """Return what the plain evaluator calls each customer: guests by their address."""
        own = select(customers.c["customer_id", "guest", "contact"]).where(customers.c.shop_id == self.shop_id)
        return {
            one.customer_id: f"guest:{one.contact}" if one.guest else one.customer_id for one in session.execute(own)
        }

    def act(self, at: datetime, *, within: bool = False) -> None:
        """Let the merchant change something, or try to; `within` a run."""
        acts: Sequence[Callable[[Any, Shop], None]] = (
            *[self.edit] * 4,
            *[self.switch] * 3,
            *[self.pin] * 4,
            *[self.build] * 5,
            *[self.reckon] * 2,
            *([] if within else [self.poison] * 2),
        )
        deed = self.random.choice(acts)
        with clock.freeze(at):
            try:
                with transaction(self.engine) as session:
                    deed(session, shops.shop(session, self.shop_id))
            except (RefusedError, SegmentErrors) as refusal:
                self.log.append(f"refused: {refusal}")

    def edit(self, session: Any, shop: Shop) -> None:
        name, other = self.random.sample(list(self.ids), 2)
        query = self.random.choice((*self.queries, SUMMED))
        if self.chance(60):
            query = (
                f"{'NOT ' if self.chance(30) else ''}IN SEGMENT '{other}' {self.random.choice(('AND', 'OR'))} ({query})"
            )
        keep.edit(session, shop, self.ids[name], query=query)
        self.plain.segments[name].query = query
        self.log.append(f"{name} asks {query}")

    def switch(self, session: Any, shop: Shop) -> None:
        name = self.random.choice(list(self.ids))
        enabled = not self.plain.segments[name].enabled
        keep.switch(session, shop.shop_id, self.ids[name], enabled=enabled)
        self.plain.segments[name].enabled = enabled
        self.forget()
        self.log.append(f"{name} {'on' if enabled else 'off'}")

    def pin(self, session: Any, shop: Shop) -> None:
        names = self.called(session)
        if not names:
            return
        name, one = self.random.choice(list(self.ids)), self.random.choice(sorted(names))
        if self.chance(25):
            pins.unpin(session, shop, self.ids[name], one)
            self.plain.pins.pop((name, names[one]), None)
            self.log.append(f"{names[one]} unpinned from {name}")
            return
        inside, days = self.chance(60), self.random.choice((None, 0, 1, 30))
        ends_on = None if days is None else oracle.day_of(shop.zone, clock.now()) + timedelta(days=days)
        pins.pin(session, shop, self.ids[name], one, inside=inside, ends_on=ends_on)
        self.plain.pins[name, names[one]] = oracle.Pin(inside, ends_on)
        self.log.append(f"{names[one]} pinned {'in' if inside else 'out of'} {name} until {ends_on}")

    def build(self, session: Any, shop: Shop) -> None:
        """Make, change or take apart a ladder."""
        called = self.random.choice(("L1", "L2"))
        known = ladders.by_name(session, shop.shop_id, called)
        if known and self.chance(30):
            ladders.remove(session, shop, known.ladder_id)
            del self.plain.ladders[called]
            self.forget()
            self.log.append(f"{called} removed")
            return
        levels = self.random.sample(list(self.ids), self.random.choice((2, 2, 3)))
        grace, stay = self.random.choice(((0, 0), (1, 0), (0, 3), (7, 30), (30, 7)))
        wanted = Plan(called, tuple(self.ids[name] for name in levels), grace, stay)
        if known:
            ladders.edit(session, shop, known.ladder_id, wanted)
        else:
            ladders.add(session, shop, wanted)
        self.plain.ladders[called] = oracle.Ladder(levels, grace, stay)
        self.forget()
        self.log.append(f"{called} is {levels}, grace {grace}, stay {stay}")

    def forget(self) -> None:
        """Let the plain evaluator forget what no ladder has patience with now, even if one has again before a run."""
        for key in [key for key in self.plain.found if not self.plain.patient(key[0])]:
            del self.plain.found[key]

    def reckon(self, session: Any, shop: Shop) -> None:
        """Change what the shop reckons by. With another currency the store's past is read again."""
        known = self.settings
        self.settings = self.random.choice(
            (
                replace(known, zone=self.random.choice(("America/New_York", "Australia/Lord_Howe", "Asia/Beirut"))),
                replace(known, currency=self.random.choice(("SEK", "USD", "JPY"))),
                replace(known, cart_wait_minutes=self.random.choice((1, 60, 1440, 5000))),
                replace(known, paid_orders_only=not known.paid_orders_only),
            )
        )
        terms.change(session, shop.shop_id, terms.Terms(**vars(self.settings)))
        if self.settings.currency != known.currency:
            ingest.store(session, shop, "store", self.told)
        self.log.append(f"now {self.settings}")

    def poison(self, session: Any, shop: Shop) -> None:
        """Let an order come whose lines come to more than a database can add up."""
        now = clock.now()
        who = Customer("poisoned", now, created_at=now - timedelta(days=1), email="poisoned@example.com")
        lines = tuple(LineItem(f"p{number}", 1, product_id="1", amount_minor=MUCH) for number in range(3))
        order = Order("poison", now, now, 1, shop.currency, customer=who, email=who.email, lines=lines)
        if not self.poisoned:
            self.told.append(order)
            ingest.store(session, shop, "store", [order])
            self.poisoned = True
            self.log.append("poisoned")

    def heal(self, at: datetime) -> None:
        self.hear(at, [Deleted("order", "poison", at + timedelta(days=1))])
