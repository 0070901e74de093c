"""The names of the language: what each stands for, and how it is compared with what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter, methodcaller
from typing import Any, NamedTuple

from tests.plain.days import day_of_text, day_start, in_the_year, in_the_year_between, is_instant
from tests.plain.origins import agent
from tests.plain.snapshot import Snapshot, fold, total

Holds = Callable[[Snapshot, Any], bool]  # whether a value, seen in a snapshot, meets a condition


class Name(NamedTuple):
    """An attribute or a parameter: how it is compared, and where its value is found."""

    # number, decimal, money, date, text, flag; own as its value is; tags and codes are lists, codes compared with case
    kind: str
    value: Callable[[Any], Any]


class Function(NamedTuple):
    """Rows of a person, parameters that choose among them, and parameters that sum up the chosen."""

    rows: Callable[[Any], Sequence[Any]]
    choosing: dict[str, Name]
    summing: dict[str, Name]


ATTRIBUTES = {
    "number_of_orders": Name("number", lambda person: len(person.counted)),
    "amount_spent": Name("money", attrgetter("spent")),
    "first_order_date": Name("date", attrgetter("first_order_at")),
    "last_order_date": Name("date", attrgetter("last_order_at")),
    "customer_added_date": Name("date", attrgetter("added_at")),
    "customer_tags": Name("tags", attrgetter("tags")),
    "customer_countries": Name("tags", attrgetter("countries")),
    "customer_regions": Name("tags", attrgetter("regions")),
    "customer_cities": Name("tags", attrgetter("cities")),
    "companies": Name("tags", attrgetter("companies")),
    "product_subscription_status": Name("text", attrgetter("subscription")),
    "customer_postal_codes": Name("tags", attrgetter("postal_codes")),
    "time_zone": Name("text", lambda person: person.of_home("time_zone")),
    "customer_email_domain": Name("text", attrgetter("email_domain")),
    "customer_language": Name("text", attrgetter("customer.language")),
    "email_subscription_status": Name("text", attrgetter("email_consent")),
    "sms_subscription_status": Name("text", lambda person: person.consent("sms")),
    "abandoned_checkout_date": Name("date", attrgetter("abandoned_at")),
    "average_order_value": Name("money", attrgetter("average_order")),
    "largest_order": Name("money", lambda person: max(person.amounts, default=None)),
    "days_between_orders": Name("decimal", attrgetter("days_between_orders")),
    "favourite_category": Name("text", lambda person: person.favourite(attrgetter("category"))),
    "favourite_vendor": Name("text", lambda person: person.favourite(attrgetter("vendor"))),
    "discount_habit": Name("text", attrgetter("discount_habit")),
    "first_source": Name("text", lambda person: person.source(latest=False)),
    "last_source": Name("text", lambda person: person.source(latest=True)),
    "devices": Name("tags", lambda person: person.named_by_agents(attrgetter("device"))),
    "browsers": Name("tags", lambda person: person.named_by_agents(attrgetter("browser"))),
    "operating_systems": Name("tags", lambda person: person.named_by_agents(attrgetter("system"))),
    "sales_channels": Name("tags", lambda person: person.named_by_orders(attrgetter("channel"))),
    "rfm_group": Name("text", attrgetter("rfm_group")),
    "customer_account_status": Name("text", attrgetter("customer.account_status")),
    "shopify_rfm_group": Name("text", attrgetter("rating.group")),
    "predicted_spend_tier": Name("text", attrgetter("rating.tier")),
    "rfm_recency": Name("number", lambda person: person.score and person.score.recency),
    "rfm_frequency": Name("number", lambda person: person.score and person.score.frequency),
    "rfm_monetary": Name("number", lambda person: person.score and person.score.monetary),
    "nps_score": Name("number", attrgetter("nps")),
    "nps_group": Name("text", attrgetter("nps_group")),
    "csat_score": Name("number", lambda person: person.answered("csat", 1, 5)),
    "spend_percentile": Name("number", lambda person: person.score and person.score.percentile),
    "discount_share": Name("decimal", lambda person: person.score and person.score.discount_share),
    "historic_value": Name("money", attrgetter("spent")),
    "predicted_value": Name("money", lambda person: person.expected and person.expected.value_minor),
    "lifetime_value": Name("money", lambda person: person.expected and person.expected.lifetime_minor),
    "predicted_orders": Name("decimal", lambda person: person.expected and person.expected.orders),
    "churn_risk": Name("decimal", lambda person: person.expected and person.expected.churn),
    "expected_next_order_date": Name("date", lambda person: person.expected and person.expected.next_order_at),
}

FIXED = "birth_date gender marital_status income_band education occupation interests values lifestyle personality"
ATTRIBUTES |= {"age": Name("number", attrgetter("age"))}
ATTRIBUTES |= {name: Name("own", methodcaller("fixed", name)) for name in FIXED.split()}


def named(name: str) -> Name:
    """Return what a name stands for: of the language's own, or of the merchant's."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    family, _, key = name.removeprefix("customer.").partition(".")
    if family not in {"attributes", "metafields"}:
        raise KeyError(name)
    return Name("own", methodcaller("own", key))


