"""Whoever was forgotten stays so, whatever the platform repeats, and comes back by their own doing alone."""

import csv
import io
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from connectors.records import Address, Cart, Consent, Customer, Deleted, Order, TagsChanged
from plugin import imports, ingest, lanes, privacy, shops
from plugin.db import transaction
from plugin.privacy.persons import guest_id
from tests.privacy.world import NOW, TOLD, YOLANDA, ZEBULON

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FIGURES = ("order_id", "total_minor", "amount_minor", "placed_at", "counts", "refunded")


def store(world, *records):
    with transaction(world.engine) as session:
        ingest.store(session, shops.shop(session, world.shop_id), world.store, records)


def admit(world, *records):
    with transaction(world.engine) as session:
        return privacy.admit(session, shops.shop(session, world.shop_id), records)


def buyers(world):
    """Whose orders are, but the one of which a refund alone is known."""
    return {row.order_id: row.customer_id for row in world.rows("orders") if row.placed_at}


def figures(world):
    rows = sorted(world.rows("orders"), key=lambda row: row.order_id)
    return [[getattr(row, name) for name in FIGURES] for row in rows]


def bodies(world):
    return [bytes(row.body) for row in world.rows("deliveries") if row.body]


def order(who=ZEBULON, placed_at=NOW - DAY, *, guest=False, **more):
    customer = Customer(who.id, placed_at, created_at=NOW - 90 * DAY, email=who.email, last_name=who.last_name)
    told = {
        "order_id": who.order,
        "placed_at": placed_at,
        "updated_at": placed_at,
        "total_minor": 6893,
        "currency": "GBP",
        "name": who.name,
        "customer": None if guest else customer,
        "email": who.email_as_typed,
        "lines": (),
        "discount_codes": (who.code,),
        "addresses": (Address("GB", None, who.city),),
        "cart_ids": (who.cart,),
        "accepts_marketing": True,
        "source_name": "web",
        "landing_site": who.landing_site,
        "referring_site": who.referring_site,
        "user_agent": who.user_agent,
    }
    return Order(**told | more)


def test_the_platforms_retry_of_a_demand_is_known_and_brings_nothing_back(world):
    world.tell_all(ZEBULON)
    assert world.redact(ZEBULON, "the-demand")
    world.work()
    assert not world.redact(ZEBULON, "the-demand")
    world.work()
    assert world.traces_of(ZEBULON) == {}


def test_a_demand_that_comes_once_more_is_worked_and_erased_as_well(world):
    world.tell_all(ZEBULON)
    world.forget(ZEBULON)
    before = world.dump()
    world.forget(ZEBULON)
    assert world.traces_of(ZEBULON) == {}
    after = world.dump()
    assert {name for name in after if after[name] != before[name]} <= {"deliveries", "lanes", "due_days"}
    assert {row.state for row in world.rows("deliveries")} <= {"erased", "done"}


def test_somebody_we_never_heard_of_can_be_forgotten_too(world):
    world.forget(ZEBULON)
    world.tell_all(ZEBULON)
    world.work()
    assert world.traces_of(ZEBULON) == {}


def test_whatever_is_delivered_late_leaves_the_shops_revenue_and_nothing_else(world):
    world.tell_all(ZEBULON)
    world.work("inbox")
    before = figures(world)
    world.forget(ZEBULON)
    world.time.move(days=1)
    for topic in (*TOLD, "customers/delete"):
        world.deliver(topic, ZEBULON.payload(topic), **{"x-shopify-triggered-at": (NOW - DAY).isoformat()})
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert figures(world) == before
    assert {row.customer_id for row in world.rows("orders")} == {None}
    assert len(world.rows("line_items")) > 1
    assert [world.rows(name) for name in ("customers", "email_addresses", "stale", "wakes", "redactions")] == [[]] * 5


def test_an_order_first_heard_of_afterwards_is_the_same_as_one_that_was_there(world):
    store(world, order())
    world.forget(ZEBULON)
    [there] = world.rows("orders")
    store(world, order(order_id="2"))
    world.work()
    [_, late] = sorted(world.rows("orders"), key=lambda row: row.order_id != ZEBULON.order)
    assert (
        late._replace(order_id=there.order_id) == there
        if hasattr(late, "_replace")
        else tuple(late)[2:] == tuple(there)[2:]
    )


@pytest.mark.parametrize("guest", [False, True], ids=["by account", "by address"])
def test_a_backfill_brings_the_money_and_not_the_buyer(world, guest):
    world.forget(ZEBULON)
    store(world, order(guest=guest), order(YOLANDA))
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert buyers(world) == {
        ZEBULON.order: None,
        YOLANDA.order: YOLANDA.id,
    }
    assert {row.total_minor for row in world.rows("orders")} == {6893}


