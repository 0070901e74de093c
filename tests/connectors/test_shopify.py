"""Shopify: what its webhooks mean, how its API fails, and what is written to it."""

import base64
import contextlib
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import parse, validate
from graphql.validation import NoDeprecatedCustomRule, specified_rules

from connectors.base import Identity
from connectors.errors import ConfigurationError, PermanentError, RetryableError, SignatureError
from connectors.records import (
    UNSET,
    Address,
    Cart,
    Consent,
    CreditMove,
    Customer,
    CustomerRedaction,
    DataRequest,
    Deleted,
    JobFinished,
    LineItem,
    Merged,
    Order,
    Product,
    Rating,
    Refetch,
    Refund,
    RefundLine,
    ScopesChanged,
    ShopRedaction,
    Standing,
    StoreCredit,
    TagsChanged,
    Uninstalled,
)
from connectors.sources import Rated, Repaired, Webhook
from connectors.stores.shopify import (
    IDENTITY,
    NEEDED_SCOPES,
    Shopify,
    audiences,
    bulk_tags,
    credit,
    fetching,
    metafields,
    operations,
    pixels,
    ratings,
    subscriptions,
    writings,
)
from connectors.stores.shopify import documents as questions
from connectors.writers import Contact, TagChange
from tests.connectors.contract import (
    AudienceMakerContract,
    EmbeddedPagesContract,
    EventSourceContract,
    FieldWriterContract,
    HistorySourceContract,
    OrderSourceContract,
    PixelHostContract,
    RatingSourceContract,
    keys_within,
)
from tests.connectors.past import past

PAYLOADS = Path(__file__).parents[1] / "payloads" / "shopify"
SHOP = "practice.myshopify.com"
GRAPHQL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
CREDENTIALS = {
    "shop": SHOP,
    "access_token": "shpat_0123456789abcdef0123",
    "api_secret": "shpss_fedcba98765432100123456789ab",
    "client_id": "0123456789abcdef",
}
TRIGGERED_AT = "2026-11-06T07:08:09.123456789Z"
AT = datetime(2026, 11, 6, 7, 8, 9, 123456, UTC)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


ANNA = Customer(
    customer_id="7064055069303700841",
    updated_at=utc(2026, 11, 2, 10, 15, 32),
    created_at=utc(2026, 3, 1, 9),
    email="anna@example.com",
    first_name="Anna",
    last_name="Örn",
    phone=None,
    account_status="ENABLED",
)
REFUND = Refund(
    order_id="8209829119461545099",
    refund_id="8900881860478923191",
    refunded_at=utc(2026, 11, 5, 8, 30),
    amount_minor=2400,  # 27.60 EUR at the refund's own rate
    currency="GBP",
    lines=(RefundLine("4878176722762985991", 1),),
)

RECORDS = {
    "orders/create": [
        Order(
            order_id="8209829119461545081",
            placed_at=utc(2026, 11, 2, 10, 15, 30),
            updated_at=utc(2026, 11, 2, 10, 15, 31),
            total_minor=6893,
            currency="GBP",
            name="#1001",
            customer=ANNA,
            email="Anna@Example.com",
            financial_status="paid",
            lines=(
                LineItem(
                    line_id="4878176722762985541",
                    quantity=2,
                    current_quantity=2,
                    product_id="7880321196742929221",
                    variant_id="6426670414727139221",
                    sku="SKU2006-001",
                    title="Aviator sunglasses",
                    vendor="Acme",
                    amount_minor=5898,
                ),
                LineItem("9763181771065203491", 1, 1, title="Case", amount_minor=1000),
            ),
            discount_codes=("WELCOME10",),
            discount_minor=600,
            addresses=(
                Address("JP", "29", "Nara", "630-8213", (34.6851, 135.8048)),
                Address("GB", "ENG", "Leeds", "LS1 1AA"),
            ),
            cart_ids=("eeafa272cebfd4b22385bc4b645e762c", "bd5a8aa1ecd019dd3520ff791ee3a24c"),
            accepts_marketing=True,
            source_name="web",
            landing_site="/?utm_source=newsletter",
            referring_site="https://news.example.com/",
            user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)",
            location_id=None,
            app_id="580111",
        )
    ],
    "orders/cancelled": [
        Order(
            order_id="8209829119461545099",
            placed_at=utc(2026, 11, 4, 4, 59, 59),
            updated_at=utc(2026, 11, 5, 8, 30, 1),
            total_minor=4800,
            currency="GBP",
            name="#1002",
            customer=None,
            email="guest@example.com",
            test=True,
            cancelled_at=utc(2026, 11, 5, 8, 30),
            financial_status="partially_refunded",
            lines=(
                LineItem(
                    line_id="4878176722762985991",
                    quantity=2,
                    current_quantity=1,
                    product_id="7880321196742929221",
                    variant_id="6426670414727139221",
                    sku="SKU2006-001",
                    title="Aviator sunglasses",
                    vendor="Acme",
                    amount_minor=4000,
                ),
            ),
            refunds=(REFUND,),
            discount_codes=(),
            cart_ids=("0c1c0f9e7f0d4b7a9a3f6b1a2c3d4e5f",),
            accepts_marketing=False,
            source_name="pos",
            landing_site=None,
            referring_site=None,
            user_agent=None,
            location_id="9007199254740997",
            app_id="129785",
        )
    ],
    "orders/edited": [Refetch("8209829119461545081")],
    "orders/delete": [Deleted("order", "8209829119461545081", AT)],
    "refunds/create": [REFUND],
    "products/update": [
        Product(
            product_id="7880321196742929221",
            updated_at=utc(2026, 10, 31, 23, 59, 59, 123000),
            title="Aviator sunglasses",
            vendor="Acme",
            product_type="Sunglasses",
            category="Apparel & Accessories > Clothing Accessories > Sunglasses",
            category_id="aa-2-27",
            tags=("summer", "unisex", "eye wear"),
        )
    ],
    "products/delete": [Deleted("product", "7880321196742929221", AT)],
    "customers/create": [
        replace(
            ANNA,
            phone="+441134960000",
            addresses=(Address("GB", "ENG", "Leeds", "LS1 1AA"), Address("JP", "01", "Sapporo", "LS1 1AA")),
        )
    ],
    "customers/update": [Customer("7064055069303700841", utc(2026, 11, 3, 13), email=None, first_name=None)],
    "customers/disable": [Customer("7064055069303700841", utc(2026, 11, 4, 13), account_status="DISABLED")],
    "customers/merge": [Merged("7064055069303700841", "7064055069303700999", AT)],
    "customers/purchasing_summary": [Refetch("8209829119461545081", unless_known=True)],
    "customers/delete": [Deleted("customer", "7064055069303700841", AT)],
    "customers_email_marketing_consent/update": [
        Consent("email", "UNSUBSCRIBED", utc(2026, 11, 4, 17), "7064055069303700841", "anna@example.com")
    ],
    "customers_marketing_consent/update": [Consent("sms", "NOT_SUBSCRIBED", AT, "7064055069303700841", None)],
    "customer.tags_added": [TagsChanged("7064055069303700841", utc(2026, 11, 4, 12), added=("seg:vip", "wholesale"))],
    "customer.tags_removed": [TagsChanged("7064055069303700841", utc(2026, 11, 4, 12, 0, 1), removed=("seg:new",))],
    "carts/update": [
        Cart("eeafa272cebfd4b22385bc4b645e762c", utc(2026, 11, 2, 10, 5), products=("7880321196742929221",))
    ],
    "checkouts/update": [
        Cart(
            cart_id="eeafa272cebfd4b22385bc4b645e762c",
            changed_at=utc(2026, 11, 2, 10, 10),
            customer=replace(ANNA, created_at=UNSET, updated_at=utc(2026, 11, 2, 10, 10)),
            email="anna@example.com",
            completed_at=None,
            total_minor=7500,
            currency="JPY",
            products=("7880321196742929221",),
        )
    ],
    "checkouts/delete": [Deleted("cart", "eeafa272cebfd4b22385bc4b645e762c", AT)],
    "app/uninstalled": [Uninstalled(AT)],
    "bulk_operations/finish": [JobFinished("gid://shopify/BulkOperation/1475950109007199254")],
    "app/scopes_update": [ScopesChanged()],
    "customers/data_request": [DataRequest("9999", "7064055069303700841", "anna@example.com")],
    "customers/redact": [
        CustomerRedaction("7064055069303700841", "anna@example.com", ("8209829119461545081", "8209829119461545099"))
    ],
    "shop/redact": [ShopRedaction()],
}


