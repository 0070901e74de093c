"""The practice shop's past and present are believable, and the same for the same seed."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from plugin.sandbox import records
from plugin.sandbox.model import Store, financial_status, moment, refunded, total
from plugin.sandbox.shop import Shop
from plugin.sandbox.shop.audience import audience
from tests.sandbox.conftest import opened

STORE = Store(1, "practice-shop.myshopify.com", "Practice Shop", "GBP", "Europe/London")
UNTIL = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def grown():
    """A shop of full size, which the tests only look at."""
    with opened() as state:
        yield Shop(state, STORE, seed=1, until=UNTIL)


@pytest.fixture
def small(state):
    return Shop(state, STORE, seed=1, until=UNTIL, customers=60)


def exported(shop, file):
    shop.write_export(file)
    with gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="") as source:
        return list(csv.DictReader(source))


def orders(shop):
    return list(records.orders(shop.state))


class TestPast:
    def test_the_same_seed_makes_the_same_shop_and_another_another(self, tmp_path):
        texts = []
        for seed in (5, 5, 6):
            with opened() as state:
                shop = Shop(state, STORE, seed=seed, until=UNTIL, customers=60)
                shop.write_export(tmp_path / "export.csv")
                texts.append(((tmp_path / "export.csv").read_text(), list(shop.opening_events())))
        assert texts[0] == texts[1] != texts[2]

    def test_two_thousand_customers_sign_up_over_eighteen_months_ever_more(self, grown):
        days = [(UNTIL - moment(customer["created_at"])).days for customer in grown.customers()]
        assert len(days) == 2_000
        assert 0 <= min(days) < 10
        assert 530 < max(days) <= 548
        assert sum(day < 274 for day in days) > 1.2 * sum(day >= 274 for day in days)

    def test_nothing_happens_after_its_end_or_before_its_cause(self, grown):
        born = {customer["id"]: customer["created_at"] for customer in grown.customers()}
        for order in orders(grown):
            later = [order["fulfilled_at"], order["cancelled_at"], *(refund["at"] for refund in order["refunds"])]
            assert all(moment(order["at"]) <= moment(at) <= UNTIL for at in later if at)
            assert moment(order["at"]) <= UNTIL
            assert order["customer_id"] is None or born[order["customer_id"]] <= order["at"]

    def test_orders_are_numbered_as_they_came(self, grown):
        numbers = [order["number"] for order in orders(grown)]
        assert numbers == list(range(1_001, 1_001 + len(numbers)))

    def test_some_customers_come_back_often_many_once_and_a_few_never(self, grown):
        bought = Counter(min(customer["orders"], 6) for customer in grown.customers())
        assert bought[1] > 600
        assert bought[6] > 100
        assert 80 < bought[0] < 240

    def test_customers_figures_are_those_of_their_orders(self, grown):
        counted, spent = Counter(), Counter()
        for order in orders(grown):
            counted[order["customer_id"]] += 1
            if financial_status(order) != "voided":
                spent[order["customer_id"]] += total(order) - refunded(order)
        for customer in grown.customers():
            assert (customer["orders"], customer["spent_minor"]) == (counted[customer["id"]], spent[customer["id"]])

    def test_money_never_goes_below_nothing(self, grown):
        for order in orders(grown):
            assert 0 <= refunded(order) <= total(order)
            assert all(0 <= line["refunded"] <= line["quantity"] for line in order["lines"])
            assert all(line["price_minor"] > 0 for line in order["lines"])

    def test_everything_that_shops_know_happens(self, grown):
        past = orders(grown)
        statuses = Counter(financial_status(order) for order in past)
        assert min(statuses[name] for name in ("paid", "refunded", "partially_refunded", "voided")) > 5
        assert sum(order["cancelled_at"] is not None for order in past) > 20
        assert sum(order["email"] is None for order in past) > 50
        assert {order["discount_code"] for order in past} > {"WELCOME10", "SUMMER15", None}
        customers = list(grown.customers())
        places = [customer["address"] for customer in customers]
        assert len({place["country_code"] for place in places}) >= 5
        assert len({place["province_code"] for place in places}) >= 6
        assert len({place["city"] for place in places}) >= 15
        states = Counter(customer["consent"]["state"] for customer in customers)
        assert min(states[name] for name in ("subscribed", "not_subscribed", "unsubscribed", "pending")) > 20
        assert {"wholesale", "VIP friend"} <= {tag for customer in customers for tag in customer["tags"]}

    def test_goods_sell_in_their_season(self, grown):
        seasons = {product["id"]: product["season"] for product in records.products(grown.state)}
        months = {"christmas": Counter(), "summer": Counter(), None: Counter()}
        for order in orders(grown):
            for line in order["lines"]:
                months[seasons[line["product_id"]]][moment(order["at"]).month] += 1
        assert months["christmas"][12] > 10 * months["christmas"][7]
        assert months["summer"][7] > 5 * months["summer"][12]

    def test_christmas_is_busy(self, grown):
        months = Counter(order["at"][:7] for order in orders(grown))
        assert months["2025-12"] > 1.5 * months["2026-02"]

    def test_goods_have_types_vendors_tags_and_their_own_skus(self, grown):
        products = list(records.products(grown.state))
        skus = [variant["sku"] for product in products for variant in product["variants"]]
        assert 40 <= len(products) <= 80
        assert len(set(skus)) == len(skus)
        assert len({product["type"] for product in products}) >= 8
        assert len({product["vendor"] for product in products}) >= 5
        assert all(product["tags"] for product in products)

    def test_no_address_is_given_twice(self, grown):
        emails = [customer["email"] for customer in grown.customers()]
        assert len(set(emails)) == len(emails)
        assert {email.rpartition("@")[2] for email in emails} == {"example.com"}


class TestExport:
    def test_the_export_has_the_columns_of_shopifys(self, small, shared, tmp_path):
        with gzip.open(shared / "data/orders_export_300_customers.csv.gz", "rt") as real:
            expected = next(csv.reader(real))
        ours = list(exported(small, tmp_path / "export.csv")[0])
        assert [column for column in ours if column in expected] == expected

    def test_an_orders_own_fields_stand_on_its_first_row_alone(self, small, tmp_path):
        rows = exported(small, tmp_path / "export.csv.gz")
        firsts = [row for row in rows if row["Id"]]
        assert len(firsts) == len({row["Name"] for row in rows}) == len(orders(small))
        for row in rows:
            assert bool(row["Id"]) == bool(row["Total"]) == bool(row["Financial Status"])
            assert row["Created at"]
            assert row["Lineitem sku"]

    def test_the_export_says_what_the_orders_are(self, small, tmp_path):
        rows = {row["Id"]: row for row in exported(small, tmp_path / "export.csv") if row["Id"]}
        for order in orders(small):
            row = rows[str(order["id"])]
            assert row["Name"] == f"#{order['number']}"
            assert row["Email"] == (order["email"] or "")
            assert float(row["Total"]) == pytest.approx(total(order) / 100)
            assert float(row["Refunded Amount"]) == pytest.approx(refunded(order) / 100)
            assert float(row["Subtotal"]) + float(row["Shipping"]) == pytest.approx(float(row["Total"]))
            assert row["Financial Status"] == financial_status(order)
            assert datetime.strptime(row["Created at"], "%Y-%m-%d %H:%M:%S %z") == moment(order["at"])

    def test_times_are_written_in_the_shops_zone(self, grown, tmp_path):
        offsets = Counter(row["Created at"][-5:] for row in exported(grown, tmp_path / "export.csv"))
        assert offsets.keys() == {"+0000", "+0100"}


class TestPresent:
    def happen(self, shop, times, seed=3):
        chance = Random(seed)
        return [shop.next_events(chance, UNTIL + timedelta(minutes=number)) for number in range(times)]

    def test_everything_happens_in_time(self, small):
        topics = Counter(topic for events in self.happen(small, 400) for topic, _ in events)
        assert topics.keys() == {
            "carts/create",
            "checkouts/create",
            "checkouts/update",
            "customer.tags_added",
            "customers/create",
            "customers/disable",
            "customers/enable",
            "customers/merge",
            "customers/purchasing_summary",
            "customers/update",
            "customers_email_marketing_consent/update",
            "orders/cancelled",
            "orders/create",
            "orders/edited",
            "orders/paid",
            "orders/updated",
            "refunds/create",
        }

    def test_the_same_chance_makes_the_same_events(self):
        told = []
        for _ in range(2):
            with opened() as state:
                told.append(self.happen(Shop(state, STORE, seed=1, until=UNTIL, customers=60), 40))
        assert told[0] == told[1]

    def test_new_orders_go_on_where_the_past_ended(self, small):
        known = len(orders(small))
        customers = small.state.count("customer")
        events = [event for events in self.happen(small, 100) for event in events]
        made = [payload for topic, payload in events if topic == "orders/create"]
        assert [order["order_number"] for order in made] == list(range(1_001 + known, 1_001 + known + len(made)))
        assert len({order["id"] for order in orders(small)}) == known + len(made)
        newcomers = [payload["id"] for topic, payload in events if topic == "customers/create"]
        merged = [payload for topic, payload in events if topic == "customers/merge"]
        assert small.state.count("customer") == customers + len(newcomers) - len(merged)
        assert {order["customer"]["id"] for order in made} > set(newcomers)

    def test_a_merge_leaves_one_customer_with_the_orders_and_tags_of_both(self, small):
        events = [event for happened in self.happen(small, 400) for event in happened]
        told = [payload for topic, payload in events if topic == "customers/merge"]
        gone = {int(payload["admin_graphql_api_customer_deleted_id"].rpartition("/")[2]) for payload in told}
        assert gone
        assert not gone & {customer["id"] for customer in small.customers()}
        assert not gone & {order["customer_id"] for order in orders(small)}

    def test_an_edit_tells_the_order_and_not_what_it_comes_to(self, small):
        events = [event for happened in self.happen(small, 400) for event in happened]
        edits = [payload["order_edit"] for topic, payload in events if topic == "orders/edited"]
        assert {edit["order_id"] for edit in edits} <= {order["id"] for order in orders(small)}
        assert all(not edit.keys() & {"total_price", "current_total_price", "updated_at"} for edit in edits)

    def test_tags_written_meanwhile_are_kept(self, small):
        tagged = [customer | {"tags": ["seg:vip"]} for customer in small.customers()]
        records.keep_customers(small.state, tagged)
        self.happen(small, 100)
        known = {customer["id"] for customer in tagged}
        assert all(customer["tags"] == ["seg:vip"] for customer in small.customers() if customer["id"] in known)

    def test_figures_follow_refunds_and_cancellations(self, small):
        self.happen(small, 300)
        spent = Counter()
        for order in orders(small):
            if financial_status(order) != "voided":
                spent[order["customer_id"]] += total(order) - refunded(order)
        assert all(customer["spent_minor"] == spent[customer["id"]] for customer in small.customers())


class TestOpening:
    def test_what_the_export_cannot_say_is_told_by_webhook(self, small):
        told = {}
        for topic, payload in small.opening_events():
            told.setdefault(topic, []).append(payload)
        created = {customer["id"] for customer in told["customers/create"]}
        for customer in small.customers():
            if customer["orders"] == 0 or customer["tags"] or customer["consent"]["state"] == "pending":
                assert customer["id"] in created
        assert len(told["products/create"]) == small.state.count("product")
        assert len(told["carts/create"]) + len(told["checkouts/create"]) == small.state.count("checkout")


class TestAudience:
    def test_most_customers_are_known_with_properties_of_their_own_and_some_strangers_too(self, grown):
        profiles = list(audience(grown.customers(), 1, UNTIL))
        customers = {customer["email"] for customer in grown.customers()}
        known = [profile for profile in profiles if profile["email"] in customers]
        assert 0.8 < len(known) / len(customers) < 0.9
        assert 200 < len(profiles) - len(known) < 400
        assert all(len(profile["properties"]) >= 2 for profile in profiles)
        assert len({profile["email"] for profile in profiles}) == len(profiles)
        assert profiles == list(audience(grown.customers(), 1, UNTIL))
