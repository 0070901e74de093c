"""A query said in Shopify's words, and what keeps the others from it, with code and place."""

import pytest

from plugin.segments.language import parse
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.shopify import export
from plugin.segments.language.tree import Compare, Matches, Number
from tests.segments.test_language import marked

SAID = [
    (
        "-- win them back\n(number_of_orders>=3 ) and last_order_date < -90d",
        "number_of_orders >= 3 AND last_order_date < -90d",
    ),
    ("last_order_date >= 12_months_ago", "last_order_date >= -12m"),
    (
        "last_order_date BETWEEN 90_days_ago AND yesterday",
        "last_order_date BETWEEN -90d AND yesterday",
    ),
    (
        "orders_placed MATCHES (date >= 30_days_ago, count > 1)",
        "orders_placed MATCHES (date >= -30d, count > 1)",
    ),
    ("products_purchased IS NULL", "products_purchased NOT MATCHES ()"),
    ("products_purchased IS NOT NULL OR amount_spent > 5", "products_purchased MATCHES () OR amount_spent > 5"),
    (
        "products_purchased NOT_MATCHES (id NOT IN (7, '8'), tag = 'sale')",
        "products_purchased NOT MATCHES (id NOT IN (7, 8), tag = 'sale')",
    ),
    (
        "storefront_event.product_viewed MATCHES (id = 7)",
        "storefront.product_viewed MATCHES (id = 7)",
    ),
    ("customer_tags NOT CONTAINS 'it\\'s'", "customer_tags NOT CONTAINS 'it\\'s'"),
    (" OR ".join(f"number_of_orders = {n}" for n in range(10)),) * 2,
]


@pytest.mark.parametrize(("text", "said"), SAID)
def test_what_shopify_has_is_said_in_its_words_and_means_the_same(text, said):
    found = export(parse(text))
    assert (found.ok, found.text, found.reasons) == (True, said, ())


REFUSED = [
    (["NAME_NOT_IN_SHOPIFY"], "number_of_orders > 1 AND «rfm_recency» = 5"),
    (["NAME_NOT_IN_SHOPIFY"], "«shopify_rfm_group» = 'LOYAL'"),
    (["PARAMETER_NOT_IN_SHOPIFY"], "products_purchased MATCHES (id = 1, «vendor» = 'Acme')"),
    (["PARAMETER_NOT_IN_SHOPIFY"], "orders_placed NOT MATCHES («discount_code» = 'X')"),
    (["OPERATOR_NOT_IN_SHOPIFY"], "«rfm_group IN ('NEW', 'LOYAL')» AND number_of_orders > 1"),
    (["OPERATOR_NOT_IN_SHOPIFY"], "«customer_email_domain NOT STARTS WITH 'a'»"),
    (["OPERATOR_NOT_IN_SHOPIFY"], "products_purchased MATCHES («tag IN ('a', 'b')», count > 1)"),
    (["VALUE_NOT_IN_SHOPIFY"], "products_purchased MATCHES («id IN (7, 'gid-8')»)"),
    (["NOT_IS_NOT_IN_SHOPIFY"], "number_of_orders > 1 AND «NOT» (amount_spent > 5 OR customer_tags CONTAINS 'a')"),
    (
        ["NAME_NOT_IN_SHOPIFY", "NOT_IS_NOT_IN_SHOPIFY", "OPERATOR_NOT_IN_SHOPIFY"],
        "«rfm_monetary» > 1 OR «NOT» «customer_language IN ('en')»",
    ),
    (
        ["TOO_MANY_CLAUSES_FOR_SHOPIFY"],
        " OR ".join(f"number_of_orders = {n}" for n in range(10)) + " OR «amount_spent > 5 AND amount_spent < 9»",
    ),
]


@pytest.mark.parametrize(("codes", "text"), REFUSED)
def test_each_thing_that_stands_in_the_way_is_named_at_its_place(codes, text):
    text, places = marked(text)
    found = export(parse(text))
    assert (found.ok, found.text) == (False, None)
    assert [(one.start, one.end) for one in found.reasons] == places
    assert [one.code for one in found.reasons] == codes
    assert all(one.message for one in found.reasons)


def test_a_function_of_ours_is_refused_by_its_name_alone():
    carts = FUNCTIONS["carts"]
    [reason] = export(Matches(carts, (Compare(carts.parameters["count"], ">", Number(1)),))).reasons
    assert (reason.code, reason.message) == ("NAME_NOT_IN_SHOPIFY", "Shopify's segments have no carts")


def test_the_table_names_only_parameters_that_a_function_has():
    for row in FUNCTIONS.values():
        assert (row.shopify or set()) <= row.parameters.keys()
    assert sum(row.shopify for row in FIELDS.values()) == 20
