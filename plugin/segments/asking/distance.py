"""Homes within a distance of a place: great circles, as straight lines through the earth, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, FromClause

from plugin.geography import chord, point
from plugin.segments.asking.comparing import number_comparison
from plugin.segments.asking.figures.lived import apart
from plugin.segments.language.tree import Between, Compare, Condition, Coordinates, Number, Operator

KILOMETRES = {"distance_km": Decimal(1), "distance_mi": Decimal("1.609344")}
# "distance = 10" asks for those within it: nobody lives at exactly a distance, and Shopify's older calls say it so.
WITHIN: Mapping[Operator, Operator] = {"=": "<=", "!=": ">"}


def near(home: FromClause, conditions: Sequence[Condition]) -> list[ColumnElement[bool]]:
    """Return whether a home lies as far from a place as conditions ask, each of them."""
    places = [one.value for one in conditions if isinstance(one, Compare) and isinstance(one.value, Coordinates)]
    return [
        number_comparison(
            operator,
            apart(home, point(float(place.latitude), float(place.longitude))),
            Decimal(chord(float(number * KILOMETRES[unit]))),
        )
        for place in places
        for unit, operator, number in distances(conditions)
    ]


def distances(conditions: Sequence[Condition]) -> Iterable[tuple[str, Operator, Decimal]]:
    """Yield each comparison of a distance: its unit, its operator and its number."""
    for one in conditions:
        match one:
            case Between(low=Number(low), high=Number(high)):
                yield one.field.name, ">=", Decimal(low)
                yield one.field.name, "<=", Decimal(high)
            case Compare(operator=operator, value=Number(number)):
                yield one.field.name, WITHIN.get(operator, operator), Decimal(number)
