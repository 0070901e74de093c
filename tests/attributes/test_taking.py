"""Values of attributes are taken by their kinds, kept with their dates, and find their customers."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.records import Attribute, AttributesHeld, CustomerRedaction, Merged
from plugin import privacy, shops
from plugin.attributes import definitions, kinds
from plugin.db import SEPARATOR, reading, transaction
from plugin.models.commerce import Customer
from plugin.models.segments import Stale
from tests.attributes.conftest import HOUR, NOW, account, value


def test_values_are_kept_by_their_kind_and_the_rest_is_refused_with_the_reason(keeper):
    taken = keeper.take(
        value("born", "1990-05-17"),
        value("born", "17 May", "8"),
        value("visits", 3),
        value("visits", 2.5, "8"),
        value("height", Decimal("1.75555")),
        value("height", "tall", "8"),
        value("likes", ["Straße", "ART"]),
        value("member", "Yes"),
        value("member", 2, "8"),
        value("note", " A  b "),
        value("note", "x" * 1001, "8"),
        value("no key", 1),
        value("note", "x", ""),
        types={
            "born": "date",
            "visits": "integer",
            "height": "decimal",
            "likes": "texts",
            "member": "boolean",
            "note": "text",
        },
    )
    assert taken.stored == (0, 2, 4, 6, 7, 9)
    assert taken.refused == {
        1: "born takes a date, such as 1990-05-17",
        3: "visits takes a whole number",
        5: "height takes a number",
        8: "member takes true or false",
        10: "note takes a text of at most 1,000 characters",
        11: definitions.fault_of("no key"),
        12: "neither a customer's id nor an e-mail address",
    }
    assert keeper.values() == {
        "7 born": ["1990-05-17"],
        "7 height": ["1.7556"],
        "7 likes": [f"{SEPARATOR}art{SEPARATOR}{SEPARATOR}strasse{SEPARATOR}"],
        "7 member": ["true"],
        "7 note": ["A  b"],
        "7 visits": ["3"],
    }
    kept = {row.key: row for row in keeper.rows()}
    assert (kept["born"].value_on.isoformat(), kept["born"].month_day) == ("1990-05-17", 517)
    assert (kept["visits"].number, kept["height"].number) == (3, 17556)
    assert taken.unknown == taken.stored, "nobody of this id is a customer yet"
    assert keeper.rows(Customer) == []
    assert {(row.customer_id, row.cause) for row in keeper.rows(Stale)} == {("7", "attribute")}


@pytest.mark.parametrize(
    ("written", "given", "kind"),
    [
        (True, ["1990-05-17", "", "2004-02-29"], "date"),
        (True, ["1", "-20"], "integer"),
        (True, ["1", "2.5"], "decimal"),
        (True, ["01234", "10115"], "text"),  # postal codes
        (True, ["yes", "no"], "boolean"),
        (True, ["1990-05-17", "soon"], "text"),
        (False, ["1", "2"], "text"),
        (False, [1, 2], "integer"),
        (False, [1, Decimal("2.5")], "decimal"),
        (False, [True], "boolean"),
        (False, [["a"], []], "texts"),
        (False, ["1990-05-17"], "date"),
        (False, [1, "a"], "text"),
        (False, [None], "text"),
    ],
)
def test_the_kind_is_the_one_of_which_all_first_values_are(written, given, kind):
    assert kinds.inferred(given, None, written=written) == kind


def test_a_kind_stays_as_it_was_first_defined(keeper):
    assert keeper.take(value("size", 4)).defined == {"size": "integer"}
    assert keeper.take(value("size", "large")).refused == {0: "size takes a whole number"}
    assert keeper.take(value("gender", 1), value("interests", "art;tea")).defined == {
        "gender": "text",
        "interests": "texts",
    }
    with transaction(keeper.engine) as session:
        definitions.define(session, keeper.shop, "size", "integer", label="Shoe size")
        for key, kind, reason in (
            ("size", "text", "is of the kind integer already"),
            ("birth_date", "text", "is always of the kind date"),
            ("other", "colour", "there is no kind"),
            ("a.b.c", "text", "a key is a word"),
        ):
            with pytest.raises(definitions.RefusedError, match=reason):
                definitions.define(session, keeper.shop, key, kind)
    with reading(keeper.engine) as session:
        assert [(row.key, row.label) for row in definitions.all_of(session, keeper.shop.shop_id)] == [
            ("gender", None),
            ("interests", None),
            ("size", "Shoe size"),
        ]


def test_whatever_the_order_of_arrival_the_rows_are_the_same(keeper):
    told = [
        Attribute("size", 4, NOW, "7"),
        Attribute("size", 5, NOW, "7"),
        Attribute("size", 9, NOW - HOUR, "7"),
        Attribute("colour", "red", NOW, "7"),
        Attribute("colour", None, NOW, "7"),
        Attribute("colour", "blue", NOW, email=" Ann@Example.com"),
        account("7", "ann@example.com"),
        Merged("7", "8", NOW),
        Attribute("colour", "zinc", NOW - HOUR, "8"),
        Attribute("colour", "amber", NOW - HOUR, "7"),
    ]
    expected = {"7 colour": ["zinc", None], "7 size": ["9", "5"]}
    orders = [random.sample(range(len(told)), len(told)) for _ in range(4)]
    for order in [*orders, range(len(told)), list(reversed(range(len(told))))]:
        with transaction(keeper.engine) as session:
            for kept in ("attribute_values", "email_addresses", "customers", "customer_aliases"):
                session.execute(Customer.metadata.tables[kept].delete())
        for place in order:
            keeper.store(told[place])
        assert keeper.values() == expected, order


def test_what_is_known_of_an_address_becomes_the_customers_whose_it_is(keeper):
    taken = keeper.take(value("colour", "red", "ann@example.com"))
    assert taken.unknown == (0,)
    assert keeper.rows(Customer) == [], "a survey makes nobody a customer"
    keeper.store(account("7", "Ann@example.com"))
    assert keeper.values() == {"7 colour": ["red"]}
    again = keeper.take(value("colour", "blue", "ANN@example.com ", hours=1), value("colour", "x", "eve@example.com"))
    assert again.unknown == (1,)
    assert keeper.values()["7 colour"] == ["blue", "red"]


def test_what_is_so_already_is_left_out_if_only_news_are_wanted(keeper):
    keeper.take(value("colour", "red", hours=3), value("likes", ["B", "a"], hours=3))
    taken = keeper.take(
        value("colour", "red", hours=1),
        value("colour", "red", hours=4),
        value("likes", ["a", "b"]),
        value("colour", None, "8"),
        news_only=True,
    )
    assert (taken.same, taken.stored) == ((0, 2, 3), (1,))


def test_metafields_that_a_customer_has_no_more_are_taken_away(keeper):
    keeper.store(
        Attribute("facts.born", NOW.date(), NOW - 2 * HOUR, "7", label="Born"),
        Attribute("facts.pet", "cat", NOW - 2 * HOUR, "7"),
        Attribute("own", "kept", NOW - 2 * HOUR, "7", source="api"),
        AttributesHeld("7", NOW - HOUR, ("facts.born",)),
    )
    assert keeper.values() == {
        "7 facts.born": [NOW.date().isoformat()],
        "7 facts.pet": ["cat", None],
        "7 own": ["kept"],
    }
    assert keeper.kinds() == {"facts.born": "date", "facts.pet": "text", "own": "text"}
    keeper.store(Attribute("facts.born", "no date", NOW, "7"))
    assert len(keeper.values()["7 facts.born"]) == 1


def test_a_moment_is_the_day_that_it_is_in_the_shop(keeper):
    late = NOW.replace(month=6, day=30, hour=23, minute=30)  # in London it is summer, and July already
    keeper.take(value("seen", late.isoformat(), "7"), types={"seen": "date"})
    assert keeper.values() == {"7 seen": ["2026-07-01"]}


def test_nothing_is_kept_of_somebody_who_was_forgotten(keeper):
    keeper.store(account("7", "ann@example.com", NOW - 30 * timedelta(days=1)))
    keeper.take(value("colour", "red"), value("likes", ["b", "a"]))
    with transaction(keeper.engine) as session:
        shop = shops.shop(session, keeper.shop.shop_id)
        privacy.redact_customer(session, shop, CustomerRedaction("7", "ann@example.com"))
    assert keeper.values() == {}
    keeper.take(value("colour", "red"), value("colour", "red", "ann@example.com"))
    assert keeper.values() == {}
