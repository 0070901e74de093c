"""What one customer is: addresses, consent, attributes, former ids, and what their orders come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlmodel import Session

from plugin import clock
from plugin.db import table
from plugin.models.attributes import AttributeDefinition, AttributeValue
from plugin.models.commerce import ConsentChange, Customer, CustomerAlias, EmailAddress, Order, TagChange
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.models.standing import Standing, StoreCredit
from plugin.segments.asking import figures, rfm
from plugin.segments.asking.quality import is_good

BOUGHT = ("orders", "spent_minor", "first_order_at", "last_order_at", "average_order_minor", "days_between_orders")

aliases = table(CustomerAlias)
addresses = table(EmailAddress)
consents = table(ConsentChange)
credit = table(StoreCredit)
defined = table(AttributeDefinition)
orders = table(Order)
standings = table(Standing)
stats = table(CustomerStats)
tags = table(TagChange)
values = table(AttributeValue)


@dataclass(frozen=True)
class Consent:
    """The latest decision about being written to. `order`: with which one it was made; None: the store told it."""

    channel: str
    state: str
    at: datetime | None
    order: str | None = None


@dataclass(frozen=True)
class Attribute:
    """What the merchant keeps of a customer under one name, since when."""

    key: str
    label: str | None
    kind: str
    value: str
    since: datetime


@dataclass(frozen=True)
class Figures:
    """What a customer's orders come to now, and what is relative to the shop, as of its last midnight.

    Parts are in ten-thousandths but `spend_percentile`; whatever is not known is None. `expected`: predictions are
    kept and may be believed.
    """

    bought: Mapping[str, Any]
    ranks: Mapping[str, Any]
    group: str | None
    expected: bool


@dataclass(frozen=True)
class Profile:
    customer: Customer
    emails: Sequence[str]
    former: Sequence[str]
    consents: Sequence[Consent]
    attributes: Sequence[Attribute]
    standings: Mapping[str, str]
    credit: Sequence[Row[Any]]
    tags: Sequence[str]
    figures: Figures


def of(session: Session, shop: Shop, customer: Customer) -> Profile:
    """Return what is known of a customer now."""
    who = (shop.shop_id, customer.customer_id)
    named = select(addresses.c.address).where(*own(addresses, who)).order_by(addresses.c.address)
    former = select(aliases.c.alias_id).where(*own(aliases, who)).order_by(aliases.c.alias_id)
    return Profile(
        customer,
        session.scalars(named).all(),
        session.scalars(former).all(),
        consents_of(session, who),
        attributes_of(session, who),
        dict(latest(session, standings, standings.c.name, standings.c.told_at, standings.c.value, who)),
        credit_of(session, who),
        tags_of(session, who),
        figures_of(session, shop, customer.customer_id),
    )


Who = tuple[str, str]
"""A shop's id and a customer's."""


def own(target: Any, who: Who) -> tuple[Any, Any]:
    return target.c.shop_id == who[0], target.c.customer_id == who[1]


def latest(session: Session, target: Any, name: Any, dated: Any, value: Any, who: Who) -> list[tuple[str, Any]]:
    """Return what was told last under each name, as far as it holds by now; nothing where that is nothing."""
    found = select(name, value).where(*own(target, who), dated <= clock.now()).order_by(name, dated)
    return [(key, told) for key, told in dict(session.execute(found).all()).items() if told is not None]


def consents_of(session: Session, who: Who) -> list[Consent]:
    """Return the decision that holds on each channel: what the store tells, else what the latest order says."""
    found = select(consents.c.channel, consents.c.state, consents.c.changed_at)
    rows = session.execute(found.where(*own(consents, who)).order_by(consents.c.changed_at)).all()
    told = {row.channel: Consent(*row) for row in rows if row.changed_at <= clock.now()}
    if "email" not in told and (ticked := with_an_order(session, who)):
        told["email"] = ticked
    return [told[channel] for channel in sorted(told)]


def with_an_order(session: Session, who: Who) -> Consent | None:
    says = (orders.c.accepts_marketing.is_not(None), orders.c.deleted_at.is_(None), orders.c.placed_at <= clock.now())
    found = select(orders.c.order_id, orders.c.name, orders.c.placed_at, orders.c.accepts_marketing)
    latest_first = (orders.c.placed_at.desc(), orders.c.order_id.desc())
    row = session.execute(found.where(*own(orders, who), *says).order_by(*latest_first).limit(1)).first()
    if row is None:
        return None
    state = "SUBSCRIBED" if row.accepts_marketing else "NOT_SUBSCRIBED"
    return Consent("email", state, row.placed_at, row.name or row.order_id)


def attributes_of(session: Session, who: Who) -> list[Attribute]:
    same = and_(defined.c.shop_id == values.c.shop_id, defined.c.key == values.c.key)
    columns = (defined.c.key, defined.c.label, defined.c.kind, values.c.value, values.c.changed_at)
    found = select(*columns).join_from(values, defined, same).where(*own(values, who))
    rows = session.execute(found.where(values.c.changed_at <= clock.now()).order_by(defined.c.key, values.c.changed_at))
    return [Attribute(*row) for row in {row.key: row for row in rows}.values() if row.value is not None]


def credit_of(session: Session, who: Who) -> Sequence[Row[Any]]:
    """Return the store credit that is left, account by account."""
    seen = and_(credit.c.changed_at <= clock.now(), *own(credit, who))
    last = select(credit.c.account_id, func.max(credit.c.changed_at).label("at")).where(seen)
    now = last.group_by(credit.c.account_id).subquery()
    found = select(credit.c.currency, credit.c.balance_minor, credit.c.next_expiry_at).join(
        now, and_(now.c.account_id == credit.c.account_id, now.c.at == credit.c.changed_at)
    )
    return session.execute(
        found.where(*own(credit, who), credit.c.balance_minor > 0).order_by(credit.c.account_id)
    ).all()


def tags_of(session: Session, who: Who) -> list[str]:
    """Return the store's own tags on a customer: ours never become rows here."""
    found = select(tags.c.folded, tags.c.tag, tags.c.added).where(*own(tags, who), tags.c.changed_at <= clock.now())
    rows = session.execute(found.order_by(tags.c.folded, tags.c.changed_at))
    return [row.tag for row in {row.folded: row for row in rows}.values() if row.added]


def figures_of(session: Session, shop: Shop, customer_id: str) -> Figures:
    asked = figures.Asked(shop.paid_orders_only, some=True)
    bound = figures.parameters(shop.shop_id, clock.now(), [customer_id])
    row = session.execute(figures.figures(asked, BOUGHT), bound).first()
    group = rfm.group(stats.c, enough_buyers=shop.scored_buyers >= rfm.FEWEST_BUYERS)
    kept = session.execute(select(stats, group.label("group")).where(*own(stats, (shop.shop_id, customer_id)))).first()
    ranks = dict(kept._mapping) if kept else {}
    expected = ranks.get("predicted_orders") is not None and is_good(shop.model_quality)
    return Figures(dict(row._mapping) if row else {}, ranks, ranks.get("group"), expected)
