"""Segments kept by what changed are the segments that a plain evaluation of everything finds."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlmodel import SQLModel

from plugin import api_keys, clock, ingest, lanes, shops
from plugin.attributes.definitions import define
from plugin.db import connect, reading, table, transaction
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.site import RatingRun
from plugin.segments.kept import keep
from plugin.segments.language import canonical
from plugin.segments.language.vocabulary import feeding, fixed_fields, own_fields
from plugin.worker import work_all
from tests import oracle
from tests.histories import BIRTHS, DATES, RELATIVE_DAYS, History, histories
from tests.segments.lived import SUMMED, Lived
from tests.segments.strategies import AVAILABLE_FIELDS, pool, queries, relative

SEGMENTS = 7
HISTORIES = int(os.environ.get("HISTORIES", "500"))  # that `make test-long` goes through
KEPT = [
    SimpleNamespace(key=key, kind=kind, label=None)
    for key, kind in {
        "facts.birth_date": "date",
        "gender": "text",
        "interests": "texts",
        "visits": "integer",
        "height": "decimal",
        "member": "boolean",
    }.items()
]
OWN_FIELDS = (*own_fields(KEPT), *fixed_fields(feeding(KEPT)))
FIELDS = (*OWN_FIELDS, *AVAILABLE_FIELDS)
OPENED = "email.opened MATCHES (count >= 1) OR email.clicked IS NOT NULL"
ASKED_FOR = ("companies", "store_credit", "subscriptions")


def values(history: History) -> dict[str, st.SearchStrategy]:
    """Return what queries ask for: what may well occur in this history, and dates that move with the day."""
    moving = st.sampled_from([relative(amount, unit) for amount, unit in RELATIVE_DAYS])
    asked = {name: pool(*found) for name, found in history.values().items()}
    return asked | {name: asked[name] | moving for name in (*DATES, *BIRTHS)}


def empty(engine) -> None:
    with transaction(engine) as session:
        for kept in reversed(SQLModel.metadata.sorted_tables):
            session.execute(kept.delete())


def open_shop(engine, history: History, texts: list[str], at: datetime) -> None:
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session,
            name="One",
            platform="shopify",
            domain="one.myshopify.com",
            zone=history.settings.zone,
            currency=history.settings.currency,
        )
        session.execute(
            update(Shop).values(
                cart_wait_minutes=history.settings.cart_wait_minutes, paid_orders_only=history.settings.paid_orders_only
            )
        )
    with transaction(engine) as session:
        shop = session.scalar(select(Shop))
        furnish(session, shop)
        for number, text in enumerate(texts):
            keep.add(session, shop, f"S{number}", text)


def furnish(session, shop: Shop) -> None:
    """Let a shop have whatever any query of ours may name."""
    for one in KEPT:
        define(session, shop, one.key, one.kind)
    session.add(RatingRun(shop_id=shop.shop_id, connection_id="store", supplied=ASKED_FOR))
    api_keys.add(session, shop.shop_id, "calls", api_keys.SCOPES)
    connected = {"state": "paused", "created_at": clock.now(), "sealed": "", "account": ""}
    session.add(Connection(shop_id=shop.shop_id, connection_id="mail", platform="klaviyo", role="email", **connected))
    session.flush()


def the_shop(session) -> Shop:
    return session.scalars(select(Shop)).one()


def names(session) -> dict[str, str]:
    """Return what the plain evaluator calls each customer: guests by their address."""
    rows = session.execute(select(table(Customer).c["customer_id", "guest", "contact"]))
    return {row.customer_id: f"guest:{row.contact}" if row.guest else row.customer_id for row in rows}


def memberships(engine) -> dict[str, set[str]]:
    with reading(engine) as session:
        called = names(session)
        found = {one.query: set() for one in session.scalars(select(Segment))}
        texts = {one.segment_id: one.query for one in session.scalars(select(Segment))}
        for one in session.scalars(select(Membership)):
            found[texts[one.segment_id]].add(called.get(one.customer_id, one.customer_id))
    return found


def run(engine) -> None:
    """Work the lanes that keep segments, whenever they are due by now."""
    with transaction(engine) as session:
        lanes.poke(session, the_shop(session).shop_id, "recompute")
    work_all(engine, lambda shop_id, kind: kind in {"scores", "recompute"})


def test_a_run_ends_while_the_clock_goes_on(engine):
    history = histories(7, contested=False)
    ticks = count()
    with clock.freeze(history.steps[0].at):
        open_shop(engine, history, ["number_of_orders >= 0"], history.steps[0].at)
    before = clock.use(lambda: history.steps[0].at + timedelta(microseconds=next(ticks)))
    try:
        with transaction(engine) as session:
            ingest.store(session, the_shop(session), "store", history.steps[0].records)
        run(engine)
    finally:
        clock.use(before)
    assert next(ticks) < 1000
    assert memberships(engine)["number_of_orders >= 0"]


def drawn(data, history: History, most: int) -> list[str]:
    """Return queries for a shop, one that adds up what lines come to among them, and one that people have to answer."""
    asked = queries(values(history), FIELDS)
    return [SUMMED, OPENED, *(canonical(data.draw(asked)) for _ in range(most))]


QUICKLY = {
    "phases": [Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=6, **QUICKLY)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_segments_kept_by_what_changed_equal_a_plain_evaluation_of_everything(engine, data, seed):
    history = histories(seed, contested=False)
    Lived(engine, history, drawn(data, history, SEGMENTS), seed, furnish).live()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", [*(f"sqlite-{n}" for n in range(8)), "postgres-0", "postgres-1"])
def test_hundreds_of_histories_make_no_difference(part, request):
    @settings(max_examples=HISTORIES // 10, print_blob=True, **QUICKLY)
    @given(data=st.data(), seed=st.integers(0, 2**32))
    def live(data, seed):
        history = histories(seed, contested=False, steps=(2, 5))
        Lived(engine, history, drawn(data, history, 4), seed, furnish, names=4).live()

    with request.getfixturevalue(f"{part.partition('-')[0]}_databases")() as address:
        engine = connect(address)
        live()
        engine.dispose()


@pytest.mark.parametrize(
    "seed",
    [
        212171548,  # a rating tells of somebody at an earlier moment than a view in the same batch
        2022,  # somebody who was deleted comes back in an order that tells no more than an id and a moment
    ],
)
def test_histories_that_once_made_a_difference_make_none(engine, seed):
    history = histories(seed, contested=False)
    everybody = "number_of_orders >= 0"
    with clock.freeze(history.steps[0].at):
        open_shop(engine, history, [everybody], history.steps[0].at)
    for number, step in enumerate(history.steps, 1):
        with clock.freeze(step.at):
            with transaction(engine) as session:
                ingest.store(session, the_shop(session), "store", step.records)
            run(engine)
            expected = oracle.members(history.world(number), everybody, step.at, scores={})
            assert memberships(engine)[everybody] == expected, f"step {number}"
