"""Worlds for the plain evaluator, made from records or from an order export.

`world_of` reads records as the specification says they are to be understood, whatever the order they arrived in:

- Of a customer, an order or a cart the newest record that carries a field says what it is; a record not newer than a
  deletion does not lift it. Dated facts are all kept; a refund counts once, however often it is told.
- An address is the account's whose record named it last (at one moment the greatest id's), even if that account uses
  another by now. What names an address and no id is that account's or, without one, that of a guest, who is a customer
  of the id `guest:` and the casefolded address. What names neither is nobody's.
- What somebody did, as other systems tell it, makes nobody a customer: it is theirs once anything else is known.
- Whose a cart is, the newest record says that carries a buyer. It became an order when the first order from it was
  placed.
- Units that the platform no longer counts were removed, apart from those that the refunds in the same record explain.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

from connectors import money, records
from connectors.records import UNSET
from tests import oracle
from tests.oracle import World
from tests.plain.snapshot import fold

T = TypeVar("T")

CIRCUMSTANCES = ("landing_site", "referring_site", "user_agent", "location_id", "app_id")

TELLING = {"Customer", "Consent", "TagsChanged", "Product", "Order", "Refund", "Cart", "Deleted", "Rating", "Event"}
TELLING |= {"Attribute", "Standing", "StoreCredit"}


@dataclass(frozen=True)
class Settings:
    """What a shop sets that changes who is in a segment."""

    zone: str
    currency: str
    cart_wait_minutes: int = 60
    paid_orders_only: bool = False

    def world(self) -> World:
        return World(
            zone=self.zone,
            currency=self.currency,
            decimals=money.exponent(self.currency),
            cart_wait_minutes=self.cart_wait_minutes,
            paid_orders_only=self.paid_orders_only,
        )


def world_of(told: Sequence[records.Record], settings: Settings) -> World:
    """Return the world that records tell of. TypeError: one of a kind that tells nothing about customers."""
    world = settings.world()
    sorted_ = Told(told)
    for product in of(records.Product, told):
        version = oracle.ProductVersion(
            product.updated_at,
            product.vendor,
            product.product_type,
            product.tags,
            product.category,
            product.category_id,
            None if product.collections is UNSET else product.collections,
        )
        world.products.setdefault(product.product_id, []).append(version)
    people = People(world, sorted_)
    for consent in of(records.Consent, told):
        if who := people.seen(consent.customer_id, consent.email, consent.changed_at):
            who.consents.append(oracle.Consent(consent.changed_at, consent.channel, consent.state))
    for change in of(records.TagsChanged, told):
        if who := people.seen(change.customer_id, None, change.changed_at):
            who.tags += [oracle.TagChange(change.changed_at, tag, True) for tag in change.added]
            who.tags += [oracle.TagChange(change.changed_at, tag, False) for tag in change.removed]
    for rating in of(records.Rating, told):
        if who := people.seen(rating.customer_id, None, rating.rated_at):
            who.ratings.append(oracle.Rating(rating.rated_at, rating.rfm_group, rating.spend_tier))
    asked(people, told)
    for versions in sorted_.orders.values():
        buyers = [people.seen(*buyer(one), one.placed_at) for one in versions]
        if who := buyers[-1]:
            who.orders.append(order_of(versions, sorted_))
    for changes in sorted_.carts.values():
        named = [one for one in changes if one.customer is not UNSET or one.email is not UNSET]
        buyers = [people.seen(*buyer(one), one.changed_at) for one in named]
        if buyers and (who := buyers[-1]):
            who.carts.append(cart_of(changes, sorted_, settings.currency))
    for event in {(one.source, one.event_id): one for one in of(records.Event, told)}.values():
        if who := people.known(event.customer_id, event.email):
            who.events.append(event_of(event))
    for one in of(records.Attribute, told):
        if who := people.known(one.customer_id, one.email):
            who.kept.append(oracle.Kept(one.changed_at, one.key, one.value))
    world.fed |= {"birth_date": "facts.birth_date"}
    return world


def asked(people: People, told: Sequence[records.Record]) -> None:
    """Add what the store says of its customers when it is asked."""
    for standing in of(records.Standing, told):
        if who := people.seen(standing.customer_id, None, standing.told_at):
            if standing.subscription is not UNSET:
                who.subscriptions.append(oracle.Said(standing.told_at, standing.subscription))
            if standing.companies is not UNSET:
                who.companies.append(oracle.Said(standing.told_at, frozenset(standing.companies)))
    for accounts in grouped(of(records.StoreCredit, told), "account_id", "told_at").values():
        owners = [people.seen(one.customer_id, None, one.told_at) for one in accounts]
        if who := owners[-1]:
            who.credit.append(credit_of(accounts[-1]))


class Told:
    """Records sorted: those about one thing together, oldest first."""

    def __init__(self, told: Sequence[records.Record]) -> None:
        if strangers := {type(one).__name__ for one in told} - TELLING:
            raise TypeError(f"{strangers} tell nothing about customers")
        orders, carts = of(records.Order, told), of(records.Cart, told)
        within = [one.customer for one in orders] + [one.customer for one in carts]
        self.customers = grouped([*of(records.Customer, told), *of(records.Customer, within)], "customer_id")
        self.orders = grouped(orders, "order_id")
        self.carts = grouped(carts, "cart_id", "changed_at")
        refunds = [*of(records.Refund, told), *(refund for one in orders for refund in one.refunds)]
        self.refunds = grouped(
            {(one.order_id, one.refund_id): one for one in refunds}.values(), "order_id", "refunded_at"
        )
        self.gone_at: dict[tuple[str, str], datetime] = {}
        for gone in of(records.Deleted, told):
            key = (gone.kind, gone.id)
            self.gone_at[key] = max(gone.deleted_at, self.gone_at.get(key, gone.deleted_at))
        self.ordered_at: dict[str, datetime] = {}
        for order in sorted(orders, key=attrgetter("placed_at")):
            for cart_id in order.cart_ids if order.cart_ids is not UNSET else ():
                self.ordered_at.setdefault(cart_id, order.placed_at)

    def deleted(self, kind: str, id_: str, newest: datetime) -> bool:
        return (kind, id_) in self.gone_at and self.gone_at[kind, id_] >= newest


def of(kind: type[T], some: Iterable[Any]) -> list[T]:
    return [one for one in some if isinstance(one, kind)]


def grouped(found: Iterable[T], key: str, clock: str = "updated_at") -> dict[str, list[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for one in sorted(found, key=attrgetter(clock)):
        groups[getattr(one, key)].append(one)
    return groups


def carried(versions: Sequence[Any], name: str, default: Any = None) -> Any:
    """Return a field as the newest record that carries it says."""
    values = [getattr(one, name) for one in versions if getattr(one, name) is not UNSET]
    return values[-1] if values else default


def buyer(one: records.Order | records.Cart) -> tuple[str | None, str | None]:
    """Return the id and the address that an order or a cart gives for its buyer."""
    customer_id = one.customer.customer_id if isinstance(one.customer, records.Customer) else None
    return customer_id, one.email if isinstance(one.email, str) else None


class People:
    """The customers of a world, found by id or by address."""

    def __init__(self, world: World, told: Told) -> None:
        self.world, self.told = world, told
        claims: dict[str, tuple[datetime, str]] = {}
        for customer_id, versions in told.customers.items():
            self.add(customer_id, versions, told)
            for one in versions:
                if isinstance(one.email, str) and one.email.strip():
                    claim = (one.updated_at, customer_id)
                    claims[address(one.email)] = max(claim, claims.get(address(one.email), claim))
        self.owners = {contact: customer_id for contact, (_, customer_id) in claims.items()}
        world.owners = self.owners

    def add(self, customer_id: str, versions: Sequence[records.Customer], told: Told) -> None:
        self.world.customers[customer_id] = oracle.Customer(
            seen_at=versions[0].updated_at,
            created_at=carried(versions, "created_at"),
            deleted=told.deleted("customer", customer_id, versions[-1].updated_at),
            email=carried(versions, "email"),
            language=carried(versions, "language"),
            places=places_of(carried(versions, "addresses", ())),
            account_status=carried(versions, "account_status"),
        )

    def meant(self, customer_id: str | None, email: str | None) -> str | None:
        """Return who is meant by an id or else by an address; None for nobody."""
        contact = address(email) if email else ""
        return customer_id or self.owners.get(contact) or (f"guest:{contact}" if contact else None)

    def known(self, customer_id: str | None, email: str | None) -> oracle.Customer | None:
        """Return who is meant, if anything else is known of them."""
        return self.world.customers.get(self.meant(customer_id, email) or "")

    def seen(self, customer_id: str | None, email: str | None, at: datetime) -> oracle.Customer | None:
        """Return who is meant by an id or else by an address, known from this moment at the latest; None for nobody."""
        contact = address(email) if email else ""
        key = self.meant(customer_id, email)
        if key is None:
            return None
        gone = ("customer", key) in self.told.gone_at  # and no record of the customer lifts it
        stranger = oracle.Customer(at, email=None if customer_id else contact, deleted=gone)
        who = self.world.customers.setdefault(key, stranger)
        who.seen_at = min(who.seen_at, at)
        return who


def address(email: str) -> str:
    return fold(email.strip())


def places_of(found: Iterable[records.Address]) -> tuple[oracle.Place, ...]:
    return tuple(map(place_of, found))


ZONES = available_timezones()

# Where the places of the random histories lie, and which time is kept there.
ATLAS: dict[tuple[str | None, ...], tuple[tuple[float, float] | None, str]] = {
    ("US", "NY", "New York"): ((40.714, -74.006), "America/New_York"),
    ("US", "CA", "Los Angeles"): ((34.052, -118.244), "America/Los_Angeles"),
    ("DE", None, "Köln"): ((50.933, 6.95), "Europe/Berlin"),
    ("TR", "34", "İstanbul"): ((41.014, 28.95), "Europe/Istanbul"),
    ("GB", None, None): (None, "Europe/London"),
}


def place_of(one: records.Address) -> oracle.Place:
    """Return a place as its address tells it, the rest as an atlas does. There are zones that nobody knows."""
    coordinates, zone = ATLAS.get((one.country, one.region, one.city), (None, None))
    told = one.time_zone if one.time_zone in ZONES else None
    return oracle.Place(
        one.country, one.region, one.city, one.postal_code, one.coordinates or coordinates, told or zone
    )


def credit_of(told: records.StoreCredit) -> oracle.CreditAccount:
    """Return an account without the moves by which credit expired: they follow from what was granted."""
    ends = {one.expires_at for one in told.moves if one.granted}
    moves = [one for one in told.moves if one.granted or one.moved_at not in ends]
    found = [oracle.Moved(one.moved_at, one.amount_minor, one.expires_at) for one in moves]
    return oracle.CreditAccount(told.currency, found)


def lasting(versions: Sequence[Any], name: str) -> Any:
    """Return what never changes of a thing, as the newest record says that says it at all."""
    values = [value for one in versions if (value := getattr(one, name)) is not UNSET and value is not None]
    return values[-1] if values else None


def order_of(versions: Sequence[records.Order], told: Told) -> oracle.Order:
    newest = versions[-1]
    refunds = told.refunds.get(newest.order_id, [])
    detailed = [one for one in versions if one.lines is not UNSET]
    return oracle.Order(
        order_id=newest.order_id,
        placed_at=newest.placed_at,
        total_minor=newest.total_minor,
        currency=newest.currency,
        test=newest.test,
        deleted=told.deleted("order", newest.order_id, newest.updated_at),
        cancelled_at=newest.cancelled_at,
        financial_status=newest.financial_status,
        refunds=[(one.refunded_at, one.amount_minor) for one in refunds],
        undated_refunds_minor=carried(versions, "refunded_minor") or 0,
        discount_codes=carried(versions, "discount_codes", ()),
        discount_minor=carried(versions, "discount_minor") or 0,
        channel=lasting(versions, "source_name"),
        **{name: lasting(versions, name) for name in CIRCUMSTANCES},
        accepts_marketing=carried(versions, "accepts_marketing"),
        places=places_of(carried(versions, "addresses", ())),
        lines=[line_of(line, detailed[-1], refunds) for line in carried(versions, "lines", ())],
    )


def event_of(event: records.Event) -> oracle.Event:
    return oracle.Event(
        event.happened_at,
        event.kind,
        subject_id=event.subject_id,
        subject=event.subject,
        tags=event.tags,
        question=event.question,
        answer=event.answer,
        score=event.score,
        user_agent=event.user_agent,
        told=(event.source, event.event_id),
        by_program=event.machine,
    )


def line_of(line: records.LineItem, told: records.Order, refunds: Iterable[records.Refund]) -> oracle.Line:
    def given_back(some: Iterable[records.Refund]) -> list[tuple[datetime, int]]:
        return [(one.refunded_at, of.quantity) for one in some for of in one.lines if of.line_id == line.line_id]

    left = line.quantity if line.current_quantity is None else line.current_quantity
    explained = sum(units for _, units in given_back(told.refunds)) if line.current_quantity is not None else 0
    return oracle.Line(
        quantity=line.quantity,
        removed=max(0, line.quantity - left - explained),
        refunded=given_back(refunds),
        product_id=line.product_id,
        variant_id=line.variant_id,
        title=line.title,
        sku=line.sku,
        vendor=line.vendor,
        amount_minor=line.amount_minor,
    )


def cart_of(changes: Sequence[records.Cart], told: Told, currency: str) -> oracle.Cart:
    newest = changes[-1]
    ours = carried(changes, "currency") == currency
    return oracle.Cart(
        changed_at=newest.changed_at,
        completed_at=carried(changes, "completed_at"),
        ordered_at=told.ordered_at.get(newest.cart_id),
        deleted=told.deleted("cart", newest.cart_id, newest.changed_at),
        amount_minor=carried(changes, "total_minor") if ours else None,
        product_ids=carried(changes, "products", ()),
    )


def world_of_export(path: Path, zone: str, currency: str) -> World:
    """Return the world that an order export tells of: customers are its addresses, casefolded. Orders with a row that
    cannot be read are left out."""
    world = Settings(zone, currency).world()
    for rows in exported(path):
        contact = address(rows[0]["Email"])
        try:
            order = exported_order(rows, world.decimals)
        except (ValueError, ArithmeticError):
            continue
        if contact:
            who = world.customers.setdefault(contact, oracle.Customer(order.placed_at, email=contact))
            who.seen_at = min(who.seen_at, order.placed_at)
            who.orders.append(order)
    return world


def exported(path: Path) -> Iterator[list[dict[str, str]]]:
    """Yield the rows of each order."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        for _, rows in groupby(csv.DictReader(file), key=itemgetter("Name")):
            yield list(rows)


