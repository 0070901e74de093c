"""Shopify's stand-in answers as the real one does: tags, pages, look-ups, subscriptions, and who may ask at all."""

import json

import pytest
import requests

from tests.sandbox.conftest import TOKEN, running_shopify

ADD = """
mutation($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}"""
REMOVE = ADD.replace("tagsAdd", "tagsRemove")
SUBSCRIBE = """
mutation($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri format includeFields name apiVersion { handle } } userErrors { field message }
  }
}"""
LIST = "{ webhookSubscriptions(first: 10) { nodes { id topic uri } } }"
UNKNOWN = "gid://shopify/Customer/404"


def errors(answer, field="tagsAdd"):
    return [(error["field"], error["message"]) for error in answer[field]["userErrors"]]


@pytest.fixture
def ada(shopify):
    [id_] = shopify.add("Ada@example.com", tags=["VIP friend"])
    return id_


class TestAccess:
    def test_a_wrong_token_is_refused_as_by_the_real_one(self, shopify):
        answer = shopify.post("{ shop { name } }", token="stolen")
        assert answer.status_code == 401
        assert answer.json() == {
            "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"
        }

    def test_an_unknown_version_is_no_address(self, shopify):
        url = f"{shopify.server.origin}/admin/api/latest/graphql.json"
        headers = {"X-Shopify-Access-Token": TOKEN}
        assert requests.post(url, json={"query": "{ shop { name } }"}, headers=headers, timeout=5).status_code == 404

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"query": 5}', b"\xff"])
    def test_a_body_without_a_query_is_a_bad_request(self, shopify, body):
        headers = {"X-Shopify-Access-Token": TOKEN}
        assert requests.post(shopify.url, data=body, headers=headers, timeout=5).status_code == 400


class TestTags:
    def test_tags_are_added_beside_those_held(self, shopify, ada):
        answer = shopify.data(ADD, id=ada, tags=["seg:vip", "seg:new"])
        assert answer == {"tagsAdd": {"node": {"id": ada}, "userErrors": []}}
        assert shopify.tags() == {"Ada@example.com": ["VIP friend", "seg:vip", "seg:new"]}

    def test_case_tells_no_tags_apart_and_the_first_spelling_stays(self, shopify, ada):
        shopify.data(ADD, id=ada, tags=["vip FRIEND", "Gold", " gold "])
        assert shopify.tags() == {"Ada@example.com": ["VIP friend", "Gold"]}

    def test_tags_are_removed_in_any_case_and_absent_ones_do_no_harm(self, shopify, ada):
        assert errors(shopify.data(REMOVE, id=ada, tags=["vip friend", "absent"]), "tagsRemove") == []
        assert shopify.tags() == {"Ada@example.com": []}

    def test_adding_and_removing_in_one_request_both_happen(self, shopify, ada):
        both = """mutation($id: ID!, $add: [String!]!, $remove: [String!]!) {
          add: tagsAdd(id: $id, tags: $add) { userErrors { message } }
          remove: tagsRemove(id: $id, tags: $remove) { userErrors { message } }
        }"""
        answer = shopify.data(both, id=ada, add=["seg:vip"], remove=["VIP friend"])
        assert answer == {"add": {"userErrors": []}, "remove": {"userErrors": []}}
        assert shopify.tags() == {"Ada@example.com": ["seg:vip"]}

    @pytest.mark.parametrize("tags", [["fine", "a,b"], ["fine", "x" * 256]])
    def test_a_tag_that_cannot_be_one_is_refused_and_so_are_those_beside_it(self, shopify, ada, tags):
        [(field, _)] = errors(shopify.data(ADD, id=ada, tags=tags))
        assert field == ["tags"]
        assert shopify.tags() == {"Ada@example.com": ["VIP friend"]}

    def test_a_tag_may_have_255_characters(self, shopify, ada):
        assert errors(shopify.data(ADD, id=ada, tags=["x" * 255])) == []

    def test_a_customer_holds_250_tags_and_no_more(self, shopify, ada):
        assert errors(shopify.data(ADD, id=ada, tags=[f"t{n}" for n in range(249)])) == []
        [(field, message)] = errors(shopify.data(ADD, id=ada, tags=["one more"]))
        assert (field, "250" in message) == (["tags"], True)
        assert errors(shopify.data(ADD, id=ada, tags=["T5"])) == []
        assert len(shopify.tags()["Ada@example.com"]) == 250

    @pytest.mark.parametrize("id_", [UNKNOWN, "gid://shopify/Product/1"])
    def test_an_unknown_customer_is_a_user_error_and_nobody_is_made(self, shopify, ada, id_):
        answer = shopify.data(ADD, id=id_, tags=["seg:vip"])
        assert answer["tagsAdd"]["node"] is None
        assert errors(answer) == [(["id"], "Resource does not exist")]
        assert len(shopify.tags()) == 1

    def test_a_change_of_tags_moves_updated_at_and_one_that_changes_nothing_does_not(self, shopify, ada, clock):
        asked = "query($id: ID!) { customer(id: $id) { updatedAt } }"
        clock.pass_(60)
        shopify.data(ADD, id=ada, tags=["vip friend"])
        assert shopify.data(asked, id=ada)["customer"]["updatedAt"] == "2026-11-22T12:00:00Z"
        shopify.data(ADD, id=ada, tags=["gold"])
        assert shopify.data(asked, id=ada)["customer"]["updatedAt"] == "2026-11-22T12:01:00Z"


