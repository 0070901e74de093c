"""Bulk operations of Shopify's stand-in: what may be asked, how one runs by the clock, and what its file holds."""

import json

import pytest
import requests

from plugin.sandbox.shop import Shop
from plugin.sandbox.webhooks import Sender
from tests.sandbox.conftest import opened, running_shopify

RUN = """mutation Run($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: false) {
  bulkOperation { id status type } userErrors { code field message } } }"""
STATUS = """query Status($id: ID!) { bulkOperation(id: $id) {
  id type status errorCode createdAt completedAt objectCount rootObjectCount fileSize url partialDataUrl } }"""
CUSTOMERS = "{ customers { edges { node { id defaultEmailAddress { emailAddress } } } } }"
ORDERS = """{ orders(query: "updated_at:>='%s'") { edges { node {
  id name totalPriceSet { shopMoney { amount } } refunds { id createdAt }
  lineItems { edges { node { id quantity product { id } } } } } } } }"""
FIVE_MORE = " ".join(f"{name}: lineItems {{ edges {{ node {{ id }} }} }}" for name in "abcde")
SIX_CONNECTIONS = f"{{ orders {{ edges {{ node {{ id {FIVE_MORE} }} }} }} }}"


def run(shopify, query):
    return shopify.data(RUN, query=query)["bulkOperationRunQuery"]


def started(shopify, query=CUSTOMERS):
    answer = run(shopify, query)
    assert answer["userErrors"] == []
    return answer["bulkOperation"]["id"]


def status(shopify, id_):
    return shopify.data(STATUS, id=id_)["bulkOperation"]


def finished(shopify, clock, query=CUSTOMERS):
    id_ = started(shopify, query)
    clock.pass_(5)
    return status(shopify, id_)


def lines(operation, headers=None):
    answer = requests.get(operation["url"], headers=headers, timeout=10)
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def shop(shopify, clock):
    return Shop(shopify.stand_in.state, shopify.stand_in.store, seed=3, until=clock(), customers=30)


def test_a_query_runs_by_the_clock_and_leaves_a_file_without_a_token(shopify, clock):
    shopify.add("ada@example.com", "bob@example.com")
    id_ = started(shopify)
    assert (status(shopify, id_)["status"], status(shopify, id_)["url"]) == ("RUNNING", None)
    clock.pass_(5)
    operation = status(shopify, id_)
    assert (operation["status"], operation["objectCount"], operation["rootObjectCount"]) == ("COMPLETED", "2", "2")
    assert int(operation["fileSize"]) == len(requests.get(operation["url"], timeout=10).content)
    assert [one["defaultEmailAddress"]["emailAddress"] for one in lines(operation)] == [
        "ada@example.com",
        "bob@example.com",
    ]


def test_what_is_nested_comes_in_lines_of_its_own_that_name_their_parent(shopify, clock, shop):
    operation = finished(shopify, clock, ORDERS % "2000-01-01T00:00:00Z")
    found = lines(operation)
    parents = [one["id"] for one in found if "__parentId" not in one]
    children = [one for one in found if "__parentId" in one]
    assert len(parents) == shopify.stand_in.state.count("order") == int(operation["rootObjectCount"])
    assert {one["__parentId"] for one in children} == set(parents)
    assert len(found) == int(operation["objectCount"])
    assert any(one["refunds"] for one in found if "__parentId" not in one)
    assert all("lineItems" not in one for one in found)


def test_children_stand_beside_their_parents_only_when_that_is_asked_for(shopify, clock, shop):
    query = ORDERS % "2000-01-01T00:00:00Z"

    def beside():
        clock.pass_(5)
        [operation] = list(shopify.stand_in.bulk.operations())[-1:]
        parent, strayed = None, 0
        for one in lines(status(shopify, f"gid://shopify/BulkOperation/{operation['id']}")):
            parent = one["id"] if "__parentId" not in one else parent
            strayed += one.get("__parentId", parent) != parent
        return strayed == 0

    started(shopify, query)
    assert not beside()
    shopify.data(RUN.replace("groupObjects: false", "groupObjects: true"), query=query)
    assert beside()


def test_a_search_narrows_what_is_found(shopify, clock, shop):
    assert lines(finished(shopify, clock, ORDERS % "2026-11-01T00:00:00Z"))
    assert finished(shopify, clock, ORDERS % "2030-01-01T00:00:00Z")["url"] is None


def test_what_was_not_approved_reads_as_null(state, clock):
    with running_shopify(state, clock, unapproved={"Customer.defaultEmailAddress"}) as shopify:
        [ada] = shopify.add("ada@example.com")
        assert lines(finished(shopify, clock)) == [{"id": ada, "defaultEmailAddress": None}]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "syntax error"),
        ("{ shop { name } }", "at least one connection"),
        ('{ node(id: "gid://shopify/Customer/1") { id } }', "top level `node`"),
        ("{ customers { nodes { id } } }", "'edges' > 'node'"),
        ("{ customers { edges { node { colour } } } }", "colour"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "select the 'id'"),
        (
            "{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }",
            "connection field within a list field",
        ),
        ('mutation { tagsAdd(id: "1", tags: []) { node { id } } }', "Only `query` operations"),
        (SIX_CONNECTIONS, "more than 5 connections"),
    ],
)
def test_a_query_beyond_the_limits_is_refused(shopify, query, why):
    answer = run(shopify, query)
    assert answer["bulkOperation"] is None
    assert why.casefold() in " ".join(error["message"] for error in answer["userErrors"]).casefold()
    assert {error["code"] for error in answer["userErrors"]} == {"INVALID"}