def file_of(topic):
    return topic.replace("/", "__") + ".json"


def recorded(topic):
    return (PAYLOADS / file_of(topic)).read_bytes()


def signature(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def webhook(topic, body, *, delivery="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", secret=None, shop=SHOP):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Webhook(
        headers={
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": signature(secret or CREDENTIALS["api_secret"], body),
            "x-shopify-shop-domain": shop,
            "x-shopify-api-version": "2026-10",
            "x-shopify-webhook-id": delivery,
            "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "x-shopify-triggered-at": TRIGGERED_AT,
        },
        body=body,
    )


def changed(topic, **fields):
    """A recorded payload with other fields; one that is ... is taken out."""
    data = {**json.loads(recorded(topic), parse_float=str), **fields}
    return {name: value for name, value in data.items() if value is not ...}


def read(topic, payload):
    [record] = SHOPIFY.parse(webhook(topic, payload))
    return record


def data(**aliases):
    return {
        "data": aliases,
        "extensions": {"cost": {"throttleStatus": {"currentlyAvailable": 1480, "restoreRate": 100}}},
    }


def asked(call):
    return json.loads(call.request.body)


SHOPIFY = Shopify(CREDENTIALS)
INSTALLED = {
    "shop": {
        "myshopifyDomain": SHOP,
        "name": "Practice",
        "ianaTimezone": "Europe/London",
        "currencyCode": "GBP",
    },
    "currentAppInstallation": {
        "accessScopes": [{"handle": scope} for scope in ("write_customers", "read_orders", "read_products")]
    },
}


RECORDED = {topic: (recorded(topic), records) for topic, records in RECORDS.items()}


class TestShopify(
    EventSourceContract,
    HistorySourceContract,
    OrderSourceContract,
    RatingSourceContract,
    FieldWriterContract,
    AudienceMakerContract,
    PixelHostContract,
    EmbeddedPagesContract,
):
    connector = SHOPIFY
    identity = Identity(SHOP, "Practice", "Europe/London", "GBP")
    public_credentials = ("shop", "client_id")
    address = SHOP
    signature_header = "x-shopify-hmac-sha256"
    recorded = RECORDED
    forbidden_keys = frozenset(
        {"emailMarketingConsent", "smsMarketingConsent", "marketingState", "input", "customerSet"}
    )
    calls_when_all_enter = 1
    calls_when_all_swap = 1  # of two operations
    past = staticmethod(past)
    under_way = {"operation": "gid://shopify/BulkOperation/1", "begun_at": "2026-11-22T12:00:00+00:00"}  # noqa: RUF012

    def serve_identity(self, api):
        api.post(GRAPHQL, json=data(**INSTALLED))

    def signed(self, topic, body, *, delivery="1", secret=None):
        return webhook(topic, body, delivery=delivery, secret=secret)

    def returned(self, secret=None):
        given = {"code": "c0de", "shop": SHOP, "state": "st4te", "timestamp": str(int(self.now.timestamp()))}
        message = "&".join(f"{name}={value}" for name, value in sorted(given.items()))
        key = (secret or CREDENTIALS["api_secret"]).encode()
        return [*given.items(), ("hmac", hmac.new(key, message.encode(), hashlib.sha256).hexdigest())]

    def grant(self):
        return {"access_token": "shpat_new", "scope": "all", "expires_in": 3600, "refresh_token": "shprt_new"}

    def visit_token(self, secret=None):
        at = int(self.now.timestamp())
        claims = {"iss": f"https://{SHOP}/admin", "dest": f"https://{SHOP}", "aud": CREDENTIALS["client_id"]}
        parts = [{"alg": "HS256"}, {**claims, "sub": "1", "exp": at + 60, "nbf": at}]
        message = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)
        digest = hmac.digest((secret or CREDENTIALS["api_secret"]).encode(), message.encode(), hashlib.sha256)
        return f"{message}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def a_job(self):
        return "1*1;a-name;17"

    def only_reads(self, request):
        return json.loads(request.body)["query"].startswith("query ")

    def persons(self):
        return [*super().persons(), "anna@example.com", "+441134960000"]


class TestWhatAWebhookIs:
    def test_topics_are_the_whole_list(self):
        assert SHOPIFY.topics == {
            *("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/delete"),
            *("refunds/create", "products/create", "products/update", "products/delete"),
            *("customers/create", "customers/update", "customers/delete"),
            *("customers_email_marketing_consent/update", "customers_marketing_consent/update"),
            *("customer.tags_added", "customer.tags_removed", "carts/create", "carts/update"),
            *("checkouts/create", "checkouts/update", "checkouts/delete"),
            *("orders/edited", "customers/enable", "customers/disable", "customers/merge"),
            *("customers/purchasing_summary", "app/scopes_update", "bulk_operations/finish"),
            *("app/uninstalled", "customers/data_request", "customers/redact", "shop/redact"),
        }

    @pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/paid", "orders/cancelled"])
    def test_all_topics_of_an_order_read_the_same(self, topic):
        assert SHOPIFY.parse(webhook(topic, recorded("orders/create"))) == tuple(RECORDS["orders/create"])

    @pytest.mark.parametrize("kind", ["products", "customers", "carts", "checkouts"])
    def test_create_and_update_read_the_same(self, kind):
        payload = recorded(f"{kind}/update")
        assert SHOPIFY.parse(webhook(f"{kind}/create", payload)) == SHOPIFY.parse(webhook(f"{kind}/update", payload))

    @pytest.mark.parametrize("topic", ["customers/enable", "customers/disable"])
    def test_an_account_switched_on_or_off_reads_as_the_customer(self, topic):
        payload = recorded("customers/disable")
        assert SHOPIFY.parse(webhook(topic, payload)) == tuple(RECORDS["customers/disable"])

    @pytest.mark.parametrize("status", ["failed", "in_progress", "requested", "SUCCESS"])
    def test_only_a_merge_that_has_succeeded_moves_anything(self, status):
        payload = changed("customers/merge", status=status)
        assert SHOPIFY.parse(webhook("customers/merge", payload)) == ()

    def test_a_customer_is_not_merged_into_themselves(self):
        kept = "gid://shopify/Customer/7064055069303700841"
        payload = changed("customers/merge", admin_graphql_api_customer_deleted_id=kept)
        assert SHOPIFY.parse(webhook("customers/merge", payload)) == ()

    def test_a_summary_without_an_order_asks_for_none(self):
        payload = changed("customers/purchasing_summary", lastOrderId=None)
        assert SHOPIFY.parse(webhook("customers/purchasing_summary", payload)) == ()

    def test_both_families_of_headers_are_read(self):
        classic = webhook("shop/redact", recorded("shop/redact"))
        newer = replace(classic, headers={name.removeprefix("x-"): value for name, value in classic.headers.items()})
        SHOPIFY.verify(newer)
        assert SHOPIFY.address(newer) == SHOP
        assert SHOPIFY.topic(newer) == "shop/redact"
        assert SHOPIFY.delivery_key(newer) == SHOPIFY.delivery_key(classic)
        assert SHOPIFY.parse(newer) == (ShopRedaction(),)

    @pytest.mark.parametrize(
        ("named", "expected"),
        [
            ("Practice.myshopify.com", SHOP),
            ("practice.myshopify.com\n", None),
            ("practice.myshopify.com.evil.example", None),
            ("evil.example/practice.myshopify.com", None),
            ("-practice.myshopify.com", None),
            ("ｐractice.myshopify.com", None),
            ("", None),
        ],
    )
    def test_only_a_name_under_myshopify_com_is_an_address(self, named, expected):
        assert SHOPIFY.address(Webhook({"x-shopify-shop-domain": named}, b"")) == expected

    def test_the_secret_before_a_rotation_still_verifies(self):
        rotated = Shopify({**CREDENTIALS, "api_secret": "new", "api_secret_old": CREDENTIALS["api_secret"]})
        rotated.verify(webhook("shop/redact", recorded("shop/redact")))
        with pytest.raises(SignatureError):
            rotated.verify(webhook("shop/redact", recorded("shop/redact"), secret="older"))

    @pytest.mark.parametrize("field", ["shop_domain", "myshopify_domain"])
    def test_a_body_that_names_another_shop_is_refused(self, field):
        SHOPIFY.verify(webhook("shop/redact", {field: "Practice.myshopify.com"}))
        SHOPIFY.verify(webhook("shop/redact", {field: None}))
        with pytest.raises(SignatureError):
            SHOPIFY.verify(webhook("shop/redact", {field: "other.myshopify.com"}))

    def test_a_header_that_names_another_shop_is_refused(self):
        with pytest.raises(SignatureError):
            SHOPIFY.verify(webhook("orders/create", recorded("orders/create"), shop="other.myshopify.com"))

    def test_a_body_that_nobody_can_read_is_still_verified_first(self):
        SHOPIFY.verify(webhook("shop/redact", b'{"shop_domain": '))
        with pytest.raises(PermanentError):
            SHOPIFY.parse(webhook("shop/redact", b'{"shop_domain": '))

    def test_without_a_delivery_id_the_key_comes_from_topic_and_body(self):
        def key(topic, body):
            made = webhook(topic, body, delivery="")
            return SHOPIFY.delivery_key(made)

        assert key("orders/create", b"{}") == key("orders/create", b"{}")
        assert len({key("orders/create", b"{}"), key("orders/paid", b"{}"), key("orders/create", b"{ }")}) == 3

    def test_the_same_delivery_id_of_another_shop_is_another_delivery(self):
        ours, theirs = (webhook("shop/redact", b"{}", shop=shop) for shop in (SHOP, "other.myshopify.com"))
        assert SHOPIFY.delivery_key(ours) != SHOPIFY.delivery_key(theirs)

    def test_vectors_of_shopifys_own_libraries_verify(self, shared):
        vectors = json.loads((shared / "specs/hmac-vectors.json").read_bytes())
        signed = [one for one in vectors if "shopify-webhook" in one["name"]]
        assert len(signed) >= 3
        for one in signed:
            given = webhook("orders/create", one["body"].encode())
            headers = {**given.headers, "x-shopify-hmac-sha256": one["expected"]}
            Shopify({**CREDENTIALS, "api_secret": one["secret"]}).verify(replace(given, headers=headers))


