"""Rehearsal: what would be written where, exactly, and the button that lets it happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin import shops
from plugin.db import reading, transaction
from plugin.insight.delivery import label
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from plugin.segments.kept import keep
from plugin.tagging import audiences, plan, rehearsal
from plugin.web import engine
from plugin.web.segments.overview import own

bp = Blueprint("rehearsals", __name__)

PAGE = 50


@dataclass(frozen=True)
class Stage:
    """One connection with what would happen there; None where nothing waits for a release.

    `live`: the one segment that is asked about has been released there. `quiet`: members can be tagged there without
    setting off automations.
    """

    connection: Connection
    label: str
    rehearsed: rehearsal.Rehearsal | None
    offers_audience: bool
    live: bool
    quiet: bool


@bp.get("/rehearsal")
def everything() -> str:
    """What would happen if all that waits were released, connection by connection."""
    return stages(None)


@bp.get("/segments/<segment_id>/rehearsal")
def one_segment(segment_id: str) -> str:
    return stages(segment_id)


def stages(segment_id: str | None) -> str:
    """Return the page; what `adopt` and `quiet` in its address would do is told as well, and done by its buttons."""
    offset = max(0, request.args.get("from", 0, type=int))
    how = {name: request.args.get(name) == "yes" for name in ("adopt", "quiet")}
    with reading(engine()) as session:
        segment = own(session, segment_id) if segment_id else None
        names = {one.segment_id: one for one in keep.all_of(session, g.shop.shop_id)}
        places = [one for one in shops.connections(session, g.shop.shop_id) if one.state != "gone"]
        try:
            found = [stage(session, one, segment, offset, how) for one in places if plan.capabilities(one.platform)]
        except rehearsal.HistoryIncompleteError:
            return render_template("rehearsals/early.html", segment=segment)
    concerned = max((one.rehearsed.contacts.total() for one in found if one.rehearsed), default=0)
    return render_template(
        "rehearsals/stages.html",
        stages=found,
        segment=segment,
        how=how,
        names=names,
        offset=offset,
        following=offset + PAGE,
        more=concerned > offset + PAGE,
    )


def stage(
    session: Session, connection: Connection, segment: Segment | None, offset: int, how: Mapping[str, bool]
) -> Stage:
    wanted = [segment.segment_id] if segment else None
    can = plan.capabilities(connection.platform)
    quiet = can is not None and can.quiet
    rehearsed = rehearsal.rehearse(
        session,
        shops.opened(connection),
        wanted,
        offset=offset,
        limit=PAGE,
        adopting=how["adopt"] and segment is not None,
        quietly=how["quiet"] and quiet,
    )
    way = (g.shop.shop_id, segment.segment_id, connection.connection_id) if segment else None
    released = session.get(Destination, way) if way else None
    return Stage(
        connection,
        label(connection.platform),
        rehearsed if rehearsed.segments else None,
        audiences.offered(connection),
        released is not None and released.state == "live",
        quiet,
    )


@bp.post("/segments/<segment_id>/release/<connection_id>")
def release(segment_id: str, connection_id: str) -> Response:
    """The merchant says go."""
    with transaction(engine()) as session:
        segment = own(session, segment_id)
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        try:
            if request.form.get("adopt") == "yes":
                rehearsal.adopt(session, g.shop.shop_id, segment_id, connection_id)
            quietly = request.form.get("quiet") == "yes"
            rehearsal.release(session, g.shop.shop_id, segment_id, connection_id, quietly=quietly)
        except LookupError:
            abort(404)
        except rehearsal.HistoryIncompleteError:
            abort(409)
        if request.form.get("audience") == "yes" and audiences.offered(connection):
            audiences.want(session, g.shop.shop_id, segment_id, connection_id)
    where = label(connection.platform)
    flash(gettext("%(name)s is live: its tag is being written to %(where)s.", name=segment.name, where=where))
    return redirect(url_for("segments.show", segment_id=segment_id))


@bp.post("/segments/<segment_id>/audience/<connection_id>")
def audience(segment_id: str, connection_id: str) -> Response:
    """Have a segment of the platform's own made for this one, or deleted again."""
    with transaction(engine()) as session:
        own(session, segment_id)
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        if request.form.get("wanted") != "yes":
            audiences.give_up(session, g.shop.shop_id, segment_id, connection_id)
        elif audiences.offered(connection):
            audiences.want(session, g.shop.shop_id, segment_id, connection_id)
    return redirect(url_for("segments.destinations", segment_id=segment_id))
