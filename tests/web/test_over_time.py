"""A segment over time."""

from datetime import date, timedelta

import pytest

from plugin import clock
from plugin.db import table, transaction, upsert
from plugin.models.segments import SegmentDay
from tests.web.test_segments import shown


def day(on):
    return f"{on.day} {on:%b %Y}"


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}/time"


def test_days_before_the_segment_was_made_are_told_apart(site, visitor, mine, path):
    today = clock.now().date()
    key = {"shop_id": mine.shop_id, "segment_id": mine.ids["segment_id"]}
    rows = [
        key | {"day_on": today - timedelta(days=2), "size": 7, "entered": 7, "left": 0, "known": "rebuilt"},
        key | {"day_on": today - timedelta(days=1), "size": 9, "entered": 3, "left": 1, "known": "kept"},
    ]
    with transaction(site.engine) as session:
        upsert(session, table(SegmentDay), rows)
    page = visitor.page(path)
    text = shown(page)
    assert f"{day(today - timedelta(days=1))} 9" in text
    assert f"{day(today - timedelta(days=1))} 3 -1" in text
    assert "Days before the segment was made were worked out" in text


def test_a_day_in_the_past_is_asked_what_it_would_have_brought(visitor, path):
    text = shown(visitor.page(f"{path}?on=2020-01-01"))
    assert "Would have been in it 0" in text
    assert "nothing was looked up" not in text
    for day in ("tomorrow", date.max, clock.now().date()):
        text = shown(visitor.page(f"{path}?on={day}"))
        assert "Would have been in it" not in text
        assert "That is no day before today, so nothing was looked up" in text


def test_what_is_to_come_is_told_for_a_week_and_four(visitor, path):
    text = shown(visitor.page(f"{path}/ahead"))
    assert "In 7 days" in text
    assert "In 28 days" in text


def test_nobody_sees_the_time_of_anothers_segment(visitor, theirs):
    assert visitor.get(f"/segments/{theirs.ids['segment_id']}/time").status_code == 404
