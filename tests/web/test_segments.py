"""The list of segments, one from near, its members and its history."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from plugin import clock, lanes, shops
from plugin.db import table, transaction, upsert
from plugin.models.commerce import Customer
from plugin.models.lanes import Lane
from plugin.models.segments import Membership, MembershipChange, Segment, Stale
from plugin.models.tagging import Destination, LedgerEntry, OwnedTag, Push
from plugin.segments.kept import keep
from plugin.tagging import rehearsal


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}"


def shown(text):
    """The words of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def change(site, mine, **columns):
    with transaction(site.engine) as session:
        session.execute(update(Segment).where(col(Segment.shop_id) == mine.shop_id).values(**columns))


def destination(site, mine, state):
    with transaction(site.engine) as session:
        session.execute(update(Destination).where(col(Destination.shop_id) == mine.shop_id).values(state=state))


def test_the_list_tells_name_size_tag_and_change(visitor, mine):
    assert "mine regulars being computed 2 +2 not yet seg:mine-regulars" in shown(visitor.page("/segments"))


def test_an_installation_without_segments_says_how_to_begin(site):
    site.shop("bare")
    with transaction(site.engine) as session:
        for model in (MembershipChange, Membership, Destination, OwnedTag, Segment):
            session.execute(table(model).delete())
        tenant = type(
            "Bare", (), {"shop_id": shops.by_name(session, "bare shop").shop_id, "domain": "bare.myshopify.com"}
        )
    assert "There are no segments yet" in site.visitor(tenant).page("/segments")


def test_changes_count_from_the_shops_own_midnight(site, time, visitor, mine):
    time.move(timedelta(hours=12))  # midnight in UTC is midnight in London in November
    assert " 2 none not yet seg:mine-regulars" in shown(visitor.page("/segments"))
    left = {"shop_id": mine.shop_id, "segment_id": mine.ids["segment_id"], "customer_id": "1", "cause": "refund"}
    with transaction(site.engine) as session:
        upsert(session, table(MembershipChange), [left | {"run": 2, "changed_at": clock.now(), "entered": False}])
    assert " 2 −1 not yet seg:mine-regulars" in shown(visitor.page("/segments"))


@pytest.mark.parametrize(
    ("columns", "ways", "word"),
    [
        ({"enabled": False}, "live", "off"),
        ({"error": "it took too long"}, "live", "failing it took too long"),
        ({"whole": "running"}, "live", "being computed"),
        ({"evaluated_at": None, "whole": None}, "live", "being computed"),
        ({}, "live", "live"),
        ({}, "rehearsal", "in rehearsal"),
        ({}, "held", "held"),
    ],
)
def test_a_segment_is_in_one_state(site, visitor, mine, columns, ways, word):
    change(site, mine, **({"whole": None, "evaluated_at": clock.now()} | columns))
    destination(site, mine, ways)
    assert f"mine regulars {word} 2 " in shown(visitor.page("/segments"))


def test_how_fresh_the_figures_are_is_told(site, time, visitor, mine):
    assert "Not computed yet." in shown(visitor.page("/segments"))
    with transaction(site.engine) as session:
        worked = update(Lane).where(col(Lane.shop_id) == mine.shop_id, col(Lane.kind) == "recompute")
        session.execute(worked.values(worked_at=clock.now()))
        session.add(Stale(shop_id=mine.shop_id, customer_id="1", cause="order"))
    time.move(timedelta(seconds=14))
    told = "Computed 14 seconds ago , from data up to 22 Nov 2026, 12:00. 1 customer waits for the next time."
    assert told in shown(visitor.page("/segments"))


def test_a_segment_shows_its_query_its_members_and_why_they_are_in_it(visitor, path):
    text = visitor.page(path)
    assert "customer_tags CONTAINS &#39;mine friends&#39;" in text
    assert "Tags in the store: includes “mine friends”" in text
    assert "anna@mine.example.com entered 22 Nov 2026, 12:00 an order" in shown(text)
    assert "anna@mine.example.com 0 £0.00 22 Nov 2026, 12:00 an order Why" in shown(visitor.page(f"{path}/members"))


def test_times_are_those_of_the_shops_zone(site, visitor, mine, path):
    with transaction(site.engine) as session:
        shops.shop(session, mine.shop_id).zone = "Asia/Kathmandu"
    assert "22 Nov 2026, 17:45" in shown(visitor.page(f"{path}/members"))


def test_members_are_paged_and_each_is_shown_once(site, visitor, mine, path):
    everybody = [f"{number:03}@mine.example.com" for number in range(120)]
    site.people(mine, *everybody)
    following, found = f"{path}/members", []
    while following:
        text = visitor.page(following)
        found += re.findall(r">(\d+@mine\.example\.com)</a></td>", text)
        more = re.search(r'href="([^"]+after=[^"]+)"', text)
        following = more and more[1]
    assert sorted(found) == everybody


