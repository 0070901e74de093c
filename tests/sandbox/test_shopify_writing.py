"""Writing much at once to Shopify's stand-in: uploads, bulk mutations, metafields, and its own segments."""

import json

import pytest
import requests

from tests.sandbox.conftest import opened, running_shopify

STAGE = """mutation { stagedUploadsCreate(input: [{resource: BULK_MUTATION_VARIABLES, filename: "vars.jsonl",
  mimeType: "text/jsonl", httpMethod: POST}]) { stagedTargets { url parameters { name value } } } }"""
RUN = """mutation Run($mutation: String!, $path: String!, $name: String) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path, clientIdentifier: $name) {
    bulkOperation { id } userErrors { code message } } }"""
STATUS = "query S($id: ID!) { bulkOperation(id: $id) { status url query type } }"
ADD = "mutation A($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { userErrors { field message } } }"
SET = """mutation S($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) {
  metafields { namespace value } userErrors { code field elementIndex } } }"""
CLEAR = """mutation C($metafields: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $metafields) {
  deletedMetafields { ownerId } userErrors { field } } }"""
DEFINE = """mutation D($definition: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $definition) {
  createdDefinition { namespace } userErrors { code } } }"""
CREATE = """mutation C($name: String!, $query: String!) { segmentCreate(name: $name, query: $query) {
  segment { id } userErrors { field } } }"""
UPDATE = """mutation U($id: ID!, $name: String) { segmentUpdate(id: $id, name: $name) {
  segment { name } userErrors { field } } }"""
DELETE = "mutation D($id: ID!) { segmentDelete(id: $id) { deletedSegmentId userErrors { field } } }"
VIP = "customer_tags CONTAINS 'seg:vip'"


def staged(shopify):
    [target] = shopify.data(STAGE)["stagedUploadsCreate"]["stagedTargets"]
    return target["url"], {one["name"]: one["value"] for one in target["parameters"]}


def uploaded(shopify, *rows):
    url, fields = staged(shopify)
    content = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    answer = requests.post(url, data=fields, files={"file": ("vars.jsonl", content, "text/jsonl")}, timeout=10)
    assert answer.status_code == 201
    return fields["key"]


def run(shopify, path, mutation=ADD, name=None):
    return shopify.data(RUN, mutation=mutation, path=path, name=name)["bulkOperationRunMutation"]


def codes(answer):
    return [one["code"] for one in answer["userErrors"]]


def result(shopify, clock, path):
    answer = run(shopify, path)
    assert answer["userErrors"] == []
    clock.pass_(5)
    operation = shopify.data(STATUS, id=answer["bulkOperation"]["id"])["bulkOperation"]
    assert (operation["status"], operation["type"], operation["query"]) == ("COMPLETED", "MUTATION", ADD)
    return [json.loads(line) for line in requests.get(operation["url"], timeout=10).text.splitlines()]


def entry(owner, value='["seg:vip"]', **more):
    return {"ownerId": owner, "key": "segments", "type": "list.single_line_text_field", "value": value, **more}


