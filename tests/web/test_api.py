"""The API: a key of the shop's opens it and says whose shop it is; events are kept one by one, and once."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.records import Customer
from plugin import api_keys, ingest, shops
from plugin.db import reading, table, transaction
from plugin.models.access import Reply
from plugin.models.attributes import AttributeValue
from plugin.models.events import Event
from plugin.models.segments import Stale
from plugin.web.api import access
from tests.web.conftest import NOON

PATH = "/api/v1/events"


@pytest.fixture
def client(site):
    return site.app.test_client()


def call(number=1, **more):
    told = {"id": f"call-{number}", "kind": "call_received", "at": "2026-11-20T09:00:00+01:00", "customer": {"id": "1"}}
    return told | more


def of(tenant):
    """A customer of a shop."""
    return {"id": tenant.ids["customer_id"]}


def answered(number, survey, score, **more):
    return call(number, kind="survey_answered", properties={"survey": survey, "score": score}) | more


def post(client, tenant, body, **headers):
    given = {"Authorization": f"Bearer {tenant.key}"} | {name.replace("_", "-"): one for name, one in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(PATH, data=raw, content_type="application/json", headers=given)


def send(client, tenant, *told, **headers):
    """What became of events: their results, with the answer checked."""
    answer = post(client, tenant, {"events": told}, **headers)
    assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
    assert "Set-Cookie" not in answer.headers
    return answer.json["results"]


def statuses(results):
    return [one["status"] for one in results]


def rows(site, model, *names):
    with reading(site.engine) as session:
        kept = table(model)
        return sorted(session.execute(select(*(kept.c[name] for name in names))).all())


def problem(answer):
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    assert answer.json["title"]
    return answer.status_code, answer.json["type"].removeprefix("/docs/api#")


def test_events_are_kept_and_their_customers_evaluated_again(site, mine, client):
    with transaction(site.engine) as session:
        carl = Customer("3", NOON, created_at=NOON, email="Carl@example.com")
        ingest.store(session, shops.shop(session, mine.shop_id), mine.store_id, [carl])
    told = (
        call(1),
        answered(2, "nps", 9, customer={"email": " CARL@example.com "}),
        call(3, kind="event", name="shop visited", properties={"by": "car", "guests": 2, "at once": None}),
        call(4, kind="product_viewed", customer={"id": 2}, properties={"product_id": 77, "tags": ["New"]}),
        call(5, customer={"email": "nobody@example.com"}),
        call(6, customer={"id": "99"}),
    )
    results = send(client, mine, *told)
    assert statuses(results) == ["accepted"] * 4 + ["unknown_customer"] * 2
    kept = rows(site, Event, "event_id", "customer_id", "kind", "subject", "subject_id", "score", "shop_id", "source")
    source = "api:mine calls"
    assert kept[:4] == [
        ("call-1", "1", "call_received", None, None, None, mine.shop_id, source),
        ("call-2", "3", "survey_answered", "nps", None, 90_000, mine.shop_id, source),
        ("call-3", "1", "event", "shop visited", None, None, mine.shop_id, source),
        ("call-4", "2", "product_viewed", None, "77", None, mine.shop_id, source),
    ]
    causes = dict(rows(site, Stale, "customer_id", "cause"))
    assert [causes[one] for one in "123"] == ["event"] * 3
    [properties] = [one for (one,) in rows_of(site, Event.properties) if one]
    assert properties == {"by": "car", "guests": 2, "at once": None}


def rows_of(site, column):
    with reading(site.engine) as session:
        return session.execute(select(column)).all()


def test_a_repeat_is_known_by_its_id_also_under_another_key_of_the_name(site, mine, theirs, client):
    assert statuses(send(client, mine, call(1), call(1), call(2))) == ["accepted", "repeated", "accepted"]
    with transaction(site.engine) as session:
        api_keys.revoke(session, mine.shop_id, mine.ids["key_id"])
        _, mine.key = api_keys.add(session, mine.shop_id, "Mine CALLS", ["events:write"])
    assert statuses(send(client, mine, call(2), call(3))) == ["repeated", "accepted"]
    assert statuses(send(client, theirs, call(2, customer=of(theirs)))) == ["accepted"]
    assert [who for (who,) in rows(site, Event, "shop_id")].count(theirs.shop_id) == 1


REFUSED = (
    ([], ""),
    (call(id=""), "id"),
    (call(id="x" * 201), "id"),
    (call(customer={}), "customer"),
    (call(customer={"email": "nobody"}), "customer.email"),
    (call(customer={"id": True}), "customer.id"),
    (call(kind="email.opened"), "kind"),
    (call(kind="event"), "name"),
    (call(name="why"), "name"),
    (call(at="2026-11-20T09:00:00"), "at"),
    (call(at="1999-12-31T23:59:59Z"), "at"),
    (call(at=(NOON + timedelta(minutes=6)).isoformat()), "at"),
    (call(more=1), "more"),
    (call(properties={"deep": {"er": 1}}), "properties.deep"),
    (call(properties={str(one): 1 for one in range(21)}), "properties"),
    (call(kind="searched"), "properties.query"),
    (call(kind="searched", properties={"query": "mugs", "page": 2}), "properties.page"),
    (answered(1, "nps", 11), "properties"),
    (answered(1, "nps", 7.5), "properties"),
    (answered(1, "csat", 0), "properties"),
    (answered(1, "delivery", "good"), "properties.score"),
)


def test_an_event_that_cannot_be_taken_is_refused_with_its_place_and_keeps_no_other_out(site, mine, client):
    *refused, kept = send(client, mine, *(told for told, _ in REFUSED), call(2))
    assert kept == {"status": "accepted"}
    assert [one.get("field", "")[: len(field)] for one, (_, field) in zip(refused, REFUSED, strict=True)] == [
        field for _, field in REFUSED
    ]
    for one in refused:
        assert one["status"] == "refused"
        assert one["code"] in ("invalid", "out_of_time")
        assert one["message"]
    assert rows(site, Event, "event_id") == [("call-2",)]


def test_their_clock_may_be_a_little_ahead_and_scores_are_exact(site, mine, client):
    ahead = call(1, at=(NOON + timedelta(minutes=4)).isoformat())
    assert statuses(send(client, mine, ahead, answered(2, "delivery", 0.1), answered(3, "csat", 5))) == ["accepted"] * 3
    assert rows(site, Event, "event_id", "score")[1:] == [("call-2", 1_000), ("call-3", 50_000)]


def test_what_both_databases_cannot_keep_as_it_is_is_cleaned(site, mine, client):
    body = rb'{"events": [{"id": "a\u0000\ud800", "kind": "event", "name": "e\u0301t\u00e9", "at": "2026-11-20T09:00Z",'
    body += rb' "customer": {"id": "1"}, "properties": {"n\u0000ote": "\u0000x", "much": 1e999, "less": 1}}]}'
    assert statuses(post(client, mine, body).json["results"]) == ["refused"]  # no number is that large
    assert statuses(post(client, mine, body.replace(b"1e999", b"1e9")).json["results"]) == ["accepted"]
    assert rows(site, Event, "event_id", "subject") == [("a", "été")]


def test_without_a_good_key_nothing_is_taken(site, mine, client, theirs):
    body = json.dumps({"events": [call()]})
    with transaction(site.engine) as session:
        api_keys.revoke(session, theirs.shop_id, theirs.ids["key_id"])
        _, other = api_keys.add(session, mine.shop_id, "other", ["attributes:write"])
    for given in (None, "Bearer ", "Bearer tsk_no", f"Basic {mine.key}", mine.key, f"Bearer {theirs.key}"):
        headers = {"Authorization": given} if given else {}
        answer = client.post(PATH, data=body, content_type="application/json", headers=headers)
        assert problem(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    mine.key = other
    assert problem(post(client, mine, {"events": [call()]})) == (403, "not-allowed")
    assert rows(site, Event, "event_id") == []


def test_a_signed_in_browser_is_nobody_to_the_api(site, mine, visitor):
    assert problem(visitor.client.post(PATH, json={"events": [call()]})) == (401, "unauthorized")


PROBLEMS = (
    (b"", (400, "unreadable")),
    (b"{", (400, "unreadable")),
    (b"\xff", (400, "unreadable")),
    (b"[" * 100_000, (400, "unreadable")),
    (b'{"events": [NaN]}', (400, "unreadable")),
    (b"[]", (422, "invalid")),
    ({"events": []}, (422, "invalid")),
    ({"events": {}}, (422, "invalid")),
    ({"events": [call()], "more": 1}, (422, "invalid")),
    ({"events": [call()] * 501}, (413, "too-large")),
    (b" " * (access.LARGEST_BYTES + 1), (413, "too-large")),
)


def test_what_cannot_be_read_is_answered_with_a_problem_document(site, mine, client):
    assert [problem(post(client, mine, body)) for body, _ in PROBLEMS] == [expected for _, expected in PROBLEMS]
    assert rows(site, Event, "event_id") == []


def test_other_types_addresses_and_methods_are_problems_as_well(mine, client):
    headers = {"Authorization": f"Bearer {mine.key}"}
    assert problem(client.post(PATH, data="{}", content_type="text/plain", headers=headers)) == (415, "not-json")
    for ask in (client.get, client.post):
        assert problem(ask("/api/v1/nothing", headers=headers)) == (404, "not-found")
    assert problem(client.get(PATH, headers=headers)) == (405, "method-not-allowed")


def test_a_key_is_let_in_so_often_a_minute_and_strangers_are_soon_not_looked_at(site, mine, client, time):
    of_keys, _ = site.app.extensions["api rates"]
    while of_keys.admits(mine.ids["key_id"]):
        pass
    refused = post(client, mine, {"events": [call()]})
    assert problem(refused) == (429, "too-many")
    assert refused.headers["Retry-After"] == "60"
    time.move(timedelta(seconds=61))
    assert statuses(send(client, mine, call())) == ["accepted"]
    stranger = type(mine)("nobody", "", key="tsk_no")
    found = {problem(post(client, stranger, {}))[0] for _ in range(25)}
    assert found == {401, 429}
    assert statuses(send(client, mine, call(2))) == ["accepted"]


def test_a_request_with_a_key_of_its_own_is_done_once_and_answered_alike(site, mine, theirs, client, time):
    first = send(client, mine, call(1), Idempotency_Key="one")
    assert send(client, mine, call(1), Idempotency_Key="one") == first != send(client, mine, call(1))
    assert problem(post(client, mine, {"events": [call(2)]}, Idempotency_Key="one")) == (422, "key-reused")
    assert statuses(send(client, theirs, call(2, customer=of(theirs)), Idempotency_Key="one")) == ["accepted"]
    assert problem(post(client, mine, {"events": [call(2)]}, Idempotency_Key="x" * 256)) == (400, "unreadable")
    assert "anna" not in repr(rows_of(site, Reply.answer))
    time.move(timedelta(hours=24))
    assert statuses(send(client, mine, call(2), Idempotency_Key="one")) == ["accepted"]


def put(client, tenant, path, body, **headers):
    given = {"Authorization": f"Bearer {tenant.key}"} | {name.replace("_", "-"): one for name, one in headers.items()}
    return client.post(f"/api/v1/{path}", json=body, headers=given)


def test_attributes_of_a_customer_are_kept_since_their_moment(site, mine, client):
    values = {"values": {"birth_date": "1990-05-17", "interests": ["Tea", "Maps"], "shoe size": 38}}
    answer = put(client, mine, "customers/1/attributes", values | {"at": "2026-11-01T00:00:00Z"})
    told = answer.json
    assert (answer.status_code, told["status"]) == (200, "accepted")
    assert told["values"].pop("shoe size").startswith("refused: a key is a word")
    assert told["values"] == {"birth_date": "accepted", "interests": "accepted"}
    kept = rows(site, AttributeValue, "customer_id", "key", "changed_at")
    since = NOON.replace(day=1, hour=0)
    assert kept == [("1", "birth_date", since), ("1", "interests", since)]
    assert dict(rows(site, Stale, "customer_id", "cause"))["1"] == "attribute"
    assert put(client, mine, "customers/99/attributes", {"values": {"a": 1}}).json["status"] == "unknown_customer"


def test_attributes_of_many_are_taken_one_by_one(site, mine, client):
    told = [
        {"customer": {"id": "1"}, "values": {"club": "gold"}},
        {"customer": {"email": "nobody@example.com"}, "values": {"club": "none"}, "at": "2026-11-01T00:00:00Z"},
        {"customer": {"id": "2"}, "values": {}},
        {"customer": {"id": "2"}, "values": {"club": "x"}, "at": "1999-01-01T00:00:00Z"},
    ]
    results = put(client, mine, "attributes", {"attributes": told}, Idempotency_Key="a").json["results"]
    assert statuses(results) == ["accepted", "unknown_customer", "refused", "refused"]
    assert put(client, mine, "attributes", {"attributes": told}, Idempotency_Key="a").json["results"] == results
    assert len(rows(site, AttributeValue, "customer_id", "key")) == 2


def test_attributes_that_cannot_be_read_are_a_problem_at_a_customers_own_address(site, mine, client):
    for body in ({}, [], {"values": {}}, {"values": {"a": 1}, "at": "today"}, {"values": {"a": 1}, "more": 1}):
        assert problem(put(client, mine, "customers/1/attributes", body)) == (422, "invalid")
    early = {"values": {"a": 1}, "at": "1999-01-01T00:00:00Z"}
    assert problem(put(client, mine, "customers/1/attributes", early)) == (422, "invalid")
    with transaction(site.engine) as session:
        _, mine.key = api_keys.add(session, mine.shop_id, "other", ["events:write"])
    assert problem(put(client, mine, "customers/1/attributes", {"values": {"a": 1}})) == (403, "not-allowed")
    assert rows(site, AttributeValue, "key") == []
