"""What is refused holds up nothing behind it; what refuses everything is waited for; and what may be done by hand."""

from concurrent import futures
from datetime import timedelta

import pytest
from sqlalchemy import select

from plugin import lanes, privacy, shops
from plugin.db import reading, table, transaction
from plugin.models.segments import Handover
from plugin.outgoing import cutting, endpoints, messages, settling
from plugin.segments.membership.handovers import FORGOTTEN, KEPT
from tests.outgoing.receiver import endpoint_of, forget, rows, send, states, wait


def about(*customers, status=422):
    """Refuse what tells of one of these customers."""
    return lambda body: status if {one["id"] for one in body["data"]["customers"]} & set(customers) else 200


def one_by_one(small, *customers):
    """Let customers enter, each told by a delivery of its own."""
    for customer in customers:
        small.order(customer)
        send(small, hours=0.01)


def set_aside(small, endpoint_id):
    return next(row for row in rows(small, endpoint_id) if row.state == "refused")


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_is_refused_is_set_aside_within_minutes_and_known_as_older_when_it_comes_after_all(small, told, status):
    endpoint_id, receiver = told
    receiver.judge = about("ann", status=status)
    one_by_one(small, "ann", "bo", "cy")
    wait(small, 0.2)
    assert receiver.told == [("entered", "bo"), ("entered", "cy")]
    assert len([one for one in receiver.tries if one[0] == receiver.tries[0][0]]) == settling.TRIES + 1
    assert states(small, endpoint_id) == ["refused", "delivered", "delivered"]
    endpoint = endpoint_of(small, endpoint_id)
    assert (endpoint.state, endpoint.failing_at) == ("active", None)
    receiver.judge = None
    with small.change() as (session, _):
        assert messages.replay(session, small.shop_id, endpoint_id) == 1
    send(small)
    sequences = [body["data"]["sequence"] for _, body in receiver.taken]
    assert (receiver.told[-1], sequences) == (("entered", "ann"), [2, 3, 1])
    assert receiver.taken[-1][0] == receiver.tries[0][0]


def test_a_row_of_refused_ones_is_set_aside_and_none_of_them_holds_up_the_rest(small, told):
    endpoint_id, receiver = told
    receiver.judge = about("ann", "bo", "cy")
    one_by_one(small, "ann", "bo", "cy", "di")
    wait(small, 1)
    assert states(small, endpoint_id) == ["refused", "refused", "refused", "delivered"]
    one_by_one(small, "ed")
    assert receiver.members() == {"di", "ed"}


@pytest.mark.parametrize("status", [401, 404, 422])
def test_where_everything_is_refused_nothing_is_set_aside_and_all_is_told_in_its_order_later(small, told, status):
    endpoint_id, receiver = told
    receiver.status = status
    one_by_one(small, "ann", "bo", "cy")
    wait(small, 30)
    assert states(small, endpoint_id) == ["waiting"] * 3
    assert len(receiver.tries) < 25
    receiver.status = 200
    wait(small, 24)
    assert receiver.told == [("entered", "ann"), ("entered", "bo"), ("entered", "cy")]


def test_one_that_is_refused_with_nothing_behind_it_does_not_end_its_endpoint(small, told):
    endpoint_id, receiver = told
    receiver.judge = about("ann")
    one_by_one(small, "ann")
    wait(small, 100)
    assert (endpoint_of(small, endpoint_id).state, states(small, endpoint_id)) == ("active", ["refused"])
    assert len(receiver.tries) == len(settling.WAITS) + 1


def test_what_fails_otherwise_keeps_its_place_unless_somebody_skips_it(small, told):
    endpoint_id, receiver = told
    receiver.judge = about("ann", status=500)
    one_by_one(small, "ann", "bo")
    wait(small, 10)
    assert receiver.told == []
    [first, second] = rows(small, endpoint_id)
    with small.change() as (session, _):
        assert messages.skip(session, small.shop_id, endpoint_id, first.delivery_id)
        assert not messages.skip(session, small.shop_id, endpoint_id, "of nobody")
    send(small)
    assert receiver.told == [("entered", "bo")]
    assert states(small, endpoint_id) == ["skipped", "delivered"]
    receiver.judge = None
    with small.change() as (session, _):
        assert not messages.skip(session, small.shop_id, endpoint_id, second.delivery_id)
        assert messages.replay(session, small.shop_id, endpoint_id, first.delivery_id) == 1
    send(small)
    assert receiver.told[-1] == ("entered", "ann")


def test_the_id_of_whoever_is_forgotten_is_kept_no_longer_than_it_is_tried_to_tell_it(small, told):
    endpoint_id, receiver = told
    longest = sum(settling.WAITS, timedelta()) * (100 + settling.JITTER_PERCENT) / 100
    assert longest < KEPT[FORGOTTEN] < longest + timedelta(hours=1)
    one_by_one(small, "ann", "bo")
    receiver.status = 500
    for customer in ("ann", "bo"):
        forget(small, customer)
        send(small, hours=0.01)
    with small.change() as (session, _):
        messages.skip(session, small.shop_id, endpoint_id, rows(small, endpoint_id)[-2].delivery_id)
    notes = table(Handover)
    assert (named(small), named(small, notes)) == ({"bo"}, {"ann", "bo"})
    clean(small)
    assert (named(small), named(small, notes)) == ({"bo"}, set())
    wait(small, 84)
    clean(small)
    assert (named(small, endpoints.members, table(Handover)), endpoint_of(small, endpoint_id).state) == (set(), "off")


def named(small, *tables):
    """Return who is named by what is kept to be told."""
    with reading(small.engine) as session:
        found = [session.scalars(select(one.c.customer_id)) for one in tables or (endpoints.members,)]
        return {who for rows in found for who in rows} - {""}


def clean(small):
    """Let the night delete what is kept no longer."""
    with small.change() as (session, _):
        lanes.poke(session, small.shop_id, "retention")
    privacy.retention(small.engine, lanes.claim(small.engine, small.shop_id, "retention"))


def test_removing_an_endpoint_beside_a_cut_leaves_nothing_of_it_behind(small, told):
    endpoint_id, _ = told
    small.order("ann")
    small.run()

    def remove():
        with transaction(small.engine) as session:
            endpoints.remove(session, small.shop_id, endpoint_id)

    with futures.ThreadPoolExecutor() as pool:
        with transaction(small.engine) as session:
            endpoint = endpoints.find(session, small.shop_id, endpoint_id, alone=True)
            cutting.cut(session, shops.shop(session, small.shop_id), endpoint)
            session.flush()
            removed = pool.submit(remove)
            futures.wait([removed], timeout=0.5)  # it waits for this
        removed.result()
    with reading(small.engine) as session:
        for left in (endpoints.endpoints, endpoints.deliveries, endpoints.members):
            assert session.execute(left.select()).all() == []
