"""A count of now is that of a plain evaluation, whatever has not been worked off yet and however time has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plugin import clock, shops
from plugin.db import reading
from plugin.segments.asking import ask, counting, kept
from plugin.segments.asking.tally import tally
from plugin.segments.language import vocabulary
from plugin.segments.membership import present
from tests import oracle
from tests.histories import histories
from tests.segments.lived import Lived
from tests.segments.test_recompute import drawn, furnish
from tests.segments.test_tally import check
from tests.worlds import world_of

LATER = (timedelta(0), timedelta(minutes=61), timedelta(days=1), timedelta(days=30))


class Counted(Lived):
    """A shop in which everything is counted before each run, after it, and when time has passed since."""

    read = 0

    def judge(self, at: datetime) -> None:
        self.count(at)
        super().judge(at)
        self.count(at + self.random.choice(LATER))

    def poison(self, session: Any, shop: Any) -> None:
        """Nothing is counted that no database can add up."""

    def count(self, at: datetime) -> None:
        counting.SPAN, counting.FEW = self.random.choice(((5000, 1000), (3, 2), (2, 1000), (3, 1)))
        with clock.freeze(at), reading(self.engine) as session:
            shop = shops.shop(session, self.shop_id)
            now = present.moment(shop)
            snapshot = oracle.Snapshot(world_of(self.told, self.settings), now, always=True)
            self.read += bool(kept.up_to_date(session, shop, vocabulary.of(session, shop), now))
            for query in self.random.sample(self.queries, 2):
                expected = len(oracle.meeting(snapshot, query))
                assert ask.count(session, shop, query) == expected, (query, at, self.log)
            found = tally(session, shop, query)
            assert (found.everybody, found.whole.alone) == (len(snapshot.people), expected), (query, at, self.log)
            check(snapshot, found.whole)


@pytest.mark.parametrize("query", ["number_of_orders >= 1", "rfm_recency >= 1"])
def test_what_is_left_of_a_count_is_what_is_left_though_it_could_be_counted_at_once_by_then(small, monkeypatch, query):
    """Customers were worked off between two questions, or nothing that is kept can be relied on any more."""
    monkeypatch.setattr(counting, "SPAN", 2)
    monkeypatch.setattr(counting, "FEW", 1)
    small.segment("Buyers", "number_of_orders >= 1")
    for number in range(6):
        small.order(f"c{number}")
    small.at(days=2)
    with reading(small.engine) as session:
        shop = shops.shop(session, small.shop_id)
        assert [one.numbers for one in ask.counts(session, shop, query)] in ([(6,)], [(2,)] * 3 + [(0,)])
        assert counting.total(ask.counts(session, shop, query, after="c3")) == (2,)
        monkeypatch.setattr(counting, "FEW", 1000)
        assert counting.total(ask.counts(session, shop, query, after="c3")) == (2,)


@settings(
    max_examples=3,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_what_waits_to_be_worked_off_and_time_that_has_passed_are_counted_with(engine, data, seed):
    before = counting.SPAN, counting.FEW
    try:
        history = histories(seed, contested=False)
        shop = Counted(engine, history, drawn(data, history, 7)[1:], seed, furnish)
        shop.live()
        assert shop.read
    finally:
        counting.SPAN, counting.FEW = before
