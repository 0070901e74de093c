"""Counts by clause are those of a plain evaluation of each part by itself, and of the parts so far."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plugin import clock, ingest
from plugin.db import reading, transaction
from plugin.segments.asking.tally import Counted, Line, lines, tally
from plugin.segments.language import canonical
from tests import oracle
from tests.histories import histories
from tests.segments.strategies import queries
from tests.segments.test_recompute import empty, open_shop, the_shop, values


def test_a_query_that_is_turned_round_as_a_whole_is_shown_with_what_it_turns_round():
    parts = (Counted("a", 3, 3, None, ()), Counted("b", 4, 5, None, ()))
    either = Counted("a OR b", 5, 5, "or", parts)
    assert list(lines(Counted("NOT (a OR b)", 2, 2, None, (either,)))) == [
        Line(0, "and", "NOT (a OR b)", 2, 2),
        Line(1, None, "a OR b", 5, 5),
        Line(2, "or", "a", 3, 3),
        Line(2, "or", "b", 4, 5),
    ]
    assert [one.text for one in lines(either)] == ["a", "b"]
    assert list(lines(parts[0])) == []


def check(snapshot, part):
    """Hold the counts of the parts within a part against the plain evaluation, each alone and with those before it."""
    joint = f" {(part.joint or 'and').upper()} "
    for number, one in enumerate(part.parts, 1):
        assert one.alone == len(oracle.meeting(snapshot, one.text)), one.text
        so_far = joint.join(f"({before.text})" for before in part.parts[:number])
        assert one.so_far == len(oracle.meeting(snapshot, so_far)), so_far
        check(snapshot, one)


@settings(
    max_examples=3,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_each_part_is_counted_alone_and_with_those_before_it(engine, data, seed):
    history = histories(seed, contested=False)
    at = history.steps[0].at
    empty(engine)
    with clock.freeze(at):
        open_shop(engine, history, [], at)
        with transaction(engine) as session:
            ingest.store(session, the_shop(session), "store", history.steps[0].records)
        snapshot = oracle.Snapshot(history.world(1), at, always=True)
        with reading(engine) as session:
            for _ in range(6):
                query = canonical(data.draw(queries(values(history))))
                found = tally(session, the_shop(session), query)
                assert found.everybody == len(snapshot.people)
                assert found.whole.alone == len(oracle.meeting(snapshot, query)), query
                check(snapshot, found.whole)
                assert (
                    not found.whole.parts
                    or found.whole.joint is None
                    or (found.whole.parts[-1].so_far == found.whole.alone)
                )
