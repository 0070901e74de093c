"""How many are in a segment and who moved today, as it is kept: the same as counted, whatever the clock does."""

from datetime import timedelta

from plugin.db import reading, transaction
from plugin.segments.membership import sizes
from plugin.segments.membership.sizes import Size
from tests.segments.small import BEGIN


def kept(small):
    """Return what is kept of the one segment, which is what there is to be counted."""
    ids = list(small.ids.values())
    with reading(small.engine) as session:
        shop = small.shop()
        found = sizes.sizes(session, shop, ids)
        assert found == sizes.counted(session, shop, ids)
    return found[ids[0]]


def test_yesterdays_moves_are_not_todays(small):
    small.segment("buyers", "number_of_orders >= 1")
    small.order("ann")
    small.at(hours=1)
    assert kept(small) == Size(1, entered=1)
    small.now += timedelta(days=1)
    assert kept(small) == Size(1)
    small.order("bo")
    small.run()
    assert kept(small) == Size(2, entered=1)


def test_a_clock_that_is_put_back_over_midnight_takes_no_move_for_anothers_day(small):
    small.segment("buyers", "number_of_orders >= 1")
    small.order("ann")
    small.at(hours=1)
    small.at(days=1)
    small.order("bo")
    small.run()
    small.now = BEGIN + timedelta(hours=2)
    small.order("cy")
    small.run()
    assert kept(small) == Size(2, entered=2, left=1)  # the order of the next day has not been placed yet
    small.now = BEGIN + timedelta(days=1)
    assert kept(small) == Size(2, entered=1)


def test_a_day_that_was_kept_before_its_moves_is_counted_from_them(small):
    """As where something was counted by a clock that had been put back, while a run was on the next day already."""
    small.segment("buyers", "number_of_orders >= 1")
    small.order("ann")
    small.at(days=1)
    with transaction(small.engine) as session:
        sizes.count_anew(session, small.shop(), list(small.ids.values()), BEGIN.date())
    small.order("bo")
    small.run()
    assert kept(small) == Size(2, entered=2)
