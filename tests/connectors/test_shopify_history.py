"""Shopify's past by bulk queries: what can go wrong on the way never leaves a gap, and records are as webhooks'."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.errors import ConfigurationError, RetryableError
from connectors.records import UNSET, Cart, Consent, Customer, Deleted, Order, Product, TagsHeld
from connectors.sources import Webhook
from connectors.stores.shopify import history, returned
from plugin.sandbox import payloads, records
from tests.connectors.past import past

RUN = "bulkOperationRunQuery"


@pytest.fixture
def store():
    with past() as made:
        yield made


def told(store, topic, payload):
    headers = {"x-shopify-topic": topic, "x-shopify-triggered-at": store.at.isoformat()}
    return store.source.parse(Webhook(headers, json.dumps(payload).encode()))


def of(kind, found):
    return [one for one in found if isinstance(one, kind)]


def asked(store, text):
    return [one for one in store.stand_in.desk.requests if text in str(one["body"])]


def less_detailed(one, *names):
    """Return a record whose addresses lack what webhooks do not tell of them."""
    return replace(one, addresses=tuple(replace(each, **dict.fromkeys(names)) for each in one.addresses))


class TestTheRecordsAreThoseOfWebhooks:
    def test_of_products(self, store):
        expected = [
            told(store, "products/create", payloads.product(store.stand_in.store, one))[0]
            for one in records.products(store.stand_in.state)
        ]
        found = store.records("products")
        assert {one.collections for one in found} > {()}
        by_id = {one.product_id: replace(one, tags=tuple(sorted(one.tags)), collections=UNSET) for one in found}
        assert by_id == {one.product_id: replace(one, tags=tuple(sorted(one.tags))) for one in expected}

    def test_of_customers(self, store):
        expected = {}
        for one in records.customers(store.stand_in.state):
            [customer] = told(store, "customers/create", payloads.customer(store.stand_in.store, one))
            expected[customer.customer_id] = replace(customer, language=one["locale"])
        found = {one.customer_id: one for one in of(Customer, store.records("customers"))}
        assert {id_: less_detailed(one, "coordinates", "time_zone") for id_, one in found.items()} == expected
        assert {place.time_zone for one in found.values() for place in one.addresses} > {"Europe/London"}
        assert all(place.coordinates for one in found.values() for place in one.addresses)

    def test_of_consents(self, store):
        expected = [
            told(store, "customers_email_marketing_consent/update", payloads.consent(store.stand_in.store, one))[0]
            for one in records.customers(store.stand_in.state)
            if one["consent"]["at"]
        ]
        assert of(Consent, store.records("customers")) == expected

    def test_of_tags(self, store):
        held = {one.customer_id: set(one.tags) for one in of(TagsHeld, store.records("customers"))}
        assert held == {str(one["id"]): set(one["tags"]) for one in records.customers(store.stand_in.state)}

    def test_of_orders_with_lines_and_refunds(self, store):
        expected = {}
        for one in records.orders(store.stand_in.state):
            buyer = records.customer(store.stand_in.state, one["customer_id"]) if one["customer_id"] else None
            [order] = told(store, "orders/updated", payloads.order(store.stand_in.store, one, buyer))
            visited = {} if order.landing_site else {"landing_site": UNSET, "referring_site": UNSET}
            expected[order.order_id] = replace(order, customer=None, user_agent=UNSET, location_id=UNSET, **visited)
        found = {one.order_id: one for one in store.records("orders")}
        untimed = {id_: less_detailed(one, "time_zone") for id_, one in found.items()}
        assert {id_: replace(one, customer=None) for id_, one in untimed.items()} == expected
        assert any(one.refunds and one.refunds[0].lines for one in found.values())
        buyers = {id_: one.customer.customer_id for id_, one in found.items() if one.customer}
        assert len(buyers) > len(found) / 2

    def test_of_checkouts(self, store):
        expected = {}
        for one in records.checkouts(store.stand_in.state):
            if one["customer_id"]:
                owner = records.customer(store.stand_in.state, one["customer_id"])
                [cart] = told(store, "checkouts/create", payloads.checkout(store.stand_in.store, one, owner))
                expected[cart.cart_id] = replace(cart, customer=cart.customer.customer_id, email=UNSET)
        found = {one.cart_id: replace(one, customer=one.customer.customer_id) for one in store.records("checkouts")}
        assert found == expected

    def test_ids_beyond_what_javascript_can_count_are_exact(self, store):
        ids = {one.order_id for one in store.records("orders")}
        assert ids == {str(one["id"]) for one in records.orders(store.stand_in.state)}
        assert all(int(one) > 2**53 for one in ids)


class TestAnAnswerThatIsNotWholeIsNoAnswer:
    @pytest.mark.parametrize("fault", ["failed", "cut", "expired"])
    def test_it_is_asked_for_again_and_nothing_is_left_out(self, store, small_pages, fault):
        whole = {one.order_id for one in store.records("orders")}
        store.stand_in.faults.add(fault, body=RUN)
        assert {one.order_id for one in store.records("orders")} == whole
        assert len(asked(store, RUN)) == 3

    def test_a_file_that_expires_while_it_is_read_is_made_anew(self, store, small_pages):
        pages = store.pages("orders")
        first = next(page for page in pages if page.records)
        store.wait(8 * 86_400)
        found = [one for page in store.pages("orders", first.cursor) for one in page.records]
        assert {one.order_id for one in found} == {str(one["id"]) for one in records.orders(store.stand_in.state)}

    def test_a_download_that_breaks_off_goes_on_where_it_broke(self, store, small_pages):
        whole = store.records("orders")
        store.stand_in.faults.add("half", path="/bulk/", times=5)
        assert store.records("orders") == whole
        assert len(asked(store, RUN)) == 2

    def test_storage_that_gives_no_parts_is_read_all_the_same(self, store, small_pages):
        whole = store.records("orders")
        store.stand_in.bulk.ranges = False
        assert store.records("orders") == whole

    def test_what_fails_again_and_again_is_tried_but_once_an_hour(self, store):
        store.stand_in.faults.add("failed", times=None, body=RUN)
        waits, cursor = [], None
        for _ in range(12):
            page = store.source.page("products", cursor)
            cursor = page.cursor
            waits.append(page.wait_seconds)
            store.wait(page.wait_seconds)
        assert waits[-1] >= 2
        assert 3600 in waits
        assert page.done is False

    def test_an_operation_that_a_crash_has_forgotten_is_found_again(self, store):
        store.source.page("orders")
        page = store.source.page("orders")
        assert len(asked(store, RUN)) == 1
        assert page.cursor["operation"]

    def test_while_others_run_it_waits(self, store):
        store.stand_in.faults.add("busy", body=RUN)
        page = store.source.page("orders")
        assert (page.done, page.wait_seconds, page.cursor["operation"]) == (False, 60, None)
        assert list(store.pages("orders", page.cursor))[-1].done


class TestWhatIsNotAllowed:
    def test_fields_that_were_not_approved_are_empty_and_no_failure(self):
        hidden = {"Customer.firstName", "Customer.lastName", "Customer.defaultEmailAddress", "Order.email"}
        with past(unapproved=hidden) as store:
            assert {one.email for one in of(Customer, store.records("customers"))} == {None}
            assert {one.email for one in store.records("orders")} == {None}

    def test_a_query_that_is_denied_is_asked_without_what_names_persons(self, store):
        store.stand_in.faults.add("denied", body=RUN)
        found = store.records("customers")
        assert {one.email for one in of(Customer, found)} == {UNSET}
        assert {one.addresses for one in of(Customer, found)} == {UNSET}
        assert of(TagsHeld, found)

    def test_history_that_is_denied_altogether_is_the_merchants_to_mend(self, store):
        store.stand_in.faults.add("denied", times=None, body=RUN)
        with pytest.raises(ConfigurationError, match="orders may not be read"):
            list(store.pages("orders"))

    def test_without_checkouts_the_rest_is_still_worth_having(self, store):
        store.stand_in.faults.add("denied", times=None, body=RUN)
        [*_, last] = store.pages("checkouts")
        assert (last.done, last.records, last.note) == (True, (), "ACCESS_DENIED")

    def test_how_far_back_orders_are_shown(self, store):
        assert store.source.reach() is None
        with past(scopes=("read_customers", "write_customers", "read_orders")) as limited:
            assert limited.source.reach() == timedelta(days=60)


class TestRefundsAreAskedForByThemselves:
    def test_in_few_calls_and_only_for_orders_that_have_any(self, store):
        refunded = sum(1 for one in records.orders(store.stand_in.state) if one["refunds"])
        store.records("orders")
        assert 0 < len(asked(store, "query Refunds")) <= -(-refunded // returned.ORDERS_PER_CALL) + 1

    def test_a_refund_of_more_lines_than_one_page_holds_is_read_whole(self, store):
        [order] = [one for one in records.orders(store.stand_in.state) if one["refunds"]][:1]
        [part, *_] = order["refunds"][0]["lines"]
        order["refunds"][0]["lines"] = [part | {"id": part["id"] + number} for number in range(60)]
        records.keep_orders(store.stand_in.state, [order])
        [found] = [one for one in store.records("orders") if one.order_id == str(order["id"])]
        assert len(found.refunds[0].lines) == 60

    def test_a_throttled_call_waits_by_the_bucket(self, store):
        page = next(page for page in store.pages("orders") if page.cursor["operation"])
        store.wait(10)
        store.stand_in.bucket.status()  # fills it up to now
        store.stand_in.bucket.available = 20
        with pytest.raises(RetryableError) as caught:
            store.source.page("orders", page.cursor)
        assert caught.value.retry_after >= 1


class TestWhatIsStillThere:
    def test_the_missing_of_many_are_told(self, store):
        [first, second, *_] = [str(one["id"]) for one in records.customers(store.stand_in.state)]
        store.stand_in.state.delete("customer", second)
        assert list(store.source.gone("customers", [first, second, "17"])) == [second, "17"]

    def test_how_many_there_are_is_counted_exactly(self, store):
        state = store.stand_in.state
        assert store.source.counts() == {"customers": state.count("customer"), "orders": state.count("order")}


def test_a_node_that_nobody_can_read_costs_no_other(store):
    [order] = list(records.orders(store.stand_in.state))[:1]
    order["lines"][0]["quantity"] = -1
    order["lines"][0]["refunded"] = 0
    records.keep_orders(store.stand_in.state, [order])
    pages = list(store.pages("orders"))
    assert sum(page.unreadable for page in pages) == 1
    assert sum(len(page.records) for page in pages) == store.stand_in.state.count("order") - 1


def test_a_big_file_is_read_in_pages_of_a_size(store, monkeypatch):
    monkeypatch.setattr(history, "LINES_PER_PAGE", 50)
    sizes = [len(page.records) for page in store.pages("orders")]
    assert max(sizes) <= 51
    assert len([size for size in sizes if size]) > 2


def test_kinds_of_records(store):
    assert {type(one) for one in store.records("products")} == {Product}
    assert {type(one) for one in store.records("checkouts")} == {Cart}
    assert {type(one) for one in store.records("orders")} == {Order}
    assert Deleted not in {type(one) for one in store.records("customers")}
