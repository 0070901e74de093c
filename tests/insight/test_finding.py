"""Customers found by what somebody on the telephone says of themselves, a page at a time."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from connectors.records import Customer, Merged, Order
from plugin import clock, ingest, shops
from plugin.db import reading, table, transaction
from plugin.insight.finding import find, lately
from plugin.models.commerce import Customer as CustomerRow

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = {
    "1": ("anna@example.com", "Anna", "Örn", "+44 113 496 0000"),
    "2": ("o.brien@example.com", "Siobhán", "O’Brien", "+353 1 234 5678"),
    "3": ("maria@example.com", "Anna Maria", "Schmidt-Weiß", None),
    "4": ("annabel@example.com", "Bel", "Anders", "0113 496 0001"),
    "5": ("delacruz@example.com", "María José", "de la Cruz", None),
}


@pytest.fixture
def shop(engine):
    with clock.freeze(NOON), transaction(engine) as session:
        made, other = (
            shops.add_shop(
                session, name=name, platform="shopify", domain=f"{name}.myshopify.com", zone="UTC", currency="EUR"
            )[0]
            for name in ("one", "two")
        )
        told = {
            who: Customer(who, NOON, email=email, first_name=first, last_name=last, phone=phone)
            for who, (email, first, last, phone) in PEOPLE.items()
        }
        orders = [Order("o1", NOON, NOON, 100, "EUR", name="#D1001", customer=told["2"])]
        ingest.store(session, made, "store", [*told.values(), *orders])
        ingest.store(session, other, "store", [Customer("9", NOON, email="anna@example.com", first_name="Anna")])
    return made


def ids(engine, shop, typed, **more):
    with reading(engine) as session:
        return [row.customer_id for row in find(session, shop.shop_id, typed, **more).rows]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ANNA@example.com", ["1"]),
        ("ann", ["1", "4", "3"]),  # two addresses, then a name
        ("orn", ["1"]),
        ("Anna Örn", ["1"]),
        ("örn, anna", ["1"]),
        ("anna m", ["3"]),
        ("Anna Maria Schmidt", ["3"]),
        ("schmidt weiss", ["3"]),
        ("weiß", ["3"]),
        ("Cruz", ["5"]),
        ("maria jose cru", ["5"]),
        ("cruz, maría", ["5"]),
        ("de la cruz", ["5"]),
        ("jose cruz", []),
        ("OBrien", ["2"]),
        ("siobhan o'b", ["2"]),
        ("0113 496 0000", ["1"]),
        ("+44 (113) 496-0001", []),  # which was told without a country
        ("496 0001", ["4"]),
        ("00353 1 234 5678", ["2"]),
        ("d1001", ["2"]),
        ("#D1001", ["2"]),
        ("o1", ["2"]),
        ("3", ["3"]),
        ("", []),
        ("%", []),
        ("nobody", []),
    ],
)
def test_whoever_may_be_meant_is_found_whatever_is_typed_of_them(engine, shop, typed, found):
    assert ids(engine, shop, typed) == found


def test_pages_follow_each_other_and_name_nobody_twice(engine, shop):
    seen, place = [], None
    with reading(engine) as session:
        while True:
            page = find(session, shop.shop_id, "an", place, limit=1)
            seen += [row.customer_id for row in page.rows]
            if page.end is None:
                break
            place = page.end
    assert seen == ["1", "4", "3"]


def test_a_former_id_leads_to_whoever_it_is_now_and_those_who_are_gone_are_not_found(engine, shop):
    with clock.freeze(NOON), transaction(engine) as session:
        ingest.store(session, shop, "store", [Merged("1", "3", NOON)])
        session.execute(update(CustomerRow).where(table(CustomerRow).c.customer_id == "2").values(deleted_at=NOON))
    assert ids(engine, shop, "1") == ids(engine, shop, "3")
    assert len(ids(engine, shop, "1")) == 1
    assert ids(engine, shop, "brien") == ids(engine, shop, "#D1001") == []


def test_a_name_that_was_changed_is_found_by_the_new_one_alone(engine, shop):
    with clock.freeze(NOON), transaction(engine) as session:
        married = Customer("1", NOON.replace(hour=13), email="anna@example.com", last_name="Berg")
        ingest.store(session, shop, "store", [married])
    assert ids(engine, shop, "berg") == ["1"]
    assert ids(engine, shop, "örn") == []


def test_who_ordered_last_comes_first(engine, shop):
    with reading(engine) as session:
        assert [(row.customer_id, row.name) for row in lately(session, shop.shop_id)] == [("2", "#D1001")]
