"""Segments against each other on the site: whom they share as a heat map, two side by side, what should not meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import lanes
from plugin.db import reading, transaction
from plugin.insight import compared
from plugin.insight.compared import Side
from plugin.insight.comparing import EVERYBODY
from plugin.insight.overlap import Pair
from plugin.models.segments import Segment
from plugin.segments.kept import keep
from plugin.web import engine

bp = Blueprint("compared", __name__)

MOST_COMPARED = 20
FIRST_COMPARED = 10
MOST_PAIRS = 30


@dataclass(frozen=True)
class Cell:
    """Of a row's members, the share who are in a column's segment as well."""

    one: Segment
    other: Segment
    both: int
    share: float


@bp.get("/segments/overlap")
def show() -> str:
    """Hold segments against each other: those that are named, or the first ten."""
    named = request.args.getlist("segment")
    with reading(engine()) as session:
        everything = keep.all_of(session, g.shop.shop_id)
        chosen = [one for one in everything if one.segment_id in named][:MOST_COMPARED] or everything[:FIRST_COMPARED]
        found = compared.pairs(session, g.shop.shop_id, chosen)
        met = compared.met(session, g.shop)
        counted_at = compared.counted_at(session, g.shop.shop_id)
    meeting = sorted((pair for pair in found if pair.both), key=lambda pair: (-pair.jaccard, pair.one.name))
    return render_template(
        "compared/show.html",
        segments=everything,
        chosen=chosen,
        grid=grid(found),
        pairs=found,
        meeting=meeting[:MOST_PAIRS],
        apart=len(found) - len(meeting),
        met=met,
        counted_at=counted_at,
    )


@bp.get("/segments/side-by-side")
def sides() -> str:
    """Hold the figures of two segments against each other, and against everybody's."""
    named = (request.args.get("one", ""), request.args.get("other", ""))
    with reading(engine()) as session:
        everything = keep.all_of(session, g.shop.shop_id)
        by_id = {one.segment_id: one for one in everything}
        two = [by_id[one] for one in named if one in by_id]
        two += [one for one in everything if one not in two][: 2 - len(two)]
        found = compared.sides(session, g.shop.shop_id, [one.segment_id for one in two])
        pairs = compared.pairs(session, g.shop.shop_id, two)
        counted_at = compared.counted_at(session, g.shop.shop_id)
    columns: list[tuple[str, Side]] = [(one.name, found[one.segment_id]) for one in two if one.segment_id in found]
    if EVERYBODY in found:
        columns.append((gettext("Everybody"), found[EVERYBODY]))
    return render_template(
        "compared/sides.html",
        segments=everything,
        two=two,
        columns=columns,
        pair=pairs[0] if pairs else None,
        counted_at=counted_at,
    )


@bp.post("/segments/overlap/count")
def count() -> Response:
    """Have everything counted anew."""
    with transaction(engine()) as session:
        lanes.poke(session, g.shop.shop_id, "compared")
    flash(gettext("Everything is being counted again. That takes a minute for each million customers, or less."))
    return redirect(url_for("compared.show"))


def grid(pairs: Sequence[Pair]) -> list[tuple[Segment, int, list[Cell | None]]]:
    """Return a row for each segment that was counted: its size, and a cell for each, None for itself."""
    sizes = {one.segment_id: (one, size) for pair in pairs for one, size in sides_of(pair)}
    both = {frozenset((pair.one.segment_id, pair.other.segment_id)): pair.both for pair in pairs}
    return [
        (
            one,
            size,
            [
                None if one is other else cell(one, other, size, both[frozenset((one.segment_id, other.segment_id))])
                for other, _ in sizes.values()
            ],
        )
        for one, size in sizes.values()
    ]


def sides_of(pair: Pair) -> tuple[tuple[Segment, int], tuple[Segment, int]]:
    return (pair.one, pair.one_size), (pair.other, pair.other_size)


def cell(one: Segment, other: Segment, size: int, both: int) -> Cell:
    return Cell(one, other, both, both / size if size else 0.0)
