"""Small, dense random histories of a shop for property tests: records in the order they arrive, and a clock that jumps.

Days on which clocks change are where they happen, and most moments lie at the edge of a day that relative dates reach.
What a history tells is never ambiguous: no two records of one thing are equally new and different, an address is not
claimed twice at one instant, and nobody uses the address of a customer who was deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from connectors import money
from connectors.records import Record
from plugin.segments.language.tree import Coordinates
from tests.oracle import World, day_of, day_start
from tests.story import HAPPENINGS
from tests.story.teller import (
    AMOUNTS,
    CODES,
    FORMS,
    NAMES,
    PLACES_SEEN,
    PRODUCTS,
    SEARCHES,
    SURVEYS,
    TAGS,
    TICK,
    Story,
)
from tests.worlds import Settings, world_of

# In some of these nights midnight is missing or comes twice; Lord Howe moves by half an hour; Samoa lost a day. In
# others it is the end of February.
NIGHTS = (
    ("America/New_York", date(2024, 3, 10)),
    ("America/New_York", date(2024, 11, 3)),
    ("Europe/London", date(2024, 10, 27)),
    ("Australia/Lord_Howe", date(2024, 4, 7)),
    ("Australia/Lord_Howe", date(2024, 10, 6)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Africa/Cairo", date(2024, 4, 26)),
    ("Africa/Cairo", date(2024, 11, 1)),
    ("Asia/Beirut", date(2024, 3, 31)),
    ("Asia/Beirut", date(2024, 10, 27)),
    ("America/Havana", date(2024, 11, 3)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("America/New_York", date(2024, 2, 29)),
    ("Pacific/Auckland", date(2023, 2, 28)),
)
CURRENCIES = ("USD", "USD", "JPY", "KWD")
JUMPS = (
    TICK,
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(hours=12),
    *(timedelta(days=days) for days in (1, 1, 2, 7, 30, 90, 365)),
)

MAILED = tuple(
    f"email.{what}" for what in ("bounced", "clicked", "delivered", "marked_as_spam", "opened", "unsubscribed")
)
EVENTS = (
    "storefront.product_viewed",
    "storefront.collection_viewed",
    "site.page_viewed",
    "site.searched",
    "site.form_submitted",
    "site.link_clicked",
    "call_received",
    "survey_answered",
    "event",
    *MAILED,
)
DATES = (
    "first_order_date",
    "last_order_date",
    "customer_added_date",
    "abandoned_checkout_date",
    "orders_placed.date",
    "products_purchased.date",
    "carts.date",
    "refunds.date",
    "store_credit_accounts.next_expiry_date",
    "store_credit_accounts.last_credit_date",
    *(f"{name}.date" for name in EVENTS),
)
MONEY = (
    *("amount_spent", "average_order_value", "largest_order", "store_credit_accounts.balance"),
    *("orders_placed.amount", "orders_placed.sum_amount", "products_purchased.amount", "products_purchased.sum_amount"),
    *("carts.amount", "refunds.amount", "refunds.sum_amount"),
)
# Dates of birth, by the names that stand for them.
BIRTHS = ("birth_date", "attributes.facts.birth_date", "metafields.facts.birth_date")
COUNTS = (
    "number_of_orders",
    "rfm_recency",
    "rfm_frequency",
    "rfm_monetary",
    "orders_placed.count",
    "products_purchased.count",
    "products_purchased.quantity",
    "products_purchased.sum_quantity",
    "carts.count",
    "refunds.count",
    *(f"{name}.count" for name in EVENTS),
    "nps_score",
    "csat_score",
)
TEXTS: dict[str, tuple[object, ...]] = {
    "customer_tags": (*TAGS, "Vip "),
    "customer_countries": ("US", "us", "DE", "TR"),
    "customer_regions": ("US-NY", "us-ca", "TR-34", "DE"),
    "customer_cities": ("US-CA-LosAngeles", "US-NY-NewYork", "DE-KÖLN", "TR-34-İstanbul"),
    "companies": ("7", "8", "9"),
    "store_credit_accounts.currency": ("USD", "JPY", "KWD"),
    "customer_postal_codes": ("10001", "50667", "se10 8xj", "SE108XJ"),
    "time_zone": ("America/New_York", "Europe/Berlin", "Europe/London", "GMT", "Europe/Istanbul"),
    "customer_within_distance.coordinates": tuple(
        Coordinates(Decimal(north), Decimal(east)) for north, east in (("40.7", "-74"), ("51", "7"), ("-45", "170"))
    ),
    "customer_within_distance.distance_km": tuple(map(Decimal, ("-1", "20", "600", "4000", "15000", "30000"))),
    "customer_within_distance.distance_mi": tuple(map(Decimal, ("0", "10", "400", "2500", "20000"))),
    "customer_email_domain": ("example.com", "a.example.com", "Example.com"),
    "customer_language": ("en", "en-US", "de"),
    "days_between_orders": tuple(map(Decimal, ("0", "0.5", "1", "7", "30.0416", "90.25"))),
    "discount_share": tuple(map(Decimal, ("0", "0.25", "0.4", "0.505", "1"))),
    "spend_percentile": (0, 25, 50, 99, 100),
    "favourite_category": ("Home > Mugs", "Home > Lamps"),
    "favourite_vendor": ("Acme", "acme", "Globex"),
    **dict.fromkeys(("first_source", "last_source"), ("direct", "news", "spring sale", "blog.example.com", "pos", "")),
    "devices": ("mobile", "Tablet", "desktop"),
    "browsers": ("Safari", "chrome", "Edge", "Firefox"),
    "operating_systems": ("iOS", "ANDROID", "Windows", ""),
    "sales_channels": ("web", "POS", "2329312"),
    "orders_placed.discount_code": CODES,
    "orders_placed.channel": ("web", "Web", "pos", "2329312"),
    "orders_placed.country": ("US", "us", "DE", "GB"),
    "orders_placed.financial_status": ("paid", "pending", "refunded"),
    "orders_placed.location_id": ("7", "8"),
    "orders_placed.app_id": ("580111", "9", ""),
    "carts.product_id": (*PRODUCTS, "99"),
    "products_purchased.variant_id": ("31", "32", "99"),
    "products_purchased.category": ("hg-1", "Home > Mugs", "home > mugs", "Home > Lamps", ""),
    "products_purchased.collection_id": ("71", "72", "99"),
    "products_purchased.title": ("Blue mug", "blue mug", "Lamp"),
    **dict.fromkeys(("storefront.product_viewed.id", "storefront.collection_viewed.id"), (*PRODUCTS, "99")),
    "gender": ("f", "F ", "m", "x"),
    "attributes.gender": ("f", "diverse"),
    "interests": ("ART", "straße", "none"),
    "attributes.interests": ("tea", "STRASSE"),
    "attributes.visits": (-3, 0, 1, 2, 3),
    "attributes.height": (Decimal("1.75"), Decimal("1.7501"), Decimal("1.75005"), Decimal(0), Decimal(-2)),
    "age": (-1, 0, 1, 17, 18, 19, 30),
    **dict.fromkeys(("storefront.product_viewed.tag", "storefront.collection_viewed.tag"), TAGS),
    **dict.fromkeys(("site.page_viewed.url", "site.link_clicked.link"), PLACES_SEEN[:2]),
    "site.searched.query": SEARCHES,
    "site.form_submitted.form": FORMS[:2],
    "survey_answered.survey": SURVEYS,
    "survey_answered.question": ("Why?",),
    "survey_answered.answer": ("yes", "no", "Yes"),
    "survey_answered.score": tuple(map(Decimal, ("0", "6.5", "7", "8.5", "8.50001", "9", "10"))),
    "event.name": NAMES,
    **dict.fromkeys([f"{name}.activity_id" for name in MAILED], (*PRODUCTS, "99")),
    "products_purchased.id": (*PRODUCTS, "99"),
    "products_purchased.sku": ("A-1", "a-1", "B-2"),
    "products_purchased.tag": TAGS,
    "products_purchased.vendor": ("Acme", "acme", "Globex"),
    "products_purchased.type": ("Mug", "Lamp", "mug"),
}
RELATIVE_DAYS = tuple((amount, unit) for unit in "dwmy" for amount in (-90, -31, -30, -12, -7, -6, -3, -1, 0, 1, 7))


@dataclass(frozen=True)
class Step:
    """The clock stands at `at`, and these records arrive, in this order. There may be none: time just passes."""

    at: datetime
    records: tuple[Record, ...]


@dataclass(frozen=True)
class History:
    """What happens to a shop. `night` is the day its moments lie around."""

    settings: Settings
    night: date
    steps: tuple[Step, ...]

    def told(self, steps: int | None = None) -> list[Record]:
        """Return the records of the first steps, of all by default."""
        return [record for step in self.steps[:steps] for record in step.records]

    def world(self, steps: int | None = None) -> World:
        """Return what is known of the world after the first steps, after all by default."""
        return world_of(self.told(steps), self.settings)

    def values(self) -> dict[str, tuple[object, ...]]:
        """Return what queries may well ask for, by name or function and parameter; dates without relative ones."""
        days = [self.night + timedelta(days=days) for days in (-365, -90, -31, -30, -7, -1, 0, 1, 2, 7, 30, 90)]
        dates = (*days, *(datetime.combine(day, time(hour)) for day in days[5:8] for hour in (0, 1, 2)))
        decimals = money.exponent(self.settings.currency)
        amounts = tuple(sorted({Decimal(minor).scaleb(-decimals) for minor in (-1, *AMOUNTS, 1001, 15000)}))
        return {
            **dict.fromkeys(DATES, dates),
            **dict.fromkeys(BIRTHS, (*dates, *(day.replace(year=day.year - 18) for day in days if day.day < 29))),
            **dict.fromkeys(MONEY, amounts),
            **dict.fromkeys(COUNTS, (0, 1, 2, 3, 4, 12)),
            **TEXTS,
        }


def histories(seed: int, *, contested: bool = True, steps: tuple[int, int] = (4, 9)) -> History:
    """Return a random history of so many steps, the same for the same seed.

    `contested`: an account may claim an address that another account has claimed before.
    """
    random = Random(seed)
    zone, night = random.choice(NIGHTS)
    settings = Settings(
        zone, random.choice(CURRENCIES), random.choice((60, 60, 1, 1440)), random.choice((False, False, False, True))
    )
    story = Story(random, settings, night, contested=contested)
    return History(settings, night, tuple(steps_of(story, clock_jumps(random, zone, night, random.randint(*steps)))))


def shrunk(history: History, fails: Callable[[History], bool]) -> History:
    """Return a shorter history that still fails: without any record, and any empty step, that it can do without."""
    size = len(history.told())
    while size:
        start = 0
        while start < len(history.told()):
            shorter = without(history, range(start, start + size))
            if fails(shorter):
                history = shorter
            else:
                start += size
        size //= 2
    for step in [step for step in history.steps if not step.records]:
        shorter = replace(history, steps=tuple(other for other in history.steps if other is not step))
        if shorter.steps and fails(shorter):
            history = shorter
    return history


def without(history: History, left_out: range) -> History:
    """Return a history without the records of these numbers, counted over all its steps."""
    numbers = count()
    return replace(
        history,
        steps=tuple(
            Step(step.at, tuple(record for record in step.records if next(numbers) not in left_out))
            for step in history.steps
        ),
    )


def clock_jumps(random: Random, zone: str, night: date, number: int) -> list[datetime]:
    """Return moments in order that jump over the night and over edges of other days, by a moment or by a year."""
    now = day_start(zone, night - timedelta(days=random.choice((1, 1, 2, 8, 31)))) + timedelta(
        hours=random.randrange(25)
    )
    moments = [now]
    while len(moments) < number:
        later = now + random.choice(JUMPS)
        tomorrow = day_start(zone, day_of(zone, later) + timedelta(days=1))
        now = random.choice((later, tomorrow - TICK, tomorrow, tomorrow + timedelta(hours=1)))
        moments.append(now)
    return moments


def steps_of(story: Story, moments: Sequence[datetime]) -> Iterator[Step]:
    """Yield what arrives at each moment, in any order: news, what was held up, and some things again."""
    random = story.random
    arriving: list[list[Record]] = [[] for _ in moments]
    told: list[Record] = []
    for number, story.now in enumerate(moments):
        for _ in range(random.randint(20, 60) if number == 0 else random.choice((0, 1, 3, 6))):
            for record in random.choice(HAPPENINGS)(story):
                late = random.choice((0, 0, 0, 0, 1, 2))
                arriving[min(number + late, len(moments) - 1)].append(record)
        again = random.sample(told, min(len(told), random.choice((0, 0, 1, 3))))
        now = [*arriving[number], *again]
        random.shuffle(now)
        told += now
        yield Step(story.now, tuple(now))
