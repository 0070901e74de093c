"""Why a customer is in a segment: what is said agrees with a plain evaluation, now and at the moments foretold."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plugin import clock, ingest
from plugin.db import reading, transaction
from plugin.models.segments import Segment
from plugin.segments.language import canonical
from plugin.segments.language.schema import Type
from plugin.segments.why.explain import explain
from tests import oracle
from tests.histories import DATES, RELATIVE_DAYS, histories
from tests.plain.days import TICK
from tests.plain.query import read
from tests.segments.strategies import queries, relative
from tests.segments.test_recompute import FIELDS, empty, memberships, names, open_shop, run, the_shop, values

PEOPLE = 2
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
DATED = tuple(row for row in FIELDS if row.type is Type.DATE)


def drawn(data, history):
    """Random queries, most of them about days that move: those are what time alone decides."""
    moving = {name: st.sampled_from([relative(*one) for one in RELATIVE_DAYS]) for name in DATES}
    found = [data.draw(queries(values(history) | moving, DATED, max_leaves=4)) for _ in range(6)]
    return sorted({canonical(one) for one in [*found, data.draw(queries(values(history), FIELDS))]})


class Plain:
    """A world asked plainly, at one moment after the other."""

    def __init__(self, world):
        self.at = cache(lambda at: oracle.Snapshot(world, at, {}))

    def meets(self, query, key, at):
        return read(query)(self.at(at).people[key])


def recombined(part):
    """What the parts of an explanation come to, from its leaves up."""
    each = [recombined(one) for one in part.parts]
    found = {"and": all(each), "or": any(each), "not": each and not each[0], "clause": part.verdict}[part.kind]
    assert found == part.verdict
    return found


def forgotten(thing, after):
    """The same facts, as if nothing had been told that is dated later."""
    if isinstance(thing, datetime):
        return NEVER if thing > after else thing
    if isinstance(thing, list):
        return [forgotten(one, after) for one in thing]
    if isinstance(thing, dict):
        return {key: forgotten(one, after) for key, one in thing.items()}
    if is_dataclass(thing):
        return replace(thing, **{one.name: forgotten(getattr(thing, one.name), after) for one in fields(thing)})
    return type(thing)(*(forgotten(one, after) for one in thing)) if hasattr(thing, "_fields") else thing


def check(plain, query, key, found):
    """Hold an explanation against the plain evaluation, at its moment and at those that follow if nothing happens."""
    now = plain.meets(query, key, found.at)
    assert found.decision.verdict == found.whole.verdict == recombined(found.whole) == now, (query, key, found.at)
    until = found.next.at if found.next else found.horizon
    days = [found.at + timedelta(days=days) for days in (1, 7, 31, 91, 366)]
    for moment in [one for one in days if one < until] + [until - TICK]:
        assert plain.meets(query, key, moment) == now, f"{moment} comes before {until}"
    if found.next:
        assert plain.meets(query, key, until) == found.next.verdict != now
        assert found.next.reasons


@settings(
    max_examples=4,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_what_is_said_of_a_customer_is_so_now_and_until_the_moment_foretold(engine, data, seed):
    history = histories(seed, contested=False)
    told = data.draw(st.integers(1, len(history.steps)))
    past, last = history.steps[(told - 1) // 2].at, history.steps[told - 1].at
    empty(engine)
    with clock.freeze(history.steps[0].at):
        open_shop(engine, history, drawn(data, history), history.steps[0].at)
    for step in history.steps[:told]:
        with clock.freeze(step.at), transaction(engine) as session:
            ingest.store(session, the_shop(session), "store", step.records)
    world = history.world(told)
    then = Plain(replace(world, customers=forgotten(world.customers, past)))  # products are as first told
    plain = Plain(world)
    with clock.freeze(last):
        run(engine)
        found = memberships(engine)
        with reading(engine) as session:
            shop, called = the_shop(session), names(session)
            there = {customer_id: key for customer_id, key in called.items() if key in plain.at(last).people}
            for segment in session.scalars(select(Segment)).all():
                for customer_id in data.draw(st.permutations(sorted(there)))[:PEOPLE]:
                    key = there[customer_id]
                    now = explain(session, shop, segment, customer_id)
                    assert now.standing.member == (key in found[segment.query]) == now.decision.verdict
                    check(plain, segment.query, key, now)
                    if past < last and "rfm" not in segment.query and key in then.at(past).people:
                        check(then, segment.query, key, explain(session, shop, segment.query, customer_id, past))