class TestTagWebhooks:
    @pytest.fixture(autouse=True)
    def _subscribed(self, shopify, receiver):
        for topic in ("CUSTOMER_TAGS_ADDED", "CUSTOMER_TAGS_REMOVED"):
            shopify.data(SUBSCRIBE, topic=topic, sub={"uri": receiver.url})

    def sent(self, shopify, receiver):
        assert shopify.stand_in.sender.flush()
        return [(headers["X-Shopify-Topic"], json.loads(body)) for headers, body in receiver.received]

    def test_only_tags_that_really_came_or_went_are_told(self, shopify, receiver, ada):
        shopify.data(ADD, id=ada, tags=["vip friend", "gold"])
        shopify.data(REMOVE, id=ada, tags=["GOLD", "absent"])
        said = {"customerId": ada, "tags": ["gold"], "occurredAt": "2026-11-22T12:00:00.000Z"}
        assert self.sent(shopify, receiver) == [("customer.tags_added", said), ("customer.tags_removed", said)]

    def test_a_write_that_changes_nothing_is_not_told(self, shopify, receiver, ada):
        shopify.data(ADD, id=ada, tags=["vip friend"])
        shopify.data(REMOVE, id=ada, tags=["absent"])
        shopify.data(ADD, id=ada, tags=["a,b"])
        assert self.sent(shopify, receiver) == []


