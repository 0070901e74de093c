"""A hundred thousand broken queries: each is a tree or errors, soon, and never an exception."""

import random
import time

import pytest

from plugin.segments.language import Checked, canonical, check, parse
from plugin.segments.language.errors import Code
from plugin.segments.language.shopify import export
from tests.segments.test_documented import READ, REFUSED
from tests.segments.test_language_properties import FRAGMENTS
from tests.segments.vocabularies import EVERYTHING

MOST_SECONDS = 0.05
CHARACTERS = "()',:=<>!.-+_0123456789 dwmyATNORnull\\\"\n\t\u00e9\u0301\U0001f600\u200b\x00\ud800"


def mutated(chance: random.Random) -> str:
    """Return a documented query with a few things wrong with it, some of them large."""
    text = chance.choice([*READ, *REFUSED])
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 1, 3, 12)))
        put = chance.choice(
            (
                "",
                chance.choice(CHARACTERS),
                text[start:end] * chance.choice((2, 2, 3, 40)),
                f" {chance.choice(FRAGMENTS)} ",
                f" {chance.choice(('AND', 'OR', 'NOT', ','))} {chance.choice(READ)}",
                text[start:end].swapcase(),
                chance.choice(("(", ")", "((((", "NOT ", "((products_purchased MATCHES (")) * chance.choice((1, 1, 30)),
            )
        )
        text = text[:start] + put + text[end:]
    return text


def checked(text: str) -> Checked:
    """Return what is said of a text, which is said soon: in the best of three runs where the first was slow."""
    for _ in range(3):
        began = time.thread_time()
        found = check(text, EVERYTHING)
        if time.thread_time() - began <= MOST_SECONDS:
            return found
    raise AssertionError(f"takes more than {MOST_SECONDS} s: {text}")


def try_out(seed: int, queries: int) -> None:
    chance = random.Random(seed)
    for _ in range(queries):
        text = mutated(chance)
        found = checked(text)
        assert found.ok == (not found.errors), text
        for error in found.errors:
            assert error.code in Code, text
            assert 0 <= error.start <= error.end <= len(text), text
        if found.ok:
            assert parse(canonical(found.tree), EVERYTHING) == found.tree, text
            said = export(found.tree)
            assert said.ok == (not said.reasons), text
            assert all(0 <= one.start < one.end <= len(text) for one in said.reasons), text


def test_some_broken_queries_are_answered_with_errors():
    try_out(seed=1, queries=2_000)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 10))
def test_a_hundred_thousand_broken_queries_are_answered_with_errors(seed):
    try_out(seed, queries=12_500)