FUNCTIONS = {
    "orders_placed": Function(
        attrgetter("orders"),
        {
            "date": Name("date", attrgetter("placed_at")),
            "amount": Name("money", attrgetter("amount_minor")),
            "discount_code": Name("codes", attrgetter("order.discount_codes")),
            "discounted": Name("flag", attrgetter("discounted")),
            "channel": Name("text", attrgetter("order.channel")),
            "country": Name("text", attrgetter("country")),
            "device": Name("text", lambda placed: agent(placed.order).device),
            **{
                name: Name("text", attrgetter(f"order.{name}"))
                for name in ("location_id", "app_id", "financial_status")
            },
        },
        {
            "count": Name("number", len),
            "sum_amount": Name("money", lambda rows: total(row.amount_minor for row in rows)),
        },
    ),
    "products_purchased": Function(
        attrgetter("lines"),
        {
            "id": Name("text", attrgetter("product_id")),
            "sku": Name("text", attrgetter("sku")),
            "tag": Name("tags", attrgetter("tags")),
            "vendor": Name("text", attrgetter("vendor")),
            "type": Name("text", attrgetter("product_type")),
            "variant_id": Name("text", attrgetter("variant_id")),
            "category": Name("codes", attrgetter("categories")),
            "collection_id": Name("codes", attrgetter("collections")),
            "title": Name("text", attrgetter("title")),
            "amount": Name("money", attrgetter("amount_minor")),
            "date": Name("date", attrgetter("placed_at")),
            "quantity": Name("number", attrgetter("units")),
        },
        {
            "count": Name("number", lambda rows: len({row.order_id for row in rows})),
            "sum_quantity": Name("number", lambda rows: total(row.units for row in rows)),
            "sum_amount": Name("money", lambda rows: total(row.amount_minor for row in rows)),
        },
    ),
    "carts": Function(
        lambda person: [(person, cart) for cart in person.carts],
        {
            "status": Name("text", lambda row: row[0].became(row[1])),
            "date": Name("date", lambda row: row[1].changed_at),
            "amount": Name("money", lambda row: row[1].amount_minor),
            "product_id": Name("codes", lambda row: row[1].product_ids),
        },
        {"count": Name("number", len)},
    ),
    "refunds": Function(
        attrgetter("refunds"),
        {"date": Name("date", attrgetter("refunded_at")), "amount": Name("money", attrgetter("amount_minor"))},
        {
            "count": Name("number", len),
            "sum_amount": Name("money", lambda rows: total(row.amount_minor for row in rows)),
        },
    ),
}


FUNCTIONS["store_credit_accounts"] = Function(
    attrgetter("credit"),
    {
        "balance": Name("money", attrgetter("balance_minor")),
        "currency": Name("text", attrgetter("currency")),
        "next_expiry_date": Name("date", attrgetter("next_expiry_at")),
        "last_credit_date": Name("date", attrgetter("last_credit_at")),
    },
    {},
)
FUNCTIONS["customer_within_distance"] = Function(attrgetter("homes"), {}, {})

