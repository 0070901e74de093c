"""Shopify's stand-in against Shopify's own schema of 2026-10, where that is at hand."""

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_enum_type,
    parse,
    validate,
)

from plugin.sandbox.shopify.engine import official
from plugin.sandbox.shopify.schema import schema
from tests.sandbox.conftest import running_shopify

SCHEMA = "specs/shopify/admin_2026-10.introspection.json.gz"
SUPPORTED = {
    "abandoned_checkouts_page": {"first": 5},
    "bulk_cancel": {"id": "gid://shopify/BulkOperation/1"},
    "bulk_list_running": {},
    "bulk_run_mutation": {"mutation": "mutation { tagsAdd(id: 1, tags: []) { node { id } } }", "path": "no/such/file"},
    "bulk_run_query": {"query": "{ customers { edges { node { id } } } }"},
    "bulk_status": {"id": "gid://shopify/BulkOperation/1"},
    "customer_by_email": {"email": "ada@example.com"},
    "customers_page": {"first": 50},
    "customers_updated_since_reconcile": {"q": "updated_at:>='2026-01-01T00:00:00Z'"},
    "metafield_definition_create": {},
    "metafields_set": {"metafields": []},
    "segment_create": {"name": "VIP", "query": "customer_tags CONTAINS 'seg:vip'"},
    "segment_delete": {"id": "gid://shopify/Segment/1"},
    "segments_list": {},
    "shop_identity": {},
    "staged_upload_bulk_vars": {},
    "tags_add": {"tags": ["seg:vip"]},
    "tags_diff_one_request": {"add": ["seg:vip"], "remove": ["seg:new"]},
    "tags_remove": {"tags": ["seg:vip"]},
    "bulk_inner_tags_add": {"tags": ["seg:vip"]},
    "bulk_inner_tags_remove": {"tags": ["seg:vip"]},
    "order_by_id": {"id": "gid://shopify/Order/1"},
    "web_pixel_create": {"settings": {"key": "a"}},
    "webhook_subscription_create": {"topic": "ORDERS_CREATE", "sub": {"uri": "http://127.0.0.1:9/hooks"}},
    "webhook_subscription_delete": {},
    "webhook_subscriptions_list": {},
}
IN_BULK = {"bulk_inner_customers", "bulk_inner_orders"}  # they name no number of nodes, and run in bulk alone


@pytest.fixture(scope="module")
def schema_path(shared):
    return shared / SCHEMA


@pytest.fixture
def strict(state, clock, schema_path):
    with running_shopify(state, clock, schema_path=schema_path) as running:
        yield running


def documents(shared):
    return {path.stem: path.read_text() for path in (shared / "specs/shopify/graphql").glob("*.graphql")}


def test_every_vetted_document_within_the_stand_ins_reach_executes(strict, shared):
    [ada] = strict.add("ada@example.com", tags=["seg:new"])
    ours = schema()
    reached = {name for name, text in documents(shared).items() if not validate(ours, parse(text))} - IN_BULK
    assert reached == SUPPORTED.keys()
    for name in sorted(reached):
        answer = strict.ask(documents(shared)[name], **({"id": ada} | SUPPORTED[name]))
        assert "errors" not in answer, (name, answer["errors"])
    assert strict.tags() == {"ada@example.com": []}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("{ shop { colour } }", "colour"),
        ("{ customers(first: 1) { nodes { email } } }", "deprecated"),
        ("{ customers(first: 1, sorting: ID) { nodes { id } } }", "sorting"),
        ('mutation { tagsAdd(id: 5, tag: "x") { node { id } } }', "tag"),
        ("{ shop { name }", "Syntax Error"),
    ],
)
def test_a_document_that_shopify_would_not_take_is_refused(strict, query, why):
    answer = strict.ask(query)
    assert why in " ".join(error["message"] for error in answer["errors"])
    assert "data" not in answer


def test_the_vetted_bulk_queries_within_the_stand_ins_reach_run(strict, shared):
    ours = schema()
    for name in sorted(IN_BULK):
        text = documents(shared)[name]
        answer = strict.data(documents(shared)["bulk_run_query"], query=text)["bulkOperationRunQuery"]
        assert answer["userErrors"] == [] or validate(ours, parse(text)), (name, answer)


def test_a_document_beyond_the_stand_in_is_refused_though_it_is_right(strict, shared):
    answer = strict.ask(documents(shared)["abandonment_by_checkout"], id="gid://shopify/AbandonedCheckout/1")
    assert "abandonment" in answer["errors"][0]["message"]


def test_all_of_the_stand_ins_schema_is_in_shopifys_own(schema_path):
    real = official(schema_path)
    for name, kind in schema().type_map.items():
        assert list(differences(kind, real.type_map.get(name))) == [], name


def differences(ours: GraphQLNamedType, real):
    """Yield where a type of ours says something that Shopify's does not."""
    if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in ours.fields.items():
            theirs = real.fields.get(name)
            if theirs is None or str(theirs.type) != str(field.type) or theirs.deprecation_reason:
                yield name
                continue
            for argument, one in field.args.items():
                if argument not in theirs.args or str(theirs.args[argument].type) != str(one.type):
                    yield f"{name}({argument})"
                elif theirs.args[argument].default_value != one.default_value:
                    yield f"{name}({argument} = {one.default_value})"
            yield from (
                f"{name}({other})"
                for other, one in theirs.args.items()
                if str(one.type).endswith("!") and other not in field.args
            )
    elif isinstance(ours, GraphQLInputObjectType):
        yield from (name for name, field in ours.fields.items() if str(real.fields[name].type) != str(field.type))
    elif is_enum_type(ours) and is_enum_type(real):
        yield from ours.values.keys() - real.values.keys()