class TestWhatAPayloadMeans:
    def test_an_undated_event_takes_place_when_shopify_says(self):
        assert read("orders/delete", {"id": 1}).deleted_at == AT
        assert SHOPIFY.happened_at(webhook("orders/delete", {"id": 1})) == AT

    def test_without_shopifys_moment_it_is_when_we_kept_the_delivery(self):
        kept = utc(2026, 11, 7)
        for given in ({}, {"x-shopify-triggered-at": "yesterday"}):
            delivery = Webhook({"x-shopify-topic": "orders/delete", **given}, b'{"id": 1}', received_at=kept)
            assert SHOPIFY.parse(delivery) == (Deleted("order", "1", kept),)

    def test_an_event_without_any_moment_is_set_aside(self):
        with pytest.raises(PermanentError, match="Triggered-At"):
            SHOPIFY.parse(Webhook({"x-shopify-topic": "orders/delete"}, b'{"id": 1}'))

    def test_an_order_of_the_point_of_sale_has_its_buyers_contact_address(self):
        order = read("orders/create", changed("orders/create", email=None, customer=None))
        assert (order.email, order.customer) == ("anna@example.com", None)

    def test_amounts_in_the_shops_currency_come_before_those_that_the_buyer_saw(self):
        total = {
            "shop_money": {"amount": "10.50", "currency_code": "GBP"},
            "presentment_money": {"amount": "2100", "currency_code": "JPY"},
        }
        order = read(
            "orders/create", changed("orders/create", total_price="2100", total_price_set=total, currency="GBP")
        )
        assert (order.total_minor, order.currency) == (1050, "GBP")

    def test_an_order_without_pairs_of_currencies_is_read_in_its_own(self):
        order = read(
            "orders/create", changed("orders/create", total_price="1.234", total_price_set=..., currency="BHD")
        )
        assert (order.total_minor, order.currency) == (1234, "BHD")

    def test_an_order_of_nothing_costs_nothing(self):
        free = {"shop_money": {"amount": "0.00", "currency_code": "GBP"}}
        assert (
            read("orders/create", changed("orders/create", total_price_set=free, total_price="9.99")).total_minor == 0
        )

    def test_what_an_order_does_not_carry_is_unset(self):
        carried = ("id", "created_at", "updated_at", "total_price", "currency")
        order = read("orders/create", {name: json.loads(recorded("orders/create"))[name] for name in carried})
        assert order == Order(
            order_id="8209829119461545081",
            placed_at=utc(2026, 11, 2, 10, 15, 30),
            updated_at=utc(2026, 11, 2, 10, 15, 31),
            total_minor=6893,
            currency="GBP",
        )
        unset = ("lines", "discount_codes", "addresses", "cart_ids", "accepts_marketing", "source_name", "user_agent")
        assert all(getattr(order, name) is UNSET for name in unset)

    @pytest.mark.parametrize("field", ["id", "created_at", "updated_at", "total_price"])
    def test_an_order_without_what_it_cannot_do_without_is_set_aside_by_the_fields_name(self, field):
        with pytest.raises(PermanentError, match=re.escape(f"orders/create.{field}")):
            read("orders/create", changed("orders/create", total_price_set=..., **{field: None}))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", "8209829119461545081; DROP"),
            ("id", True),
            ("id", 1.0),
            ("id", -1),
            ("id", "１２"),
            ("created_at", "2026-11-02T10:15:30"),
            ("created_at", "2026-11-02"),
            ("created_at", 1793700930),
            ("created_at", "9999-12-31T23:59:59-05:00"),
            ("created_at", "0001-01-01T00:00:00+14:00"),
            ("total_price", "NaN"),
            ("total_price", "Infinity"),
            ("total_price", "1e9"),
            ("total_price", "1,50"),
            ("total_price", "1_0"),
            ("total_price", "１０.00"),
            ("total_price", "9" * 30),
            ("total_price", {"amount": 1}),
            ("currency", "pounds"),
            ("line_items", {"id": 1}),
            ("line_items", [None]),
            ("line_items", [{"id": 1, "quantity": 2**40}]),
            ("line_items", [{"id": 1, "quantity": "2"}]),
            ("line_items", [{"id": 1, "quantity": True}]),
            ("customer", "Anna"),
            ("buyer_accepts_marketing", "yes"),
            ("email", ["anna@example.com"]),
        ],
    )
    def test_a_field_of_the_wrong_kind_is_set_aside(self, field, value):
        with pytest.raises(PermanentError) as caught:
            read("orders/create", changed("orders/create", **{"total_price_set": ..., field: value}))
        assert "anna@example.com" not in str(caught.value)

    @pytest.mark.parametrize("number", [b"1e400", b"1e-99999", b"1e99999999999999999999", b"9" * 5_000])
    def test_a_number_that_is_none_is_set_aside(self, number):
        body = re.sub(rb'"total_price": "68.93"', b'"total_price": ' + number, recorded("orders/create"))
        body = body.replace(b'"total_price_set"', b'"was_price_set"')
        with pytest.raises(PermanentError):
            SHOPIFY.parse(webhook("orders/create", body))

    def test_text_is_stored_in_one_form_and_without_what_no_database_takes(self):
        product = read(
            "products/update",
            changed("products/update", title=" Cafe\u0301\x00 \ud83d ☕ ", vendor="\x00", tags=" a ,, b,"),
        )
        assert (product.title, product.vendor, product.tags) == ("Café  ☕", None, ("a", "b"))

    def test_the_currency_decides_how_many_decimals_an_amount_has(self):
        amounts = {"JPY": "1200", "GBP": "1200.00", "BHD": "1200.000", "CLF": "1200.0000"}
        read_as = {
            currency: read(
                "checkouts/update", changed("checkouts/update", currency=currency, total_price=amount)
            ).total_minor
            for currency, amount in amounts.items()
        }
        assert read_as == {"JPY": 1200, "GBP": 120_000, "BHD": 1_200_000, "CLF": 12_000_000}

    def test_a_lines_amount_is_exact_where_a_unit_costs_less_than_a_penny(self):
        line = {"id": 1, "quantity": 1000, "price": "0.0015", "total_discount": "0.10"}
        assert read("orders/create", changed("orders/create", line_items=[line])).lines[0].amount_minor == 140

    def test_a_line_that_was_removed_keeps_what_was_ordered(self):
        line = {"id": 1, "quantity": 3, "current_quantity": 0}
        [read_line] = read("orders/create", changed("orders/create", line_items=[line])).lines
        assert (read_line.quantity, read_line.current_quantity, read_line.amount_minor) == (3, 0, None)

    def test_a_checkout_without_a_cart_is_keyed_by_its_own_token(self):
        cart = read("checkouts/update", changed("checkouts/update", cart_token=None, customer=None, email=None))
        assert (cart.cart_id, cart.customer, cart.email) == ("bd5a8aa1ecd019dd3520ff791ee3a24c", None, None)

    def test_a_completed_checkout_says_when(self):
        done = changed("checkouts/update", completed_at="2026-11-02T10:15:28+00:00")
        assert read("checkouts/update", done).completed_at == utc(2026, 11, 2, 10, 15, 28)

    def test_a_checkout_that_is_deleted_without_a_cart_says_nothing(self):
        assert SHOPIFY.parse(webhook("checkouts/delete", changed("checkouts/delete", cart_token=None))) == ()

    def test_consent_that_nobody_ever_gave_or_refused_says_nothing(self):
        never = changed("customers_marketing_consent/update", sms_marketing_consent={"state": None})
        assert SHOPIFY.parse(webhook("customers_marketing_consent/update", never)) == ()

    def test_a_state_of_consent_that_we_do_not_know_is_set_aside(self):
        unknown = changed("customers_marketing_consent/update", sms_marketing_consent={"state": "maybe"})
        with pytest.raises(PermanentError):
            SHOPIFY.parse(webhook("customers_marketing_consent/update", unknown))

    @pytest.mark.parametrize(
        "gid", ["gid://shopify/Order/1", "gid://shopify/Customer/", "1; 2", "gid://shopify/Customer/1/2"]
    )
    def test_tags_of_something_that_is_no_customer_are_set_aside(self, gid):
        with pytest.raises(PermanentError):
            read("customer.tags_added", changed("customer.tags_added", customerId=gid))

    def test_a_customer_is_dated_by_its_order_where_it_has_no_date_of_its_own(self):
        order = read("orders/create", changed("orders/create", customer={"id": 5}))
        assert order.customer == Customer("5", order.updated_at)

    def test_a_request_of_somebody_without_an_account_has_no_customer(self):
        request = {"shop_domain": SHOP, "customer": {"email": "anna@example.com"}, "data_request": {"id": 1}}
        assert read("customers/data_request", request) == DataRequest("1", None, "anna@example.com")


