"""Who is in a segment: paged, found, given out as CSV; and who entered and left it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, g, render_template, request
from werkzeug.utils import secure_filename

from plugin.db import EPOCH, MICROSECOND, reading
from plugin.insight import exporting, membership
from plugin.insight.membership import Page
from plugin.segments.kept import snapshots
from plugin.segments.membership import pins
from plugin.web import engine
from plugin.web.page import fragments
from plugin.web.segments.overview import near, own

bp = Blueprint("members", __name__)

MOST_FOUND = 50
LONGEST = 320


@bp.get("/segments/<segment_id>/members")
def listing(segment_id: str) -> str:
    after = request.args.get("after", "")
    with reading(engine()) as session:
        found = membership.members(session, g.shop.shop_id, segment_id, after)
    return shown(segment_id, found)


@bp.post("/segments/<segment_id>/members")
def look_up(segment_id: str) -> str:
    """Find members by what somebody types. It is sent as a form, since addresses of pages are logged."""
    typed = request.form.get("who", "").strip()[:LONGEST]
    with reading(engine()) as session:
        own(session, segment_id)
        if typed:
            found = membership.found(session, g.shop.shop_id, segment_id, typed, MOST_FOUND)
        else:
            found = membership.members(session, g.shop.shop_id, segment_id)
    return shown(segment_id, found, typed)


def shown(segment_id: str, found: Page, typed: str = "") -> str:
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        rest = {
            "copies": snapshots.all_of(session, g.shop.shop_id, segment_id),
            "pinned": pins.count(session, g.shop, segment_id),
        }
    return fragments.render(
        "segments/members.html",
        "segments/members_part.html",
        segment=segment,
        glance=glance,
        members=found,
        typed=typed,
        **rest,
    )


@bp.get("/segments/<segment_id>/members.csv")
def export(segment_id: str) -> Response:
    """Give all members out as they are read, however many there are."""
    with reading(engine()) as session:
        name = secure_filename(own(session, segment_id).name) or "segment"
    answer = Response(lines(segment_id), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return answer


def lines(segment_id: str) -> Iterator[str]:
    return exporting.as_csv(engine(), g.shop, segment_id)


@bp.get("/segments/<segment_id>/history")
def history(segment_id: str) -> str:
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        page = membership.history(session, g.shop.shop_id, segment_id, place(request.args.get("before", "")))
    following = mark(page.rows[-1].changed_at, page.rows[-1].run, page.rows[-1].customer_id) if page.more else ""
    return render_template("segments/history.html", segment=segment, glance=glance, history=page, following=following)


def mark(at: datetime, run: int, customer_id: str) -> str:
    """Return a place in the history as an address can carry it."""
    return f"{(at - EPOCH) // MICROSECOND}.{run}.{customer_id}"


def place(text: str) -> membership.Place | None:
    """Return the place that `mark` wrote; the beginning for anything else."""
    at, _, rest = text.partition(".")
    run, _, customer_id = rest.partition(".")
    try:
        return membership.Place((EPOCH + int(at) * MICROSECOND).astimezone(UTC), int(run), customer_id)
    except (ValueError, OverflowError):
        return None
