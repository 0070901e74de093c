"""How carts are filled, left, emptied and bought."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectors.records import UNSET, Cart, Deleted, Record, Unset
from tests.story.orders import ordered
from tests.story.teller import (
    AMOUNTS,
    DAY,
    FOREIGN,
    HOUR,
    MINUTE,
    PRODUCTS,
    SECOND,
    TICK,
    Buyer,
    Filled,
    Story,
)


def filled(story: Story) -> list[Record]:
    """Somebody begins a cart, or nobody known."""
    changed_at = lately(story)
    cart = Filled(Cart(story.new_id(), changed_at), visitor(story) if story.chance(80) else Buyer(), changed_at)
    story.carts.append(cart)
    return [as_told(story, cart)]


def lately(story: Story) -> datetime:
    """Return a moment about which a cart is just becoming abandoned, or another."""
    wait = timedelta(minutes=story.settings.cart_wait_minutes)
    return story.one((story.now, story.now - wait, story.now - wait + TICK, story.now - wait - DAY, story.when()))


def as_told(story: Story, filled: Filled) -> Cart:
    """Return a cart as it stands, with its buyer if it has one."""
    account, email = filled.buyer.account, filled.buyer.email
    if account or email:
        filled.cart = replace(
            filled.cart,
            customer=story.profile(account) if account else story.one((None, UNSET)),
            email=email,
            completed_at=None if filled.cart.completed_at is UNSET else filled.cart.completed_at,
            total_minor=story.one((*AMOUNTS, None)),
            currency=FOREIGN if story.chance(10) else story.settings.currency,
        )
    return replace(filled.cart, products=within(story))


def within(story: Story) -> tuple[str, ...] | Unset:
    """Return what lies in a cart, where that is told."""
    return story.some(PRODUCTS, (0, 1, 2)) if story.chance(70) else UNSET


def visitor(story: Story) -> Buyer:
    """Return a buyer whose account is known in full, or nobody."""
    buyer = story.buyer()
    return Buyer() if buyer.account and not buyer.account.full else buyer


def touched(story: Story) -> list[Record]:
    """A cart changes: in what is in it, by a checkout that names its buyer, or by being completed."""
    found = [one for one in story.carts if not story.gone(one.buyer)]
    if not found:
        return []
    filled = story.one(found)
    filled.touched_at = max(filled.touched_at + SECOND, lately(story))
    filled.cart = replace(filled.cart, changed_at=filled.touched_at)
    if story.chance(30):
        return [Cart(filled.cart.cart_id, filled.touched_at, products=within(story))]
    if filled.buyer == Buyer():
        filled.buyer = visitor(story)
    if story.chance(15) and filled.buyer != Buyer():
        filled.cart = replace(filled.cart, completed_at=filled.touched_at)
    return [as_told(story, filled)]


def bought(story: Story) -> list[Record]:
    """A cart becomes an order."""
    found = [one for one in story.carts if not story.gone(one.buyer)]
    if not found:
        return []
    filled = story.one(found)
    return ordered(
        story, filled.buyer, filled.cart.changed_at + story.one((-HOUR, 0 * HOUR, HOUR)), (filled.cart.cart_id,)
    )


def emptied(story: Story) -> list[Record]:
    """A cart is deleted."""
    if not story.carts or not story.chance(50):
        return []
    filled = story.one(story.carts)
    filled.touched_at += MINUTE
    return [Deleted("cart", filled.cart.cart_id, filled.touched_at)]
