"""Tools that pull: segments, their members, what has changed since, and a customer, with a key that is for it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from connectors.records import Customer, Merged, TagsHeld
from plugin import api_keys, clock, ingest, lanes, shops
from plugin.db import table, transaction, upsert
from plugin.models.access import ApiKey
from plugin.models.segments import Membership
from plugin.models.tagging import LedgerEntry
from plugin.segments.kept import keep
from plugin.segments.membership import handovers
from plugin.web.api import places
from plugin.worker import work_all
from tests.web.conftest import NOON
from tests.web.test_api import problem


class Tool:
    """What pulls from the API with a shop's key."""

    def __init__(self, site, key):
        self.client, self.headers = site.app.test_client(), {"Authorization": f"Bearer {key}"}

    def get(self, path, **query):
        answer = self.client.get(f"/api/v1/{path}", query_string=query, headers=self.headers)
        assert "Set-Cookie" not in answer.headers
        return answer

    def told(self, path, **query):
        answer = self.get(path, **query)
        assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
        return answer.json

    def pages(self, path, name, **query):
        """Everything in a list, read page by page, and the last page."""
        found, page = [], {"next": None}
        while page["next"] or not found:
            page = self.told(path, **query, **({"page": page["next"]} if page["next"] else {}))
            found += page[name]
            if not page[name]:
                break
        return found, page


@pytest.fixture
def tool(site, mine):
    return Tool(site, mine.key)


def of(tenant):
    return f"segments/{tenant.ids['segment_id']}/members"


def tell(site, tenant, *records):
    with transaction(site.engine) as session:
        ingest.store(session, shops.shop(session, tenant.shop_id), tenant.store_id, records)
        lanes.poke(session, tenant.shop_id, "recompute")
    work_all(site.engine, lambda _, kind: kind == "recompute")


def somebody(number, *tags):
    who = Customer(str(number), clock.now(), created_at=NOON, email=f"c{number}@example.com")
    return who, TagsHeld(who.customer_id, clock.now(), NOON, tags)


def test_segments_are_listed_page_by_page_with_size_state_and_freshness(site, mine, theirs, tool):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        off = keep.add(session, shop, "Off", "number_of_orders > 9", enabled=False).segment_id
        more = [keep.add(session, shop, f"S{one}", f"number_of_orders > {one}").segment_id for one in range(3)]
    found, last = tool.pages("segments", "segments", limit=2)
    assert [one["id"] for one in found] == sorted([mine.ids["segment_id"], off, *more])
    by_id = {one["id"]: one for one in found}
    assert by_id[off] == {
        "id": off,
        "name": "Off",
        "query": "number_of_orders > 9",
        "tag": "seg:off",
        "size": 0,
        "state": "off",
        "evaluated_at": None,
    }
    assert (by_id[mine.ids["segment_id"]]["size"], by_id[mine.ids["segment_id"]]["state"]) == (2, "computing")
    assert (last["computed_at"], last["next"]) == (None, None)
    tell(site, mine, *somebody(7))
    fresh = tool.told("segments")
    assert (fresh["computed_at"], fresh["waiting"]) == ("2026-11-22T12:00:00Z", 0)


def test_members_are_read_page_by_page_and_their_changes_follow_without_a_gap(site, mine, tool, time):
    tag = "mine friends"
    tell(site, mine, *(one for number in range(10, 15) for one in somebody(number, tag)))
    first = tool.told(of(mine), limit=3)
    assert first["since"] is None
    time.move(timedelta(hours=1))
    tell(site, mine, *somebody(20, tag), *somebody(14))
    second = tool.told(of(mine), limit=100, page=first["next"])
    members = {one["customer_id"] for one in first["members"] + second["members"]}
    changes, since, more = [], second["since"], True
    while more:
        page = tool.told(of(mine), limit=1, since=since)
        changes += page["changes"]
        since, more = page["since"], page["more"]
    assert [(one["customer_id"], one["change"]) for one in changes] == [("14", "left"), ("20", "entered")]
    assert changes[0]["at"] == "2026-11-22T13:00:00Z"
    for one in changes:
        (members.add if one["change"] == "entered" else members.discard)(one["customer_id"])
    assert members == {"10", "11", "12", "13", "20"}
    assert tool.told(of(mine), since=since)["changes"] == []
    tell(site, mine, Merged(gone_id="20", kept_id="30", merged_at=clock.now()))
    moved = tool.told(of(mine), since=since)["changes"]
    assert [(one["customer_id"], one["change"], one["cause"]) for one in moved[:2]] == [
        ("20", "left", "merged"),
        ("30", "entered", "merged"),
    ]


