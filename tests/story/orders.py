"""How orders come to be and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.records import UNSET, Address, Deleted, LineItem, Order, Record, Refund, RefundLine
from tests.story.teller import (
    AGENTS,
    AHEAD,
    AMOUNTS,
    CHANNELS,
    CODES,
    FOREIGN,
    HOUR,
    LANDINGS,
    PLACES,
    PRODUCTS,
    QUANTITIES,
    REFERRERS,
    SECOND,
    SKUS,
    STATUSES,
    TITLES,
    VENDORS,
    Buyer,
    Placed,
    Story,
)

CIRCUMSTANCES = ("source_name", "landing_site", "referring_site", "user_agent", "location_id", "app_id")


def placed(story: Story) -> list[Record]:
    return ordered(story, story.buyer(), story.when())


def ordered(story: Story, buyer: Buyer, placed_at: datetime, cart_ids: tuple[str, ...] = ()) -> list[Record]:
    order_id = story.new_id()
    order = Order(
        order_id=order_id,
        placed_at=placed_at,
        updated_at=placed_at + SECOND,
        total_minor=story.one(AMOUNTS),
        currency=FOREIGN if story.chance(8) else story.settings.currency,
        email=buyer.email,
        test=story.chance(5),
        cancelled_at=placed_at + story.one(AHEAD) if story.chance(5) else None,
        financial_status=story.one(STATUSES),
        lines=tuple(line(story, f"{order_id}-{number}") for number in range(story.one((1, 1, 2, 3)))),
        refunded_minor=story.one((0, 0, 333)) if story.chance(20) else UNSET,
        discount_codes=story.some(CODES, (0, 0, 1, 2)),
        discount_minor=story.one((0, 0, 0, 100)),
        addresses=story.some(PLACES, (0, 1, 1, 2)),
        cart_ids=cart_ids,
        accepts_marketing=story.one((True, False, None)),
        source_name=story.one(CHANNELS),
        landing_site=story.one(LANDINGS),
        referring_site=story.one(REFERRERS),
        user_agent=story.one(AGENTS),
        location_id=story.one(("7", None)),
        app_id=story.one(("580111", "9", None)),
    )
    story.orders.append(Placed(order, buyer))
    return told(story, story.orders[-1])


def told(story: Story, placed: Placed) -> list[Record]:
    """Tell an order as it stands, and once in a while as an order export does too, which is older and knows less."""
    account = placed.buyer.account
    placed.order = replace(placed.order, customer=story.profile(account) if account else None)
    now = partly(story, placed.order)
    if placed.exported or placed.order.test or placed.order.refunded_minor is not UNSET or not story.chance(15):
        return [now]
    placed.exported = True
    return [now, as_exported(placed.order)]


def partly(story: Story, order: Order) -> Order:
    """Return an order as one source tells it: some leave out how it came about, or have it empty."""
    left_out = story.some(CIRCUMSTANCES, (0, 0, 1, 3))
    return replace(order, **{name: story.one((UNSET, None)) for name in left_out})


def as_exported(order: Order) -> Order:
    assert order.lines is not UNSET
    assert order.addresses is not UNSET
    return replace(
        order,
        updated_at=order.placed_at,
        customer=None,
        lines=tuple(
            replace(one, line_id=str(number), current_quantity=None, product_id=None)
            for number, one in enumerate(order.lines, 1)
        ),
        refunds=(),
        refunded_minor=sum(refund.amount_minor for refund in order.refunds),
        addresses=tuple(dict.fromkeys(Address(place.country) for place in order.addresses)),
        cart_ids=UNSET,
        **dict.fromkeys(("landing_site", "referring_site", "user_agent", "location_id", "app_id"), UNSET),
    )


def line(story: Story, line_id: str) -> LineItem:
    quantity = story.one(QUANTITIES)
    return LineItem(
        line_id,
        quantity,
        current_quantity=quantity if story.chance(80) else None,
        product_id=story.one((*PRODUCTS, None)),
        variant_id=story.one(("31", "32", None)),
        title=story.one(TITLES),
        sku=story.one(SKUS),
        vendor=story.one(VENDORS),
        amount_minor=None if story.chance(5) else story.one(AMOUNTS),
    )


def revised(story: Story) -> list[Record]:
    """Something changes about an order; one that was deleted comes back with it. An account may now be named too."""
    found = [one for one in story.orders if not story.gone(one.buyer)]
    if not found:
        return []
    placed = story.one(found)
    order = story.one(REVISIONS)(story, placed.order)
    silent = order.refunds[len(placed.order.refunds) :] if story.chance(40) and not placed.deleted else ()
    placed.order = replace(order, updated_at=order.updated_at + HOUR)
    if placed.buyer.account is None and story.chance(30):
        placed.buyer = Buyer(story.owner(order.email), order.email)
    if silent:
        return list(silent)
    placed.deleted = False
    return told(story, placed)


def refunded(story: Story, order: Order) -> Order:
    assert order.lines is not UNSET
    given_back = [
        RefundLine(one.line_id, min(left, story.one((1, 1, 12)))) for one in order.lines if (left := units(order, one))
    ]
    refund = Refund(
        order.order_id,
        refund_id=story.new_id(),
        refunded_at=max(order.placed_at, story.when()),
        amount_minor=story.one((order.total_minor, order.total_minor // 2, 1)),
        currency=story.one((order.currency, None)),
        lines=story.some(given_back, (0, 1, 1, 3)),
    )
    back = {of.line_id: of.quantity for of in refund.lines}
    lines = tuple(
        one
        if one.current_quantity is None
        else replace(one, current_quantity=one.current_quantity - back.get(one.line_id, 0))
        for one in order.lines
    )
    return replace(order, refunds=(*order.refunds, refund), lines=lines)


def units(order: Order, line: LineItem) -> int:
    """Return the units that could still be given back."""
    if line.current_quantity is not None:
        return line.current_quantity
    return line.quantity - sum(of.quantity for one in order.refunds for of in one.lines if of.line_id == line.line_id)


def refunded_undated(story: Story, order: Order) -> Order:
    if not isinstance(order.refunded_minor, int):
        return order
    return replace(order, refunded_minor=order.refunded_minor + story.one((0, 1, order.total_minor)))


def cancelled(story: Story, order: Order) -> Order:
    return replace(order, cancelled_at=None if order.cancelled_at else max(order.placed_at, story.when()))


def shortened(story: Story, order: Order) -> Order:
    """Units are taken off a line without money back."""
    assert order.lines is not UNSET
    first, *others = order.lines
    if not first.current_quantity:
        return order
    return replace(
        order, lines=(replace(first, current_quantity=story.random.randrange(first.current_quantity)), *others)
    )


def lengthened(story: Story, order: Order) -> Order:
    assert order.lines is not UNSET
    return replace(order, lines=(*order.lines, line(story, f"{order.order_id}-{len(order.lines)}")))


def corrected(story: Story, order: Order) -> Order:
    return replace(
        order,
        financial_status=story.one(STATUSES),
        total_minor=story.one(AMOUNTS),
        discount_codes=story.some(CODES, (0, 1)),
        discount_minor=story.one((0, 100, None)),
        accepts_marketing=story.one((True, False, None)),
    )


def struck(story: Story) -> list[Record]:
    """An order is deleted."""
    found = [one for one in story.orders if not one.deleted]
    if not found or not story.chance(50):
        return []
    placed = story.one(found)
    placed.deleted = True
    placed.order = replace(placed.order, updated_at=placed.order.updated_at + HOUR)
    return [Deleted("order", placed.order.order_id, placed.order.updated_at)]


REVISIONS = (refunded, refunded, refunded, refunded_undated, cancelled, shortened, lengthened, corrected)
