"""Where customers are: told by their addresses, worked out without asking anybody outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.records import Address, Customer, Order
from plugin import geography, ingest, shops
from plugin.db import reading, table, transaction
from plugin.models import commerce

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
GREENWICH = (51.4769, 0.0)


class TestGeography:
    @pytest.mark.parametrize(
        ("place", "near", "zone"),
        [
            (("DE", None, "Köln"), (50.94, 6.96), "Europe/Berlin"),
            (("DE", None, "Cologne"), (50.94, 6.96), "Europe/Berlin"),
            (("US", "IL", "Springfield"), (39.80, -89.64), "America/Chicago"),
            (("US", "MA", "Springfield"), (42.10, -72.59), "America/New_York"),
            (("CH", "SG", "St Gallen"), (47.42, 9.37), "Europe/Zurich"),
            (("JP", "13", "東京"), (35.69, 139.69), "Asia/Tokyo"),
        ],
    )
    def test_a_city_is_found_by_any_of_its_names_within_its_region(self, place, near, zone):
        assert geography.coordinates(*place) == pytest.approx(near, abs=0.03)
        assert geography.time_zone(*place) == zone

    @pytest.mark.parametrize(
        ("place", "zone"),
        [
            (("US", None, "Springfield"), None),  # which one?
            (("DE", None, "Neustadt"), "Europe/Berlin"),  # whichever it is
            (("FR", None, "Hameau perdu"), "Europe/Paris"),  # all of the country
            (("US", "NY", "Nowhere"), None),
            (("US", None, None), None),
            ((None, None, "London"), None),
            (("ZZ", None, "London"), None),
        ],
    )
    def test_what_a_place_does_not_tell_plainly_is_not_told(self, place, zone):
        assert geography.coordinates(*place) is None
        assert geography.time_zone(*place) == zone

    @pytest.mark.parametrize(
        ("one", "other", "kilometres"),  # along the ellipsoid, by Vincenty's formula
        [
            ((51.5074, -0.1278), (48.8566, 2.3522), 343.9),
            ((40.7128, -74.0060), (34.0522, -118.2437), 3944.4),
            ((-33.8688, 151.2093), (51.5074, -0.1278), 16989.3),
            ((0.0, 0.0), (0.0, 1.0), 111.32),
            ((0.0, 179.999), (0.0, -179.999), 0.2226),
            ((60.0, 10.0), (60.0, 10.001), 0.0558),
        ],
    )
    def test_distances_are_exact_to_half_a_percent_at_any_length(self, one, other, kilometres):
        between = zip(geography.point(*one), geography.point(*other), strict=True)
        chord = sum((a - b) ** 2 for a, b in between)
        assert geography.chord(kilometres * 0.995) < chord < geography.chord(kilometres * 1.005)
        assert chord < 2**63

    def test_nothing_lies_further_than_the_other_side(self):
        opposite = geography.point(10, 20), geography.point(-10, -160)
        assert sum((a - b) ** 2 for a, b in zip(*opposite, strict=True)) < geography.chord(20_016)
        assert geography.chord(10**9) > 4 * geography.UNIT**2
        assert geography.chord(0) == 0 > geography.chord(-0.1)


NAMED = Address("DE", None, "Köln", "50667")
TOLD = Address("GB", "ENG", "London", " SE10  8XJ ", GREENWICH, "Europe/London")


def rows_after(engine, *batches):
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.example", zone="UTC", currency="EUR"
        )
        shop_id = shop.shop_id
    for batch in batches:
        with transaction(engine) as session:
            ingest.store(session, shops.shop(session, shop_id), "store", batch)
    with reading(engine) as session:
        found = [session.execute(select(table(kind))).one() for kind in (commerce.Customer, commerce.Order)]
        session.rollback()
    return found


def point(row):
    return row.place_x, row.place_y, row.place_z


def test_lists_hold_every_address_and_the_place_is_that_of_the_first_which_tells_one(engine):
    somewhere = Address("US", "NY", "Nowhere")
    older = Customer("7", AT - timedelta(days=1), addresses=(TOLD,))
    customer = Customer("7", AT, addresses=(somewhere, NAMED, TOLD))
    order = Order("1", AT, AT, 100, "EUR", customer=replace(customer), addresses=(TOLD, NAMED))
    person, bought = rows_after(engine, [customer], [older, order])
    assert set(person.postal_codes) == {"50667", "se10 8xj"}
    assert person.time_zone == "Europe/Berlin"
    assert point(person) == geography.point(*geography.coordinates("DE", None, "Köln"))
    assert set(bought.postal_codes) == {"50667", "se10 8xj"}
    assert bought.time_zone == "Europe/London"
    assert point(bought) == geography.point(*GREENWICH)


def test_a_newer_record_without_a_place_takes_it_away(engine):
    known = Customer("7", AT, addresses=(TOLD,))
    gone = Customer("7", AT + timedelta(days=1), addresses=())
    person, _ = rows_after(engine, [gone, Order("1", AT, AT, 100, "EUR")], [known])
    assert (person.postal_codes, person.time_zone, point(person)) == ((), None, (None, None, None))