def test_who_reads_on_from_what_is_no_longer_kept_is_told_to_begin_anew(site, mine, tool):
    tell(site, mine, *somebody(1))
    since = tool.told(of(mine))["since"]
    with transaction(site.engine) as session:
        handovers.end(session, mine.shop_id, mine.ids["segment_id"])
    tell(site, mine, *somebody(1))
    gone = tool.get(of(mine), since=since)
    assert problem(gone) == (410, "gone")
    assert "anew" in gone.json["detail"]
    assert tool.told(of(mine), since=tool.told(of(mine))["since"])["changes"] == []


def test_a_customer_is_told_with_segments_and_the_tags_that_platforms_have(site, mine, tool):
    key = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"], "changed_at": NOON}
    rows = [
        key | {"contact": "anna@mine.example.com", "folded": tag, "tag": tag, "state": state}
        for tag, state in (("seg:mine", "confirmed"), ("theirs", "foreign"), ("seg:old", "removed"))
    ]
    with transaction(site.engine) as session:
        upsert(session, table(LedgerEntry), rows)
    told = tool.told("customers/1")
    assert {one["platform"]: one["tags"] for one in told["tags"]} == {"shopify": [], "klaviyo": ["seg:mine"]}
    assert [(one["id"], one["name"]) for one in told["segments"]] == [(mine.ids["segment_id"], "mine regulars")]
    assert "@" not in repr(told)
    tell(site, mine, Merged(gone_id="1", kept_id="2", merged_at=NOON))
    assert tool.told("customers/1")["id"] == "2"


def test_each_thing_needs_a_key_that_is_for_it_and_the_key_is_seen_to_be_used(site, mine, tool):
    asked = {"segments": "segments:read", of(mine): "segments:read", "customers/1": "customers:read"}
    for path, scope in asked.items():
        with transaction(site.engine) as session:
            _, own = api_keys.add(session, mine.shop_id, "own", [scope])
            _, other = api_keys.add(session, mine.shop_id, "other", [one for one in api_keys.SCOPES if one != scope])
        assert Tool(site, own).get(path).status_code == 200
        assert problem(Tool(site, other).get(path)) == (403, "not-allowed")
        assert problem(Tool(site, "tsk_no").get(path)) == (401, "unauthorized")
    used = {row.name: row.last_used_at for row in site.rows(ApiKey)}
    assert (used["own"], used["other"]) == (NOON, None)


def test_what_is_another_shops_is_not_there(site, mine, theirs, tool):
    assert problem(tool.get(of(theirs))) == (404, "not-found")
    assert problem(tool.get(f"customers/{theirs.ids['customer_id']}")) == (404, "not-found")
    assert theirs.ids["segment_id"] not in {one["id"] for one in tool.told("segments")["segments"]}
    since = Tool(site, theirs.key).told(of(theirs))["since"]
    assert problem(tool.get(of(theirs), since=since)) == (404, "not-found")
    assert problem(tool.get(of(mine), since=since)) == (400, "bad-query")


def test_a_place_that_was_made_up_is_none(mine, tool):
    for parts in ((-1, ""), (2**63, ""), (1, "\0"), (1, "\ud800"), (True, ""), (1.5, ""), (1,), ("1", "")):
        made_up = places.written("members", mine.ids["segment_id"], *parts)
        assert problem(tool.get(of(mine), page=made_up)) == (400, "bad-query")


def test_somebody_deleted_is_nobody(site, mine, tool):
    assert problem(tool.get("customers/99")) == (404, "not-found")
    with transaction(site.engine) as session:
        session.execute(delete(Membership).where(table(Membership).c.shop_id == mine.shop_id))
    assert tool.told("customers/1")["segments"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"page": "x"},
        {"page": "é"},
        {"since": "WyJjaGFuZ2VzIl0"},
        {"since": "W1tb"},
        {"page": "e30", "since": "e30"},
        {"more": 1},
    ],
)
def test_what_cannot_be_asked_for_is_a_problem(mine, tool, query):
    assert problem(tool.get(of(mine), **query)) == (400, "bad-query")
