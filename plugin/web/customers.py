"""One customer from near: who it is, the segments they are in, and why they are in one or not."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import reading
from plugin.insight import customers
from plugin.insight.telling import Voice
from plugin.models.commerce import Customer
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import pins
from plugin.segments.why.explain import explain
from plugin.segments.why.seen import UnknownCustomerError
from plugin.web import engine
from plugin.web.segments import own

bp = Blueprint("customers", __name__)


@bp.route("/customers", methods=("GET", "POST"))
def find() -> str | Response:
    """Lead to the customer whose id or address somebody types. It is sent as a form: addresses of pages are logged."""
    typed = request.form.get("who", "")
    if typed:
        with reading(engine()) as session:
            found = customers.find(session, g.shop.shop_id, typed)
        if found:
            return redirect(url_for("customers.show", customer_id=found.customer_id))
        flash(gettext("There is no customer of this id or address."), "bad")
    return render_template("customers/find.html", typed=typed)


@bp.get("/customers/<customer_id>")
def show(customer_id: str) -> str:
    with reading(engine()) as session:
        customer = known(session, customer_id)
        segments = customers.segments_of(session, g.shop.shop_id, customer_id)
        pinned = pins.of_customer(session, g.shop, customer_id)
    return render_template("customers/show.html", customer=customer, segments=segments, pinned=pinned)


@bp.get("/segments/<segment_id>/why/<customer_id>")
def why(segment_id: str, customer_id: str) -> str:
    """Say why a customer is in a segment or not, part by part."""
    with reading(engine()) as session:
        segment, customer = own(session, segment_id), known(session, customer_id)
        error = found = None
        try:
            found = explain(session, g.shop, segment, customer_id)
        except SegmentErrors as errors:
            error = str(errors)
        except UnknownCustomerError:
            abort(404)
    voice = Voice(g.shop, str(get_locale() or "en"))
    return render_template(
        "customers/why.html", segment=segment, customer=customer, found=found, error=error, voice=voice
    )


def known(session: Session, customer_id: str) -> Customer:
    """Return the visitor's customer of this id; 404 for anybody else's, and for those who are gone."""
    found = session.get(Customer, (g.shop.shop_id, customer_id))
    return found if found is not None and found.deleted_at is None else abort(404)
