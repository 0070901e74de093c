"""Frozen copies of a segment's members: taken, given out as CSV, deleted."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from flask_babel import gettext, ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response as Answer

from plugin.db import reading, transaction
from plugin.models.keeping import Snapshot
from plugin.segments.kept import snapshots
from plugin.segments.kept.definition import RefusedError
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import named
from plugin.web.segments.overview import own

bp = Blueprint("snapshots", __name__)


@bp.post("/segments/<segment_id>/snapshots")
def take(segment_id: str) -> Answer:
    try:
        with transaction(engine()) as session:
            made = snapshots.take(session, own(session, segment_id), request.form.get("name", ""), by=who())
        flash(ngettext("%(num)d member is frozen.", "%(num)d members are frozen.", made.size))
    except RefusedError as fault:
        flash(told(fault), "bad")
    return redirect(url_for("members.listing", segment_id=segment_id, _anchor="snapshots"))


@bp.get("/snapshots/<snapshot_id>/members.csv")
def members(snapshot_id: str) -> Response:
    """Give a snapshot out as it is read, however large it is."""
    with reading(engine()) as session:
        copy = theirs(session, snapshot_id)
    answer = Response(snapshots.as_csv(engine(), copy), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename="snapshot.csv")
    return answer


@bp.post("/snapshots/<snapshot_id>/delete")
def delete(snapshot_id: str) -> Answer:
    """Delete the snapshot whose name was typed."""
    with transaction(engine()) as session:
        copy = theirs(session, snapshot_id)
        if meant := named.typed(copy.name):
            snapshots.drop(session, copy)
    if meant:
        flash(gettext("The snapshot %(name)s is deleted.", name=copy.name))
    else:
        flash(named.wrong(), "bad")
    return redirect(url_for("members.listing", segment_id=copy.segment_id, _anchor="snapshots"))


def theirs(session: Session, snapshot_id: str) -> Snapshot:
    """Return the visitor's snapshot of this id; 404 for anybody else's."""
    return snapshots.get(session, g.shop.shop_id, snapshot_id) or abort(404)
