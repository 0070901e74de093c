"""Amounts as platforms write them, in integer minor units."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from connectors.phrases import phrase

# ISO 4217, list one: the currencies whose minor unit is not a hundredth.
EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
CURRENCY = re.compile(r"[A-Z]{3}")
AMOUNT = re.compile(r"(-?\d{1,15})(?:\.(\d{1,12}))?", re.ASCII)
LARGEST = 10**15  # sums of these stay far within the 63 bits of a database's integer
FINEST = -40  # decimal places beyond which nobody writes or works out an amount


@cache
def exponent(currency: str) -> int:
    """Return the number of decimals of a currency. ValueError: not the form of ISO 4217."""
    if not CURRENCY.fullmatch(currency):
        raise ValueError(phrase("not a currency code"))
    return EXPONENTS.get(currency, 2)


def decimal(amount: str | int | Decimal) -> Decimal:
    """Return an amount in major units, exactly. ValueError: no plain number, or one that no shop takes."""
    if isinstance(amount, str) and not AMOUNT.fullmatch(amount):
        raise ValueError(phrase("not an amount"))
    number = Decimal(amount)
    if not number.is_finite() or abs(number) >= LARGEST or exponent_of(number) < FINEST:
        raise ValueError(phrase("not an amount"))
    return number


def exponent_of(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def minor(amount: str | int | Decimal, currency: str) -> int:
    """Return an amount of major units in minor ones; what is finer than a minor unit goes to the even neighbour.

    ValueError as in `decimal` and `exponent`.
    """
    places = exponent(currency)
    if isinstance(amount, str) and (plain := AMOUNT.fullmatch(amount)) and len(plain[2] or "") <= places:
        whole = int(plain[1] + (plain[2] or "").ljust(places, "0"))  # the way of nearly every amount
        if abs(whole) < LARGEST:
            return whole
    scaled = decimal(amount).scaleb(places)
    if abs(scaled) >= LARGEST:
        raise ValueError(phrase("not an amount"))
    return int(scaled.quantize(Decimal(1), ROUND_HALF_EVEN))
