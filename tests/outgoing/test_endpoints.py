"""Outgoing webhooks: each change is told once and in its order, signed, however often a receiver or a worker fails."""

import json
import re
from concurrent import futures
from datetime import datetime, timedelta

import pytest
import responses

from connectors import webhook
from connectors.records import Merged
from plugin import lanes, shops
from plugin.db import reading, transaction
from plugin.outgoing import endpoints, messages, settling
from plugin.outgoing.cutting import MOST_CUSTOMERS
from plugin.segments.kept import keep
from tests.outgoing.receiver import URL, KilledError, add, endpoint_of, forget, rows, send, states, wait


def test_changes_are_told_in_batches_with_ids_alone_and_signed(small, told):
    _, receiver = told
    for number in range(MOST_CUSTOMERS + 1):
        small.order(f"c{number:03}")
    send(small)
    sizes = [len(one["data"]["customers"]) for _, one in receiver.taken]
    assert (sizes, receiver.forged) == ([MOST_CUSTOMERS, 1], 0)
    first = receiver.taken[0][1]
    assert first["type"] == "segment.entered"
    assert datetime.fromisoformat(first["timestamp"]) == small.now
    assert first["data"]["segment"] == {"id": small.ids["recent"], "name": "recent", "tag": "seg:recent"}
    assert first["data"]["customers"][0] == {"id": "c000", "at": small.now.isoformat(), "cause": "added"}
    assert "@" not in json.dumps([one for _, one in receiver.taken])
    send(small)
    assert len(receiver.taken) == 2


def test_addresses_are_sent_to_those_who_are_to_have_them_and_segments_to_those_who_chose_them(small, http, told):
    other = small.segment("buyers", "number_of_orders >= 1")
    _, chosen = add(small, http, "https://93.184.215.14/chosen", other, addresses=True)
    small.order("ann")
    send(small)
    assert [one["data"]["segment"]["name"] for _, one in chosen.taken] == ["buyers"]
    assert chosen.taken[0][1]["data"]["customers"][0]["email"] == "ann@example.com"
    assert sorted(told[1].told) == [("entered", "ann"), ("entered", "ann")]


def test_whoever_comes_and_goes_meanwhile_is_told_so_in_that_order(small, told):
    endpoint_id, receiver = told
    receiver.status = 500
    small.order("ann")
    small.run()
    small.now += timedelta(days=4)
    small.run()
    small.order("ann")
    small.order("bo")
    send(small)
    receiver.status = 200
    wait(small, 30)
    assert receiver.told == [("entered", "ann"), ("left", "ann"), ("entered", "ann"), ("entered", "bo")]
    assert receiver.members() == small.members("recent")
    assert endpoint_of(small, endpoint_id).failing_at is None


def test_a_failing_endpoint_is_tried_for_three_days_then_switched_off_and_goes_on_when_it_is_let(small, told):
    endpoint_id, receiver = told
    receiver.status = 503
    small.order("ann")
    send(small)
    begin = small.now
    wait(small, 100)
    waits = [later - earlier for (_, earlier), (_, later) in zip(receiver.tries, receiver.tries[1:], strict=False)]
    assert len(receiver.tries) == 10
    assert len({delivery_id for delivery_id, _ in receiver.tries}) == 1
    for waited, meant in zip(waits, settling.WAITS, strict=True):
        assert meant * 0.9 <= waited <= meant * 1.1
    assert timedelta(days=2.8) < receiver.tries[-1][1] - begin < timedelta(days=3.5)
    off = endpoint_of(small, endpoint_id)
    assert (off.state, off.failing_at) == ("off", begin)
    assert "503" in off.reason
    small.order("bo")
    send(small)
    assert (len(receiver.tries), states(small, endpoint_id)) == (10, ["failed"])
    receiver.status = 200
    with small.change() as (session, _):
        endpoints.switch_on(session, small.shop_id, endpoint_id)
    send(small)
    assert receiver.members() == small.members("recent")
    assert endpoint_of(small, endpoint_id).state == "active"


