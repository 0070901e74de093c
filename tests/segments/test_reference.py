"""The documentation of the language and the editor's completion tell every row of the table."""

from plugin.segments.language import check, reference
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.vocabulary import WHOLE_TABLE, Vocabulary
from tests.segments.vocabularies import EVERYTHING


def entries(words=WHOLE_TABLE):
    return {one.name: one for some in reference.families(words).values() for one in some}


def test_every_name_is_told_once_in_a_family():
    told = [one.name for some in reference.families(WHOLE_TABLE).values() for one in some]
    assert sorted(told) == sorted([*FIELDS, *FUNCTIONS])
    assert reference.MORE not in reference.families(WHOLE_TABLE)


def test_a_name_is_told_with_all_that_its_row_says():
    tier = entries()["predicted_spend_tier"]
    assert (tier.type, tier.operators) == ("one of a few words", ("=", "!=", "IN", "IS NULL"))
    assert (tier.values, tier.shopify, tier.supplied_by) == (("HIGH", "MEDIUM", "LOW"), True, None)
    bought = {one.name: one for one in entries()["products_purchased"].parameters}
    assert bought.keys() == FUNCTIONS["products_purchased"].parameters.keys()
    assert (bought["id"].shopify, bought["sku"].shopify) == (True, False)
    assert bought["count"].operators == ("=", "!=", ">", ">=", "<", "<=", "BETWEEN")


def test_what_a_shop_lacks_is_told_with_what_would_supply_it_and_not_offered():
    bare = Vocabulary(supplied=frozenset())
    assert entries(bare)["predicted_spend_tier"].supplied_by == "a Shopify store that reports it"
    offered = {one["name"] for one in reference.completions(bare)["names"]}
    assert "number_of_orders" in offered
    assert "predicted_spend_tier" not in offered


def test_fields_of_the_merchants_own_are_told_and_offered():
    assert [one.name for one in reference.families(EVERYTHING)[reference.OWN]] == [row.name for row in EVERYTHING.own]
    assert "attributes.shoe-size" in {one["name"] for one in reference.completions(EVERYTHING)["names"]}


def test_what_is_offered_can_be_written():
    for one in reference.completions(WHOLE_TABLE)["names"]:
        if one["operators"][0] == "MATCHES":
            conditions = ", ".join(
                f"{each['name']} = {each['examples'][0]}" for each in one["parameters"] if each["examples"]
            )
            text = f"{one['name']} MATCHES ({conditions})"
        else:
            text = (
                f"{one['name']} IS NOT NULL"
                if not one["examples"]
                else f"{one['name']} {one['operators'][0]} {one['examples'][0]}"
            )
        assert check(text).ok, text
