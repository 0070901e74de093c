"""Budgets: what is drawn never exceeds a platform's limit, however many processes draw."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from connectors.writers import Bucket, Windows
from plugin.db import transaction
from plugin.tagging import budgets

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KLAVIYO = Windows(((1, 10), (60, 150)))


def timeline(rate, cost, calls, seed):
    """Draw again and again, after what was told, or sooner or later; return the seconds at which calls were made."""
    chance, left, now, made = random.Random(seed), {}, 1_000_000_000.25, []
    while len(made) < calls:
        wait, after = budgets.drawn(rate, left, cost, now)
        if wait:
            now += wait * chance.choice((0.1, 1)) + 1e-6
            continue
        left = after
        made.append(now)
        now += chance.choice((0, 0, 0.01, 0.3)) * chance.random()
    return made


@pytest.mark.parametrize("seed", range(10))
def test_no_window_wherever_it_begins_holds_more_calls_than_are_allowed(seed):
    made = timeline(KLAVIYO, 1, 600, seed)
    for seconds, count in KLAVIYO.limits:
        assert all(later - earlier > seconds for earlier, later in zip(made, made[count:], strict=False))
    assert made[-1] - made[0] < 60 * (600 / 150) * 1.1  # and little of the limit is left unused


@pytest.mark.parametrize("seed", range(10))
def test_a_bucket_is_never_overdrawn(seed):
    rate = Bucket(capacity=2000, restore=100)
    made = timeline(rate, 500, 60, seed)
    for place, at in enumerate(made):
        assert 500 * (place + 1) <= 2000 + 100 * (at - made[0]) + 1e-3
    assert made[-1] - made[0] == pytest.approx((60 * 500 - 2000) / 100, abs=20)


def test_what_costs_more_than_a_bucket_holds_waits_for_a_full_one():
    rate = Bucket(capacity=100, restore=10)
    wait, left = budgets.drawn(rate, {}, 250, 0)
    assert wait == 0
    assert budgets.drawn(rate, left, 1, 1.0)[0] == pytest.approx(14.1)


def test_a_clock_that_was_set_back_does_not_close_a_window_for_long():
    _, left = budgets.drawn(Windows(((60, 1),)), {}, 1, 1_000_000.0)
    assert budgets.drawn(Windows(((60, 1),)), left, 1, 1_000.0)[0] == 0


@pytest.fixture
def opened(merchant):
    return merchant.opened("klaviyo")


def draw(merchant, opened, at, cost=1, rate=KLAVIYO, endpoint="import"):
    with transaction(merchant.engine) as session:
        return budgets.draw(session, opened, endpoint, rate, cost, at)


def test_processes_that_draw_at_once_share_one_limit(merchant, opened):
    with ThreadPoolExecutor(4) as pool:
        waits = list(pool.map(lambda _: draw(merchant, opened, NOW), range(40)))
    assert sum(wait == 0 for wait in waits) == 10
    assert all(0 < wait <= 1.1 for wait in waits if wait)
    assert draw(merchant, opened, NOW, endpoint="profiles") == 0  # each endpoint has its own


def test_the_platforms_own_figure_counts_more_than_ours(merchant, opened):
    rate = Bucket(capacity=2000, restore=100)
    assert draw(merchant, opened, NOW, 100, rate, "graphql") == 0
    with transaction(merchant.engine) as session:
        budgets.report(session, opened, "graphql", rate, 30, NOW)
    assert draw(merchant, opened, NOW, 100, rate, "graphql") == pytest.approx(0.7)


def test_a_closed_endpoint_is_called_by_nobody_until_it_opens(merchant, opened):
    with transaction(merchant.engine) as session:
        budgets.close(session, opened, "import", 30, NOW)
    assert draw(merchant, opened, NOW) == 30
    assert draw(merchant, opened, NOW + timedelta(seconds=30)) == 0


def test_how_long_calls_take_at_least():
    assert budgets.duration(KLAVIYO, []) == 0
    assert budgets.duration(KLAVIYO, [1] * 10) == 0
    assert budgets.duration(KLAVIYO, [1] * 25) == 2
    assert budgets.duration(KLAVIYO, [1] * 301) == 120
    assert budgets.duration(Bucket(2000, 100), [500] * 6) == 10
