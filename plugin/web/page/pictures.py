"""Small pictures made of figures: the points of a line, the shade of a cell, and what a chart's script draws from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import Flask, g

from connectors.money import exponent

SHADES = 6
WIDTH, HEIGHT = 100, 24


def install(app: Flask) -> None:
    app.jinja_env.filters |= {"points": points, "shade": shade, "drawn": drawn}


def points(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return where a line through some values goes, in a box of 100 by 24: the highest value at its top."""
    if not values:
        return []
    low, high = min(values), max(values)
    step = WIDTH / max(len(values) - 1, 1)
    rise = (HEIGHT - 2) / (high - low) if high > low else 0
    return [(round(at * step, 1), round(HEIGHT - 1 - (value - low) * rise, 1)) for at, value in enumerate(values)]


def shade(value: float, largest: float) -> int:
    """Return one of six shades: the lightest for nothing, then five of equal steps up to the largest value."""
    return 0 if value <= 0 or largest <= 0 else min(SHADES - 1, 1 + int((SHADES - 1) * value / largest))


def drawn(series: Sequence[Mapping[str, Any]], days: Sequence[date], *, money: bool = False) -> dict[str, object]:
    """Return what `charts.js` draws: days and one series or more, of numbers or of minor units of the shop's money."""
    whole = 10 ** exponent(g.shop.currency) if money else 1
    lines = [dict(one) | {"values": [value / whole for value in one["values"]]} for one in series]
    return {"days": [one.isoformat() for one in days], "series": lines, "currency": g.shop.currency if money else None}
