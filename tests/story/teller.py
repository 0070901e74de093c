"""Who tells the story of a shop: what there is by now, chance, and time. People, products and words are few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, TypeVar

from connectors.records import UNSET, Address, AttributeValue, Cart, Customer, Order
from tests.oracle import day_of, day_start
from tests.worlds import Settings, address

T = TypeVar("T")

TICK, SECOND, MINUTE, HOUR, DAY = (timedelta(microseconds=1), *(timedelta(seconds=s) for s in (1, 60, 3600, 86400)))
DAYS_BACK = (0, 0, 0, 0, 0, 1, 1, 2, 6, 7, 8, 29, 30, 31, 60, 89, 90, 91, 120, 364, 365, 366, 400)
WITHIN_DAY = (0 * HOUR, -TICK, TICK, SECOND, HOUR, 90 * MINUTE, 12 * HOUR, 23 * HOUR, 24 * HOUR - TICK, 24 * HOUR)
AHEAD = (TICK, HOUR, 26 * HOUR)

MAILBOXES = tuple(
    f"{name}@{host}" for name in ("ann", "bo", "eve", "straße", "zoë") for host in ("example.com", "a.example.com")
)
LANGUAGES = ("en", "en-US", "de", None)
PLACES = (
    Address("US", "NY", "New York", "10001"),
    Address("US", "CA", "Los Angeles", None, (34.1, -118.3), "America/Los_Angeles"),
    Address("DE", None, "Köln", " 50667"),
    Address("GB", None, None, "SE10  8XJ", (51.4769, 0.0), "GMT"),
    Address("GB"),
    Address("TR", "34", "İstanbul"),
    Address(None, None, "Nowhere", "SE10 8XJ", None, "Mars/Olympus"),
)
TAGS = ("vip", "VIP", "Straße", "STRASSE", " vip", "wholesale")
CODES = ("SPRING", "spring", "O'CLOCK")
PRODUCTS = ("1", "2", "30")
SKUS = ("A-1", "a-1", "B-2", None)
VENDORS = ("Acme", "acme", "Globex", None)
TYPES = ("Mug", "Lamp", None)
CATEGORIES = (("hg-1", "Home > Mugs"), ("hg-2", "Home > Lamps"), (None, "Home > Mugs"), (None, None))
COLLECTIONS = ("71", "72")
TITLES = ("Blue mug", "blue mug", "Lamp", None)
CHANNELS = ("web", "Web", "pos", "2329312", None)
LANDINGS = ("/", "/?utm_source=News&x=1", "/a?b=2&utm_source=%20Spring+sale", "/?utm_source=", None)
REFERRERS = ("https://www.Blog.example.com/a", "http://search.example.com:80/?q=1", None, None)
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0.0.0",
    "a shop's own till",
    None,
)
SURVEYS = ("nps", "nps", "csat", "NPS", "delivery")
NAMES = ("shop visited", "Shop visited", "talk")
SEARCHES = ("mug", "Mug", "O'Hara")
FORMS = ("newsletter", "contact", None)
PLACES_SEEN = ("https://shop.example.com/", "https://shop.example.com/about", None)
QUANTITIES = (1, 1, 2, 3, 12)
AMOUNTS = (0, 1, 333, 1000, 2000, 5000, 5000, 10000, 123456)
STATES = ("SUBSCRIBED", "NOT_SUBSCRIBED", "PENDING", "UNSUBSCRIBED", "REDACTED", "INVALID")
STATUSES = ("paid", "paid", "pending", "partially_refunded", "refunded", "authorized", None)
FOREIGN = "SEK"
ACCOUNT_STATES = ("ENABLED", "DISABLED", "INVITED", None)
GROUPS = ("PROSPECTS", "NEW", "PROMISING", "LOYAL", "CHAMPIONS", None, "AT_RISK", "DORMANT")
# What the merchant keeps of customers; dates of birth depend on what day it is.
OWN: dict[str, tuple[AttributeValue, ...]] = {
    "facts.birth_date": (),
    "gender": ("f", "m", "F", "diverse"),
    "interests": (("Art", "Straße"), ("STRASSE",), ("tea", "art")),
    "visits": (-3, 0, 1, 2, 12),
    "height": (Decimal("1.75"), Decimal("1.7501"), Decimal(-2), Decimal(0)),
    "member": (True, False),
}
TIERS = ("HIGH", "MEDIUM", "LOW", None)


@dataclass
class Account:
    """An account as the platform has it now. One without `created_at` is known by its id alone."""

    profile: Customer
    deleted: bool = False
    ratings: int = 0
    standings: int = 0

    @property
    def email(self) -> str | None:
        return self.profile.email if isinstance(self.profile.email, str) else None

    @property
    def full(self) -> bool:
        return self.profile.created_at is not UNSET


@dataclass
class Buyer:
    """Whose an order or a cart is: an account, whoever has an address, or nobody."""

    account: Account | None = None
    email: str | None = None


@dataclass
class Placed:
    """An order as the platform has it now; `exported` says that an order export has told of it."""

    order: Order
    buyer: Buyer
    deleted: bool = False
    exported: bool = False


@dataclass
class Filled:
    """A cart as the platform has it now; `touched_at` is its last change or deletion."""

    cart: Cart
    buyer: Buyer
    touched_at: datetime


class Story:
    """Remembers how things stand, and knows chance and time. `now` is set from outside."""

    now: datetime

    def __init__(self, random: Random, settings: Settings, night: date, *, contested: bool) -> None:
        self.random, self.settings, self.night, self.contested = random, settings, night, contested
        self.ids = count(1)
        self.accounts: list[Account] = []
        self.orders: list[Placed] = []
        self.carts: list[Filled] = []
        self.claims: dict[str, tuple[datetime, Account]] = {}
        self.taken: set[tuple[str, datetime]] = set()
        self.credit: dict[str, Any] = {}

    def one(self, some: Sequence[T]) -> T:
        return self.random.choice(some)

    def some(self, of: Sequence[T], numbers: Sequence[int]) -> tuple[T, ...]:
        return tuple(self.random.sample(of, min(len(of), self.one(numbers))))

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) >= 100 - percent

    def new_id(self) -> str:
        return str(next(self.ids))

    def when(self) -> datetime:
        """Return a moment that has mostly passed, often at the edge of a day."""
        if self.chance(4):
            return self.now + self.one(AHEAD)
        zone = self.settings.zone
        day = self.night if self.chance(20) else day_of(zone, self.now) - self.one(DAYS_BACK) * DAY
        return min(day_start(zone, day) + self.one(WITHIN_DAY), self.now)

    def after(self, moment: datetime) -> datetime:
        return max(moment + SECOND, self.when())

    def untaken(self, what: str, moment: datetime) -> datetime:
        """Return the moment, or the next at which no other of its kind has happened."""
        while (what, moment) in self.taken:
            moment += TICK
        self.taken.add((what, moment))
        return moment

    def account(self, fits: Callable[[Account], bool] = lambda _: True, *, deleted: bool = False) -> Account | None:
        found = [one for one in self.accounts if fits(one) and (deleted or not one.deleted)]
        return self.one(found) if found else None

    def profile(self, account: Account) -> Customer:
        """Return an account as orders and carts carry it: in full, or by its id alone."""
        known = account.profile
        return known if self.chance(60) else Customer(known.customer_id, known.updated_at, known.created_at)

    def mailbox(self) -> str | None:
        """Return an address that is not a deleted customer's."""
        free = [one for one in MAILBOXES if not self.gone(Buyer(None, one))]
        return self.written(self.one(free)) if free else None

    def written(self, email: str) -> str:
        return self.one((email, email, email.title(), f" {email.upper()}"))

    def owner(self, email: str | None) -> Account | None:
        return self.claims[address(email)][1] if email and address(email) in self.claims else None

    def gone(self, buyer: Buyer) -> bool:
        account = buyer.account or self.owner(buyer.email)
        return account is not None and account.deleted

    def buyer(self) -> Buyer:
        account = self.account() if self.chance(60) else None
        if account is None:
            return Buyer(None, None if self.chance(5) else self.mailbox())
        unnamed = self.owner(account.email) is account and self.chance(30)
        return Buyer(None if unnamed else account, account.email)