class TestWhatARefundGaveBack:
    def test_within_its_order_and_alone_it_reads_the_same(self):
        [order], [refund] = RECORDS["orders/cancelled"], RECORDS["refunds/create"]
        assert list(order.refunds) == [refund]

    def test_money_in_the_shops_currency_is_taken_as_it_is(self):
        paid = [
            {"kind": "refund", "status": "success", "amount": amount, "currency": "GBP"} for amount in ("10.00", "0.01")
        ]
        assert read("refunds/create", changed("refunds/create", transactions=paid)).amount_minor == 1001

    def test_a_transaction_without_a_currency_is_in_the_shops(self):
        paid = [{"kind": "refund", "status": "success", "amount": "75.00", "currency": None}]
        refund = read("refunds/create", changed("refunds/create", transactions=paid))
        assert (refund.amount_minor, refund.currency) == (7500, "GBP")

    def test_goods_that_came_back_without_money_are_a_refund_of_nothing(self):
        refund = read("refunds/create", changed("refunds/create", transactions=[]))
        assert (refund.amount_minor, refund.lines) == (0, REFUND.lines)

    def test_an_amount_without_goods_is_exchanged_at_the_rate_of_its_adjustment(self):
        pair = {
            "shop_money": {"amount": "-10.00", "currency_code": "GBP"},
            "presentment_money": {"amount": "-2000", "currency_code": "JPY"},
        }
        paid = [{"kind": "refund", "status": "success", "amount": "1000", "currency": "JPY"}]
        alone = changed(
            "refunds/create", refund_line_items=[], transactions=paid, order_adjustments=[{"amount_set": pair}]
        )
        refund = read("refunds/create", alone)
        assert (refund.amount_minor, refund.currency) == (500, "GBP")

    def test_money_that_cannot_be_exchanged_keeps_its_currency(self):
        paid = [{"kind": "refund", "status": "success", "amount": "1000", "currency": "JPY"}]
        alone = changed("refunds/create", refund_line_items=[], transactions=paid, total_duties_set=None)
        assert (read("refunds/create", alone).amount_minor, read("refunds/create", alone).currency) == (1000, "JPY")

    def test_money_in_no_currency_is_set_aside(self):
        paid = [{"kind": "refund", "status": "success", "amount": "1000"}]
        with pytest.raises(PermanentError, match="currency"):
            read(
                "refunds/create",
                changed("refunds/create", refund_line_items=[], transactions=paid, total_duties_set=None),
            )

    @pytest.mark.parametrize("amount", ["999999999999999", "0.000000000001"])
    def test_absurd_rates_are_set_aside_or_read_but_never_fail_otherwise(self, amount):
        pair = {
            "shop_money": {"amount": "999999999999999", "currency_code": "GBP"},
            "presentment_money": {"amount": amount, "currency_code": "JPY"},
        }
        paid = [{"kind": "refund", "status": "success", "amount": "999999999999999", "currency": "JPY"}]
        alone = changed(
            "refunds/create", refund_line_items=[], transactions=paid, order_adjustments=[{"amount_set": pair}]
        )
        with contextlib.suppress(PermanentError):
            read("refunds/create", alone)


class TestCheck:
    @pytest.mark.parametrize("missing", ["write_customers", "read_orders", "read_products"])
    def test_names_the_scopes_that_are_missing(self, api, missing):
        scopes = [{"handle": scope} for scope in NEEDED_SCOPES if scope != missing]
        api.post(GRAPHQL, json=data(**{**INSTALLED, "currentAppInstallation": {"accessScopes": scopes}}))
        with pytest.raises(ConfigurationError, match=rf"lacks {missing}$"):
            SHOPIFY.check()

    @pytest.mark.parametrize(
        "shop", ["evil.example", "practice.myshopify.com/..", "https://practice.myshopify.com", ""]
    )
    def test_the_token_goes_to_no_other_host(self, api, shop):
        with pytest.raises(ConfigurationError, match=r"myshopify\.com"):
            Shopify({**CREDENTIALS, "shop": shop}).check()
        assert not api.calls

    def test_the_token_goes_in_a_header(self, api):
        api.post(GRAPHQL, json=data(**INSTALLED))
        Shopify({**CREDENTIALS, "shop": " Practice.myshopify.com "}).check()
        assert api.calls[0].request.headers["X-Shopify-Access-Token"] == CREDENTIALS["access_token"]

    @pytest.mark.parametrize("status", [402, 404, 423])
    def test_a_shop_that_is_closed_is_for_the_merchant_to_mend(self, api, status):
        api.post(GRAPHQL, status=status, json={"errors": "Not Found"})
        with pytest.raises(ConfigurationError, match="closed"):
            SHOPIFY.check()


def errors(*codes, **fields):
    return [{"message": "No", "extensions": {"code": code}, **fields} for code in codes]