class TestSubscriptions:
    def test_a_subscription_is_made_listed_and_deleted(self, shopify, receiver):
        sub = {"uri": receiver.url, "includeFields": ["id"], "name": "orders"}
        made = shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub=sub)["webhookSubscriptionCreate"]
        assert made["userErrors"] == []
        subscription = made["webhookSubscription"]
        assert subscription | {"id": ""} == {
            "id": "",
            "topic": "ORDERS_CREATE",
            "uri": receiver.url,
            "format": "JSON",
            "includeFields": ["id"],
            "name": "orders",
            "apiVersion": {"handle": "2026-10"},
        }
        [listed] = shopify.data(LIST)["webhookSubscriptions"]["nodes"]
        assert listed["id"] == subscription["id"]
        delete = """mutation($id: ID!) {
          webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field } }
        }"""
        answer = shopify.data(delete, id=listed["id"])["webhookSubscriptionDelete"]
        assert answer == {"deletedWebhookSubscriptionId": listed["id"], "userErrors": []}
        assert shopify.data(LIST)["webhookSubscriptions"]["nodes"] == []
        assert shopify.data(delete, id=listed["id"])["webhookSubscriptionDelete"]["userErrors"] == [{"field": ["id"]}]

    @pytest.mark.parametrize("uri", [None, "", "http://shop.example.com/hooks", "ftp://127.0.0.1/"])
    def test_an_address_that_cannot_be_told_is_refused(self, shopify, uri):
        answer = shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub={"uri": uri})
        assert answer["webhookSubscriptionCreate"]["webhookSubscription"] is None
        assert errors(answer, "webhookSubscriptionCreate")

    def test_one_address_is_told_of_a_topic_once(self, shopify, receiver):
        for _ in range(2):
            answer = shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub={"uri": receiver.url})
        [(_, message)] = errors(answer, "webhookSubscriptionCreate")
        assert message == "Address for this topic has already been taken"

    def test_a_topic_nobody_knows_is_refused(self, shopify, receiver):
        assert "errors" in shopify.ask(SUBSCRIBE, topic="ORDERS_BURNT", sub={"uri": receiver.url})

    def test_a_webhook_goes_to_its_subscribers_alone_with_the_fields_they_asked_for(self, shopify, receiver):
        shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub={"uri": receiver.url, "includeFields": ["id", "updated_at"]})
        assert shopify.stand_in.emit("orders/create", {"id": 1, "updated_at": "now", "email": "ada@example.com"}) == 1
        assert shopify.stand_in.emit("orders/paid", {"id": 1}) == 0
        assert shopify.stand_in.sender.flush()
        [(_, body)] = receiver.received
        assert json.loads(body) == {"id": 1, "updated_at": "now"}

    def test_the_compliance_topics_are_subscribed_by_configuration_and_never_listed(self, shopify, receiver):
        shopify.stand_in.subscribe("customers/redact", receiver.url)
        assert shopify.stand_in.emit("customers/redact", {"shop_id": 1}) == 1
        assert shopify.stand_in.sender.flush()
        assert receiver.topics == ["customers/redact"]
        assert shopify.data(LIST)["webhookSubscriptions"]["nodes"] == []

    def test_an_address_that_fails_to_the_end_is_dropped_unless_configured(self, state, clock, receiver):
        with running_shopify(state, clock, sender=None) as shopify:
            shopify.stand_in.sender.retries = (0,) * 8
            shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub={"uri": receiver.url})
            shopify.stand_in.subscribe("orders/create", receiver.url)
            receiver.answers.extend([500] * 18)
            assert shopify.stand_in.emit("orders/create", {"id": 1}) == 2
            assert shopify.stand_in.sender.flush()
            assert shopify.data(LIST)["webhookSubscriptions"]["nodes"] == []
            assert shopify.stand_in.emit("orders/create", {"id": 2}) == 1