def test_five_run_at_once_and_no_sixth(shopify, clock):
    ids = [started(shopify) for _ in range(5)]
    assert [one["code"] for one in run(shopify, CUSTOMERS)["userErrors"]] == ["OPERATION_IN_PROGRESS"]
    clock.pass_(5)
    assert {status(shopify, id_)["status"] for id_ in ids} == {"COMPLETED"}
    started(shopify)
    listed = shopify.data('{ bulkOperations(first: 10, query: "status:running") { nodes { id type } } }')
    assert len(listed["bulkOperations"]["nodes"]) == 1


def test_one_that_is_cancelled_says_so_and_ends(shopify, clock):
    id_ = started(shopify)
    cancel = "mutation C($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }"
    assert shopify.data(cancel, id=id_)["bulkOperationCancel"]["bulkOperation"]["status"] == "CANCELING"
    clock.pass_(5)
    assert status(shopify, id_)["status"] == "CANCELED"


def test_a_part_of_a_file_is_given_to_whoever_asks_for_it(shopify, clock):
    shopify.add("ada@example.com", "bob@example.com")
    url = finished(shopify, clock)["url"]
    whole = requests.get(url, timeout=10).content
    part = requests.get(url, headers={"Range": "bytes=20-"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole[20:])
    shopify.stand_in.bulk.ranges = False
    assert requests.get(url, headers={"Range": "bytes=20-"}, timeout=10).content == whole


def test_a_file_is_gone_after_a_week_and_cannot_be_guessed(shopify, clock):
    shopify.add("ada@example.com")
    operation = finished(shopify, clock)
    assert len(operation["url"].rsplit("/", 1)[1]) > 30
    assert requests.get(operation["url"].replace(".jsonl", "x.jsonl"), timeout=10).status_code == 400
    clock.pass_(7 * 86_400)
    assert requests.get(operation["url"], timeout=10).status_code == 400
    assert (status(shopify, operation["id"])["status"], status(shopify, operation["id"])["url"]) == ("EXPIRED", None)


@pytest.mark.parametrize(
    ("fault", "ended"),
    [
        ("failed", ("FAILED", "INTERNAL_SERVER_ERROR")),
        ("denied", ("FAILED", "ACCESS_DENIED")),
        ("cut", ("COMPLETED", None)),
    ],
)
def test_what_can_go_wrong_goes_wrong_on_demand(shopify, clock, fault, ended):
    shopify.add(*(f"{n}@example.com" for n in range(10)))
    shopify.stand_in.faults.add(fault, body="bulkOperationRunQuery")
    operation = finished(shopify, clock)
    assert (operation["status"], operation["errorCode"]) == ended
    url = operation["url"] or operation["partialDataUrl"]
    if fault == "denied":
        assert url is None
        return
    text = requests.get(url, timeout=10).text
    assert text.endswith("\n") is (fault == "failed")
    assert 0 < text.count("\n") < 10


def test_a_slow_one_takes_longer_and_an_expired_one_has_no_file(shopify, clock):
    shopify.add("ada@example.com")
    shopify.stand_in.faults.add("slow", body="bulkOperationRunQuery", seconds=60)
    assert finished(shopify, clock)["status"] == "RUNNING"
    shopify.stand_in.faults.add("expired", body="bulkOperationRunQuery")
    assert requests.get(finished(shopify, clock)["url"], timeout=10).status_code == 400
    shopify.stand_in.faults.add("busy", body="bulkOperationRunQuery")
    assert [one["code"] for one in run(shopify, CUSTOMERS)["userErrors"]] == ["OPERATION_IN_PROGRESS"]


def test_the_end_of_one_is_told_by_webhook(shopify, receiver, clock):
    shopify.stand_in.subscribe("bulk_operations/finish", receiver.url)
    operation = finished(shopify, clock)
    assert receiver.reached.wait(5)
    [(headers, body)] = receiver.received
    told = json.loads(body)
    assert headers["X-Shopify-Topic"] == "bulk_operations/finish"
    assert (told["admin_graphql_api_id"], told["status"], told["type"]) == (operation["id"], "completed", "query")


def test_one_goes_on_after_a_restart(tmp_path, clock):
    path = tmp_path / "practice.sqlite"
    with opened(path) as state, running_shopify(state, clock) as shopify:
        shopify.add("ada@example.com")
        id_ = started(shopify)
    clock.pass_(5)
    with opened(path) as state, running_shopify(state, clock, sender=Sender()) as shopify:
        operation = status(shopify, id_)
        assert operation["status"] == "COMPLETED"
        assert len(lines(operation)) == 1


def test_orders_are_also_to_be_had_in_pages_and_one_by_one(shopify, shop):
    page = """query P($after: String) {
      orders(first: 20, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"""
    seen, after = [], None
    while True:
        found = shopify.data(page, after=after)["orders"]
        seen += [one["id"] for one in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == shopify.stand_in.state.count("order")
    refunded = shopify.data(
        """query N($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id refunds { id
          refundLineItems(first: 5) { nodes { quantity lineItem { id } } pageInfo { hasNextPage } }
          transactions(first: 5) { nodes { kind status amountSet { shopMoney { amount } } } } } } } }""",
        ids=seen[:10],
    )
    assert [one["id"] for one in refunded["nodes"]] == seen[:10]