def test_410_ends_it_at_once_and_an_endpoint_may_ask_for_a_longer_wait(small, told):
    endpoint_id, receiver = told
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    small.order("ann")
    send(small)
    wait(small, 0.9)
    assert len(receiver.tries) == 1
    receiver.status = 410
    wait(small, 0.2)
    assert (endpoint_of(small, endpoint_id).state, states(small, endpoint_id)) == ("off", ["failed"])
    with small.change() as (session, _):
        for since, count in ((small.now, 0), (small.now - timedelta(hours=2), 1)):
            assert messages.replay(session, small.shop_id, endpoint_id, since=since) == count
    assert states(small, endpoint_id) == ["waiting"]


def test_a_redirection_is_not_followed_and_an_address_inside_is_never_called(small, http, told):
    endpoint_id, receiver = told
    receiver.status, receiver.headers = 302, {"Location": "https://93.184.215.14/elsewhere"}
    small.order("ann")
    send(small)
    assert [row.error for row in rows(small, endpoint_id)] == ["answered 302"]
    for inside in ("https://127.0.0.1/x", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest"):
        with pytest.raises(endpoints.RefusedError):
            endpoints.demand_callable(inside)
    for wrong in ("http://93.184.215.14/", "ftp://x", "nowhere", "https://", "https://u:p@93.184.215.14/", "https://["):
        with pytest.raises(endpoints.RefusedError):
            endpoints.demand_callable(wrong)
    assert endpoints.demand_callable(f" {URL} ") == URL


def test_an_address_that_leads_inside_by_now_is_not_called(small):
    with responses.RequestsMock() as nothing:
        nothing.add_passthru("https://127.0.0.1")
        receipt = webhook.send("https://127.0.0.1:9/x", "1", b"{}", [webhook.new_secret()], small.now)
    assert (receipt.taken, receipt.error) == (False, "this address may not be called")
    assert webhook.send("http://93.184.215.14/", "1", b"", [], small.now).error == "this address may not be called"


def test_nothing_is_told_of_before_the_history_is_complete(small, told):
    with small.change() as (_, shop):
        shop.history_at = None
    small.order("ann")
    send(small)
    with small.change() as (session, shop):
        shops.history_complete(session, shop.shop_id, small.now)
    small.order("bo")
    send(small)
    assert told[1].told == [("entered", "bo")]


def test_a_dead_endpoint_does_not_hold_up_another(small, http, told):
    _, living = add(small, http, "https://93.184.215.14/living")
    told[1].status = 500
    for day in range(3):
        small.order(f"c{day}")
        send(small, hours=24)
    assert living.members() == small.members("recent")
    assert told[1].members() == set()


@pytest.mark.parametrize("moment", ["before it is sent", "after it was sent"])
def test_a_kill_loses_nothing_and_doubles_nothing_but_under_its_id(small, told, moment):
    receiver = told[1]
    receiver.kill = moment
    small.order("ann")
    with pytest.raises(KilledError):
        send(small)
    receiver.kill = None
    small.now += timedelta(minutes=5)
    small.order("bo")
    send(small)
    assert receiver.members() == small.members("recent") == {"ann", "bo"}
    ids = [delivery_id for delivery_id, _ in receiver.taken]
    assert len(ids) - len(set(ids)) == (1 if moment == "after it was sent" else 0)


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(small, told):
    endpoint_id, receiver = told
    with small.change() as (session, _):
        new = endpoints.rotate(session, small.shop_id, endpoint_id)
    small.order("ann")
    send(small)
    small.order("bo")
    send(small, hours=25)
    assert (receiver.told, receiver.forged) == ([("entered", "ann")], 1)
    receiver.secrets = [new]
    wait(small, 1)
    assert receiver.told == [("entered", "ann"), ("entered", "bo")]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", new)
    assert new not in endpoint_of(small, endpoint_id).sealed


def test_deliveries_are_sent_again_one_by_one_or_all_that_were_given_up(small, told):
    endpoint_id, receiver = told
    small.order("ann")
    send(small)
    [(delivery_id, body)] = receiver.taken
    with small.change() as (session, _):
        assert messages.replay(session, small.shop_id, endpoint_id, "of nobody") == 0
        assert messages.replay(session, small.shop_id, endpoint_id) == 0
        assert messages.replay(session, small.shop_id, endpoint_id, delivery_id) == 1
    send(small)
    assert receiver.taken == [(delivery_id, body)] * 2
    receiver.status = 500
    small.now += timedelta(seconds=1)
    with small.change() as (session, _):
        messages.ping(session, small.shop_id, endpoint_id)
    send(small)
    assert states(small, endpoint_id)[-1] == "failed"
    receiver.status = 200
    with small.change() as (session, _):
        messages.ping(session, small.shop_id, endpoint_id)
    send(small)
    assert receiver.taken[-1][1]["type"] == "ping"
    assert receiver.taken[-1][1]["data"] == {}


def test_whoever_is_forgotten_is_told_to_have_left_and_is_in_no_delivery_any_more(small, told):
    endpoint_id, receiver = told
    small.order("ann")
    small.order("bo")
    send(small)
    forget(small, "ann")
    send(small)
    assert receiver.told[-1] == ("left", "ann")
    with small.change() as (session, _):
        for row in messages.of(session, small.shop_id, endpoint_id):
            messages.replay(session, small.shop_id, endpoint_id, row.delivery_id)
    heard = len(receiver.taken)
    send(small)
    assert "ann" not in json.dumps([one for _, one in receiver.taken[heard:]])
    assert ("entered", "bo") in receiver.told[heard:]
    assert states(small, endpoint_id) == ["delivered", "empty"]


def test_a_merge_is_told_and_a_removed_segment_is_told_no_more(small, told):
    _, receiver = told
    small.order("ann")
    send(small)
    small.hear(Merged(gone_id="ann", kept_id="bo", merged_at=small.now))
    send(small)
    assert receiver.members() == small.members("recent") == {"bo"}
    with small.change() as (session, shop):
        keep.remove(session, shop, small.ids["recent"])
    small.order("cy")
    send(small)
    assert receiver.members() == {"bo"}


def test_deliveries_go_after_their_time_and_everything_goes_with_the_endpoint(small, told):
    endpoint_id, receiver = told
    small.order("ann")
    send(small)
    small.now += timedelta(days=31)
    small.order("bo")
    send(small)
    with small.change() as (session, _):
        messages.purge(session, small.shop_id, 30)
    assert [row.made_at for row in rows(small, endpoint_id)] == [small.now] * len(rows(small, endpoint_id))
    with small.change() as (session, _):
        endpoints.remove(session, small.shop_id, endpoint_id)
        assert session.execute(endpoints.members.select()).all() == []
        assert session.execute(endpoints.deliveries.select()).all() == []
    small.order("cy")
    send(small)
    assert ("entered", "cy") not in receiver.told


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_an_address_can_be_removed_while_it_is_told_something(small, told):
    endpoint_id, _ = told
    small.order("ann")
    small.run()
    claim = lanes.claim(small.engine, small.shop_id, endpoints.lane_of(endpoint_id), lanes.nobodys)

    def remove():
        with transaction(small.engine) as session:
            endpoints.remove(session, small.shop_id, endpoint_id)

    with futures.ThreadPoolExecutor() as pool:
        with transaction(small.engine) as session:
            lanes.hold(session, claim)
            settling.mark(session, endpoints.known(session, small.shop_id, endpoint_id), failing_at=None)
            removed = pool.submit(remove)
            futures.wait([removed], timeout=1)  # it waits for this
        removed.result()
    with reading(small.engine) as session:
        assert endpoints.all_of(session, small.shop_id) == []