class TestHowTheApiFails:
    @pytest.mark.parametrize(
        ("cost", "expected"),
        [
            ({"requestedQueryCost": 500, "throttleStatus": {"currentlyAvailable": 120, "restoreRate": 100}}, 3.8),
            ({"requestedQueryCost": 500, "throttleStatus": {"currentlyAvailable": 480, "restoreRate": 100}}, 1),
            ({"requestedQueryCost": 500, "throttleStatus": {"currentlyAvailable": 120, "restoreRate": 0}}, 1),
            ({}, 1),
        ],
    )
    def test_a_throttled_call_waits_until_the_bucket_holds_its_points(self, api, cost, expected):
        api.post(GRAPHQL, json={"errors": errors("THROTTLED"), "extensions": {"cost": cost}})
        with pytest.raises(RetryableError) as caught:
            SHOPIFY.check()
        assert caught.value.retry_after == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            (["ACCESS_DENIED"], ConfigurationError),
            (["undefinedField", "ACCESS_DENIED"], ConfigurationError),
            (["SHOP_INACTIVE"], ConfigurationError),
            (["INTERNAL_SERVER_ERROR"], RetryableError),
            (["TIMEOUT"], RetryableError),
            (["MAX_COST_EXCEEDED"], PermanentError),
            (["undefinedField"], PermanentError),
        ],
    )
    @pytest.mark.parametrize("nothing", [{}, {"data": None}, {"data": {"shop": None, "currentAppInstallation": None}}])
    def test_errors_without_data_are_sorted_by_their_codes(self, api, codes, expected, nothing):
        api.post(GRAPHQL, json={"errors": errors(*codes), **nothing})
        with pytest.raises(expected) as caught:
            SHOPIFY.check()
        assert type(caught.value) is expected

    def test_data_beside_errors_is_kept(self, api):
        api.post(GRAPHQL, json={**data(**INSTALLED), "errors": errors("ACCESS_DENIED", path=["shop", "email"])})
        assert SHOPIFY.check().name == "Practice"

    def test_an_error_that_is_one_text_is_read_as_one(self, api):
        api.post(GRAPHQL, json={"errors": "Something is wrong"})
        with pytest.raises(PermanentError, match="Something is wrong"):
            SHOPIFY.check()


class TestSubscribe:
    URL = "https://tagsmith.example.com/webhooks/shopify"

    def serve(self, api, *pages, created=None):
        for number, nodes in enumerate(pages):
            info = {"hasNextPage": number + 1 < len(pages), "endCursor": str(number)}
            api.post(GRAPHQL, json=data(webhookSubscriptions={"nodes": nodes, "pageInfo": info}))
        api.post(GRAPHQL, json=data(**(created or {})))

    def test_asks_in_one_request_for_all_that_is_not_there(self, api):
        created = {subscriptions.name(topic): {"userErrors": []} for topic in SHOPIFY.topics}
        there = [{"topic": "ORDERS_CREATE", "uri": self.URL}, {"topic": "ORDERS_PAID", "uri": "https://other.example"}]
        self.serve(api, there[:1], there[1:], created=created)
        SHOPIFY.subscribe(self.URL)
        assert len(api.calls) == 3
        assert asked(api.calls[1])["variables"] == {"after": "0"}
        made = asked(api.calls[2])
        assert made["variables"] == {"uri": self.URL}
        topics = set(re.findall(r"topic: (\w+)", made["query"]))
        assert {"ORDERS_PAID", "CUSTOMER_TAGS_ADDED", "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE"} <= topics
        assert not topics & {"ORDERS_CREATE", "CUSTOMERS_REDACT", "CUSTOMERS_DATA_REQUEST", "SHOP_REDACT"}
        assert len(topics) == len(SHOPIFY.topics) - 4

    def test_asks_for_nothing_when_all_is_there(self, api):
        wanted = SHOPIFY.topics - subscriptions.COMPLIANCE
        self.serve(api, [{"topic": subscriptions.name(topic), "uri": self.URL} for topic in wanted])
        SHOPIFY.subscribe(self.URL)
        assert len(api.calls) == 1

    def test_names_the_topics_that_shopify_refuses(self, api):
        created = {subscriptions.name(topic): {"userErrors": []} for topic in SHOPIFY.topics}
        created["PRODUCTS_CREATE"] = {"userErrors": [{"field": None, "message": "lacks read_products"}]}
        created["REFUNDS_CREATE"] = None
        self.serve(api, [], created=created)
        with pytest.raises(ConfigurationError, match=r"products/create \(lacks read_products\)") as caught:
            SHOPIFY.subscribe(self.URL)
        assert "refunds/create" in str(caught.value)
        assert "orders/create" not in str(caught.value)


class TestRepair:
    URL = "https://tagsmith.example.com/webhooks/shopify/abc"
    OURS = "https://tagsmith.example.com/webhooks/"

    def node(self, topic, uri=URL, number=1):
        return {
            "id": f"gid://shopify/WebhookSubscription/{number}",
            "topic": subscriptions.name(topic),
            "uri": uri,
        }

    def serve(self, api, there, **answers):
        info = {"hasNextPage": False, "endCursor": None}
        api.post(GRAPHQL, json=data(webhookSubscriptions={"nodes": there, "pageInfo": info}))
        api.post(GRAPHQL, json=data(**answers))

    def all_there(self):
        return [self.node(topic) for topic in sorted(SHOPIFY.topics - subscriptions.COMPLIANCE)]

    def test_puts_back_what_has_vanished_and_says_what(self, api):
        there = [one for one in self.all_there() if not one["topic"].startswith("ORDERS_")]
        vanished = sorted(topic for topic in SHOPIFY.topics if topic.startswith("orders/"))
        self.serve(api, there, **{subscriptions.name(topic): {"userErrors": []} for topic in vanished})
        assert SHOPIFY.repair(self.URL, self.OURS) == Repaired(tuple(vanished))
        assert set(re.findall(r"topic: (\w+)", asked(api.calls[1])["query"])) == set(map(subscriptions.name, vanished))

    def test_does_nothing_where_nothing_is_wrong(self, api):
        self.serve(api, self.all_there())
        assert SHOPIFY.repair(self.URL, self.OURS) == Repaired()
        assert len(api.calls) == 1

    def test_ends_what_goes_to_addresses_that_were_ours_and_nothing_of_others(self, api):
        others = [
            self.node("orders/create", "https://other.example/webhooks/shopify", 2),
            self.node("orders/create", "https://tagsmith.example.com.evil.example/webhooks/", 3),
            self.node("orders/create", "pubsub://project:topic", 4),
        ]
        stale = [
            self.node("orders/create", f"{self.OURS}shopify", 5),
            self.node("fulfillments/create", self.URL, 6),
        ]
        self.serve(api, [*self.all_there(), *others, *stale], end0={"userErrors": []}, end1={"userErrors": []})
        assert SHOPIFY.repair(self.URL, self.OURS) == Repaired(removed=2)
        assert asked(api.calls[1])["variables"] == {f"id{at}": one["id"] for at, one in enumerate(stale)}

    def test_tells_what_is_refused_and_goes_on(self, api):
        there = [one for one in self.all_there() if one["topic"] not in ("CUSTOMERS_MERGE", "ORDERS_PAID")]
        lacks = {"userErrors": [{"field": None, "message": "lacks read_customer_merge"}]}
        self.serve(api, there, CUSTOMERS_MERGE=lacks, ORDERS_PAID={"userErrors": []})
        refused = ("customers/merge (lacks read_customer_merge)",)
        assert SHOPIFY.repair(self.URL, self.OURS) == Repaired(("orders/paid",), refused=refused)

    def test_fields_of_the_merchants_own_come_with_customers_from_then_on(self, api):
        there = self.all_there()
        [update] = [one for one in there if one["topic"] == "CUSTOMERS_UPDATE"]
        update |= {"id": "gid://shopify/WebhookSubscription/7", "metafieldNamespaces": ["facts"]}
        without_create = [one for one in there if one["topic"] != "CUSTOMERS_CREATE"]
        self.serve(api, without_create, CUSTOMERS_CREATE={"userErrors": []})
        api.post(GRAPHQL, json=data(CUSTOMERS_UPDATE={"userErrors": []}))
        fields = ("custom.size", "facts.birth_date", "visits")
        assert SHOPIFY.repair(self.URL, self.OURS, fields) == Repaired(("customers/create",))
        created, widened = (asked(call) for call in api.calls[1:])
        assert created["variables"] == {"uri": self.URL, "namespaces": ["custom", "facts"]}
        assert "metafieldNamespaces: $namespaces" in created["query"]
        assert widened["variables"] == {"namespaces": ["custom", "facts"], "id0": update["id"]}
        assert re.findall(r"(\w+): webhookSubscriptionUpdate", widened["query"]) == ["CUSTOMERS_UPDATE"]

    def test_what_carries_the_fields_already_stays_as_it_is(self, api):
        self.serve(api, [one | {"metafieldNamespaces": ["a", "facts"]} for one in self.all_there()])
        assert SHOPIFY.repair(self.URL, self.OURS, ("facts.birth_date",)) == Repaired()
        assert len(api.calls) == 1

    def test_subscribing_does_without_the_topics_that_few_merchants_grant(self, api):
        created = {subscriptions.name(topic): {"userErrors": []} for topic in SHOPIFY.topics}
        created["CUSTOMERS_MERGE"] = {"userErrors": [{"field": None, "message": "lacks read_customer_merge"}]}
        self.serve(api, [], **created)
        SHOPIFY.subscribe(self.URL)


