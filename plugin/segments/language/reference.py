"""The names of the language as its documentation and the editor's completion tell them: read from the one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from connectors.phrases import phrase
from plugin.segments.language.checks import IN_ORDER
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.schema import CHOSEN, IN_PARAMETERS, OPERATORS, Field, Function, Parameter
from plugin.segments.language.tokens import quote
from plugin.segments.language.vocabulary import Vocabulary

# In which order names are read. What stands nowhere here comes last, under "more".
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "orders": (
        *("number_of_orders", "amount_spent", "first_order_date", "last_order_date", "orders_placed"),
        *("average_order_value", "largest_order", "days_between_orders", "days_since_last_order", "refunds"),
        *("abandoned_checkout_date", "carts", "store_credit_accounts", "product_subscription_status"),
    ),
    "customers": (
        *("customer_added_date", "customer_tags", "customer_language", "customer_email_domain"),
        *("customer_account_status", "companies", "created_by_app_id"),
    ),
    "consent": ("email_subscription_status", "sms_subscription_status"),
    "demographic": ("age", "birth_date", "gender", "marital_status", "income_band", "education", "occupation"),
    "geographic": (
        *("customer_countries", "customer_regions", "customer_cities", "customer_postal_codes", "time_zone"),
        "customer_within_distance",
    ),
    "psychographic": ("interests", "values", "lifestyle", "personality", "survey_answered"),
    "technographic": ("devices", "browsers", "operating_systems", "sales_channels"),
    "behavioural": (
        *("first_source", "last_source", "storefront.product_viewed", "storefront.collection_viewed"),
        *("site.page_viewed", "site.searched", "site.form_submitted", "site.link_clicked", "call_received", "event"),
        *(
            f"{family}.{event}"
            for family in ("email", "shopify_email")
            for event in ("delivered", "opened", "clicked", "bounced", "marked_as_spam", "unsubscribed")
        ),
    ),
    "needs": ("products_purchased", "favourite_category", "favourite_vendor", "discount_share", "discount_habit"),
    "value": (
        *("rfm_group", "rfm_recency", "rfm_frequency", "rfm_monetary", "shopify_rfm_group", "spend_percentile"),
        *("historic_value", "predicted_value", "lifetime_value", "predicted_orders", "churn_risk"),
        *("expected_next_order_date", "predicted_spend_tier"),
    ),
    "voice": ("nps_score", "nps_group", "csat_score"),
}
# What may stand between clauses, and before one beside the names.
JOINING = ("AND", "OR")
BEGINNING = ("NOT", "IN SEGMENT")
MORE = "more"
OWN = "own"


@dataclass(frozen=True)
class Entry:
    """One name, or one parameter of a function. `values` are all there are, `examples` such as there may be.

    `chosen`: whether a shop has values of its own, to choose from. `supplied_by` says what would supply it where this
    shop has nothing that does, else None.
    """

    name: str
    type: str
    sentence: str
    operators: tuple[str, ...]
    values: tuple[str, ...]
    examples: tuple[str, ...]
    shopify: bool
    supplied_by: str | None
    parameters: tuple[Entry, ...] = ()
    chosen: bool = False


def families(words: Vocabulary) -> dict[str, list[Entry]]:
    """Return every name of the language by family, and last those that the merchant has defined."""
    rows: dict[str, Field | Function] = {**FIELDS, **FUNCTIONS}
    found = {family: [entry(rows.pop(name), words) for name in names] for family, names in FAMILIES.items()}
    found[MORE] = [entry(row, words) for row in rows.values()]
    found[OWN] = [entry(row, words) for row in words.own]
    return {family: entries for family, entries in found.items() if entries}


def entry(row: Field | Function, words: Vocabulary) -> Entry:
    if isinstance(row, Field):
        there = row.shopify or row.name.startswith("metafields.")
        return of_values(row, OPERATORS[row.type], words, there=there)
    inside = tuple(parameters(row, words))
    there = row.shopify is not None
    return Entry(row.name, "", phrase(row.sentence), ("MATCHES", "IS NULL"), (), (), there, lacking(row, words), inside)


def parameters(function: Function, words: Vocabulary) -> Iterator[Entry]:
    for row in function.parameters.values():
        there = row.name in (function.shopify or ())
        yield of_values(row, OPERATORS[row.type] & IN_PARAMETERS, words, there=there)


def of_values(row: Field | Parameter, allowed: frozenset[str], words: Vocabulary, *, there: bool) -> Entry:
    operators = tuple(one for one in IN_ORDER if one in allowed)
    told = (row.name, phrase(row.type.value), phrase(row.sentence), operators, row.values, row.suggestions)
    return Entry(*told, there, lacking(row, words), chosen=row.type in CHOSEN and not row.values)


def lacking(row: Field | Function | Parameter, words: Vocabulary) -> str | None:
    return None if words.has(row) else phrase(row.supplied_by)


def completions(words: Vocabulary) -> dict[str, Any]:
    """Return what a shop's queries may use, as the editor offers it: names, other segments, and what joins clauses."""
    everything = [one for entries in families(words).values() for one in entries]
    return {
        "names": [usable(asdict(one)) for one in everything if one.supplied_by is None],
        "segments": [quote(name) for name in words.names_of_segments()],
        "joining": JOINING,
        "beginning": BEGINNING,
    }


def usable(name: dict[str, Any]) -> dict[str, Any]:
    return {**name, "parameters": [one for one in name["parameters"] if one["supplied_by"] is None]}
