"""Faults strike the requests they are meant for, as often as they are meant to, in the process and over HTTP."""

import threading

import pytest
import requests

ADD = 'mutation($id: ID!) { tagsAdd(id: $id, tags: ["vip"]) { userErrors { message } } }'
SHOP = "{ shop { name } }"


@pytest.mark.parametrize(("kind", "status"), [("error", 500), ("unauthorized", 401), ("throttled", 429)])
def test_a_refusal_strikes_as_often_as_asked_and_nothing_is_done(shopify, kind, status):
    [ada] = shopify.add("ada@example.com")
    shopify.stand_in.faults.add(kind, times=2)
    assert [shopify.post(ADD, {"id": ada}).status_code for _ in range(2)] == [status, status]
    assert shopify.tags() == {"ada@example.com": []}
    assert shopify.post(ADD, {"id": ada}).status_code == 200
    assert shopify.tags() == {"ada@example.com": ["vip"]}


def test_429_says_when_to_come_back(shopify):
    shopify.stand_in.faults.add("throttled", seconds=7)
    assert shopify.post(SHOP).headers["Retry-After"] == "7"


def test_a_time_out_answers_too_late_and_does_nothing(shopify):
    [ada] = shopify.add("ada@example.com")
    shopify.stand_in.faults.add("timeout")
    with pytest.raises(requests.ReadTimeout):
        shopify.post(ADD, {"id": ada}, timeout=0.3)
    assert shopify.tags() == {"ada@example.com": []}


def test_hanging_requests_are_let_go_when_the_stand_in_stops(shopify):
    shopify.stand_in.faults.add("timeout", seconds=1_000)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(shopify.post(SHOP).status_code))
    asking.start()
    while shopify.stand_in.faults.waiting():
        asking.join(0.01)
    shopify.stand_in.stop()
    asking.join()
    assert answers == [504]


def test_half_a_body_arrives_after_the_work_is_done(shopify):
    [ada] = shopify.add("ada@example.com")
    shopify.stand_in.faults.add("half")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        shopify.post(ADD, {"id": ada})
    assert shopify.tags() == {"ada@example.com": ["vip"]}
    assert shopify.post(SHOP).status_code == 200


def test_an_answer_is_lost_after_the_work_is_done(shopify):
    [ada] = shopify.add("ada@example.com")
    shopify.stand_in.faults.add("lost")
    with pytest.raises(requests.ConnectionError):
        shopify.post(ADD, {"id": ada})
    assert shopify.tags() == {"ada@example.com": ["vip"]}


def test_a_fault_waits_for_the_request_it_is_meant_for(shopify):
    [ada] = shopify.add("ada@example.com")
    shopify.stand_in.faults.add("error", method="POST", path="/graphql", body="tagsAdd", skip=1)
    asked = [(SHOP, {}), *[(ADD, {"id": ada})] * 3]
    statuses = [shopify.post(query, variables).status_code for query, variables in asked]
    assert statuses == [200, 200, 500, 200]


def test_a_fault_without_a_number_lasts_until_it_is_cleared(shopify):
    shopify.stand_in.faults.add("error", times=None)
    assert {shopify.post(SHOP).status_code for _ in range(5)} == {500}
    shopify.stand_in.faults.clear()
    assert shopify.post(SHOP).status_code == 200


def test_faults_are_set_shown_and_cleared_over_http(shopify):
    url = f"{shopify.server.origin}/_practice/faults"
    assert requests.post(url, json={"kind": "error", "times": 3}, timeout=5).status_code == 201
    assert shopify.post(SHOP).status_code == 500
    assert [fault["times"] for fault in requests.get(url, timeout=5).json()] == [2]
    assert requests.delete(url, timeout=5).json() == []
    assert shopify.post(SHOP).status_code == 200


@pytest.mark.parametrize("wrong", [{"kind": "earthquake"}, {"kind": "error", "colour": "red"}, {}])
def test_a_fault_nobody_knows_is_refused(shopify, wrong):
    assert requests.post(f"{shopify.server.origin}/_practice/faults", json=wrong, timeout=5).status_code == 400


def test_klaviyo_words_its_faults_as_json_api_errors(klaviyo):
    klaviyo.stand_in.faults.add("throttled", seconds=3)
    answer = klaviyo.get("/api/profiles")
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["code"] == "throttled"


def test_requests_are_kept_with_what_became_of_them(shopify):
    shopify.stand_in.faults.add("error")
    shopify.post(SHOP)
    shopify.post(SHOP)
    url = f"{shopify.server.origin}/_practice/requests"
    kept = requests.get(url, timeout=5).json()
    assert [(one["method"], one["path"], one["status"], one["fault"]) for one in kept] == [
        ("POST", "/admin/api/2026-10/graphql.json", 500, "error"),
        ("POST", "/admin/api/2026-10/graphql.json", 200, None),
    ]
    assert kept[1]["body"] == {"query": SHOP, "variables": {}}
    assert requests.delete(url, timeout=5).json() == []
    assert list(shopify.stand_in.desk.requests) == []


def test_people_are_added_and_seen_over_http(shopify, klaviyo):
    for running, extra in ((shopify, {"tags": ["VIP"]}), (klaviyo, {"properties": {"colour": "red"}})):
        url = f"{running.server.origin}/_practice/people"
        assert requests.post(url, json=[{"email": "ada@example.com"} | extra], timeout=5).status_code == 201
        [ada] = requests.get(url, timeout=5).json()
        assert {"email": "ada@example.com", **extra}.items() <= ada.items()
        assert requests.post(url, json=[{"surname": "Ada"}], timeout=5).status_code == 400
