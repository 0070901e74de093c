"""What can be seen of a shop and its customers at one moment."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from tests.plain import days, origins
from tests.plain.facts import (
    Cart,
    CreditAccount,
    Customer,
    Event,
    Line,
    Order,
    Place,
    ProductVersion,
    Rating,
    Said,
    World,
)

FEWEST_BUYERS = 50
PAID = {"paid", "partially_refunded", "refunded"}
STRICTEST_FIRST = ["REDACTED", "UNSUBSCRIBED", "INVALID", "NOT_SUBSCRIBED", "PENDING", "SUBSCRIBED"]

# By recency, then by frequency and monetary together: the greatest sum of each column of the specification's table.
GROUPS = {
    5: {4: "NEW", 7: "ACTIVE", 10: "CHAMPIONS"},
    4: {4: "PROMISING", 7: "ACTIVE", 10: "LOYAL"},
    3: {4: "ALMOST_LOST", 7: "NEEDS_ATTENTION", 10: "LOYAL"},
    2: {5: "DORMANT", 8: "AT_RISK", 10: "PREVIOUSLY_LOYAL"},
    1: {5: "DORMANT", 8: "AT_RISK", 10: "PREVIOUSLY_LOYAL"},
}


class Score(NamedTuple):
    recency: int
    frequency: int
    monetary: int
    percentile: int = 0
    discount_share: int = 0  # in ten-thousandths


class Expected(NamedTuple):
    """What is expected of a customer: numbers in ten-thousandths, money in minor units."""

    orders: int
    value_minor: int
    lifetime_minor: int
    churn: int
    next_order_at: datetime | None


class Placed(NamedTuple):
    """An order that counts."""

    order_id: str
    placed_at: datetime
    amount_minor: int | None
    order: Order

    @property
    def discounted(self) -> bool:
        return bool(self.order.discount_codes) or self.order.discount_minor > 0

    @property
    def country(self) -> str | None:
        """Where it goes: the first place that names a country."""
        return next((place.country for place in self.order.places if place.country), None)


class GivenBack(NamedTuple):
    """Money given back on an order; none is known of an order in another currency."""

    refunded_at: datetime
    amount_minor: int | None


class Credit(NamedTuple):
    """An account of store credit as it stands."""

    balance_minor: int
    currency: str
    next_expiry_at: datetime | None
    last_credit_at: datetime | None


class Bought(NamedTuple):
    """A line of an order that counts, with units left."""

    order_id: str
    placed_at: datetime
    product_id: str | None
    sku: str | None
    vendor: str | None
    product_type: str | None
    tags: Collection[str]
    category: str | None
    categories: Collection[str]
    collections: Collection[str]
    variant_id: str | None
    title: str | None
    units: int
    amount_minor: int | None


class Did(NamedTuple):
    """Something done. The score is in ten-thousandths."""

    event: Event
    happened_at: datetime
    tags: Collection[str]
    score: int | None


class Snapshot:
    """A shop as seen at one moment; `scores` and `always` as in `oracle.members`."""

    def __init__(
        self,
        world: World,
        at: datetime,
        scores: Mapping[str, Score] | None = None,
        *,
        always: bool = False,
        expected: Mapping[str, Expected] | None = None,
    ) -> None:
        self.world, self.at, self.given, self.always = world, at, scores, always
        self.expected = expected or {}
        self.today = days.day_of(world.zone, at)
        everybody = {key: Person(self, key, customer) for key, customer in world.customers.items()}
        self.people = {key: person for key, person in everybody.items() if person.there}
        self.spans: dict[str, tuple[datetime, datetime]] = {}
        self.segments: Any = {}  # who is in each segment, by its name

    @cached_property
    def scores(self) -> Mapping[str, Score] | None:
        """The scores of each buyer; None where the buyers are too few."""
        found = self.given if self.given is not None else scores_of(self.people)
        return found if self.always or len(found) >= FEWEST_BUYERS else None

    def span(self, written: str) -> tuple[datetime, datetime]:
        """Return the first moment of a written date, and the first moment after it."""
        if written not in self.spans:
            self.spans[written] = days.span(self.world.zone, self.today, written)
        return self.spans[written]


class Person:
    """One customer as seen in a snapshot."""

    def __init__(self, snapshot: Snapshot, key: str, customer: Customer) -> None:
        self.snapshot, self.key, self.customer, self.at = snapshot, key, customer, snapshot.at

    @property
    def there(self) -> bool:
        return not self.customer.deleted and self.added_at <= self.at

    @cached_property
    def added_at(self) -> datetime:
        known = self.customer.created_at
        standing = (order.placed_at for order in self.visible if not order.deleted)
        return known or min(standing, default=self.customer.seen_at)

    @cached_property
    def visible(self) -> list[Order]:
        """All orders placed by now, those that do not count included."""
        return [order for order in self.customer.orders if order.placed_at <= self.at]

    @cached_property
    def counted(self) -> list[Order]:
        return [order for order in self.visible if self.counts(order)]

    def counts(self, order: Order) -> bool:
        cancelled = order.cancelled_at is not None and order.cancelled_at <= self.at
        unpaid = self.snapshot.world.paid_orders_only and order.financial_status not in PAID
        return not (order.test or order.deleted or cancelled or unpaid)

    def amount(self, order: Order) -> int | None:
        if order.currency != self.snapshot.world.currency:
            return None
        given_back = sum(minor for at, minor in order.refunds if at <= self.at)
        undated = max(0, order.undated_refunds_minor - sum(minor for _, minor in order.refunds))
        return order.total_minor - given_back - undated

    @cached_property
    def orders(self) -> list[Placed]:
        return [Placed(one.order_id, one.placed_at, self.amount(one), one) for one in self.counted]

    @cached_property
    def lines(self) -> list[Bought]:
        return [bought for order in self.counted for line in order.lines if (bought := self.bought(order, line))]

    def bought(self, order: Order, line: Line) -> Bought | None:
        """Return a line as a purchase, None if nothing is left of it."""
        units = line.quantity - line.removed - sum(units for at, units in line.refunded if at <= self.at)
        if units <= 0:
            return None
        product = self.product(line.product_id, order.placed_at)
        told = self.product(line.product_id, order.placed_at, with_collections=True)
        minor = line.amount_minor if order.currency == self.snapshot.world.currency else None
        return Bought(
            order_id=order.order_id,
            placed_at=order.placed_at,
            product_id=line.product_id,
            sku=line.sku,
            vendor=line.vendor if line.vendor is not None else product.vendor,
            product_type=product.product_type,
            tags={fold(tag) for tag in product.tags},
            category=product.category,
            categories={one for one in (product.category, product.category_id) if one},
            collections=told.collections or (),
            variant_id=line.variant_id,
            title=line.title,
            units=units,
            amount_minor=None if minor is None else minor * units // line.quantity,
        )

    def product(self, product_id: str | None, at: datetime, *, with_collections: bool = False) -> ProductVersion:
        """Return what a product was at a moment, as far as versions that tell its collections do if these matter."""
        versions = self.snapshot.world.products.get(product_id or "", [])
        if with_collections:
            versions = [version for version in versions if version.collections is not None]
        in_force = [version for version in versions if version.updated_at <= at]
        if in_force:
            return max(in_force, key=attrgetter("updated_at"))
        return min(versions, key=attrgetter("updated_at"), default=ProductVersion(at))

    @property
    def refunds(self) -> list[GivenBack]:
        """Refunds by now, those of cancelled and unpaid orders included."""
        standing = [order for order in self.visible if not (order.deleted or order.test)]
        return [
            GivenBack(at, minor if order.currency == self.snapshot.world.currency else None)
            for order in standing
            for at, minor in order.refunds
            if at <= self.at
        ]

    @cached_property
    def amounts(self) -> list[int]:
        return [order.amount_minor for order in self.orders if order.amount_minor is not None]

    @property
    def average_order(self) -> int | None:
        """The average amount, its fraction cut off."""
        return int(Fraction(sum(self.amounts), len(self.amounts))) if self.amounts else None

    @property
    def days_between_orders(self) -> int | None:
        """The average time between orders, in ten-thousandths of a day, cut off."""
        if len(self.counted) < 2:
            return None
        gap = (self.last_order_at - self.first_order_at) * 10_000 // (len(self.counted) - 1)
        return gap // timedelta(days=1)

    def source(self, *, latest: bool) -> str | None:
        found = sorted(self.counted, key=attrgetter("placed_at", "order_id"))
        return origins.source(found[-1 if latest else 0]) if found else None

    def named_by_orders(self, value: Callable[[Order], str | None]) -> set[str]:
        """What orders name that are not deleted, those that do not count included."""
        return {fold(named) for one in self.visible if not one.deleted and (named := value(one))}

    def named_by_agents(self, value: Callable[[origins.Agent], str | None]) -> set[str]:
        """What the browsers say of themselves with which somebody ordered, or did something on the shop's pages."""
        done = [origins.agent(one) for one in self.customer.events if one.happened_at <= self.at]
        found = {fold(named) for one in done if (named := value(one))}
        return found | self.named_by_orders(lambda order: value(origins.agent(order)))

    @cached_property
    def spent(self) -> int:
        return total(order.amount_minor for order in self.orders)

    @cached_property
    def first_order_at(self) -> datetime | None:
        return min((order.placed_at for order in self.counted), default=None)

    @cached_property
    def last_order_at(self) -> datetime | None:
        return max((order.placed_at for order in self.counted), default=None)

    def consent(self, channel: str) -> str | None:
        decided = [one for one in self.customer.consents if one.channel == channel and one.changed_at <= self.at]
        if not decided:
            return None
        latest = max(one.changed_at for one in decided)
        return min((one.state for one in decided if one.changed_at == latest), key=STRICTEST_FIRST.index)

    @cached_property
    def email_consent(self) -> str | None:
        if decided := self.consent("email"):
            return decided
        asked = [one for one in self.visible if not one.deleted and one.accepts_marketing is not None]
        if not asked:
            return None
        latest = max(asked, key=attrgetter("placed_at", "order_id"))
        return "SUBSCRIBED" if latest.accepts_marketing else "NOT_SUBSCRIBED"

    @cached_property
    def tags(self) -> set[str]:
        on: dict[str, bool] = {}
        for change in sorted(self.customer.tags, key=lambda change: (change.changed_at, not change.added)):
            if change.changed_at <= self.at:
                on[fold(change.tag)] = change.added
        return {tag for tag, added in on.items() if added}

    @cached_property
    def places(self) -> set[Place]:
        """The places of the customer's addresses and orders, as far as a country is known."""
        ordered_to = [place for one in self.visible if not one.deleted for place in one.places]
        return {place for place in (*self.customer.places, *ordered_to) if place.country}

    @cached_property
    def countries(self) -> set[str]:
        return {joined(place.country) for place in self.places}

    @cached_property
    def regions(self) -> set[str]:
        return {joined(place.country, place.region) for place in self.places if place.region}

    @cached_property
    def cities(self) -> set[str]:
        return {joined(place.country, place.region, "".join(place.city.split())) for place in self.places if place.city}

    @cached_property
    def postal_codes(self) -> set[str]:
        ordered_to = [place for one in self.visible if not one.deleted for place in one.places]
        codes = [place.postal_code for place in (*self.customer.places, *ordered_to)]
        return {fold(" ".join(code.split())) for code in codes if code and code.strip()}

    def of_home(self, name: str) -> Any:
        """What the first of the customer's own addresses tells that tells it, else the latest order's first."""
        latest_first = sorted(self.visible, key=attrgetter("placed_at", "order_id"), reverse=True)
        ordered_to = [one.places for one in latest_first if not one.deleted]
        told = (getattr(place, name) for places in (self.customer.places, *ordered_to) for place in places)
        return next((one for one in told if one is not None), None)

    @cached_property
    def homes(self) -> list[tuple[float, float]]:
        """Where the customer lives, in degrees north and east; none where nothing tells."""
        return [found] if (found := self.of_home("coordinates")) else []

    @cached_property
    def rating(self) -> Rating:
        """What the store thinks: the latest it said, if it had said so by then."""
        latest = max(self.customer.ratings, key=attrgetter("rated_at"), default=None)
        return latest if latest and latest.rated_at <= self.at else Rating(self.at, None, None)

    def said(self, told: Iterable[Said], default: Any) -> Any:
        known = [one for one in told if one.told_at <= self.at]
        return max(known, key=attrgetter("told_at")).value if known else default

    @cached_property
    def subscription(self) -> str:
        found: str = self.said(self.customer.subscriptions, "NEVER_SUBSCRIBED")
        return found

    @cached_property
    def companies(self) -> set[str]:
        return {fold(one) for one in self.said(self.customer.companies, ())}

    @cached_property
    def credit(self) -> list[Credit]:
        return [found for one in self.customer.credit if (found := credit_of(one, self.at))]

    def did(self, kind: str) -> list[Did]:
        done = [one for one in self.customer.events if not one.by_program]
        seen = [one for one in done if one.kind == kind and one.happened_at <= self.at]
        return [Did(one, one.happened_at, self.tags_of(one), in_parts(one.score)) for one in seen]

    def tags_of(self, event: Event) -> set[str]:
        """Return the tags of what was looked at: as told, of a product else as they were then."""
        if event.tags is None and event.kind == "product_viewed":
            return {fold(tag) for tag in self.product(event.subject_id, event.happened_at).tags}
        return {fold(tag) for tag in event.tags or ()}

    def answered(self, survey: str, lowest: int, highest: int) -> int | None:
        """Return the latest answer to a survey that is a whole number on its scale."""
        given = [one.event for one in self.did("survey_answered") if one.event.subject == survey]
        fitting = [one for one in given if one.score in range(lowest, highest + 1)]
        latest = max(fitting, key=attrgetter("happened_at", "told"), default=None)
        return int(latest.score) if latest and latest.score is not None else None

    @cached_property
    def nps(self) -> int | None:
        return self.answered("nps", 0, 10)

    @cached_property
    def nps_group(self) -> str | None:
        if self.nps is None:
            return None
        return "PROMOTER" if self.nps >= 9 else "PASSIVE" if self.nps >= 7 else "DETRACTOR"

    def own(self, key: str) -> Any:
        """What the merchant keeps under a key: the last that was told; of two at one moment nothing, or the greater."""
        told = [one for one in self.customer.kept if one.key == key and one.changed_at <= self.at]
        latest = max((one.changed_at for one in told), default=None)
        values = [one.value for one in told if one.changed_at == latest]
        if not values or None in values:
            return None
        value = max(values, key=as_text)
        return {fold(one) for one in value} if isinstance(value, tuple) else value

    def fixed(self, name: str) -> Any:
        return self.own(self.snapshot.world.fed.get(name, name))

    @cached_property
    def age(self) -> int | None:
        born = self.fixed("birth_date")
        return None if born is None else days.years(born, self.snapshot.today)

    @cached_property
    def email_domain(self) -> str | None:
        _, at, domain = fold((self.customer.email or "").strip()).rpartition("@")
        return domain if at and domain else None

    @cached_property
    def carts(self) -> list[Cart]:
        return [cart for cart in self.customer.carts if not cart.deleted and cart.changed_at <= self.at]

    @cached_property
    def abandoned_at(self) -> datetime | None:
        wait = timedelta(minutes=self.snapshot.world.cart_wait_minutes)
        left = [cart.changed_at + wait for cart in self.carts if self.became(cart) == "abandoned"]
        return max(left, default=None)

    def became(self, cart: Cart) -> str:
        """Say what became of a cart by now."""
        ended = any(at is not None and at <= self.at for at in (cart.completed_at, cart.ordered_at))
        if ended or any(order.placed_at >= cart.changed_at for order in self.counted):
            return "ordered"
        waited = self.at - cart.changed_at >= timedelta(minutes=self.snapshot.world.cart_wait_minutes)
        return "abandoned" if waited else "open"

    @cached_property
    def score(self) -> Score | None:
        return (self.snapshot.scores or {}).get(self.key)

    def favourite(self, named: Callable[[Bought], str | None]) -> str | None:
        """Return what is named by most units; of two the one whose letters come first."""
        units: dict[str, int] = {}
        for line in self.lines:
            if (name := named(line)) is not None:
                units[name] = units.get(name, 0) + line.units
        return min(units, key=lambda name: (-units[name], name), default=None)

    @property
    def discount_habit(self) -> str | None:
        found = {order.discounted for order in self.orders}
        if len(self.orders) < 2:
            return None
        return "MIXED" if len(found) == 2 else "DISCOUNT_ONLY" if True in found else "FULL_PRICE"

    @property
    def expected(self) -> Expected | None:
        return self.snapshot.expected.get(self.key)

    @cached_property
    def rfm_group(self) -> str | None:
        if not self.counted:
            return "PROSPECTS"
        if self.snapshot.scores is None:
            return None
        return group(self.score) if self.score else "NEW"


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def credit_of(account: CreditAccount, at: datetime) -> Credit | None:
    """Return how an account stands at a moment. Spent is what expires soonest; what has expired is gone."""
    moves = sorted((one for one in account.moves if one.at <= at), key=attrgetter("at"))
    if not moves:
        return None
    lots: list[tuple[datetime, int]] = []
    for move in moves:
        if move.minor > 0:
            lots.append((move.expires_at or datetime.max.replace(tzinfo=move.at.tzinfo), move.minor))
            continue
        spent = -move.minor
        left: list[tuple[datetime, int]] = []
        for ends, minor in sorted(lot for lot in lots if lot[0] > move.at):
            left.append((ends, minor - min(spent, minor)))
            spent -= min(spent, minor)
        lots = left
    lasting = [(ends, minor) for ends, minor in lots if ends > at and minor]
    return Credit(
        balance_minor=sum(minor for _, minor in lasting),
        currency=account.currency,
        next_expiry_at=min((ends for ends, _ in lasting if ends.year < 9999), default=None),
        last_credit_at=max((one.at for one in moves if one.minor > 0), default=None),
    )