class TestBulkMutations:
    def test_each_line_is_a_mutation_and_its_answer_a_line_with_its_number(self, shopify, clock):
        [ada, bob] = shopify.add("ada@example.com", "bob@example.com")
        rows = [
            {"id": ada, "tags": ["seg:vip"]},
            {"id": "gid://shopify/Customer/1", "tags": ["seg:vip"]},
            {"id": bob, "tags": ["a,b"]},
            {"id": bob, "tags": 5.5},
        ]
        found = result(shopify, clock, uploaded(shopify, *rows))
        assert [one["__lineNumber"] for one in found] == [0, 1, 2, 3]
        fields = [[error["field"] for error in one["data"]["tagsAdd"]["userErrors"]] for one in found[:3]]
        assert fields == [[], [["id"]], [["tags"]]]
        assert found[3]["errors"]
        assert shopify.tags() == {"ada@example.com": ["seg:vip"], "bob@example.com": []}

    def test_what_it_changes_is_told_by_webhook(self, shopify, clock, receiver):
        [ada] = shopify.add("ada@example.com")
        shopify.stand_in.subscribe("customer.tags_added", receiver.url)
        result(shopify, clock, uploaded(shopify, {"id": ada, "tags": ["seg:vip"]}))
        shopify.stand_in.sender.flush()
        assert [json.loads(body)["tags"] for _, body in receiver.received] == [["seg:vip"]]

    def test_a_customer_holds_250_tags_and_no_more(self, shopify, clock):
        [ada] = shopify.add("ada@example.com", tags=[f"t{number}" for number in range(250)])
        [found] = result(shopify, clock, uploaded(shopify, {"id": ada, "tags": ["seg:vip"]}))
        assert found["data"]["tagsAdd"]["userErrors"][0]["field"] == ["tags"]

    def test_only_whoever_has_the_signed_fields_may_leave_a_file(self, shopify):
        url, fields = staged(shopify)
        file = {"file": ("vars.jsonl", "{}", "text/jsonl")}
        for wrong in ({"key": "tmp/1/bulk/other/vars.jsonl"}, {"policy": "mine"}):
            assert requests.post(url, data=fields | wrong, files=file, timeout=10).status_code == 403
        assert requests.post(url, data=fields, timeout=10).status_code == 403
        assert (
            requests.post(url, data=fields | {"Content-Type": "text/html"}, files=file, timeout=10).status_code == 400
        )

    @pytest.mark.parametrize(
        ("mutation", "why"),
        [
            ("{ shop { name } }", "must be a mutation"),
            ("mutation {", "Failed to parse"),
            ("mutation A($id: ID!) { tagsAdd(id: $id) { node { id } } }", "tags"),
            (
                ADD.replace("{ tagsAdd", "{ a: tagsRemove(id: $id, tags: $tags) { node { id } } tagsAdd"),
                "exactly one field",
            ),
        ],
    )
    def test_a_mutation_that_cannot_be_run_is_refused(self, shopify, mutation, why):
        answer = run(shopify, uploaded(shopify, {}), mutation)
        assert codes(answer) == ["INVALID_MUTATION"]
        assert why in answer["userErrors"][0]["message"]

    def test_files_that_are_not_there_or_no_lines_of_objects_are_refused(self, shopify):
        assert codes(run(shopify, "tmp/1/bulk/nothing/vars.jsonl")) == ["NO_SUCH_FILE"]
        assert codes(run(shopify, staged(shopify)[1]["key"])) == ["NO_SUCH_FILE"]
        for wrong in ("", "[1]", "{"):
            assert codes(run(shopify, uploaded(shopify, wrong))) == ["INVALID_STAGED_UPLOAD_FILE"]

    def test_five_run_at_once_and_the_name_has_a_length(self, shopify, clock):
        path = uploaded(shopify, {"id": "gid://shopify/Customer/1", "tags": []})
        assert codes(run(shopify, path, name="short")) == ["INVALID_MUTATION"]
        assert [codes(run(shopify, path, name="long enough")) for _ in range(6)] == [[]] * 5 + [
            ["OPERATION_IN_PROGRESS"]
        ]
        clock.pass_(5)
        operations = shopify.data("{ bulkOperations(first: 5) { nodes { status } } }")["bulkOperations"]["nodes"]
        assert [one["status"] for one in operations] == ["COMPLETED"] * 5
        assert codes(run(shopify, path)) == []
        assert len(shopify.stand_in.mutations.operations()) == 6


