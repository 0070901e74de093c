"""Moments as platforms write them, in aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from connectors.phrases import phrase

# "2011-12-10T12:00:00-05:00", "2023-03-29T18:00:27.877041743Z", "2011-12-10 12:00:00 +0000" (Shopify's exports)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d{0,12})?(?: ?(Z|[+-]\d\d:?\d\d))", re.ASCII)
YEARS = range(1900, 2200)  # beyond them nothing was sold, and a shop's zone could lead out of the calendar


def utc(text: str) -> datetime:
    """Return a moment to the microsecond; what is finer is cut. ValueError: none, or one without an offset."""
    match = MOMENT.fullmatch(text)
    if not match:
        raise ValueError(phrase("not a moment with its offset from UTC"))
    day, clock, fraction, offset = match.groups()
    return possible(datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}{offset}")).astimezone(UTC)


def since_1970(count: int, parts: int = 1) -> datetime:
    """Return the moment so many seconds, or `parts` of a second, after 1970. ValueError: none that can be."""
    try:
        return possible(datetime.fromtimestamp(count / parts, UTC))
    except (OverflowError, OSError):
        raise ValueError(phrase("not a moment")) from None


def possible(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(phrase("a moment outside the years that can be"))
    return moment
