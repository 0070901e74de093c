"""Requests of customers to be told what is stored about them: the list, and the answer as a file."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as Answer

from plugin import privacy
from plugin.db import reading, transaction
from plugin.models.privacy import DataRequest
from plugin.web import engine

bp = Blueprint("requests", __name__)


@bp.get("/requests")
def listing() -> str:
    with reading(engine()) as session:
        found = all_of(session)
    return render_template("requests/list.html", requests=found)


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


def all_of(session: Session) -> list[DataRequest]:
    """Return the shop's requests, the unanswered first, the latest first."""
    statement = select(DataRequest).where(col(DataRequest.shop_id) == g.shop.shop_id)
    return list(
        session.scalars(statement.order_by(col(DataRequest.answered_at).is_not(None), col(DataRequest.asked_at).desc()))
    )


def own(session: Session, request_id: str) -> DataRequest:
    return session.get(DataRequest, (g.shop.shop_id, request_id)) or abort(404)
