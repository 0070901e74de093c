"""What documents cost at Shopify's stand-in, and what happens to those who spend too fast."""

import pytest

from plugin.sandbox.shopify.cost import Bucket
from tests.sandbox.conftest import running_shopify

PAGE = "query($n: Int!) { customers(first: $n) { nodes { id tags amountSpent { amount } } pageInfo { hasNextPage } } }"
ADD = """
mutation($id: ID!) {
  a: tagsAdd(id: $id, tags: ["x"]) { node { id } }
  b: tagsRemove(id: $id, tags: ["x"]) { node { id } }
}"""


def cost(answer):
    return answer["extensions"]["cost"]


@pytest.mark.parametrize(
    ("query", "variables", "requested", "actual"),
    [
        ("{ shop { name id } }", {}, 1, 1),
        ("{ shop { name plan { shopifyPlus } primaryDomain { host } } }", {}, 3, 3),
        ("{ customersCount { count } ordersCount { count } }", {}, 2, 2),
        (PAGE, {"n": 10}, 2 + 10 * 2, 2 + 3 * 2),
        ("query($n: Int = 20) { customers(first: $n) { edges { node { id } } } }", {}, 2 + 20, 2 + 3),
        ("{ ...Q } fragment Q on QueryRoot { a: shop { id } b: shop { ... { id } } }", {}, 2, 2),
        ('{ customerByIdentifier(identifier: {emailAddress: "nobody@example.com"}) { id } }', {}, 1, 0),
        ("{ currentAppInstallation { accessScopes { handle } } }", {}, 2, 2),
        (ADD, {"id": "gid://shopify/Customer/1"}, 20, 20),
    ],
)
def test_a_document_is_priced_before_it_runs_and_after(shopify, query, variables, requested, actual):
    shopify.add("a@example.com", "b@example.com", "c@example.com")
    priced = cost(shopify.ask(query, **variables))
    assert (priced["requestedQueryCost"], priced["actualQueryCost"]) == (requested, actual)


def test_nodes_cost_as_many_as_are_asked_for(shopify):
    [ada] = shopify.add("ada@example.com")
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id amountSpent { amount } } } }"
    priced = cost(shopify.ask(query, ids=[ada, *("gid://shopify/Customer/404",) * 9]))
    assert (priced["requestedQueryCost"], priced["actualQueryCost"]) == (20, 2)


def test_the_bucket_pays_for_what_was_found_and_refills_with_time(shopify, clock):
    shopify.add("a@example.com")
    status = cost(shopify.ask(PAGE, n=100))["throttleStatus"]
    assert status == {"maximumAvailable": 2000, "currentlyAvailable": 2000 - 4, "restoreRate": 100}
    shopify.stand_in.bucket.available = 500
    clock.pass_(3)
    assert cost(shopify.ask("{ shop { id } }"))["throttleStatus"]["currentlyAvailable"] == 500 + 300 - 1
    clock.pass_(3600)
    assert cost(shopify.ask("{ shop { id } }"))["throttleStatus"]["currentlyAvailable"] == 2000 - 1


def test_a_short_bucket_throttles_with_status_200_and_does_nothing(shopify, clock):
    [ada] = shopify.add("ada@example.com", tags=["x"])
    shopify.stand_in.bucket.available = 15
    answer = shopify.ask(ADD, id=ada)
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in answer
    assert cost(answer) == {
        "requestedQueryCost": 20,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 15, "restoreRate": 100},
    }
    assert shopify.tags() == {"ada@example.com": ["x"]}
    clock.pass_(0.05)
    assert shopify.data(ADD, id=ada)
    assert shopify.tags() == {"ada@example.com": []}


def test_a_single_query_may_cost_1000_points_and_no_more(shopify):
    parts = " ".join(f"page{n}: customers(first: $n) {{ nodes {{ id }} }}" for n in range(4))
    query = f"query($n: Int!) {{ {parts} }}"
    assert cost(shopify.ask(query, n=248))["requestedQueryCost"] == 1_000
    [error] = shopify.ask(query, n=249)["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert (error["extensions"]["cost"], error["extensions"]["maxCost"]) == (1_004, 1_000)


def test_lists_hold_250_items_and_no_more(shopify):
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert "errors" not in shopify.ask(query, ids=["gid://shopify/Customer/1"] * 250)
    [error] = shopify.ask(query, ids=["gid://shopify/Customer/1"] * 251)["errors"]
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    [error] = shopify.ask(f"{{ nodes(ids: {['gid://shopify/Customer/1'] * 251}) {{ id }} }}".replace("'", '"'))[
        "errors"
    ]
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


@pytest.mark.parametrize(
    ("plan", "rate"), [("standard", 100), ("advanced", 200), ("plus", 1_000), ("enterprise", 2_000)]
)
def test_dearer_plans_refill_faster(state, clock, plan, rate):
    with running_shopify(state, clock, plan=plan) as shopify:
        status = cost(shopify.ask("{ shop { id } }"))["throttleStatus"]
    assert (status["restoreRate"], status["maximumAvailable"]) == (rate, 20 * rate)


def test_a_clock_that_is_set_back_takes_nothing_out_of_the_bucket(clock):
    bucket = Bucket(100, 10, clock)
    assert bucket.take(60)
    clock.pass_(-3600)
    assert bucket.status()["currentlyAvailable"] == 40
    clock.pass_(2)
    assert bucket.status()["currentlyAvailable"] == 60
