"""Recency, frequency, monetary: the scores within a shop and the groups they make (segment-language §6)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, literal

SCORES = ("rfm_recency", "rfm_frequency", "rfm_monetary")
MEASURES = ("last_order_at", "orders", "spent_minor")
FEWEST_BUYERS = 50
ROUGH_BELOW = 500

# For each recency score: the group up to each sum of frequency and monetary.
GROUPS = {
    5: {4: "NEW", 5: "ACTIVE", 7: "ACTIVE", 8: "CHAMPIONS", 10: "CHAMPIONS"},
    4: {4: "PROMISING", 5: "ACTIVE", 7: "ACTIVE", 8: "LOYAL", 10: "LOYAL"},
    3: {4: "ALMOST_LOST", 5: "NEEDS_ATTENTION", 7: "NEEDS_ATTENTION", 8: "LOYAL", 10: "LOYAL"},
    2: {4: "DORMANT", 5: "DORMANT", 7: "AT_RISK", 8: "AT_RISK", 10: "PREVIOUSLY_LOYAL"},
    1: {4: "DORMANT", 5: "DORMANT", 7: "AT_RISK", 8: "AT_RISK", 10: "PREVIOUSLY_LOYAL"},
}


def group(figures: Any, *, enough_buyers: bool) -> ColumnElement[Any]:
    """Return a customer's group: PROSPECTS without an order, NEW with a first one since the scores were worked out."""
    if not enough_buyers:
        return case((figures.orders == 0, "PROSPECTS"), else_=literal(None, String()))
    whole = figures.rfm_frequency + figures.rfm_monetary
    by_score = [
        (and_(figures.rfm_recency == recency, whole <= limit), name)
        for recency, row in GROUPS.items()
        for limit, name in row.items()
    ]
    return case((figures.orders == 0, "PROSPECTS"), (figures.rfm_recency.is_(None), "NEW"), *by_score)
