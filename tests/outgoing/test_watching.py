"""The guard over webhooks, and segments that end for an address: no mass is told unasked, and each end is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from connectors.records import Consent, Customer, Merged
from plugin import lanes
from plugin.config import settings
from plugin.db import reading, table, transaction
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Destination, Hold, TagCount
from plugin.outgoing import endpoints, messages, subjects, watching
from plugin.segments.kept import keep
from plugin.tagging import holding
from plugin.worker import work_all
from tests.keeping.postbox import Postbox
from tests.outgoing.receiver import add, endpoint_of, forget, send, states, wait

LIMIT = 3
HOURS = 26  # later a day's count has begun anew


@pytest.fixture
def watched(small, told):
    """Ten members have been told, of whom nobody was asked; from now on more than three a day are asked about."""
    for number in range(10):
        small.order(f"c{number}")
    send(small)
    small.now += timedelta(hours=HOURS)
    limit(small, LIMIT)
    return told


def limit(small, contacts):
    with small.change() as (session, _):
        session.execute(update(table(Shop)).values(guard_contacts=contacts, guard_percent=20))


def enter(small, *customers):
    for customer in customers:
        small.order(customer)
    send(small)


def held(small):
    with reading(small.engine) as session:
        return watching.untold(session, small.shop_id)


def end(small, endpoint_id, how, name="recent"):
    with small.change() as (session, _):
        return how(session, endpoints.known(session, small.shop_id, endpoint_id, alone=True), small.ids[name])


def test_a_mass_is_held_whole_while_other_segments_go_on_and_a_release_tells_it(small, http, watched):
    endpoint_id, receiver = watched
    small.segment("two", "number_of_orders >= 2")
    _, other = add(small, http, "https://93.184.215.14/other", small.ids["two"])
    enter(small, "ann", "bo")
    before = len(receiver.told)
    enter(small, "cy", "di", "ann")
    assert receiver.told[before:] == [("entered", "ann")]
    assert other.told == [("entered", "ann")]
    [one] = held(small)
    assert (one.hold.added, one.hold.removed, one.hold.size, one.webhooks, one.customers) == (4, 0, 10, 1, 2)
    enter(small, "ed")
    assert "ed" not in receiver.members()
    assert end(small, endpoint_id, watching.release) == 2
    send(small)
    assert receiver.members() == small.members("recent")
    assert held(small) == []
    enter(small, "fi", "gus", "hal")
    assert {"fi", "gus", "hal"} <= receiver.members()
    with pytest.raises(LookupError):
        end(small, endpoint_id, watching.release)


def test_what_was_cut_before_and_not_sent_yet_is_held_with_it_and_can_be_dropped(small, watched):
    endpoint_id, receiver = watched
    receiver.status = 500
    enter(small, "ann")
    enter(small, "bo", "cy", "di")
    assert [one.customers for one in held(small)] == [4]
    receiver.status = 200
    assert end(small, endpoint_id, watching.drop) == 2
    wait(small, 1)
    enter(small, "ed")
    assert receiver.members() == {f"c{number}" for number in range(10)} | {"ed"}
    with small.change() as (session, _):
        row = next(one for one in messages.of(session, small.shop_id, endpoint_id) if one.state == "skipped")
        assert messages.replay(session, small.shop_id, endpoint_id, row.delivery_id) == 1
    send(small)
    assert len(receiver.members()) > 11


def test_those_who_leave_are_counted_by_themselves_and_a_day_later_anew(small, watched):
    small.now -= timedelta(hours=HOURS)
    enter(small, *(f"c{number}" for number in range(7)))
    small.now += timedelta(days=4)
    for number in range(7, 10):
        small.order(f"c{number}")
    send(small)
    assert [one.hold.removed for one in held(small)] == [7]


def test_merges_redaction_and_consent_pass_a_hold_and_nothing_older_of_them_follows(small, http):
    small.segment("mail", "email_subscription_status = 'SUBSCRIBED'")
    endpoint_id, receiver = add(small, http)
    limit(small, LIMIT)
    for customer in ("ann", "bo", "cy", "di"):
        decide(small, customer, "SUBSCRIBED")
        small.order(customer)
    send(small)
    assert sorted(one.segment.name for one in held(small)) == ["mail", "recent"]
    small.now += timedelta(minutes=1)
    decide(small, "cy", "UNSUBSCRIBED")
    send(small)
    small.hear(Merged(gone_id="bo", kept_id="di", merged_at=small.now))
    send(small)
    forget(small, "ann")
    send(small)
    passed = {name: [one for one in told(receiver) if one[0] == name] for name in ("recent", "mail")}
    assert passed["recent"] == [("recent", "left", "bo"), ("recent", "left", "ann")]
    assert passed["mail"] == [("mail", "left", "cy"), ("mail", "left", "bo"), ("mail", "left", "ann")]
    before = len(told(receiver))
    for name in passed:
        end(small, endpoint_id, watching.release, name)
    send(small)
    after = [("mail", "entered", "di"), ("recent", "entered", "cy"), ("recent", "entered", "di")]
    assert sorted(told(receiver)[before:]) == after


def decide(small, customer, state):
    small.hear(
        Customer(customer, small.now, created_at=small.now, email=f"{customer}@example.com"),
        Consent("email", state, small.now, customer_id=customer),
    )


def told(receiver):
    """Return of which segment a receiver was told what about whom, in order."""
    return [
        (body["data"]["segment"]["name"], body["type"].partition(".")[2], one["id"])
        for _, body in receiver.taken
        for one in body["data"].get("customers", ())
    ]


def test_the_one_who_looks_after_it_is_told_once_by_mail(small, watched, monkeypatch):
    with small.change() as (session, _):
        session.execute(update(table(Shop)).values(alert_email="ops@example.com"))
    with Postbox() as box:
        given = {"HOST": "127.0.0.1", "PORT": str(box.port), "TLS": "none", "SENDER": "t@example.com"}
        for name, value in given.items():
            monkeypatch.setenv(f"SMTP_{name}", value)
        settings.cache_clear()
        enter(small, "ann", "bo", "cy", "di")
        for _ in range(2):
            with small.change() as (session, _):
                lanes.poke(session, small.shop_id, holding.LANE)
            work_all(small.engine, lambda _, kind: kind == holding.LANE)
    [mail] = box.mails
    assert "Held: recent for 93.184.215.14 (One)" in str(mail)
    text = mail.get_content()
    assert "4 customers would have been told to have entered" in text
    assert "/tagsmith" not in text


def test_a_segment_that_is_switched_off_or_deleted_is_told_to_have_ended_after_all_that_was_told_of_it(small, told):
    endpoint_id, receiver = told
    enter(small, "ann", "bo")
    with small.change() as (session, _):
        keep.switch(session, small.shop_id, small.ids["recent"], enabled=False)
    enter(small, "cy")
    assert receiver.taken[-1][1]["type"] == "segment.removed"
    assert receiver.taken[-1][1]["data"]["segment"]["id"] == small.ids["recent"]
    assert receiver.told == [("entered", "ann"), ("entered", "bo")]
    small.now += timedelta(days=2)
    with small.change() as (session, _):
        keep.switch(session, small.shop_id, small.ids["recent"], enabled=True)
    send(small)
    heard = len(receiver.told)
    assert {who for change, who in receiver.told[2:] if change == "entered"} == small.members("recent")
    assert endpoint_of(small, endpoint_id).anew == {}
    with small.change() as (session, shop):
        keep.remove(session, shop, small.ids["recent"])
    send(small)
    assert [body["type"] for _, body in receiver.taken].count("segment.removed") == 2
    assert (len(receiver.told), states(small, endpoint_id)[-1]) == (heard, "delivered")


def test_what_is_held_or_waits_of_a_segment_that_ends_is_told_no_more(small, watched):
    _, receiver = watched
    enter(small, "ann", "bo", "cy", "di")
    assert held(small)
    with small.change() as (session, shop):
        keep.remove(session, shop, small.ids["recent"])
    send(small)
    assert [body["type"] for _, body in receiver.taken][-1] == "segment.removed"
    assert len(receiver.members()) == 10
    with reading(small.engine) as session:
        for model in (Hold, Destination, TagCount):
            assert session.execute(select(table(model))).all() == []


def test_other_segments_are_chosen_of_the_one_left_out_the_end_is_told_and_of_the_new_one_all_members(small, told):
    endpoint_id, receiver = told
    other = small.segment("buyers", "number_of_orders >= 1")
    with small.change() as (session, _):
        subjects.choose(session, small.shop_id, endpoint_id, [small.ids["recent"]])
    send(small)
    enter(small, "ann", "bo")
    with small.change() as (session, _), pytest.raises(endpoints.RefusedError):
        subjects.choose(session, small.shop_id, endpoint_id, ["nobody's"])
    with small.change() as (session, _):
        subjects.choose(session, small.shop_id, endpoint_id, [other])
    send(small)
    ended, entered = (body for _, body in receiver.taken[-2:])
    assert (ended["type"], ended["data"]["segment"]["name"]) == ("segment.removed", "recent")
    assert (entered["data"]["segment"]["name"], len(entered["data"]["customers"])) == ("buyers", 2)


def test_an_endpoint_that_is_removed_leaves_nothing_with_the_guard(small, watched):
    enter(small, "ann", "bo", "cy", "di")
    with transaction(small.engine) as session:
        endpoints.remove(session, small.shop_id, watched[0])
    with reading(small.engine) as session:
        assert [session.execute(select(table(one))).all() for one in (Hold, Destination, TagCount)] == [[], [], []]
        assert session.scalars(select(table(Segment).c.enabled)).all() == [True]