class TestRatings:
    CUSTOMERS = '{"fields": ["subscriptions", "companies"], "credit": false, "after": "before"}'
    CREDIT = CUSTOMERS.replace("false", "true").replace('"before"', "null")

    def page(self, nodes, cursor=None, **beside):
        info = {"hasNextPage": cursor is not None, "endCursor": cursor}
        return data(customers={"nodes": nodes, "pageInfo": info}) | beside

    def serve(self, api, *answers):
        for answer in answers:
            api.post(GRAPHQL, json=answer)

    def node(self, number, group, tier, **more):
        return {
            "id": f"gid://shopify/Customer/{number}",
            "statistics": {"rfmGroup": group, "predictedSpendTier": tier},
        } | more

    def denied(self, *path):
        trouble = {"message": "not approved", "path": list(path), "extensions": {"code": "ACCESS_DENIED"}}
        return {"data": None, "errors": [trouble]}

    def test_a_page_leads_to_the_next_and_ids_stay_exact(self, api):
        self.serve(api, self.page([self.node(9007199254740993, "AT_RISK", "HIGH")], "next"))
        page = SHOPIFY.ratings(self.CUSTOMERS, AT)
        assert page.ratings == (Rating("9007199254740993", AT, "AT_RISK", "HIGH"),)
        assert (page.cursor, page.available) == (self.CUSTOMERS.replace("before", "next"), 1480)
        assert asked(api.calls[0])["variables"] == {"after": "before", "first": 100}

    def test_after_the_last_customer_come_those_with_store_credit(self, api):
        self.serve(api, self.page([self.node(7, None, None)]))
        assert SHOPIFY.ratings(None, AT) == Rated((Rating("7", AT),), self.CREDIT, 1480)

    def test_what_is_withheld_is_no_rating(self, api):
        nodes = [{"id": "gid://shopify/Customer/8", "statistics": None}, self.node(9, "NEW", None)]
        self.serve(api, self.page(nodes, errors=self.denied("customers")["errors"]))
        assert SHOPIFY.ratings(None, AT).ratings == (Rating("9", AT, "NEW", None),)

    def test_subscriptions_and_companies_are_told_in_the_languages_words(self, api):
        company = {"company": {"id": "gid://shopify/Company/70"}}
        nodes = [
            self.node(7, "NEW", None, productSubscriberStatus="ACTIVE", companyContactProfiles=[company]),
            self.node(8, "NEW", None, productSubscriberStatus="CANCELLED", companyContactProfiles=[]),
        ]
        self.serve(api, self.page(nodes))
        told = [one for one in SHOPIFY.ratings(None, AT).ratings if isinstance(one, Standing)]
        assert told == [Standing("7", AT, "SUBSCRIBED", ("70",)), Standing("8", AT, "CANCELED", ())]

    def test_a_field_that_is_kept_from_the_app_is_not_asked_for_again(self, api):
        whole = self.page([self.node(7, "NEW", None, companyContactProfiles=[])])
        self.serve(api, self.denied("customers"), self.denied("customers"), whole, whole)
        page = SHOPIFY.ratings(None, AT)
        assert page.ratings == (Rating("7", AT, "NEW", None), Standing("7", AT, companies=()))
        assert page.cursor == self.CREDIT.replace('"subscriptions", ', "")
        assert ["productSubscriberStatus" in asked(call)["query"] for call in api.calls] == [True, True, False, False]

    def test_store_credit_comes_with_all_that_moved_it(self, api):
        member = {"node": {"id": "gid://shopify/CustomerSegmentMember/7"}}
        last = {"hasNextPage": False, "endCursor": None}
        account = {"id": "gid://shopify/StoreCreditAccount/5", "balance": {"amount": "7.50", "currencyCode": "GBP"}}
        customer = {"id": "gid://shopify/Customer/7", "storeCreditAccounts": {"nodes": [account]}}
        granted = {
            "createdAt": "2026-01-01T00:00:00Z",
            "amount": {"amount": "10.0"},
            "balanceAfterTransaction": {"amount": "10.0"},
            "id": "gid://shopify/StoreCreditAccountCreditTransaction/1",
            "expiresAt": "2027-01-01T00:00:00Z",
            "remainingAmount": {"amount": "7.5"},
        }
        spent = {
            "createdAt": "2026-02-01T00:00:00Z",
            "amount": {"amount": "-2.5"},
            "balanceAfterTransaction": {"amount": "7.5"},
        }
        moves = [granted], {"hasNextPage": True, "endCursor": "on"}
        self.serve(
            api,
            data(customerSegmentMembers={"edges": [member], "pageInfo": last}),
            data(nodes=[customer]),
            *(
                data(node={"transactions": {"nodes": nodes, "pageInfo": pages}})
                for nodes, pages in (moves, ([spent], last))
            ),
        )
        page = SHOPIFY.ratings(self.CREDIT, AT)
        new_year, february = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
        told = (
            CreditMove(new_year, 1000, 1000, True, new_year.replace(year=2027), 750),
            CreditMove(february, -250, 750),
        )
        assert page.ratings == (StoreCredit("5", "7", AT, "GBP", 750, told),)
        assert (page.cursor, page.supplied) == (None, {"store_credit", "subscriptions", "companies"})

    def test_store_credit_that_is_kept_from_the_app_is_not_supplied(self, api):
        member = {"node": {"id": "gid://shopify/CustomerSegmentMember/7"}}
        last = {"hasNextPage": False, "endCursor": None}
        self.serve(api, data(customerSegmentMembers={"edges": [member], "pageInfo": last}), self.denied("nodes"))
        page = SHOPIFY.ratings(self.CREDIT, AT)
        assert (page.ratings, page.cursor, page.supplied) == ((), None, {"subscriptions", "companies"})


