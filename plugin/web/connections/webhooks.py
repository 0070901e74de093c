"""Outgoing webhooks: which tools are told of segments, what they were sent, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin import dates
from plugin.db import reading, transaction
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing import endpoints, messages, subjects
from plugin.segments.kept import keep
from plugin.web import engine
from plugin.web.page import named

bp = Blueprint("webhooks", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/connections/webhooks")
def listing() -> str:
    return page()


@bp.post("/connections/webhooks")
def add() -> Page:
    """Add an address and show its secret on this page alone."""
    chosen = chosen_segments()
    if chosen is None:
        return page(fault=gettext("Choose at least one segment, or all.")), 400
    try:
        url = endpoints.demand_callable(request.form.get("url", ""))
        with transaction(engine()) as session:
            _, secret = endpoints.add(
                session, g.shop.shop_id, url, chosen, addresses=request.form.get("addresses") == "yes"
            )
    except endpoints.RefusedError:
        fault = gettext("The address has to begin with https:// and lead to a server.")
        most = gettext("A shop has at most %(most)s of them.", most=endpoints.MOST)
        return page(fault=f"{fault} {most}"), 400
    return page(secret=secret)


@bp.get("/connections/webhooks/<endpoint_id>")
def one(endpoint_id: str) -> str:
    return page_of(endpoint_id)


@bp.post("/connections/webhooks/<endpoint_id>/rotate")
def rotate(endpoint_id: str) -> str:
    with transaction(engine()) as session:
        own(session, endpoint_id)
        secret = endpoints.rotate(session, g.shop.shop_id, endpoint_id)
    return page_of(endpoint_id, secret=secret)


def act(do: Callable[[Session, str, str], str]) -> Callable[[str], Response]:
    """Return the view that does something about an address of the visitor's, and says what `do` returns."""

    @wraps(do)
    def view(endpoint_id: str) -> Response:
        with transaction(engine()) as session:
            own(session, endpoint_id)
            said = do(session, g.shop.shop_id, endpoint_id)
            left = endpoints.find(session, g.shop.shop_id, endpoint_id)
        flash(said)
        return redirect(url_for("webhooks.one", endpoint_id=endpoint_id) if left else url_for("webhooks.listing"))

    return view


@bp.post("/connections/webhooks/<endpoint_id>/choose")
def choose(endpoint_id: str) -> Page:
    """Have an address told of other segments."""
    chosen = chosen_segments()
    if chosen is None:
        return page_of(endpoint_id, fault=gettext("Choose at least one segment, or all.")), 400
    with transaction(engine()) as session:
        own(session, endpoint_id)
        try:
            subjects.choose(session, g.shop.shop_id, endpoint_id, chosen)
        except endpoints.RefusedError:
            abort(400)
    flash(gettext("It is told of these from now on."))
    return redirect(url_for("webhooks.one", endpoint_id=endpoint_id))


@bp.post("/connections/webhooks/<endpoint_id>/ping")
@act
def ping(session: Session, shop_id: str, endpoint_id: str) -> str:
    messages.ping(session, shop_id, endpoint_id)
    return str(gettext("A test is on its way: its outcome stands below as soon as it is there."))


@bp.post("/connections/webhooks/<endpoint_id>/on")
@act
def switch_on(session: Session, shop_id: str, endpoint_id: str) -> str:
    endpoints.switch_on(session, shop_id, endpoint_id)
    return str(gettext("It is told again, from where it was."))


@bp.post("/connections/webhooks/<endpoint_id>/replay")
@act
def replay(session: Session, shop_id: str, endpoint_id: str) -> str:
    """Send one delivery again, or all that were refused or given up from a day of the shop's on."""
    delivery_id = request.form.get("delivery")
    since = None if delivery_id else day_given()
    count = messages.replay(session, shop_id, endpoint_id, delivery_id, since)
    return str(ngettext("%(num)d delivery is sent again.", "%(num)d deliveries are sent again.", count))


@bp.post("/connections/webhooks/<endpoint_id>/skip")
@act
def skip(session: Session, shop_id: str, endpoint_id: str) -> str:
    if messages.skip(session, shop_id, endpoint_id, request.form.get("delivery", "")):
        return str(gettext("It is skipped, and those behind it go on."))
    return str(gettext("There is nothing to skip any more."))  # it was sent meanwhile, say


@bp.post("/connections/webhooks/<endpoint_id>/remove")
def remove(endpoint_id: str) -> Page:
    """Remove the address whose server was named."""
    with transaction(engine()) as session:
        if meant := named.typed(server(own(session, endpoint_id))):
            endpoints.remove(session, g.shop.shop_id, endpoint_id)
    if not meant:
        return page_of(endpoint_id, fault=named.wrong()), 422
    flash(gettext("The address is told nothing more."))
    return redirect(url_for("webhooks.listing"))


def server(endpoint: WebhookEndpoint) -> str:
    return urlsplit(endpoint.url).netloc


def chosen_segments() -> list[str] | None:
    """Return the segments that the form names, none for all; None where some are wanted and none is named."""
    if request.form.get("which") != "some":
        return []
    return request.form.getlist("segment") or None


def day_given() -> datetime:
    """Return the first moment of the day that the form names."""
    try:
        return dates.day_start(date.fromisoformat(request.form.get("since", "")), g.shop.zone)
    except ValueError:
        abort(400)


def own(session: Session, endpoint_id: str) -> WebhookEndpoint:
    try:
        return endpoints.known(session, g.shop.shop_id, endpoint_id)
    except LookupError:
        abort(404)


def page(**more: str) -> str:
    with reading(engine()) as session:
        found = endpoints.all_of(session, g.shop.shop_id)
        counted = messages.counted(session, g.shop.shop_id)
        called = names(session)
    return render_template("webhooks/list.html", endpoints=found, counted=counted, segments=called, **more)


def page_of(endpoint_id: str, **more: Any) -> str:
    with reading(engine()) as session:
        endpoint = own(session, endpoint_id)
        found = messages.of(session, g.shop.shop_id, endpoint_id)
        called = names(session)
        every = messages.counted(session, g.shop.shop_id)
    counted = {state: count for (of, state), count in every.items() if of == endpoint_id}
    values = {
        "endpoint": endpoint,
        "server": server(endpoint),
        "deliveries": found,
        "segments": called,
        "waiting": sum(counted.get(state, 0) for state in ("waiting", "held")),
        "in_all": sum(counted.values()),
        "sent": messages.SENT,
        "unsent": messages.UNSENT,
    }
    return render_template("webhooks/one.html", **values, **more)


def names(session: Session) -> dict[str, str]:
    return {one.segment_id: one.name for one in keep.all_of(session, g.shop.shop_id)}