ABOUT = {
    "id": Name("text", attrgetter("event.subject_id")),
    "activity_id": Name("text", attrgetter("event.subject_id")),
    "tag": Name("tags", attrgetter("tags")),
    "question": Name("text", attrgetter("event.question")),
    "answer": Name("text", attrgetter("event.answer")),
    "score": Name("decimal", attrgetter("score")),
    **dict.fromkeys(("url", "query", "form", "link", "name", "survey"), Name("text", attrgetter("event.subject"))),
}


def events(kind: str, *about: str) -> Function:
    choosing = {name: ABOUT[name] for name in about} | {"date": Name("date", attrgetter("happened_at"))}
    return Function(lambda person: person.did(kind), choosing, {"count": Name("number", len)})


FUNCTIONS |= {
    **{f"storefront.{kind}": events(kind, "id", "tag") for kind in ("product_viewed", "collection_viewed")},
    "site.page_viewed": events("page_viewed", "url"),
    "site.searched": events("searched", "query"),
    "site.form_submitted": events("form_submitted", "form"),
    "site.link_clicked": events("link_clicked", "link"),
    "call_received": events("call_received"),
    "survey_answered": events("survey_answered", "survey", "question", "answer", "score"),
    "event": events("event", "name"),
    **{
        f"email.{what}": events(f"email.{what}", "activity_id")
        for what in ("bounced", "clicked", "delivered", "marked_as_spam", "opened", "unsubscribed")
    },
}

ORDERINGS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}


def order(kind: str, now: Snapshot, have: Any, written: str) -> int:
    """Say whether a value lies before (-1), within (0) or after (1) what is written."""
    if kind == "own":
        return order_of_own(now, have, written)
    if kind == "date":
        first, after = now.span(written)
        return -1 if have < first else 1 if have >= after else 0
    wanted: Any = written
    if kind == "tags":
        wanted = fold(written)
    elif kind == "flag":
        wanted = written.lower() == "true"
    elif kind in ("number", "decimal", "money"):
        wanted = Decimal(written).scaleb({"money": now.world.decimals, "decimal": 4}.get(kind, 0))
    return int(have > wanted) - int(have < wanted)


def order_of_own(now: Snapshot, have: Any, written: str) -> int:
    """The same, for a value that tells of which kind it is. Beside an instant a day stands for its first moment."""
    if isinstance(have, bool):
        return int(have) - int(written.lower() == "true")
    if isinstance(have, date):
        if is_instant(written):
            return order("date", now, day_start(now.world.zone, have), written)
        day = day_of_text(now.today, written)
        return int(have > day) - int(have < day)
    return order("text" if isinstance(have, str) else "number", now, have, written)


def compared(kind: str, operator: str, written: str) -> Holds:
    if operator == "!=" or kind in ("tags", "codes"):
        return among(kind, [written], negated=operator == "!=")
    fits = ORDERINGS[operator]
    return lambda now, have: have is not None and fits(order(kind, now, have, written))


def among(kind: str, written: Sequence[str], *, negated: bool) -> Holds:
    """A single value is one of those written, a list has one of them; `negated` says that neither is so."""

    def holds(now: Snapshot, have: Any) -> bool:
        if have is None:
            return False
        members = have if kind in ("tags", "codes") else [have]
        return any(order(kind, now, one, value) == 0 for one in members for value in written) != negated

    return holds


def between(kind: str, low: str, high: str) -> Holds:
    return lambda now, have: have is not None and order(kind, now, have, low) >= 0 >= order(kind, now, have, high)


def containing(kind: str, text: str, *, negated: bool) -> Holds:
    """A list has a member. One of the merchant's own that is not there has none."""
    holds = among("tags" if kind == "own" else kind, [text], negated=negated)
    return lambda now, have: holds(now, set() if have is None else have)


def each_year(low: str, high: str, *, negated: bool) -> Holds:
    """A date's day of the year is one of those from one day to another."""

    def holds(now: Snapshot, have: Any) -> bool:
        if have is None:
            return False
        within = in_the_year_between(day_of_text(now.today, low), day_of_text(now.today, high))
        return (in_the_year(have) in within) != negated

    return holds


def starting(text: str, *, negated: bool) -> Holds:
    return lambda _, have: have is not None and have.startswith(text) != negated


def missing(*, negated: bool) -> Holds:
    return lambda _, have: (have is None or have == set()) != negated
