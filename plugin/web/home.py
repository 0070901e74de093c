"""The first page: what the shop's customers are and bring, what moved today, and what waits for somebody.

Every figure is read as it is kept: nothing on this page adds up customers or orders.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, render_template, request, url_for
from flask_babel import gettext, ngettext

from plugin.db import reading
from plugin.insight import attention, cells, first_steps, moved, overview, periods, trends
from plugin.segments.kept import keep
from plugin.web import engine

bp = Blueprint("home", __name__)

LISTED = 8  # segments, the largest


@bp.get("/")
def show() -> str:
    number = request.args.get("days", periods.USUAL, type=int)
    if number not in periods.CHOICES:
        abort(404)
    with reading(engine()) as session:
        segments = keep.all_of(session, g.shop.shop_id)
        glances = overview.glances(session, g.shop, segments)
        largest = sorted((one for one in glances if one.segment.enabled), key=lambda one: -one.size)[:LISTED]
        counted = periods.counted(session, g.shop)
        return render_template(
            "home/show.html",
            steps=first_steps.steps_of(session, g.shop),
            needs=attention.needs(session, g.shop, segments),
            counted=counted,
            period=periods.period(session, g.shop, number) if counted.ready and g.shop.history_at else None,
            choices=[choice(one, number) for one in periods.CHOICES],
            grown=periods.change,
            shown_since=periods.shown_since(g.shop),
            heat=cells.heat(session, g.shop),
            by_spent=request.args.get("by") == "spent",
            scale=cells.SCALE,
            groups=groups(),
            total=len(segments),
            largest=largest,
            trends=trends.sizes(session, g.shop, largest),
            moved=moved.today(session, g.shop, glances),
            fresh=overview.freshness(session, g.shop.shop_id),
        )


@bp.get("/buyers")
def cell() -> str:
    """Show the customers behind one cell of the heat map, page by page."""
    recency, frequency = (request.args.get(name, type=int) for name in ("recency", "frequency"))
    if recency not in cells.SCALE or frequency not in cells.SCALE:
        abort(404)
    monetary, customer_id = request.args.get("monetary", type=int), request.args.get("after", "")
    place = (monetary, customer_id) if monetary is not None else None
    with reading(engine()) as session:
        heat = cells.heat(session, g.shop)
        page = cells.behind(session, g.shop, recency, frequency, place)
        last = cells.last_orders(session, g.shop, page.rows)
    here: dict[str, Any] = {"recency": recency, "frequency": frequency}
    end = page.rows[-1] if page.more else None
    return render_template(
        "home/cell.html",
        **here,
        heat=heat,
        share=heat.cells[recency, frequency] if heat else None,
        rows=page.rows,
        last=last,
        earlier=url_for("home.cell", **here) if place else None,
        later=url_for("home.cell", **here, monetary=end.rfm_monetary, after=end.customer_id) if end else None,
        query=f"rfm_recency = {recency} AND rfm_frequency = {frequency}",
    )


def choice(days: int, shown: int) -> tuple[str, str, bool]:
    """Return one of the periods to choose from, as a tab."""
    address = url_for("home.show", days=days, by=request.args.get("by"), _anchor="figures")
    return address, ngettext("%(num)d day", "%(num)d days", days), days == shown


def groups() -> dict[str, tuple[str, str]]:
    """Return what the groups are called, and who is in each, from those who bring most to those who never ordered."""
    return {
        "CHAMPIONS": (gettext("Champions"), gettext("ordered very lately, often and for much")),
        "LOYAL": (gettext("Loyal"), gettext("ordered lately, often and for much")),
        "ACTIVE": (gettext("Active"), gettext("ordered lately, now and then")),
        "NEW": (gettext("New"), gettext("ordered very lately, for the first times")),
        "PROMISING": (gettext("Promising"), gettext("ordered lately, for the first times")),
        "NEEDS_ATTENTION": (gettext("Need attention"), gettext("ordered some time ago, now and then")),
        "ALMOST_LOST": (gettext("Almost lost"), gettext("ordered some time ago, rarely")),
        "AT_RISK": (gettext("At risk"), gettext("ordered long ago, and often before")),
        "PREVIOUSLY_LOYAL": (gettext("Previously loyal"), gettext("ordered long ago, very often and for much before")),
        "DORMANT": (gettext("Dormant"), gettext("ordered long ago, rarely")),
        "PROSPECTS": (gettext("Prospects"), gettext("have never ordered")),
    }