class TestReading:
    PAGE = """query($first: Int, $after: String, $query: String, $sortKey: CustomerSortKeys, $reverse: Boolean) {
      customers(first: $first, after: $after, query: $query, sortKey: $sortKey, reverse: $reverse) {
        nodes { legacyResourceId defaultEmailAddress { emailAddress } }
        edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    }"""

    def emails(self, shopify, **variables):
        nodes = shopify.data(self.PAGE, first=50, **variables)["customers"]["nodes"]
        return [node["defaultEmailAddress"]["emailAddress"] for node in nodes]

    @pytest.mark.parametrize("key", ["ID", "UPDATED_AT"])
    @pytest.mark.parametrize("reverse", [False, True])
    def test_pages_hold_every_customer_once(self, shopify, clock, key, reverse):
        for number in range(23):
            shopify.add(f"c{number}@example.com")
            clock.pass_(number % 3)
        seen, after = [], None
        while True:
            page = shopify.data(self.PAGE, first=5, after=after, sortKey=key, reverse=reverse)["customers"]
            seen += [node["defaultEmailAddress"]["emailAddress"] for node in page["nodes"]]
            assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        expected = [f"c{number}@example.com" for number in range(23)]
        assert seen == expected[::-1] if reverse else expected

    def test_pages_need_a_size_that_shopify_gives(self, shopify):
        for first in (None, 0, 251):
            assert "first" in shopify.ask(self.PAGE, first=first)["errors"][0]["message"]

    def test_a_cursor_of_ones_own_making_is_an_error(self, shopify):
        assert "cursor" in shopify.ask(self.PAGE, first=5, after="nonsense")["errors"][0]["message"]

    def test_customers_are_found_by_what_changed_since(self, shopify, clock):
        shopify.add("old@example.com")
        clock.pass_(60)
        shopify.add("new@example.com")
        assert self.emails(shopify, query="updated_at:>='2026-11-22T12:01:00Z'") == ["new@example.com"]
        assert self.emails(shopify, query="updated_at:>2026-11-22T12:01:00Z") == []
        assert self.emails(shopify, query="updated_at:<'2026-11-22T12:01:00+00:00'") == ["old@example.com"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ('email:"ADA@example.com"', ["ada@example.com"]),
            ("email:ada@example.com OR email:bob@example.com", ["ada@example.com", "bob@example.com"]),
            ("tag:'vip friend'", ["bob@example.com"]),
            ("tag:gold tag:vip\\ friend OR email:cat@example.com", None),
            ("tag:gold AND tag:\"VIP friend\"", ["bob@example.com"]),
            ("", ["ada@example.com", "bob@example.com", "cat@example.com"]),
        ],
    )  # fmt: skip
    def test_customers_are_found_by_address_and_tag(self, shopify, query, found):
        shopify.add("ada@example.com", tags=["gold"])
        shopify.add("bob@example.com", tags=["VIP friend", "gold"])
        shopify.add("cat@example.com")
        if found is None:
            assert "errors" in shopify.ask(self.PAGE, first=5, query=query)
        else:
            assert self.emails(shopify, query=query) == found

    @pytest.mark.parametrize("query", ["country:Canada", "ada", "updated_at:>yesterday"])
    def test_a_search_that_is_not_understood_is_an_error_and_never_everybody(self, shopify, query):
        assert "errors" in shopify.ask(self.PAGE, first=5, query=query)

    def test_a_customer_is_found_by_address_in_any_case_and_nobody_is_made(self, shopify, ada):
        asked = "query($e: String!) { customerByIdentifier(identifier: {emailAddress: $e}) { id tags } }"
        assert shopify.data(asked, e="ADA@example.COM")["customerByIdentifier"] == {"id": ada, "tags": ["VIP friend"]}
        assert shopify.data(asked, e="bob@example.com")["customerByIdentifier"] is None
        assert len(shopify.tags()) == 1

    def test_one_document_may_look_up_many_by_alias(self, shopify):
        ids = shopify.add("a@example.com", "b@example.com")
        parts = [
            f'c{n}: customerByIdentifier(identifier: {{emailAddress: "{name}@example.com"}}) {{ ...Known }}'
            for n, name in enumerate("axb")
        ]
        answer = shopify.data(f"{{ {' '.join(parts)} }} fragment Known on Customer {{ id }}")
        assert answer == {"c0": {"id": ids[0]}, "c1": None, "c2": {"id": ids[1]}}

    def test_nodes_keep_the_order_of_their_ids_and_are_null_for_nobody(self, shopify):
        ids = shopify.add("a@example.com", "b@example.com")
        asked = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { tags } } }"
        nodes = shopify.data(asked, ids=[ids[1], UNKNOWN, ids[0]])["nodes"]
        assert nodes == [{"id": ids[1], "tags": []}, None, {"id": ids[0], "tags": []}]

    def test_a_customer_is_told_in_full(self, shopify):
        [ada] = shopify.add(
            "ada@example.com",
            first_name="Ada",
            phone="+447700900001",
            spent_minor=12_345,
            orders=3,
            consent={"state": "subscribed", "level": "single_opt_in", "at": "2026-01-02T03:04:05Z"},
        )
        asked = """query($id: ID!) { customer(id: $id) {
          legacyResourceId displayName locale state numberOfOrders amountSpent { amount currencyCode }
          defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }
          defaultPhoneNumber { phoneNumber } defaultAddress { city }
        } }"""
        assert shopify.data(asked, id=ada)["customer"] == {
            "legacyResourceId": ada.rpartition("/")[2],
            "displayName": "Ada",
            "locale": "en",
            "state": "DISABLED",
            "numberOfOrders": "3",
            "amountSpent": {"amount": "123.45", "currencyCode": "GBP"},
            "defaultEmailAddress": {
                "emailAddress": "ada@example.com",
                "marketingState": "SUBSCRIBED",
                "marketingOptInLevel": "SINGLE_OPT_IN",
                "marketingUpdatedAt": "2026-01-02T03:04:05Z",
            },
            "defaultPhoneNumber": {"phoneNumber": "+447700900001"},
            "defaultAddress": None,
        }

    def test_the_app_may_do_what_its_scopes_say(self, state, clock):
        with running_shopify(state, clock, scopes=["read_customers"]) as shopify:
            scopes = shopify.data("{ currentAppInstallation { accessScopes { handle } } }")
        assert scopes == {"currentAppInstallation": {"accessScopes": [{"handle": "read_customers"}]}}

    def test_counts_stop_at_their_limit(self, shopify):
        shopify.add("a@example.com", "b@example.com")
        asked = "query($n: Int) { customersCount(limit: $n) { count precision } ordersCount { count precision } }"
        assert shopify.data(asked, n=1)["customersCount"] == {"count": 1, "precision": "AT_LEAST"}
        assert shopify.data(asked, n=None) == {
            "customersCount": {"count": 2, "precision": "EXACT"},
            "ordersCount": {"count": 0, "precision": "EXACT"},
        }


