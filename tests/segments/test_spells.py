"""What patience makes of dated rows: the same, however often and in which order of chunks anybody was asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugin.segments.membership.spells import Patience, Spell, joined, kept_until, told

ZONE = "America/New_York"
NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)


def day(number: float) -> datetime:
    return NOON + timedelta(days=number)


def found(*verdicts: tuple[float, bool]) -> tuple[Spell, ...]:
    spells: tuple[Spell, ...] = ()
    for number, met in verdicts:
        spells = told(spells, day(number), met=met)
    return spells


def until(spells: tuple[Spell, ...], grace: int = 0, stay: int = 0) -> date | None:
    return kept_until(spells, Patience(grace, stay), ZONE)


def test_a_level_is_lost_with_the_day_that_ends_its_grace():
    assert until(found((0, True)), grace=10) is None
    assert until(found((0, True), (5, False)), grace=10) == day(15).date()
    assert until(found((0, True), (5, False)), grace=0) == day(5).date()


def test_a_level_is_kept_for_its_stay_at_least():
    spells = found((0, True), (5, False))
    assert until(spells, stay=30) == day(30).date()
    assert until(spells, grace=40, stay=30) == day(45).date()


def test_what_is_met_again_in_time_was_never_lost():
    spells = found((0, True), (5, False), (10, True), (12, False))
    assert until(spells, grace=10, stay=30) == day(30).date()
    assert until(spells, grace=4, stay=3) == day(16).date()


def test_what_was_lost_begins_anew_though_nobody_looked_while_it_was_lost():
    spells = found((0, True), (5, False), (40, True), (41, False))
    assert until(spells, grace=10, stay=30) == day(70).date()


def test_the_last_word_on_a_moment_counts():
    assert found((0, True), (0, False)) == ()
    assert found((0, True), (5, False), (5, True)) == (Spell(day(0)),)
    assert found((0, True), (5, False), (5, True), (5, False)) == (Spell(day(0), day(5)),)


def test_a_clock_that_is_put_back_neither_ends_a_spell_before_it_began_nor_begins_one_twice():
    assert found((5, True), (4, False)) == ()
    assert found((0, True), (5, False), (4, True)) == (Spell(day(0)),)


def test_a_customer_who_was_two_has_the_spells_of_both():
    one, other = found((0, True), (5, False)), found((3, True), (9, False), (20, True))
    assert joined([*one, *other]) == [Spell(day(0), day(9)), Spell(day(20))]
    assert joined([Spell(day(0)), Spell(day(2), day(3))]) == [Spell(day(0))]


verdicts = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=8).map(
    lambda some: list(dict(sorted(some, key=lambda one: one[0])).items())
)


@given(verdicts, st.integers(0, 12), st.integers(0, 12), st.data())
def test_asking_more_often_changes_nothing(some, grace, stay, data):
    often: list[tuple[int, bool]] = []
    for number, (at, met) in enumerate(some):
        last = some[number + 1][0] - 1 if number + 1 < len(some) else 60
        more = data.draw(st.lists(st.integers(at, max(at, last)), max_size=3))
        often += [(at, met), *((again, met) for again in sorted(more))]
    assert found(*often) == found(*some)
    for today in (day(number).date() for number in range(0, 80, 7)):
        ends = [until(spells, grace, stay) for spells in (found(*often), found(*some))]
        assert len({end is None or end > today for end in ends}) == 1
