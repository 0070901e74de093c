"""What customers did, told before or after we know them: kept once, nobody's until they are customers, never undone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.records import Customer, CustomerRedaction, Event, Merged, Order
from plugin import clock, ingest, shops
from plugin.db import reading, table, transaction
from plugin.models import commerce, events
from plugin.models.segments import Stale
from plugin.privacy import redact_customer

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shop:
    def __init__(self, engine):
        self.engine = engine
        with transaction(engine) as session:
            self.row, _ = shops.add_shop(
                session, name="Gifts", platform="shopify", domain="gifts.example.com", zone="UTC", currency="GBP"
            )

    def tell(self, *records):
        with transaction(self.engine) as session:
            ingest.store(session, self.row, "store", records)

    def rows(self, model, *names):
        with reading(self.engine) as session:
            found = session.execute(table(model).select())
            return sorted(tuple(row._mapping[name] for name in names) for row in found)

    def whose(self):
        return [customer for _, customer in self.rows(events.Event, "event_id", "customer_id")]


@pytest.fixture
def shop(engine):
    with clock.freeze(NOW):
        yield Shop(engine)


def call(number=1, *, at=NOW - HOUR, source="calls", **who):
    return Event(str(number), "call_received", at, source=source, **who)


def ann(**more):
    return Customer("7", NOW - HOUR, created_at=NOW - 2 * HOUR, email="Ann@example.com", **more)


def test_an_event_is_kept_once_for_each_source_and_its_customer_is_stale_by_it(shop):
    answer = Event("1", "survey_answered", NOW, "7", subject="nps", answer="yes", score=Decimal("9.125"))
    shop.tell(ann(), answer)
    shop.tell(answer, call(customer_id="7"), call(customer_id="7", source="other", at=NOW))
    shop.tell(call(customer_id="7", at=NOW))
    kept = shop.rows(events.Event, "source", "event_id", "customer_id", "happened_at", "subject", "score")
    assert kept == [
        ("calls", "1", "7", NOW - HOUR, None, None),
        ("other", "1", "7", NOW, None, None),
        ("store", "1", "7", NOW, "nps", 91250),
    ]
    assert shop.rows(Stale, "customer_id", "cause") == [("7", "event")]


@pytest.mark.parametrize("known_first", [True, False])
def test_an_address_leads_to_whose_it_is_whichever_is_told_first(shop, known_first):
    told = [[ann()], [call(email=" ANN@example.com")]]
    for records in told if known_first else reversed(told):
        shop.tell(*records)
    assert shop.whose() == ["7"]
    assert shop.rows(commerce.Customer, "customer_id") == [("7",)]


def test_an_event_makes_nobody_a_customer_until_something_else_does(shop):
    shop.tell(call(1, customer_id="7"), call(2, email="bo@example.com"))
    assert shop.rows(commerce.Customer, "customer_id") == []
    shop.tell(ann(), Order("1", NOW, NOW, 100, "GBP", email="Bo@example.com"))
    [bo] = [one for one, guest in shop.rows(commerce.Customer, "customer_id", "guest") if guest]
    assert shop.whose() == ["7", bo]


def test_events_go_with_whoever_is_merged_and_those_told_late_as_well(shop):
    shop.tell(ann(), call(1, customer_id="8"))
    shop.tell(Merged("7", "8", NOW))
    shop.tell(call(2, customer_id="8"))
    assert shop.whose() == ["7", "7"]


@pytest.mark.parametrize("who", [{"customer_id": "7"}, {"email": "ann@example.com"}])
def test_events_of_somebody_forgotten_are_gone_and_stay_out(shop, who):
    shop.tell(call(1, **who), ann(), call(2, email="bo@example.com"))
    with transaction(shop.engine) as session:
        redact_customer(session, shop.row, CustomerRedaction("7", "ann@example.com"))
    shop.tell(call(3, **who), call(4, **who, at=NOW + HOUR))
    assert [event for (event,) in shop.rows(events.Event, "event_id")] == ["2"]


def test_an_address_known_by_an_event_alone_is_forgotten_with_it(shop):
    shop.tell(call(1, email="ann@example.com"))
    with transaction(shop.engine) as session:
        redact_customer(session, shop.row, CustomerRedaction(None, "ann@example.com"))
    assert shop.rows(events.Event, "event_id") == shop.rows(commerce.EmailAddress, "address") == []