def exported_order(rows: Sequence[Mapping[str, str]], decimals: int) -> oracle.Order:
    """Read an order; its own fields are on its first row. ValueError, ArithmeticError: it cannot be read."""

    def minor(amount: str) -> int:
        return int(Decimal(amount or 0).scaleb(decimals))

    order = rows[0]
    countries = dict.fromkeys((order["Shipping Country"], order["Billing Country"]))
    return oracle.Order(
        order_id=order["Id"],
        placed_at=moment(order["Created at"]),
        total_minor=minor(order["Total"]),
        currency=order["Currency"],
        cancelled_at=moment(order["Cancelled at"]) if order["Cancelled at"] else None,
        financial_status=order["Financial Status"],
        undated_refunds_minor=minor(order["Refunded Amount"]),
        discount_codes=[code for code in order["Discount Code"].split(", ") if code],
        discount_minor=minor(order.get("Discount Amount", "")),
        channel=order.get("Source") or None,
        accepts_marketing={"yes": True, "no": False}.get(order["Accepts Marketing"]),
        places=[oracle.Place(country) for country in countries if country],
        lines=[
            oracle.Line(
                quantity=(quantity := int(row["Lineitem quantity"])),
                title=row.get("Lineitem name") or None,
                sku=row["Lineitem sku"] or None,
                vendor=row["Vendor"] or None,
                amount_minor=minor(row["Lineitem price"]) * quantity,
            )
            for row in rows
        ],
    )


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