def test_an_import_brings_the_money_and_not_the_buyer(world, tmp_path):
    world.forget(ZEBULON)
    file = io.StringIO()
    rows = [
        {
            "Id": who.order,
            "Name": who.name,
            "Email": who.email_as_typed,
            "Created at": "2026-11-01 09:00:00 +0000",
            "Currency": "GBP",
            "Total": "68.93",
            "Lineitem quantity": "1",
            "Lineitem price": "68.93",
            "Lineitem name": "Mug",
            "Accepts Marketing": "yes",
            "Billing Name": who.last_name,
            "Billing Country": "GB",
            "Billing City": who.city,
            "Discount Code": who.code,
        }
        for who in (ZEBULON, YOLANDA)
    ]
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "orders.csv").write_text(file.getvalue())
    imports.import_orders(world.engine, world.shop_id, tmp_path / "orders.csv")
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert {row.contact for row in world.rows("customers")} == {YOLANDA.contact}
    assert {row.order_id: row.customer_id is None for row in world.rows("orders")} == {
        ZEBULON.order: True,
        YOLANDA.order: False,
    }


AFTER = NOW + DAY
LATER_BUT_NOT_BY_THEM = {
    "a profile": Customer(ZEBULON.id, AFTER, created_at=NOW - DAY, email=ZEBULON.email, last_name=ZEBULON.last_name),
    "a change without a date of its own": Customer(ZEBULON.id, AFTER),
    "a tag": TagsChanged(ZEBULON.id, AFTER, removed=("seg:vip",)),
    "the platform's own redaction": Consent("email", "REDACTED", AFTER, ZEBULON.id),
    "an unsubscription": Consent("email", "UNSUBSCRIBED", AFTER, None, ZEBULON.email),
    "a deletion": Deleted("customer", ZEBULON.id, AFTER),
}
LATER_BY_THEM = {
    "an order": order(placed_at=AFTER),
    "a guest's order": order(placed_at=AFTER, guest=True),
    "a cart": Cart(ZEBULON.cart, AFTER, customer=Customer(ZEBULON.id, AFTER), email=ZEBULON.email),
    "a guest's cart": Cart(ZEBULON.cart, AFTER, email=ZEBULON.email),
    "a subscription": Consent("email", "SUBSCRIBED", AFTER, ZEBULON.id),
    "a guest's subscription": Consent("email", "PENDING", AFTER, None, ZEBULON.email),
    "a new account": Customer(ZEBULON.id, AFTER, created_at=AFTER, email=ZEBULON.email),
}


@pytest.mark.parametrize("record", LATER_BUT_NOT_BY_THEM.values(), ids=LATER_BUT_NOT_BY_THEM)
def test_what_others_do_to_an_account_brings_nobody_back(world, record):
    world.forget(ZEBULON)
    world.time.move(days=2)
    assert admit(world, record) == []


@pytest.mark.parametrize("record", LATER_BY_THEM.values(), ids=LATER_BY_THEM)
def test_what_somebody_does_afterwards_is_a_new_relationship(world, record):
    world.forget(ZEBULON)
    world.time.move(days=2)
    assert admit(world, record) == [record]
    store(world, record)
    assert world.rows("customers") != []


@pytest.mark.parametrize("record", LATER_BUT_NOT_BY_THEM.values(), ids=LATER_BUT_NOT_BY_THEM)
def test_whoever_has_come_back_is_a_customer_like_any_other(world, record):
    world.forget(ZEBULON)
    world.time.move(days=2)
    back = [order(placed_at=AFTER), Consent("email", "SUBSCRIBED", AFTER, None, ZEBULON.email)]
    assert admit(world, *back, record) == [*back, record]
    store(world, *back)
    assert admit(world, record) == [record]


def test_at_the_moment_itself_everything_still_belongs_to_the_past(world):
    world.forget(ZEBULON)
    [nobodys] = admit(world, order(placed_at=NOW), Cart("1", NOW, email=ZEBULON.email))
    assert (nobodys.order_id, nobodys.customer, nobodys.email) == (ZEBULON.order, None, None)


def test_after_a_new_order_the_old_ones_stay_nobodys(world):
    world.tell_all(ZEBULON)
    world.forget(ZEBULON)
    world.time.move(days=1)
    late = {"placed_at": world.time(), "order_id": "2", "name": "#2"}
    store(world, order(**late), order())
    world.work()
    assert buyers(world) == {ZEBULON.order: None, "2": ZEBULON.id}
    store(world, order(updated_at=world.time()))
    world.time.move(days=20)
    world.work()
    assert buyers(world) == {ZEBULON.order: None, "2": ZEBULON.id}
    assert [row.email for row in world.rows("customers")] == [ZEBULON.email]