class TestOrdersAnew:
    def money(self, amount):
        return {"shopMoney": {"amount": amount, "currencyCode": "GBP"}}

    def order(self, **fields):
        line = {
            "id": "gid://shopify/LineItem/4878176722762985541",
            "quantity": 3,
            "currentQuantity": 2,
            "sku": "SKU2006-001",
            "title": "Aviator sunglasses",
            "vendor": "Acme",
            "product": {"id": "gid://shopify/Product/7880321196742929221"},
            "variant": None,
            "originalUnitPriceSet": self.money("20.0"),
            "totalDiscountSet": self.money("1.02"),
        }
        return {
            "id": "gid://shopify/Order/8209829119461545081",
            "name": "#1001",
            "createdAt": "2026-11-02T10:15:30Z",
            "updatedAt": "2026-11-05T08:30:01Z",
            "cancelledAt": None,
            "test": False,
            "email": "anna@example.com",
            "displayFinancialStatus": "PARTIALLY_REFUNDED",
            "sourceName": "web",
            "discountCodes": ["WELCOME10"],
            "customerAcceptsMarketing": True,
            "cartToken": "eeafa272cebfd4b22385bc4b645e762c",
            "checkoutToken": None,
            "customer": {
                "id": "gid://shopify/Customer/7064055069303700841",
                "createdAt": "2026-11-01T09:00:00Z",
                "updatedAt": "2026-11-05T08:30:02Z",
            },
            "totalPriceSet": self.money("58.98"),
            "refunds": [{"id": "gid://shopify/Refund/8900881860478923191"}],
            "lineItems": {"nodes": [line], "pageInfo": {"hasNextPage": False, "endCursor": None}},
        } | fields

    def given_back(self):
        line = {"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/4878176722762985541"}}
        paid = {"kind": "REFUND", "status": "SUCCESS", "amountSet": self.money("19.66")}
        refund = {
            "id": "gid://shopify/Refund/8900881860478923191",
            "createdAt": "2026-11-05T08:30:00Z",
            "refundLineItems": {"nodes": [line], "pageInfo": {"hasNextPage": False, "endCursor": None}},
            "transactions": {"nodes": [paid]},
        }
        return data(nodes=[{"id": "gid://shopify/Order/8209829119461545081", "refunds": [refund]}])

    def test_an_order_is_read_as_its_webhook_would_tell_it(self, api):
        api.post(GRAPHQL, json=data(order=self.order()))
        api.post(GRAPHQL, json=self.given_back())
        assert SHOPIFY.orders(["8209829119461545081"]) == [
            Order(
                order_id="8209829119461545081",
                placed_at=utc(2026, 11, 2, 10, 15, 30),
                updated_at=utc(2026, 11, 5, 8, 30, 1),
                total_minor=5898,
                currency="GBP",
                name="#1001",
                customer=Customer("7064055069303700841", utc(2026, 11, 5, 8, 30, 2), created_at=utc(2026, 11, 1, 9)),
                email="anna@example.com",
                financial_status="partially_refunded",
                lines=(
                    LineItem(
                        line_id="4878176722762985541",
                        quantity=3,
                        current_quantity=2,
                        product_id="7880321196742929221",
                        sku="SKU2006-001",
                        title="Aviator sunglasses",
                        vendor="Acme",
                        amount_minor=5898,
                    ),
                ),
                refunds=(
                    Refund(
                        order_id="8209829119461545081",
                        refund_id="8900881860478923191",
                        refunded_at=utc(2026, 11, 5, 8, 30),
                        amount_minor=1966,
                        currency="GBP",
                        lines=(RefundLine("4878176722762985541", 1),),
                    ),
                ),
                discount_codes=("WELCOME10",),
                cart_ids=("eeafa272cebfd4b22385bc4b645e762c",),
                accepts_marketing=True,
                source_name="web",
            )
        ]

    def test_all_lines_are_read_however_many(self, api):
        first, second = self.order()["lineItems"], self.order()["lineItems"]
        first["pageInfo"] = {"hasNextPage": True, "endCursor": "fifty"}
        second["nodes"][0]["id"] = "gid://shopify/LineItem/2"
        api.post(GRAPHQL, json=data(order=self.order(lineItems=first, refunds=[])))
        api.post(GRAPHQL, json=data(order={"lineItems": second}))
        [order] = SHOPIFY.orders(["8209829119461545081"])
        assert [line.line_id for line in order.lines] == ["4878176722762985541", "2"]
        assert asked(api.calls[1])["variables"]["after"] == "fifty"

    def test_an_order_that_we_may_not_see_is_left_out(self, api):
        api.post(GRAPHQL, json=data(order=None))
        assert SHOPIFY.orders(["1"]) == []

    def test_an_order_whose_customer_is_withheld_is_left_out_and_not_taken_for_nobodys(self, api):
        trouble = {"message": "not approved", "path": ["order", "customer"], "extensions": {"code": "ACCESS_DENIED"}}
        api.post(GRAPHQL, json=data(order=self.order(customer=None)) | {"errors": [trouble]})
        assert SHOPIFY.orders(["1"]) == []


class TestPixel:
    SETTINGS = {"key": "k", "address": "https://tagsmith.example.com/pixel/k"}  # noqa: RUF012

    def placed(self, field, **errors):
        return data(**{field: {"webPixel": {"id": "gid://shopify/WebPixel/7"}, "userErrors": []} | errors})

    def test_is_switched_on_with_its_settings(self, api):
        api.post(GRAPHQL, json=self.placed("webPixelCreate"))
        assert SHOPIFY.place_pixel(self.SETTINGS) == "gid://shopify/WebPixel/7"
        assert asked(api.calls[0])["variables"] == {"settings": self.SETTINGS}

    def test_where_it_is_on_already_it_gets_these_settings(self, api):
        taken = [{"code": "TAKEN", "field": None, "message": "taken"}]
        api.post(GRAPHQL, json=self.placed("webPixelCreate", webPixel=None, userErrors=taken))
        api.post(GRAPHQL, json=data(webPixel={"id": "gid://shopify/WebPixel/7"}))
        api.post(GRAPHQL, json=self.placed("webPixelUpdate"))
        assert SHOPIFY.place_pixel(self.SETTINGS) == "gid://shopify/WebPixel/7"
        assert asked(api.calls[2])["variables"] == {"id": "gid://shopify/WebPixel/7", "settings": self.SETTINGS}

    def test_says_why_it_cannot_run(self, api):
        refusal = [{"code": "NO_EXTENSION", "field": None, "message": "No extension found"}]
        api.post(GRAPHQL, json=self.placed("webPixelCreate", webPixel=None, userErrors=refusal))
        with pytest.raises(PermanentError, match="No extension found"):
            SHOPIFY.place_pixel(self.SETTINGS)