def total(values: Iterable[int | None]) -> int:
    return sum(value for value in values if value is not None)


def in_parts(score: Decimal | None) -> int | None:
    return None if score is None else int(score * 10_000)


def fold(text: str) -> str:
    """Return text as it is compared without regard to case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def joined(*parts: str | None) -> str:
    return fold("-".join(part for part in parts if part))


def scores_of(people: Mapping[str, Person]) -> dict[str, Score]:
    """Return the scores of the buyers among people, however few.

    Who is strictly worse, in fifths of all, and by amount spent in hundredths of the others. The share of orders with a
    discount, as if 20 more had it as often as all orders of the shop, in hundredths, cut off.
    """
    buyers = {key: person for key, person in people.items() if person.counted}
    measures: dict[str, tuple[Any, ...]] = {
        key: (person.last_order_at, len(person.counted), person.spent) for key, person in buyers.items()
    }
    placed = [order for person in buyers.values() for order in person.orders]
    usual = Fraction(sum(order.discounted for order in placed), len(placed) or 1)
    columns = [sorted(column) for column in zip(*measures.values(), strict=True)]

    def share(person: Person) -> int:
        with_one = sum(order.discounted for order in person.orders)
        return 100 * int(100 * (with_one + 20 * usual) / (len(person.orders) + 20))

    def score(person: Person, measure: tuple[Any, ...]) -> Score:
        worse = [bisect_left(everybody, own) for everybody, own in zip(columns, measure, strict=True)]
        recency, frequency, monetary = (1 + 5 * one // len(buyers) for one in worse)
        return Score(recency, frequency, monetary, 100 * worse[2] // max(1, len(buyers) - 1), share(person))

    return {key: score(buyers[key], measure) for key, measure in measures.items()}


def group(score: Score) -> str:
    value = score.frequency + score.monetary
    return next(name for greatest, name in GROUPS[score.recency].items() if value <= greatest)