def test_somebody_who_comes_back_before_all_is_erased_is_not_erased_with_it(world):
    world.tell_all(ZEBULON)
    world.work("inbox")
    world.redact(ZEBULON)
    world.work("inbox")
    world.time.move(seconds=30)
    world.deliver(
        "orders/create",
        ZEBULON.payload("orders/create", id=2, created_at="2026-11-20T12:00:20Z", updated_at="2026-11-20T12:00:25Z"),
    )
    world.work("inbox")
    world.work()
    assert buyers(world) == {ZEBULON.order: None, "2": ZEBULON.id}
    assert [row.customer_id for row in world.rows("customers")] == [ZEBULON.id]
    [kept] = [body for body in bodies(world) if ZEBULON.id.encode() in body]
    assert json.loads(kept)["id"] == 2
    assert world.rows("redactions") == []


def test_a_profile_older_than_the_order_it_comes_with_does_not_make_the_order_old(world):
    world.forget(ZEBULON)
    world.time.move(days=2)
    told = order(placed_at=AFTER)
    old = Customer(ZEBULON.id, NOW - DAY, email=ZEBULON.email)
    store(world, Order(**vars(told) | {"customer": old}))
    assert admit(world, Customer(ZEBULON.id, AFTER, phone="1")) == [Customer(ZEBULON.id, AFTER, phone="1")]


def test_another_customer_who_takes_the_address_over_is_not_kept_out(world):
    store(world, Customer(YOLANDA.id, NOW - DAY, email=YOLANDA.email))
    world.forget(ZEBULON)
    world.time.move(days=2)
    theirs = Customer(YOLANDA.id, AFTER, created_at=NOW - DAY, email=ZEBULON.email)
    assert admit(world, theirs) == [theirs]
    assert admit(world, Customer("2", AFTER, created_at=NOW - DAY, email=ZEBULON.email)) == []


def test_a_merged_account_is_forgotten_under_each_of_its_ids(world):
    store(world, order(guest=True), Customer(ZEBULON.id, NOW, email=ZEBULON.email))
    world.forget(ZEBULON)
    store(world, order(guest=True, order_id="2"))
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert {row.customer_id for row in world.rows("orders")} == {None}


def test_a_guest_is_forgotten_under_the_id_that_the_app_made(world):
    store(world, order(guest=True))
    assert [row.customer_id for row in world.rows("customers")] == [guest_id(world.shop(), ZEBULON.contact)]
    world.forget(ZEBULON)
    assert world.rows("customers") == []


def test_an_address_is_the_same_in_any_letters_and_with_blanks_around_it(world):
    world.forget(ZEBULON)
    assert admit(world, Cart("1", NOW - DAY, email=f"  {ZEBULON.email.upper()} ")) == []


def test_orders_that_the_platform_names_are_made_nobodys_though_another_account_placed_them(world):
    store(world, order(YOLANDA, order_id=ZEBULON.order), order(YOLANDA))
    world.forget(ZEBULON)
    assert buyers(world) == {
        ZEBULON.order: None,
        YOLANDA.order: YOLANDA.id,
    }


def test_another_shops_customer_of_the_same_address_is_not_concerned(world):
    with transaction(world.engine) as session:
        other, _ = shops.add_shop(
            session, name="Other", platform="shopify", domain="other", zone="Europe/London", currency="GBP"
        )
        ingest.store(session, other, "connection", [order()])
    world.forget(ZEBULON)
    with transaction(world.engine) as session:
        assert privacy.admit(session, shops.shop(session, other.shop_id), [order()]) == [order()]
    assert ZEBULON.contact in str(world.dump()["customers"])


def test_a_shop_that_forgot_nobody_looks_once_for_a_batch(world):
    statements = []
    event.listen(world.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    records = [order(order_id=str(number)) for number in range(500)]
    assert admit(world, *records) == records
    assert len([one for one in statements if "redacted" in one and "shops" not in one]) == 1
    assert len(statements) <= 4  # begin, the shop, its lock, the look


def test_a_batch_that_was_admitted_before_a_demand_is_written_before_it(world):
    """Otherwise what was let in just before somebody was forgotten would be written just after."""
    admitted, finished = threading.Event(), threading.Event()

    def write():
        with transaction(world.engine) as session:
            shop = shops.shop(session, world.shop_id)
            told = privacy.admit(session, shop, [order()])
            admitted.set()
            finished.wait(1)  # long enough for the demand to overtake us, if it could
            ingest.store(session, shop, world.store, told)

    writer = threading.Thread(target=write)
    writer.start()
    admitted.wait()
    world.forget(ZEBULON)
    finished.set()
    writer.join()
    assert world.traces_of(ZEBULON) == {}


def test_erasing_waits_for_lanes_that_may_still_write_what_they_read_before(world):
    world.tell_all(ZEBULON)
    world.work("inbox")
    world.time.move(minutes=1)
    claim = lanes.claim(world.engine, world.shop_id, "recompute")
    assert claim
    world.redact(ZEBULON)
    world.work("inbox")
    world.work("privacy", patience=0)
    assert len(world.rows("redactions")) == 1
    world.time.move(seconds=5)
    lanes.renew(world.engine, claim)  # it has committed what it read before
    world.work("privacy", patience=120)
    assert world.rows("redactions") == []
    assert world.traces_of(ZEBULON) == {}
