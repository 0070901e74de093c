"""Whether what is expected of customers is any good in one shop: the model is tried on the shop's own past.

It is given what was known 90 days ago and asked who would stay silent; the days since tell. Rank quality is the chance
that of two customers it had the silent one for the likelier one to be: 1 is always, 0.5 is a coin.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plugin.segments.asking.buying_model import Column

WHOLE = 10_000  # rank quality is kept in ten-thousandths
LEAST = 6_000
FEWEST_EACH = 10  # customers who ordered, and who did not: among fewer, chance says as much as the model


def rank_quality(silence: Column, was_silent: Column) -> int | None:
    """Return how well probabilities of silence rank who was silent (1) and who was not (0); None: too few of either."""
    from scipy.stats import rankdata

    silent = int(was_silent.sum())
    others = len(was_silent) - silent
    if min(silent, others) < FEWEST_EACH:
        return None
    above = float(rankdata(silence)[was_silent == 1].sum()) - silent * (silent + 1) / 2
    return round(WHOLE * above / (silent * others))


def was_silent(earlier: Any, last_orders: Mapping[str, datetime], then: datetime) -> Column:
    """Say of each buyer of `earlier` whether nothing was bought after `then`: by when they have ordered last."""
    import numpy as np

    silent = (last_orders.get(row.customer_id, then) <= then for row in earlier)
    return np.fromiter(silent, dtype=float, count=len(earlier))


def is_good(quality: int | None) -> bool:
    """Whether a model may be listened to: a shop without enough of a past to try it gives it the benefit of doubt."""
    return quality is None or quality >= LEAST
