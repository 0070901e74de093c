"""What a shop reckons by: its days, its money, when a cart is abandoned, which orders count; and what a change entails.

Whatever was worked out by the terms before is worked out again: everybody is asked anew by all segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import case, exists, literal, select, true, update
from sqlmodel import Session, col

from connectors.money import exponent
from connectors.phrases import phrase
from plugin import backfill, clock, due_days, lanes, shops
from plugin.db import insert, minutes_after, table
from plugin.models.commerce import Cart, LineItem, Order
from plugin.models.segments import Wake
from plugin.models.shops import Shop
from plugin.segments.membership import live, sizes

LONGEST_WAIT_MINUTES = 30 * 24 * 60

carts = table(Cart)
orders = table(Order)
lines = table(LineItem)
wakes = table(Wake)


@dataclass(frozen=True)
class Terms:
    """`cart_wait_minutes`: after so long without a change a cart is abandoned."""

    zone: str
    currency: str
    cart_wait_minutes: int
    paid_orders_only: bool


def of(shop: Shop) -> Terms:
    return Terms(shop.zone, shop.currency, shop.cart_wait_minutes, shop.paid_orders_only)


def change(session: Session, shop_id: str, wanted: Terms) -> bool:
    """Let a shop reckon by other terms from now on; return whether they are others. ValueError: it cannot.

    Nothing is stored by the old terms meanwhile: whoever stores has seen the shop as it is (`shops.steady`).
    """
    check(wanted)
    shop = session.get(Shop, shop_id, with_for_update=True, populate_existing=True)
    if shop is None:
        raise shops.UnknownShopError(shop_id)
    before = of(shop)
    if before == wanted:
        return False
    session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(vars(wanted)))
    session.refresh(shop)
    if wanted.cart_wait_minutes != before.cart_wait_minutes:
        wait_anew(session, shop)
    if wanted.currency != before.currency:
        count_anew(session, shop)
    if wanted.zone != before.zone:
        sizes.forget(session, shop_id)
    due_days.of_shop(session, shop_id)
    live.ask_anew(session, shop_id, "terms")
    lanes.poke(session, shop_id, "scores")
    return True


def check(wanted: Terms) -> None:
    """Raise ValueError for a zone or currency that there is not, or a wait that makes no sense."""
    try:
        ZoneInfo(wanted.zone)
    except (LookupError, OSError, ValueError) as error:
        raise ValueError(phrase("there is no time zone %(zone)s", zone=repr(wanted.zone))) from error
    exponent(wanted.currency)
    if not 1 <= wanted.cart_wait_minutes <= LONGEST_WAIT_MINUTES:
        raise ValueError(phrase("a cart waits 1 to %(num)s minutes", num=LONGEST_WAIT_MINUTES))


def wait_anew(session: Session, shop: Shop) -> None:
    """Say of all carts anew when they are abandoned, and have their customers looked at then."""
    own = carts.c.shop_id == shop.shop_id
    abandoned_at = minutes_after(carts.c.changed_at, literal(shop.cart_wait_minutes))
    session.execute(update(carts).where(own, carts.c.changed_at.is_not(None)).values(abandoned_at=abandoned_at))
    coming = (carts.c.abandoned_at > clock.now(), carts.c.customer_id.is_not(None))
    rows = select(carts.c.shop_id, carts.c.abandoned_at, carts.c.customer_id).where(own, *coming, true()).distinct()
    add = insert(session, wakes).from_select(["shop_id", "wake_at", "customer_id"], rows)
    session.execute(add.on_conflict_do_nothing())


def count_anew(session: Session, shop: Shop) -> None:
    """Take amounts from orders and carts in the shop's currency, and have the store's past read once more.

    Of lines and refunds in another currency than the shop's no amounts were kept: they come with the past.
    """
    for table_of in (orders, carts):
        ours = case((table_of.c.currency == shop.currency, table_of.c.total_minor), else_=None)
        session.execute(update(table_of).where(table_of.c.shop_id == shop.shop_id).values(amount_minor=ours))
    theirs = (orders.c.shop_id == lines.c.shop_id, orders.c.order_id == lines.c.order_id)
    foreign = exists().where(*theirs, orders.c.currency.is_distinct_from(shop.currency))
    session.execute(update(lines).where(lines.c.shop_id == shop.shop_id, foreign).values(amount_minor=None))
    for one in shops.connections(session, shop.shop_id, "store"):
        if one.state == "active":
            backfill.again(session, shop.shop_id, one.connection_id)
