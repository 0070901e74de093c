"""The queries of Shopify's documentation: read and said again, or refused at a place."""

from pathlib import Path

import pytest

from plugin.segments.language import canonical, check, parse
from plugin.segments.language.errors import Code
from plugin.segments.language.shopify import Obstacle, export
from tests.segments.vocabularies import EVERYTHING

DOCUMENTED = Path(__file__).parents[1] / "data" / "shopify_queries.txt"


def section(title: str) -> list[str]:
    """Return the queries under a heading."""
    _, _, rest = DOCUMENTED.read_text(encoding="utf-8").partition(f"== {title}\n")
    return [line for line in rest.partition("== ")[0].splitlines() if line and not line.startswith("#")]


READ = section("read, and said again in Shopify's words")
[TOO_MUCH] = section("read, and too much for Shopify")
REFUSED = section("refused")


@pytest.mark.parametrize("text", [*READ, TOO_MUCH])
def test_a_documented_query_is_read_and_printed_and_read_as_the_same_tree(text):
    tree = parse(text, EVERYTHING)
    assert parse(canonical(tree), EVERYTHING) == tree
    assert {error.code for error in check(text).errors} <= {Code.NOT_AVAILABLE}


@pytest.mark.parametrize("text", READ)
def test_a_documented_query_is_said_again_in_shopifys_words(text):
    said = export(parse(text, EVERYTHING))
    assert said.ok, said.reasons
    assert export(parse(said.text, EVERYTHING)).text == said.text


def test_eleven_conditions_are_read_and_not_said_to_shopify():
    [reason] = export(parse(TOO_MUCH)).reasons
    assert reason.code == Obstacle.TOO_MANY_CLAUSES
    assert TOO_MUCH[reason.start : reason.end] == "customer_countries CONTAINS 'BR'"


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_documentation_calls_invalid_is_refused_at_its_place(text):
    found = check(text, EVERYTHING)
    assert found.errors
    assert all(0 <= error.start < error.end <= len(text) for error in found.errors)
    assert not {error.code for error in found.errors} & {Code.NOT_AVAILABLE}
