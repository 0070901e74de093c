"""Customers on the site: found by what is known of them, and one of them from near, for all who work with them."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import EPOCH, MICROSECOND, reading
from plugin.insight import carried, customers, finding, profile, purchases, timeline
from plugin.insight.telling import Voice
from plugin.models.commerce import Customer
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import pins
from plugin.segments.why.explain import explain
from plugin.segments.why.seen import UnknownCustomerError
from plugin.web import engine
from plugin.web.customers import words
from plugin.web.page import fragments
from plugin.web.segments.overview import own

bp = Blueprint("customers", __name__)

LATEST_ORDERS = 3
LATEST_HAPPENINGS = 8


@bp.route("/customers", methods=("GET", "POST"))
def find() -> str | Response:
    """List whom a text may mean, or lead to whom alone it means. Sent as a form: addresses of pages are logged."""
    typed = request.form.get("who", "").strip()
    with reading(engine()) as session:
        found = finding.find(session, g.shop.shop_id, typed, end(request.form.get("after", ""))) if typed else None
        lately = finding.lately(session, g.shop.shop_id) if not typed else ()
    alone = found and len(found.rows) == 1 and found.end is None and "after" not in request.form
    if found and alone and not fragments.wanted():
        return redirect(url_for("customers.show", customer_id=found.rows[0].customer_id))
    following = f"{found.end.way}.{found.end.customer_id}" if found and found.end else ""
    shown = {"typed": typed, "found": found, "lately": lately, "following": following}
    return fragments.render("customers/find.html", "customers/found.html", **shown)


@bp.get("/customers/<customer_id>")
def show(customer_id: str, pin_fault: str | None = None) -> str:
    """Show all that matters of one customer; and why they could not be pinned, if that was asked for."""
    with reading(engine()) as session:
        found = known(session, customer_id)
        segments = customers.segments_of(session, g.shop.shop_id, customer_id)
        values = {
            "customer": found,
            "profile": profile.of(session, g.shop, found),
            "segments": segments,
            "left": customers.left(session, g.shop.shop_id, customer_id),
            "pin_fault": pin_fault,
            "pinned": pins.of_customer(session, g.shop, customer_id),
            "carried": carried.of(session, found),
            "bought": purchases.of(session, g.shop, customer_id, limit=LATEST_ORDERS),
            "happened": timeline.of(session, g.shop, found, limit=LATEST_HAPPENINGS),
        }
    return render_template("customers/show.html", words=words, **values)


@bp.get("/customers/<customer_id>/orders")
def orders(customer_id: str) -> str:
    at, order_id = place(request.args.get("before", ""))
    with reading(engine()) as session:
        customer = known(session, customer_id)
        before = purchases.Place(at, order_id) if at else None
        page = purchases.of(session, g.shop, customer_id, before)
    following = mark(page.end.at, page.end.order_id) if page.end else ""
    shown = {"customer": customer, "bought": page, "following": following}
    return render_template("customers/orders.html", words=words, **shown)


@bp.get("/customers/<customer_id>/timeline")
def happened(customer_id: str) -> str:
    at, shown = place(request.args.get("before", ""))
    with reading(engine()) as session:
        customer = known(session, customer_id)
        before = timeline.Place(at, int(shown)) if at and shown.isdecimal() and len(shown) < 6 else None
        page = timeline.of(session, g.shop, customer, before)
    following = mark(page.end.at, str(page.end.shown)) if page.end else ""
    told = {"customer": customer, "happened": page, "following": following}
    return render_template("customers/timeline.html", words=words, **told)


@bp.get("/customers/<customer_id>/card")
def card(customer_id: str) -> str:
    """Show what whoever answers the telephone needs: a name, the segments, what to offer and what to say."""
    with reading(engine()) as session:
        customer = known(session, customer_id)
        segments = customers.on_card(session, g.shop.shop_id, customer_id)
    return render_template("customers/card.html", customer=customer, segments=segments)


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
    """Return the visitor's customer of this id; 404 for anybody else's, and for those who are gone.

    Whoever was merged leads to the same page of whom they are now.
    """
    found = customers.by_id(session, g.shop.shop_id, customer_id)
    if found is None:
        abort(make_response(render_template("customers/gone.html"), 404))
    if found.customer_id != customer_id:
        now = (request.view_args or {}) | {"customer_id": found.customer_id}
        here = request.endpoint if request.method == "GET" else None
        abort(redirect(url_for(here or "customers.show", **now)))
    return found


def end(text: str) -> finding.Place | None:
    """Return where a page of those who were found ended; the beginning for anything else."""
    way, _, customer_id = text.partition(".")
    return finding.Place(int(way), customer_id) if way.isdecimal() and len(way) < 3 else None


def mark(at: datetime, rest: str) -> str:
    """Return a place among things with a moment as an address can carry it."""
    return f"{(at - EPOCH) // MICROSECOND}.{rest}"


def place(text: str) -> tuple[datetime | None, str]:
    """Return the place that `mark` wrote; no moment for anything else."""
    at, _, rest = text.partition(".")
    try:
        return (EPOCH + int(at) * MICROSECOND).astimezone(UTC), rest
    except (ValueError, OverflowError):
        return None, ""
