"""Activity: every tag that was put on or taken off, by whatever is asked for, as a page and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, g, request, stream_with_context
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import clock, dates, shops
from plugin.config import settings
from plugin.db import reading
from plugin.insight import activity
from plugin.insight.activity import OUTCOMES, Line, Mark, Wanted
from plugin.insight.delivery import label
from plugin.segments.kept import keep
from plugin.translating import told
from plugin.web import engine
from plugin.web.page import fragments, spans, wording

bp = Blueprint("activity", __name__)

HEADS = ("when", "platform", "contact", "customer_id", "tag", "segment", "change", "cause", "outcome", "answer")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/activity")
def listing() -> str:
    wanted = asked()
    with reading(engine()) as session:
        found = activity.page(session, g.shop.shop_id, wanted, Mark.read(request.args.get("after", "")))
        places = shops.connections(session, g.shop.shop_id)
        names = {one.segment_id: one.name for one in keep.all_of(session, g.shop.shop_id)}
    return fragments.render(
        "activity/list.html",
        "activity/rows.html",
        found=found,
        wanted=wanted,
        given=given(),
        platforms={one.connection_id: label(one.platform) for one in places},
        segments=names,
        outcomes=OUTCOMES,
        kept_days=settings().activity_retention_days,
    )


@bp.get("/activity.csv")
def download() -> Response:
    """Send all that is asked for, as it is read: the file may be as long as it likes."""
    wanted, shop_id = asked(), g.shop.shop_id
    causes, outcomes = wording.write_causes(), wording.outcomes()
    ways = {True: gettext("put on"), False: gettext("taken off")}

    def lines() -> Iterator[str]:
        yield row(HEADS)
        with reading(engine()) as session:
            for one in activity.everything(session, shop_id, wanted):
                yield row(cells(one, ways, causes, outcomes))

    name = f"activity-{dates.today(clock.now(), g.shop.zone).isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)


def cells(
    one: Line, ways: dict[bool, str], causes: dict[str, str], outcomes: dict[str, tuple[str, str]]
) -> tuple[str, ...]:
    return (
        one.written_at.isoformat(timespec="seconds"),
        one.platform,
        one.contact,
        one.customer_id or "",
        one.tag,
        one.segment or "",
        ways[one.put_on],
        causes.get(one.cause, one.cause),
        outcomes[one.outcome][0],
        told(one.answer),
    )


def row(values: tuple[str, ...]) -> str:
    """Return a line of the file, in which no program that opens it finds a formula."""
    written = io.StringIO()
    csv.writer(written).writerow([f"'{one}" if one.startswith(FORMULA) else one for one in values])
    return written.getvalue()


def given() -> dict[str, str]:
    """Return what the address asks for, as it stands there; without where the page begins."""
    names = ("platform", "segment", "customer", "change", "outcome", "since", "until")
    return {name: value for name in names if (value := request.args.get(name, "").strip())}


def asked() -> Wanted:
    found = given()
    return Wanted(
        connection_id=found.get("platform"),
        segment_id=found.get("segment"),
        customer_id=found.get("customer"),
        put_on={"on": True, "off": False}.get(found.get("change", "")),
        outcome=found["outcome"] if found.get("outcome") in OUTCOMES else None,
        since=spans.since(found),
        until=spans.until(found),
    )