class TestErrors:
    def test_data_stands_beside_errors(self, shopify):
        answer = shopify.ask('{ shop { name } customer(id: "nonsense") { id } }')
        assert answer["data"] == {"shop": {"name": "Practice Shop"}, "customer": None}
        assert [error["path"] for error in answer["errors"]] == [["customer"]]

    @pytest.mark.parametrize(
        "query",
        ["{ shop {", "{ shop { colour } }", "{ customer { id } }", "mutation { tagsBurn { id } }", "{ shop }"],
    )
    def test_a_wrong_document_is_refused_with_status_200_and_without_data(self, shopify, query):
        answer = shopify.ask(query)
        assert answer["errors"]
        assert "data" not in answer

    def test_a_missing_variable_is_an_error(self, shopify):
        assert "errors" in shopify.ask(ADD, tags=["gold"])

    def test_of_several_operations_one_must_be_named(self, shopify):
        assert "errors" in shopify.ask("query A { shop { name } } query B { shop { id } }")


def test_customers_and_subscriptions_survive_a_restart(state, clock, receiver):
    with running_shopify(state, clock) as shopify:
        [ada] = shopify.add("ada@example.com")
        shopify.data(ADD, id=ada, tags=["gold"])
        shopify.data(SUBSCRIBE, topic="ORDERS_CREATE", sub={"uri": receiver.url})
    with running_shopify(state, clock) as shopify:
        assert shopify.tags() == {"ada@example.com": ["gold"]}
        assert len(shopify.data(LIST)["webhookSubscriptions"]["nodes"]) == 1
        [bob] = shopify.add("bob@example.com")
    assert bob != ada