class TestMetafields:
    def test_a_list_is_kept_in_the_apps_own_namespace_and_taken_away(self, shopify):
        [ada] = shopify.add("ada@example.com")
        [kept] = shopify.data(SET, metafields=[entry(ada)])["metafieldsSet"]["metafields"]
        assert kept == {"namespace": "app--7100001", "value": '["seg:vip"]'}
        assert shopify.stand_in.metafields.held() == {ada: ["seg:vip"]}
        wanted = [{"ownerId": ada, "namespace": "$app", "key": "segments"}]
        deleted = [shopify.data(CLEAR, metafields=wanted)["metafieldsDelete"]["deletedMetafields"] for _ in range(2)]
        assert deleted == [[{"ownerId": ada}], [None]]
        assert shopify.stand_in.metafields.held() == {}

    def test_all_are_set_or_none(self, shopify):
        [ada] = shopify.add("ada@example.com")
        wrong = [entry("gid://shopify/Customer/1"), entry(ada, "no list"), entry(ada, namespace="theirs")]
        answer = shopify.data(SET, metafields=[entry(ada), *wrong])["metafieldsSet"]
        assert [(one["field"], one["elementIndex"]) for one in answer["userErrors"]] == [
            (["metafields", "1", "ownerId"], 1),
            (["metafields", "2", "value"], 2),
            (["metafields", "3", "type"], 3),
        ]
        assert shopify.stand_in.metafields.held() == {}

    def test_25_are_set_at_once_and_no_more(self, shopify):
        owners = shopify.add(*(f"p{number}@example.com" for number in range(26)))
        many = shopify.data(SET, metafields=[entry(one) for one in owners])["metafieldsSet"]
        assert codes(many) == ["LESS_THAN_OR_EQUAL_TO"]
        assert codes(shopify.data(SET, metafields=[entry(one) for one in owners[1:]])["metafieldsSet"]) == []

    def test_it_is_defined_once_and_as_a_filter_while_there_is_room(self, shopify):
        wanted = {"name": "Segments", "key": "segments", "ownerType": "CUSTOMER", "type": "list.single_line_text_field"}
        filtered = wanted | {"capabilities": {"adminFilterable": {"enabled": True}}}
        shopify.stand_in.metafields.filters = 0
        full = shopify.data(DEFINE, definition=filtered)["metafieldDefinitionCreate"]
        assert codes(full) == ["OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS"]
        assert codes(shopify.data(DEFINE, definition=wanted)["metafieldDefinitionCreate"]) == []
        assert codes(shopify.data(DEFINE, definition=wanted)["metafieldDefinitionCreate"]) == ["TAKEN"]


class TestSegments:
    def test_they_are_made_renamed_listed_and_deleted(self, shopify):
        id_ = shopify.data(CREATE, name="VIP", query=VIP)["segmentCreate"]["segment"]["id"]
        assert shopify.data(UPDATE, id=id_, name="Best")["segmentUpdate"]["segment"] == {"name": "Best"}
        found = shopify.data(
            "query L($q: String) { segments(first: 5, query: $q) { nodes { id name query } } }", q="name:Best"
        )
        assert found["segments"]["nodes"] == [{"id": id_, "name": "Best", "query": VIP}]
        assert shopify.data(DELETE, id=id_)["segmentDelete"]["deletedSegmentId"] == id_
        gone = [shopify.data(DELETE, id=id_)["segmentDelete"], shopify.data(UPDATE, id=id_, name="x")["segmentUpdate"]]
        assert [one["userErrors"] for one in gone] == [[{"field": ["id"]}]] * 2

    def test_a_name_that_is_taken_and_a_query_that_is_none_are_refused(self, shopify):
        shopify.data(CREATE, name="VIP", query=VIP)
        errors = shopify.data(CREATE, name="vip", query="tags ~ x")["segmentCreate"]["userErrors"]
        assert [one["field"] for one in errors] == [["name"], ["query"]]


def test_what_was_written_is_there_after_a_restart(tmp_path, clock):
    with opened(tmp_path / "shop.sqlite") as state, running_shopify(state, clock) as shopify:
        [ada] = shopify.add("ada@example.com")
        shopify.data(SET, metafields=[entry(ada)])
        run(shopify, uploaded(shopify, {"id": ada, "tags": ["seg:vip"]}))
    with opened(tmp_path / "shop.sqlite") as state, running_shopify(state, clock) as shopify:
        clock.pass_(5)
        shopify.data("{ bulkOperations(first: 1) { nodes { status } } }")
        assert shopify.tags() == {"ada@example.com": ["seg:vip"]}
        assert shopify.stand_in.metafields.held() == {ada: ["seg:vip"]}
