"""Nobody gets into a segment for rewards by what anybody could make up: site events never let in by themselves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.models.shops import Shop
from plugin.segments.kept.allowed import check
from plugin.segments.kept.rewards import is_forgeable, open_ways
from plugin.segments.language import canonical, parse
from plugin.segments.language.fields import FUNCTIONS
from plugin.segments.language.tree import And, Not, Or
from plugin.segments.language.vocabulary import WHOLE_TABLE
from tests.segments.strategies import AVAILABLE_FUNCTIONS, queries

VIEW = "storefront.product_viewed MATCHES (count >= 3)"
OTHER = "storefront.collection_viewed MATCHES (date >= -7d)"
ORDERS = "number_of_orders >= 1"

SHOP = Shop(name="Acme")

SAFE = (
    ORDERS,
    f"{VIEW} AND {ORDERS}",
    f"({VIEW} OR {OTHER}) AND {ORDERS}",
    f"({VIEW} AND {ORDERS}) OR amount_spent > 10",
    f"NOT ({VIEW} OR {ORDERS})",
    f"NOT ({VIEW} OR NOT {ORDERS})",
    f"NOT {VIEW} AND NOT {ORDERS}",
    f"devices CONTAINS 'mobile' AND {ORDERS}",
    "products_purchased MATCHES (count >= 1)",
)
OPEN = (
    ("«storefront.product_viewed MATCHES (count >= 3)»",),
    ("NOT «storefront.product_viewed MATCHES (count >= 3)»",),
    ("«storefront.product_viewed NOT MATCHES (count >= 3)»",),
    ("«storefront.product_viewed IS NOT NULL»",),
    ("«storefront_event.product_viewed IS NULL»",),
    (f"{ORDERS} OR «{VIEW}»",),
    ("«devices NOT CONTAINS 'desktop'»",),
    (f"«browsers IS NOT NULL» AND «{OTHER}»",),
    (f"«{VIEW}» AND «{OTHER}»",),
    (f"({ORDERS} AND {VIEW}) OR «{OTHER}»",),
    (f"NOT (NOT «{VIEW}» OR NOT «{OTHER}»)",),
    (f"NOT ({ORDERS} AND «{VIEW}»)",),
    (f"{ORDERS} OR (amount_spent > 5 AND {VIEW}) OR (NOT (NOT «{OTHER}»))",),
)


@pytest.mark.parametrize("query", SAFE)
def test_where_every_way_needs_something_else_it_may_be_kept(query):
    assert check(query, SHOP, WHOLE_TABLE, for_rewards=True).ok


@pytest.mark.parametrize(("marked",), OPEN)  # noqa: PT006
def test_where_one_way_rests_on_views_alone_it_says_where(marked):
    query = marked.replace("«", "").replace("»", "")
    assert check(query, SHOP, WHOLE_TABLE, for_rewards=False).ok
    found = check(query, SHOP, WHOLE_TABLE, for_rewards=True)
    places = []
    rest = marked
    while "«" in rest:
        start = rest.index("«")
        end = rest.index("»") - 1
        places.append((start, end))
        rest = rest.replace("«", "", 1).replace("»", "", 1)
    assert [(error.start, error.end) for error in found.errors] == places
    assert {error.code for error in found.errors} == {"FORGEABLE"}
    assert all("for rewards" in error.message for error in found.errors)


def test_what_is_wrong_with_the_text_itself_comes_first():
    found = check("storefront.product_viewed MATCHES (cuont >= 3)", SHOP, WHOLE_TABLE, for_rewards=True)
    assert {error.code for error in found.errors} == {"UNKNOWN_PARAMETER"}


def test_views_are_what_can_be_forged_and_nothing_else_that_there_is():
    forgeable = {name for name, row in FUNCTIONS.items() if row.forgeable}
    on_pages = {f"site.{kind}" for kind in ("page_viewed", "searched", "form_submitted", "link_clicked")}
    assert forgeable == {"storefront.product_viewed", "storefront.collection_viewed", *on_pages}
    sent_with_a_key = {"call_received", "event", "survey_answered"}
    of_the_store = {"products_purchased", "orders_placed"}
    assert {row.name for row in AVAILABLE_FUNCTIONS} - forgeable >= of_the_store | sent_with_a_key


@settings(max_examples=300)
@given(tree=queries(max_leaves=6))
def test_the_tree_says_what_its_normal_form_says(tree):
    """Written as an OR of ANDs of clauses and their negations, each AND must hold one that cannot be forged."""
    tree = parse(canonical(tree))
    assert (not list(open_ways(tree))) == all(
        any(not is_forgeable(leaf) for leaf in way) for way in ways(tree, negated=False)
    )


def ways(node, *, negated):
    match node:
        case Not(operand):
            return ways(operand, negated=not negated)
        case And(operands) | Or(operands):
            each = [ways(one, negated=negated) for one in operands]
            if isinstance(node, And) == negated:
                return [way for some in each for way in some]
            joined = [()]
            for some in each:
                joined = [(*before, *way) for before in joined for way in some]
            return joined
        case _:
            return [(node,)]


@given(st.sampled_from(SAFE))
def test_a_query_that_may_be_kept_is_kept_in_its_canonical_form(query):
    assert check(check(query, SHOP, WHOLE_TABLE, for_rewards=True).canonical, SHOP, WHOLE_TABLE, for_rewards=True).ok
