"""Settings of the shop: what it reckons by, how its tags begin, what is kept how long; what follows is told before."""

from __future__ import annotations

from zoneinfo import available_timezones

from babel.numbers import list_currencies
from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import shops, terms
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.insight.terms import consequences
from plugin.tagging import limits, names
from plugin.terms import Terms
from plugin.translating import NATIVE, languages, told
from plugin.web import engine
from plugin.web.page import agreeing

bp = Blueprint("preferences", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/settings")
def show(fault: str | None = None, prefix_fault: str | None = None) -> str:
    with reading(engine()) as session:
        shop = shops.shop(session, g.shop.shop_id)
        connected = [one for one in shops.connections(session, shop.shop_id) if one.state != "gone"]
    return render_template(
        "preferences/show.html",
        shop=shop,
        terms=terms.of(shop),
        limits=limits.of(shop),
        connected=connected,
        zones=sorted(available_timezones()),
        currencies=sorted(list_currencies()),
        spoken_here=languages(),
        native=NATIVE,
        longest_wait=terms.LONGEST_WAIT_MINUTES,
        longest_prefix=names.LONGEST_PREFIX,
        kept=kept(),
        fault=fault,
        prefix_fault=prefix_fault,
    )


@bp.post("/settings/terms")
def change_terms() -> Page:
    """Say what follows from other terms, and reckon by them once that was seen."""
    given = request.form
    wanted = Terms(
        given.get("zone", "").strip(),
        given.get("currency", "").strip().upper(),
        given.get("cart_wait_minutes", -1, type=int),
        given.get("orders") == "paid",
    )
    try:
        terms.check(wanted)
    except ValueError:
        return show(gettext("There is no such time zone or currency, or a cart does not wait so long.")), 422
    shop_id = g.shop.shop_id
    if not agreeing.agreed(wanted):
        with reading(engine()) as session:
            found = consequences(session, shops.shop(session, shop_id), wanted)
        if not found.changed:
            flash(gettext("Nothing was changed."))
            return redirect(url_for("preferences.show"))
        agreed = agreeing.terms(wanted)
        return render_template(
            "preferences/terms.html", found=found, wanted=wanted, before=terms.of(g.shop), agreed=agreed
        )
    with transaction(engine()) as session:
        terms.change(session, shop_id, wanted)
    flash(gettext("From now on the shop reckons so. Its segments are being computed anew."))
    return redirect(url_for("preferences.show"))


@bp.post("/settings/prefix")
def change_prefix() -> Page:
    """Have new tags begin in another way."""
    prefix = request.form.get("prefix", "")
    try:
        with transaction(engine()) as session:
            names.change_prefix(session, g.shop.shop_id, prefix)
    except names.TagRefusedError as error:
        return show(prefix_fault=told(error)), 422
    flash(gettext("New tags begin with %(prefix)s from now on.", prefix=prefix))
    return redirect(url_for("preferences.show"))


@bp.post("/settings/language")
def change_language() -> Response:
    """Write to the shop's people in another language, where they have chosen none."""
    language = request.form.get("language", "")
    if language not in languages():
        abort(400)
    with transaction(engine()) as session:
        shops.shop(session, g.shop.shop_id).language = language
    flash(gettext("Mails about the shop are written in it from now on."))
    return redirect(url_for("preferences.show"))


def kept() -> list[tuple[str, int]]:
    """Return what is kept only for a time, and for how many days."""
    given = settings()
    return [
        (gettext("Deliveries, as the platforms sent them"), given.delivery_retention_days),
        (gettext("Activity: which tags were written"), given.activity_retention_days),
        (gettext("Views of the shop's pages"), given.site_event_retention_days),
    ]
