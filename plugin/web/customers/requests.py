"""Requests of customers to be told what is stored about them: the list, and the answer as a file."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as Answer

from plugin import clock, dates, privacy
from plugin.db import reading, transaction
from plugin.models.privacy import DataRequest
from plugin.web import engine
from plugin.web.customers.found import mark, place

bp = Blueprint("requests", __name__)

PAGE = 50
TIME_TO_ANSWER = timedelta(days=30)


@bp.get("/requests")
def listing() -> str:
    """List who waits for an answer, whoever has waited longest first, and those who were answered, the latest first."""
    at, request_id = place(request.args.get("before", ""))
    with reading(engine()) as session:
        waiting = waiting_for_answers(session)
        answered = answered_before(session, at, request_id)
    shown, more = answered[:PAGE], len(answered) > PAGE
    following = mark(shown[-1].answered_at, shown[-1].request_id) if more and shown[-1].answered_at else ""
    values = {"waiting": waiting, "answered": shown, "following": following, "due": due, "late": late}
    return render_template("requests/list.html", **values)


@bp.get("/requests/<request_id>.json")
def download(request_id: str) -> Response:
    """Return everything that is held about whoever asked, as a file."""
    with reading(engine()) as session:
        own(session, request_id)
        held = privacy.export(session, g.shop, request_id)
    answer = Response(json.dumps(held, ensure_ascii=False, indent=2), mimetype="application/json")
    answer.headers.set("Content-Disposition", "attachment", filename="data.json")
    return answer


@bp.post("/requests/<request_id>/answered")
def answered(request_id: str) -> Answer:
    """The merchant has answered."""
    with transaction(engine()) as session:
        own(session, request_id)
        privacy.answered(session, g.shop, request_id)
    flash(gettext("Noted as answered."))
    return redirect(url_for("requests.listing"))


def waiting_for_answers(session: Session) -> list[DataRequest]:
    waiting = select(DataRequest).where(own_shop(), col(DataRequest.answered_at).is_(None))
    return list(session.scalars(waiting.order_by(col(DataRequest.asked_at), col(DataRequest.request_id))))


def answered_before(session: Session, at: datetime | None, request_id: str) -> list[DataRequest]:
    """Return one more than a page of those that were answered, from before a place."""
    order = (col(DataRequest.answered_at), col(DataRequest.request_id))
    found = select(DataRequest).where(own_shop(), order[0].is_not(None))
    if at:
        found = found.where(order[0] <= at, or_(order[0] < at, order[1] < request_id))
    return list(session.scalars(found.order_by(*(one.desc() for one in order)).limit(PAGE + 1)))


def own_shop() -> ColumnElement[bool]:
    mine: ColumnElement[bool] = col(DataRequest.shop_id) == g.shop.shop_id
    return mine


def due(one: DataRequest) -> date:
    """Return the last day on which a request is answered in time."""
    return dates.today(one.asked_at + TIME_TO_ANSWER, g.shop.zone)


def late(one: DataRequest) -> bool:
    return due(one) < dates.today(clock.now(), g.shop.zone)


def own(session: Session, request_id: str) -> DataRequest:
    return session.get(DataRequest, (g.shop.shop_id, request_id)) or abort(404)
