"""Whoever writes rows of tags while a connection is worked locks them as the run does: nobody waits in a circle."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from plugin import clock
from plugin.db import transaction
from plugin.models.tagging import Hold
from plugin.tagging import destinations, guard, holding, leaving, ledger, objects, pushes
from plugin.tagging.news import News
from tests.tagging.merchant import address


@pytest.fixture
def merchant(merchants):
    made = merchants(platforms=["hubspot"])
    if made.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    return made


def adopt(session, place, vip):
    destinations.adopt(session, place.shop_id, vip, place.connection_id)


def release(session, place, vip):
    destinations.release(session, place.shop_id, vip, place.connection_id)


def lose(session, place, vip):
    objects.forget(session, place, "seg:vip")


def take_back(session, place, vip):
    since = clock.now() - timedelta(hours=1)
    hold = Hold(shop_id=place.shop_id, segment_id=vip, connection_id=place.connection_id, held_at=since, since_at=since)
    holding.undo(session, place, hold)


def leave(session, place, vip):
    leaving.begin(session, place)


@pytest.mark.parametrize("act", [adopt, release, lose, take_back, leave])
def test_nobody_waits_in_a_circle_with_a_run(merchant, act):
    one, two = address(1), address(2)
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    merchant.leave(vip, 1)
    merchant.enter(vip, 2)
    place, news = merchant.opened("hubspot"), [News(one, vip, "added")]
    with transaction(merchant.engine) as session:
        guard.count(session, place, news)
        if act is adopt:
            rows = ledger.ledger
            session.execute(rows.update().where(rows.c.shop_id == place.shop_id).values(state="foreign"))
    ended = []

    def work():
        with transaction(merchant.engine) as session:
            act(session, place, vip)
        ended.append(act)

    with transaction(merchant.engine) as session:
        pushes.lock(session, place, [one])  # as far as a run's statement may have come
        other = threading.Thread(target=work)
        other.start()
        while other.is_alive() and not waiting(merchant.engine):
            pass
        pushes.lock(session, place, [two])
        ledger.intend(session, place, [("seg:vip", one), ("seg:vip", two)], [])
        guard.count(session, place, news)
    other.join()
    assert ended == [act]


def waiting(engine):
    """Whether a transaction waits for another one's lock."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as connection:
        return connection.scalar(text(waits)) > 0
