"""Spans of days that an address asks for: from one day of the shop's to another, both whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import g

from plugin import dates


def since(given: Mapping[str, str]) -> datetime | None:
    """Return the first moment of the day `since`; None where no day is named."""
    return start(given.get("since"))


def until(given: Mapping[str, str]) -> datetime | None:
    """Return the moment at which the day `until` is over; None where no day is named."""
    return start(given.get("until"), after=1)


def start(written: str | None, after: int = 0) -> datetime | None:
    try:
        return dates.day_start(date.fromisoformat(written or "") + timedelta(days=after), g.shop.zone)
    except (ValueError, OverflowError):
        return None
