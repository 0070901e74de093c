"""Metafields of customers are read by their types; what apps keep for themselves, and what is no value, is left out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.records import Attribute, AttributesHeld
from connectors.sources import Webhook
from plugin.sandbox import records
from tests.connectors.past import past

READ = [
    ("date", "1990-05-17", date(1990, 5, 17)),
    ("date_time", "2022-02-02T18:30:00", datetime(2022, 2, 2, 18, 30, tzinfo=UTC)),
    ("date_time", "2022-02-02T18:30:00-05:00", datetime(2022, 2, 2, 23, 30, tzinfo=UTC)),
    ("number_integer", "-7", -7),
    ("number_decimal", "10.4", Decimal("10.4")),
    ("rating", '{"value": "3.5", "scale_min": "1.0", "scale_max": "5.0"}', Decimal("3.5")),
    ("boolean", "true", True),
    ("single_line_text_field", "O\u0308l", "\u00d6l"),
    ("list.single_line_text_field", '["art", "tea"]', ("art", "tea")),
]
LEFT_OUT = [
    ("json", "{}"),
    ("customer_reference", "gid://shopify/Customer/1"),
    ("date", "17 May"),
    ("number_integer", "many"),
    ("rating", "[]"),
    ("boolean", "yes"),
    ("list.single_line_text_field", "[1]"),
    ("list.single_line_text_field", "{"),
    ("date", None),
]


@pytest.fixture(scope="module")
def store():
    with past() as made:
        yield made


def told(store, fields):
    payload = {"id": 7, "updated_at": "2026-11-20T12:00:00Z", "metafields": fields}
    headers = {"x-shopify-topic": "customers/update", "x-shopify-triggered-at": store.at.isoformat()}
    return [one for one in store.source.parse(Webhook(headers, json.dumps(payload).encode())) if hasattr(one, "key")]


def field(kind, value, namespace="facts", **more):
    return {"namespace": namespace, "key": "k", "type": kind, "value": value, **more}


def test_history_tells_when_customers_were_born_and_which_fields_they_have(store):
    found = store.records("customers")
    values = {one.customer_id: one for one in found if isinstance(one, Attribute)}
    held = {one.customer_id: one.keys for one in found if isinstance(one, AttributesHeld)}
    customers = {str(one["id"]): one for one in records.customers(store.stand_in.state)}
    assert held.keys() == customers.keys()
    assert {who for who, keys in held.items() if keys} == values.keys()
    assert 0 < len(values) < len(customers)
    for who, one in values.items():
        assert (one.key, one.label, one.source) == ("facts.birth_date", "Birth date", "metafield")
        assert isinstance(one.value, date)
        assert one.changed_at == datetime.fromisoformat(customers[who]["created_at"])


@pytest.mark.parametrize(("kind", "written", "value"), READ)
def test_a_value_is_read_by_its_type(store, kind, written, value):
    [one] = told(store, [field(kind, written, updated_at="2026-11-19T12:00:00Z")])
    assert (one.key, one.value, one.customer_id) == ("facts.k", value, "7")
    assert one.changed_at == datetime(2026, 11, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "written"), LEFT_OUT)
def test_what_cannot_be_compared_or_is_no_value_is_left_out(store, kind, written):
    assert told(store, [field(kind, written)]) == []


def test_what_apps_keep_for_themselves_is_left_out(store):
    assert told(store, [field("date", "1990-05-17", namespace) for namespace in ("app--7100001", "$app:us")]) == []


def test_a_value_without_a_date_is_as_new_as_its_customer(store):
    [one] = told(store, [field("date", "1990-05-17")])
    assert one.changed_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