def test_history_is_paged_latest_first_also_where_many_moved_at_once(site, time, visitor, mine, path):
    everybody = [f"{number:03}@mine.example.com" for number in range(120)]
    site.people(mine, *everybody)  # all at one moment, in one run
    time.move(timedelta(minutes=1))
    left = {"shop_id": mine.shop_id, "segment_id": mine.ids["segment_id"], "customer_id": "5", "cause": "time"}
    with transaction(site.engine) as session:
        upsert(session, table(MembershipChange), [left | {"run": 2, "changed_at": clock.now(), "entered": False}])
    following, found = f"{path}/history", []
    while following:
        text = visitor.page(following)
        found += re.findall(r"(\d+@mine\.example\.com)</a></td>\s*<td[^>]*><span class=\"(\w+)\"", text)
        more = re.search(r'href="([^"]+before=[^"]+)"', text)
        following = more and more[1]
    assert found[0] == ("004@mine.example.com", "out")
    assert sorted(found[1:]) == [(one, "in") for one in everybody]


def test_what_moved_a_segment_is_told_of_the_latest_alone_where_there_are_too_many(
    site, visitor, mine, path, monkeypatch
):
    site.people(mine, *(f"{number}@mine.example.com" for number in range(5)))
    text = shown(visitor.page(f"{path}/time"))
    assert "an order entered 5" in text
    assert "Of those alone who" not in text
    monkeypatch.setattr("plugin.insight.days.MOST_MOVES", 3)
    text = shown(visitor.page(f"{path}/time"))
    assert "an order entered 3" in text
    assert "Of those alone who entered or left last." in text


@pytest.mark.parametrize("place", ["x", "1.2", "1.x.3", "99999999999999999999999.1.1", "..", "1.1.' OR 1=1"])
def test_a_place_that_is_no_place_begins_at_the_beginning_or_behind_everything(visitor, path, place):
    assert visitor.get(f"{path}/history", query_string={"before": place}).status_code == 200
    assert visitor.get(f"{path}/members", query_string={"after": place}).status_code == 200


def test_somebody_without_an_address_is_called_by_their_number(site, visitor, mine, path):
    with transaction(site.engine) as session:
        session.get(Customer, (mine.shop_id, "1")).email = None
    assert "Customer 1" in shown(visitor.page(path))


def test_how_far_the_tag_is_on_each_platform_is_told_in_numbers(site, visitor, mine, path):
    site.people(mine, *(f"{number}@mine.example.com" for number in range(6)))
    mail = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"]}
    entry = mail | {"folded": "seg:mine-regulars", "tag": "seg:mine-regulars", "changed_at": clock.now()}
    queue = dict(zip(range(4), ("waiting", "sent", "missing", "failed"), strict=True))
    with transaction(site.engine) as session:
        ours = [entry | {"contact": f"{number}@mine.example.com", "state": "confirmed"} for number in (4, 5)]
        other = [entry | {"contact": "6@mine.example.com", "state": "foreign"}]
        upsert(session, table(LedgerEntry), ours + other)
        waiting = [{"contact": f"{number}@mine.example.com", "state": state} for number, state in queue.items()]
        others = [{"contact": "somebody@else.example.com", "state": "waiting"}]
        upsert(
            session,
            table(Push),
            [mail | {"version": 1, "attempts": 0, "changed_at": clock.now()} | one for one in waiting + others],
        )
    text = shown(visitor.page(f"{path}/destinations"))
    assert "Klaviyo mine-mail in rehearsal Rehearse" in text
    assert "Written 2 Waiting 2 Missing 1 Failed 1" in text


def test_before_switching_off_it_is_told_what_will_be_taken_off(site, visitor, mine, path):
    assert "Its tag is nowhere" in shown(visitor.page(f"{path}/settings"))
    entry = {"folded": "seg:mine-regulars", "tag": "seg:mine-regulars", "changed_at": clock.now(), "state": "confirmed"}
    place = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"], "contact": "a@example.com"}
    with transaction(site.engine) as session:
        upsert(session, table(LedgerEntry), [place | entry])
    assert "its tag is taken off: Klaviyo: 1 contact" in shown(visitor.page(f"{path}/settings"))


def test_switching_off_and_on_again_ends_in_rehearsal(site, visitor, mine, path):
    with transaction(site.engine) as session:
        rehearsal.release(session, mine.shop_id, mine.ids["segment_id"], mine.ids["connection_id"])
    assert "is off: its tag is being taken off" in shown(visitor.said(visitor.post(f"{path}/switch")))
    assert [one.enabled for one in site.rows(Segment)] == [False]
    text = shown(visitor.said(visitor.post(f"{path}/switch", enabled="yes")))
    assert "nothing is written before you say go" in text
    assert [one.enabled for one in site.rows(Segment)] == [True]
    assert {one.state for one in site.rows(Destination)} == {"rehearsal"}


def test_a_list_of_many_segments_asks_the_database_no_more_often(site, visitor, mine):
    def asked():
        statements = []
        from sqlalchemy import event

        event.listen(site.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        visitor.page("/segments")
        return len(statements)

    few = asked()
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        for number in range(20):
            keep.add(session, shop, f"number {number}", f"number_of_orders > {number}")
        lanes.poke(session, mine.shop_id, "recompute")
    assert asked() / 2 <= few + 1  # the first listener is still there
