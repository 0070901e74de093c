"""Who belongs to a segment, worked out plainly: customer by customer and fact by fact, from dated facts in memory.

It judges the app and shares nothing with it. Queries are taken to be valid: the reader is lenient, and knows only the
names that the app supplies. Where the specification leaves room, these are the rules:

- A customer is there from the platform's `created_at`; where that is unknown from the first order that is not deleted,
  counted or not; without any from the moment first seen. Deleted customers are not there, whatever the moment.
- Facts dated after the moment are not seen. What carries no date (address, language, units removed) counts as it is.
- An order counts unless it is a test, deleted, cancelled by the moment or not yet placed; where the shop counts paid
  orders only, unless its financial status is another than paid, partially_refunded or refunded.
- Its amount is the total less dated refunds, less what the undated total has beyond all dated ones. In another
  currency there is none: it is left out of sums, and no condition on the amount holds.
- A line's units are those ordered less those removed or refunded by the moment. Without any it is no purchase; its
  amount is shared out by units, rounded down.
- E-mail consent is the latest decision, of two at one moment the stricter; without any, "accepts marketing" of the
  latest order that says so and is not deleted, test and cancelled ones included. Consent by SMS is decisions alone.
- A tag is on a customer if the latest change of its folded text put it on; at one moment taking off wins.
- Places are those of the customer's own addresses and of all orders placed and not deleted. Home is where the first own
  address lies that tells it, else that of the latest such order; `distance_km = 10` is within 10 km.
- What a product was is its version in force when the order was placed, else the first one known; the vendor of the
  line itself comes first.
- A comparison of a list's members (`tag`, `discount_code`): `=` and IN ask for any, `!=` and NOT IN for none.
- A cart is abandoned once the waiting time has passed since its last change, unless it was deleted, completed or
  ordered, or its customer has placed an order that counts since that change.
- What the store itself thinks of a customer is the last that it said, if that was said by the moment.
- What somebody did (looked at, searched for, answered …) is one row each time, however often it is told. The tags of
  what was looked at are those told with it; of a product for which none are told, those of its version then.
- Devices, browsers and systems are those of all orders placed and not deleted, and of all that was done by then.
- The score of a survey is that of the latest answer that is a whole number on its scale; of two at one moment, of the
  one whose source and id are greater.
- What is expected of customers is handed in.
- What the merchant keeps is the latest value told by the moment; of two at one moment nothing before something, then
  the greater as text. It makes nobody a customer. A day of it is one on the calendar; beside a written instant it
  stands for its first moment. In ages and anniversaries 29 February counts as 28 February; an anniversary whose ends
  lie a year and more apart is every day.
- Of segments that are kept `plain/standing.py` says the rest: references, pins and ladders.
- The share of orders with a discount is taken over a buyer's own and 20 more, which had one as often as all orders that
  count of all buyers; in hundredths, cut off. It is one of the scores.
- Scores are those handed in, else those of the moment itself. Who has no order that counts is in PROSPECTS; otherwise
  fewer than 50 buyers leave the group missing, and a buyer without scores is NEW.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tests.plain.days import day_of, day_start
from tests.plain.facts import (
    Cart,
    Consent,
    CreditAccount,
    Customer,
    Event,
    Kept,
    Line,
    Moved,
    Order,
    Place,
    ProductVersion,
    Rating,
    Said,
    TagChange,
    World,
)
from tests.plain.query import read
from tests.plain.snapshot import FEWEST_BUYERS, Expected, Score, Snapshot, scores_of
from tests.plain.standing import Ladder, Pin, Segment, Segments

__all__ = [
    "FEWEST_BUYERS",
    "Cart",
    "Consent",
    "CreditAccount",
    "Customer",
    "Event",
    "Expected",
    "Kept",
    "Ladder",
    "Line",
    "Moved",
    "Order",
    "Pin",
    "Place",
    "ProductVersion",
    "Rating",
    "Said",
    "Score",
    "Segment",
    "Segments",
    "Snapshot",
    "TagChange",
    "World",
    "day_of",
    "day_start",
    "last_midnight",
    "meeting",
    "members",
    "rfm",
]


def members(
    world: World,
    query: str | None,
    at: datetime,
    scores: Mapping[str, Score] | None = None,
    *,
    always: bool = False,
    expected: Mapping[str, Expected] | None = None,
) -> set[str]:
    """Return the ids of the customers who meet a query at a moment; without a query, of all there are.

    `scores` are those of the shop's last midnight, one for each buyer there was then; without them they are worked out
    for `at`. `always` gives them however few the buyers.
    """
    return meeting(Snapshot(world, at, scores, always=always, expected=expected), query)


def meeting(snapshot: Snapshot, query: str | None) -> set[str]:
    """Return the ids of the customers who meet a query; the same snapshot serves any number of queries."""
    if query is None:
        return set(snapshot.people)
    meets = read(query)
    return {key for key, person in snapshot.people.items() if meets(person)}


def rfm(world: World, at: datetime) -> dict[str, Score]:
    """Return the scores of all buyers there are at a moment, however few."""
    return scores_of(Snapshot(world, at).people)


def last_midnight(world: World, at: datetime) -> datetime:
    """Return the first moment of the day it is in the shop."""
    return day_start(world.zone, day_of(world.zone, at))