class TestTags:
    def vip(self, number, add=("seg:vip",), remove=()):
        return TagChange(Contact(str(number), str(number)), add, remove)

    def test_customers_and_guests_are_looked_up_in_one_request(self, api):
        [call] = SHOPIFY.lookups(["7064055069303700841", "8", "anna@example.com", "nobody@example.com", "guest-17"])
        anna = {"id": "gid://shopify/Customer/7064055069303700841", "tags": ["Wholesale", "seg:vip"]}
        api.post(GRAPHQL, json=data(nodes=[anna, None], email2=anna, email3=None))
        found = SHOPIFY.look_up(call)
        assert found.contacts == (
            Contact("7064055069303700841", "7064055069303700841", ("Wholesale", "seg:vip")),
            Contact("anna@example.com", "7064055069303700841", ("Wholesale", "seg:vip")),
        )
        assert found.available == 1480
        assert asked(api.calls[0])["variables"] == {
            "ids": ["gid://shopify/Customer/7064055069303700841", "gid://shopify/Customer/8"],
            "email2": "anna@example.com",
            "email3": "nobody@example.com",
        }

    def test_keys_that_can_be_nobody_on_shopify_are_missing_without_a_request(self, api):
        [call] = SHOPIFY.lookups(["guest-17", "１２"])
        assert SHOPIFY.look_up(call).contacts == ()
        assert not api.calls

    @pytest.mark.parametrize(
        ("code", "expected"),
        [("INTERNAL_SERVER_ERROR", RetryableError), ("ACCESS_DENIED", ConfigurationError), ("ODD", RetryableError)],
    )
    def test_who_could_not_be_read_is_never_taken_for_missing(self, api, code, expected):
        [call] = SHOPIFY.lookups(["anna@example.com", "8"])
        anna = {"id": "gid://shopify/Customer/7", "tags": []}
        api.post(GRAPHQL, json={**data(nodes=[anna], email0=None), "errors": errors(code, path=["email0"])})
        with pytest.raises(expected):
            SHOPIFY.look_up(call)

    def test_adding_and_removing_are_aliases_of_one_request_with_variables(self):
        [call] = SHOPIFY.plan([self.vip(7, ("seg:vip", 'seg:"quoted"'), ("seg:new",)), self.vip(8, (), ("seg:new",))])
        assert call.body["variables"] == {
            "id0": "gid://shopify/Customer/7",
            "add0": ["seg:vip", 'seg:"quoted"'],
            "remove0": ["seg:new"],
            "id1": "gid://shopify/Customer/8",
            "remove1": ["seg:new"],
        }
        assert "seg:" not in call.body["query"]
        assert (call.contacts, call.cost, call.endpoint) == (("7", "8"), 30, "graphql")

    def test_plans_as_recorded(self):
        golden = json.loads((Path(__file__).parent / "golden" / "shopify_plan.json").read_bytes())
        changes = [
            self.vip(7, ("seg:vip",), ("seg:new",)),
            self.vip(8),
            self.vip(9, ("a,b",)),
            self.vip(10, (), ("seg:new",)),
        ]
        assert [plain(call) for call in SHOPIFY.plan(changes)] == golden

    def test_dear_changes_and_cheap_ones_share_calls_without_points_left_over(self):
        changes = [self.vip(n, remove=("seg:new",) if n % 3 else ()) for n in range(1, 151)]
        calls = SHOPIFY.plan(changes)
        assert sum(call.cost for call in calls) == 100 * 20 + 50 * 10
        assert len(calls) == 5
        assert {call.cost for call in calls} == {500}

    @pytest.mark.parametrize("tag", ["a,b", "x" * 256, "", "  "])
    def test_a_tag_that_shopify_would_cut_or_refuse_never_leaves(self, api, tag):
        [call] = SHOPIFY.plan([self.vip(7, ("seg:vip", tag)), self.vip(8, ("x" * 255,))])
        api.post(GRAPHQL, json=data(**{f"add{call.contacts.index('8')}": {"userErrors": []}}))
        outcome = SHOPIFY.send(call)
        assert [each.contact for each in outcome.refused] == ["7"]
        assert outcome.accepted == ("8",)
        assert next(iter(asked(api.calls[0])["variables"].values())) == ["x" * 255]

    def test_says_of_each_customer_what_became_of_it(self, api):
        fine, gone = {"userErrors": []}, {"userErrors": [{"field": ["id"], "message": "Customer does not exist"}]}
        full = {"userErrors": [{"field": ["tags"], "message": "anna@example.com has 250 tags, as many as can be"}]}
        api.post(
            GRAPHQL,
            json={
                **data(
                    add0=fine,
                    remove0=fine,
                    add1=gone,
                    remove1=gone,
                    add2=full,
                    remove2=fine,
                    add3=None,
                    add4=None,
                    add5=fine,
                ),
                "errors": [
                    *errors("RESOURCE_NOT_FOUND", path=["add3"]),
                    *errors("INTERNAL_SERVER_ERROR", path=["add4"]),
                ],
            },
        )
        both = [self.vip(number, remove=("seg:new",)) for number in (1, 2, 3)]
        [call] = SHOPIFY.plan([*both, self.vip(4), self.vip(5), self.vip(6)])
        outcome = SHOPIFY.send(call)
        assert outcome.accepted == ("1", "6")
        assert outcome.missing == ("2", "4")
        assert outcome.again == ("5",)
        [refused] = outcome.refused
        assert refused.contact == "3"
        assert refused.reason == "… has 250 tags, as many as can be"
        assert outcome.available == 1480
        assert outcome.job is None

    def test_a_missing_scope_pauses_the_connection(self, api):
        [call] = SHOPIFY.plan([self.vip(1), self.vip(2)])
        api.post(
            GRAPHQL, json={**data(add0=None, add1={"userErrors": []}), "errors": errors("ACCESS_DENIED", path=["add0"])}
        )
        with pytest.raises(ConfigurationError):
            SHOPIFY.send(call)

    def test_a_change_of_nothing_is_done_without_a_request(self, api):
        [call] = SHOPIFY.plan([self.vip(1, ())])
        assert SHOPIFY.send(call).accepted == ("1",)
        assert not api.calls


def plain(call):
    return {
        "endpoint": call.endpoint,
        "cost": call.cost,
        "contacts": list(call.contacts),
        "refused": {each.contact: each.reason for each in call.refused},
        "body": call.body,
    }


class TestAgainstShopifysOwnSpecifications:
    @pytest.fixture
    def samples(self, shared):
        return shared / "specs/shopify/webhooks/2026-07/samples"

    def test_every_document_is_valid_for_2026_10_and_uses_nothing_deprecated(self, shared):
        schema = official(shared)
        for document in documents():
            rules = [*specified_rules, NoDeprecatedCustomRule]
            assert validate(schema, parse(document), rules) == [], document

    def test_a_wrong_document_would_be_seen(self, shared):
        schema = official(shared)
        for document in ("query { shop { shoeSize } }", "query { customer(id: 1) { email } }"):
            assert validate(schema, parse(document), [*specified_rules, NoDeprecatedCustomRule])

    def test_every_topic_that_is_subscribed_to_is_one_of_the_schema(self, shared):
        enum = official(shared).type_map["WebhookSubscriptionTopic"].values
        assert {subscriptions.name(topic) for topic in SHOPIFY.topics - subscriptions.COMPLIANCE} <= set(enum)

    @pytest.mark.parametrize("topic", sorted(SHOPIFY.topics))
    def test_every_documented_sample_can_be_read(self, samples, topic):
        body = (samples / file_of(topic)).read_bytes()
        records = SHOPIFY.parse(webhook(topic, body))
        silent = {"customers_marketing_consent/update", "customers/merge"}  # nobody decided; the merge failed
        assert len(records) == (0 if topic in silent else 1)

    @pytest.mark.parametrize("topic", sorted(RECORDS))
    def test_the_recorded_payloads_hold_only_what_shopify_sends(self, samples, topic):
        documented = keys_within(json.loads((samples / file_of(topic)).read_bytes()))
        documented |= {"user_agent", "accept_language", "code", "type", "amount", "full_name", "name", "browser_ip"}
        documented |= keys_within(json.loads((samples / "refunds__create.json").read_bytes()))
        assert keys_within(json.loads(recorded(topic))) <= documented


def official(shared):
    from plugin.sandbox.shopify.engine import official as build

    return build(shared / "specs/shopify/admin_2026-10.introspection.json.gz")


def documents():
    changes = [TagChange(Contact(str(n), str(n)), ("a",), ("b",)) for n in range(30)]
    keys = ["7", "anna@example.com", "8", "bo@example.com"]
    yield IDENTITY
    yield subscriptions.SUBSCRIBED
    yield from (operations.RUNNING, operations.STATUS, operations.START)
    yield from (questions.REFUNDS, questions.MORE_LINES, questions.PRESENT, questions.COUNTS, questions.SCOPES)
    for question in questions.QUESTIONS.values():
        for since in (None, AT):
            yield questions.counting(question, since)
            yield from (question.query(since, personal=personal) for personal in (True, False))
    yield subscriptions.ending(3)
    yield from (fetching.ORDER_NOW, fetching.MORE_LINES, ratings.RATINGS, credit.WHO, credit.HELD, credit.MOVED)
    yield from (pixels.CREATE, pixels.UPDATE, pixels.PLACED)
    yield subscriptions.document(sorted(map(subscriptions.name, SHOPIFY.topics - subscriptions.COMPLIANCE)))
    yield from (
        metafields.DEFINE,
        metafields.DROP,
        bulk_tags.RUN,
        bulk_tags.STATUS,
        bulk_tags.BEGUN,
        bulk_tags.staging(3),
    )
    yield from (audiences.CREATE, audiences.UPDATE, audiences.DELETE, audiences.FIND)
    yield from (bulk_tags.document("name0123456789", kind) for kind in writings.KINDS)
    fields = [replace(change, field=("a",) if at % 2 else ()) for at, change in enumerate(changes)]
    for call in [
        *SHOPIFY.plan(changes),
        *SHOPIFY.plan(fields),
        *SHOPIFY.lookups(keys),
        *SHOPIFY.lookups(keys[:1]),
        *SHOPIFY.lookups(keys[1:2]),
    ]:
        yield call.body["query"]
