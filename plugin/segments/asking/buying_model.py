"""How customers go on buying, learned from how all of them bought: orders, value and silence to be expected.

MBG/NBD (Batislam, Denizel and Filiztekin 2007: a customer may be lost after any order, the first included) for when
they order, Gamma-Gamma (Fader, Hardie and Lee 2005) for how much. Both are fitted by maximum likelihood with a weak
log-normal prior, which weighs as much as one customer: shops where hardly anybody is lost would run to the border.

Times are in days, money in whatever unit it comes in. A purchase is a day with an order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Column = np.ndarray[Any, np.dtype[np.float64]]

YEAR = 365.0
CHURN_DAYS = 90.0
MOST_FITTED = 100_000
WINSORISED = 0.99
# Where the prior lies: r, alpha in days, a, b of the timing; p, q of the value. Its width is one unit of a logarithm.
TIMING_PRIOR = (0.52, 43.0, 0.89, 1.6)
VALUE_PRIOR = (6.0, 3.7)


@dataclass(frozen=True)
class Purchases:
    """What the model knows of customers who bought, one entry of each column a customer.

    `repeats`: days with an order, less the first. `last`: days from the first purchase to the latest. `age`: from the
    first purchase to now. `mean`: the average amount of a purchase, above 0.
    """

    repeats: Column
    last: Column
    age: Column
    mean: Column


@dataclass(frozen=True)
class Expected:
    """What is expected of each of them. `next_in`: days from now, NaN where an order within a year is not likely."""

    orders: Column  # in the next year
    value: Column  # in the next year
    silence: Column  # the probability of no order in the next 90 days
    next_in: Column


def expected(known: Purchases) -> Expected:
    """Fit the model and say what is to be expected. The same input gives the same answer."""
    import numpy as np

    timing = fit_timing(known)
    orders = expected_orders(timing, known, YEAR)
    alive = probability_alive(timing, known)
    silence = silent(timing, known)
    within_a_year = order_within(timing, known, YEAR)
    likely = alive * within_a_year >= 0.5
    next_in = np.where(likely, median_wait(timing, known, within_a_year), np.nan)
    return Expected(orders, orders * expected_mean(fit_value(known), known), silence, next_in)


def silences(known: Purchases) -> Column:
    """Return the probability of no order in the next 90 days alone."""
    return silent(fit_timing(known), known)


Timing = tuple[float, float, float, float]
Value = tuple[float, float, float]


def fit_timing(known: Purchases) -> Timing:
    """Return r, alpha, a and b of the MBG/NBD."""
    x, last, age = (sampled(column) for column in (known.repeats, known.last, known.age))

    def surprise(r: float, alpha: float, a: float, b: float) -> float:
        import numpy as np
        from scipy.special import gammaln

        bought = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
        stayed = gammaln(a + b) + gammaln(b + x + 1) - gammaln(b) - gammaln(a + b + x + 1)
        lost = np.log(a) - np.log(b + x) + (r + x) * (np.log(alpha + age) - np.log(alpha + last))
        return -float(np.sum(bought + stayed + np.logaddexp(lost, 0)))

    r, alpha, a, b = most_likely(surprise, TIMING_PRIOR)
    return r, alpha, a, b


def fit_value(known: Purchases) -> Value:
    """Return p, q and v of the Gamma-Gamma, fitted without the largest hundredth of the amounts."""
    import numpy as np

    bought, mean = sampled(known.repeats) + 1, sampled(np.minimum(known.mean, np.quantile(known.mean, WINSORISED)))

    def surprise(p: float, q: float, v: float) -> float:
        from scipy.special import gammaln

        px = p * bought
        likelihood = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(v) + px * np.log(bought)
        return -float(np.sum(likelihood + (px - 1) * np.log(mean) - (px + q) * np.log(v + bought * mean)))

    middle = float(np.median(mean))
    p, q, v = most_likely(surprise, (*VALUE_PRIOR, middle * (VALUE_PRIOR[1] - 1) / VALUE_PRIOR[0]))
    return p, q, v


def sampled(column: Column) -> Column:
    """Return at most so many, evenly spread: more hardly change the fit."""
    return column[:: max(1, -(-len(column) // MOST_FITTED))]


def most_likely(surprise: Callable[..., float], prior: tuple[float, ...]) -> list[float]:
    """Return the positive parameters that make what was seen, and the prior, least surprising."""
    import numpy as np
    from scipy.optimize import minimize

    centre = np.log(prior)

    def loss(logarithms: Any) -> float:
        return surprise(*np.exp(logarithms)) + 0.5 * float(np.sum((logarithms - centre) ** 2))

    found = minimize(loss, centre, method="L-BFGS-B", bounds=[(one - 9, one + 9) for one in centre])
    return [float(one) for one in np.exp(found.x)]


def probability_alive(timing: Timing, known: Purchases) -> Column:
    r, alpha, a, b = timing
    x = known.repeats
    alive: Column = 1 / (1 + a / (b + x) * ((alpha + known.age) / (alpha + known.last)) ** (r + x))
    return alive


def silent(timing: Timing, known: Purchases) -> Column:
    return 1 - probability_alive(timing, known) * order_within(timing, known, CHURN_DAYS)


def order_within(timing: Timing, known: Purchases, days: float) -> Column:
    """Return the probability of an order within so many days, of somebody who is not lost."""
    r, alpha, _, _ = timing
    within: Column = 1 - ((alpha + known.age) / (alpha + known.age + days)) ** (r + known.repeats)
    return within


def median_wait(timing: Timing, known: Purchases, within_a_year: Column) -> Column:
    """Return the days after which half of those have ordered who do so within a year."""
    r, alpha, _, _ = timing
    wait: Column = (alpha + known.age) * ((1 - within_a_year / 2) ** (-1 / (r + known.repeats)) - 1)
    return wait


def expected_orders(timing: Timing, known: Purchases, days: float) -> Column:
    """Return how many orders are expected within so many days.

    The hypergeometric function is taken after Euler's transformation: the textbook form is not a number for customers
    with hundreds of orders. At a = 1 the formula is 0/0, and a is nudged.
    """
    from scipy.special import hyp2f1

    r, alpha, a, b = timing
    a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
    x = known.repeats
    z = days / (alpha + known.age + days)
    unfinished = (1 - z) ** (a - 1) * hyp2f1(a + b - r, a - 1, a + b + x, z)
    orders: Column = (a + b + x) / (a - 1) * (1 - unfinished) * probability_alive(timing, known)
    return orders


def expected_mean(value: Value, known: Purchases) -> Column:
    """Return what a purchase of each is expected to come to: between their own average and the shop's."""
    p, q, v = value
    bought = known.repeats + 1
    mean: Column = p * (v + bought * known.mean) / (p * bought + q - 1)
    return mean
