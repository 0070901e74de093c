"""What the store says of a customer beside orders: consent, tags, language, its own thoughts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal, select

from plugin.db import listed, table
from plugin.models.commerce import ConsentChange, TagChange
from plugin.segments.asking.figures.base import NOW, Asked, customers, orders, placed

consents = table(ConsentChange)
tags = table(TagChange)

RATINGS = ("platform_rfm_group", "spend_tier")


def when_added() -> ColumnElement[Any]:
    """When a customer came: as the platform says, else with the first order, else when first heard of."""
    first = orders.alias("first")
    theirs = (first.c.shop_id == customers.c.shop_id, first.c.customer_id == customers.c.customer_id)
    earliest = select(func.min(first.c.placed_at)).where(*theirs, placed(first)).correlate(customers).scalar_subquery()
    return func.coalesce(customers.c.created_at, earliest, customers.c.seen_at, type_=customers.c.seen_at.type)


def told(_asked: Asked) -> dict[str, ColumnElement[Any]]:
    """What the store says of a customer beside orders."""
    return {
        "email_domain": customers.c.email_domain,
        "language": customers.c.language,
        "email_consent": func.coalesce(consent("email"), ticked()),
        "sms_consent": consent("sms"),
        "tags": merchant_tags(),
        "account_status": customers.c.account_status,
        **{name: case((customers.c.rated_at <= NOW, customers.c[name])) for name in RATINGS},
    }


def consent(channel: str) -> ColumnElement[Any]:
    """The latest decision about being written to."""
    return (
        select(consents.c.state)
        .where(consents.c.shop_id == customers.c.shop_id, consents.c.customer_id == customers.c.customer_id)
        .where(consents.c.channel == channel, consents.c.changed_at <= NOW)
        .order_by(consents.c.changed_at.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def ticked() -> ColumnElement[Any]:
    """What the latest order that says anything about being written to says."""
    last = orders.alias("last")
    return (
        select(case((last.c.accepts_marketing, "SUBSCRIBED"), else_="NOT_SUBSCRIBED"))
        .where(last.c.shop_id == customers.c.shop_id, last.c.customer_id == customers.c.customer_id)
        .where(placed(last), last.c.accepts_marketing.is_not(None))
        .order_by(last.c.placed_at.desc(), last.c.order_id.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def merchant_tags() -> ColumnElement[Any]:
    """The tags that the merchant has on a customer. Ours never become rows here."""
    later = tags.alias("later")
    undone = exists().where(
        later.c.shop_id == tags.c.shop_id,
        later.c.customer_id == tags.c.customer_id,
        later.c.folded == tags.c.folded,
        later.c.changed_at > tags.c.changed_at,
        later.c.changed_at <= NOW,
    )
    separated = literal("\x1f").concat(tags.c.folded).concat(literal("\x1f"))
    return (
        select(listed(separated))
        .where(tags.c.shop_id == customers.c.shop_id, tags.c.customer_id == customers.c.customer_id)
        .where(tags.c.changed_at <= NOW, tags.c.added, ~undone)
        .correlate(customers)
        .scalar_subquery()
    )
