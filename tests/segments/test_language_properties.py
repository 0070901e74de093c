"""What holds for every query: printing and reading are inverse, and no text is answered with anything but errors."""

import re
import unicodedata
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from plugin.segments.language import LONGEST, canonical, check, parse
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.schema import Type
from plugin.segments.language.tree import And, Node, Not, Or
from tests.segments.strategies import pool, queries, relative
from tests.segments.vocabularies import EVERYTHING

FRAGMENTS = [
    *FIELDS,
    *FUNCTIONS,
    *"AND OR NOT IN IS NULL CONTAINS BETWEEN STARTS WITH MATCHES NOT_MATCHES SEGMENT true false today".split(),
    *"= != > >= < <= == ( ) ( ) , , : -- ' \\ \" $ 😀 \n é".split(" "),
    *"1 -1 1.5 -7d 2020-05-30 2020-02-30 2020-05-30T04:00:00 99999999999999999999 'vip' 'NEW' 'a\\'b'".split(),
    *"count date amount sku id tag xyz ordres anniversary metafields.a.b attributes.c".split(),
]
TEXTS = (
    st.text(max_size=200)
    | st.text("()'\"\\,=<>!-0123456789dTAND \n", max_size=200)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(" ".join)
    | st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=40).map("".join)
)


def nesting(node: Node) -> int:
    match node:
        case And(operands) | Or(operands):
            return 1 + max(nesting(one) for one in operands)
        case Not(operand):
            return 1 + nesting(operand)
    return 0


@given(queries())
def test_a_printed_tree_is_read_as_the_same_tree(tree):
    text = canonical(tree)
    if len(text) <= LONGEST and nesting(tree) <= 20:
        assert parse(text) == tree
        assert canonical(parse(text)) == text


@given(queries())
def test_blanks_comments_and_parentheses_around_a_query_change_nothing(tree):
    text = canonical(tree)
    if len(text) <= LONGEST - 40 and nesting(tree) <= 18:
        loose = "\n-- a comment\n ( " + text + " )\t-- another"
        assert parse(loose) == tree


@given(TEXTS)
def test_any_text_is_a_tree_or_errors_with_places_inside_it(text):
    found = check(text)
    assert found.ok == (found.tree is not None) == (found.canonical is not None) == (not found.errors)
    for error in found.errors:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
    assert list(found.errors) == sorted(found.errors, key=lambda error: (error.start, error.end))


@given(TEXTS)
def test_what_can_be_read_can_be_printed_and_read_again(text):
    found = check(text)
    if found.ok:
        assert parse(found.canonical) == found.tree
        assert check(found.canonical).canonical == found.canonical


KEPT_AS_WRITTEN = tuple(row for row in FIELDS.values() if not row.days_since)


@given(queries(fields=(*KEPT_AS_WRITTEN, *EVERYTHING.own), functions=tuple(FUNCTIONS.values())))
def test_whatever_the_language_has_is_read_as_it_was_printed(tree):
    text = canonical(tree)
    if len(text) <= LONGEST and nesting(tree) <= 20:
        assert parse(text, EVERYTHING) == tree
        assert canonical(parse(text, EVERYTHING)) == text


@given(queries(), st.data())
def test_a_query_cut_anywhere_is_a_tree_or_errors(tree, data):
    text = canonical(tree)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    broken = text[:start] + text[end:]
    assert all(0 <= error.start <= error.end <= len(broken) for error in check(broken).errors)


@given(queries(), st.text("😀é\u0301", min_size=1, max_size=5))
def test_what_stands_before_a_fault_moves_it_by_its_code_points(tree, pictures):
    before = f"customer_tags CONTAINS '{unicodedata.normalize('NFD', pictures)}' AND ("
    text = canonical(tree) + " AND xyz = 1"
    moved = [(error.start - len(before), error.end - len(before)) for error in check(before + text + ")").errors]
    if len(before + text) < LONGEST and nesting(tree) < 18:
        assert moved == [(error.start, error.end) for error in check(text).errors]


POOLS = {
    "customer_tags": pool("vip"),
    "orders_placed.count": pool(7),
    Type.DATE: pool(relative(-30, "d"), date(2020, 5, 30)),
}


@given(
    queries(POOLS, fields=(FIELDS["customer_tags"], FIELDS["last_order_date"]), functions=(FUNCTIONS["orders_placed"],))
)
def test_random_queries_take_their_values_from_the_pools_given(tree):
    text = canonical(tree)
    assert set(re.findall(r"CONTAINS ('.*?')", text)) <= {"'vip'"}
    assert set(re.findall(r"count [!=<>]+ (\S+?)\b", text)) <= {"7"}
    assert set(re.findall(r"date [!=<>]+ ([\w-]+)", text)) <= {"-30d", "2020-05-30"}
