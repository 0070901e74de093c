"""Keys of the API and of the shop's own pages: which there are, a new one shown once, and the end of one."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import api_keys, snippet
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.web import engine, examples
from plugin.web.page import named

bp = Blueprint("keys", __name__)


@bp.get("/connections/keys")
def listing() -> str:
    return page()


@bp.post("/connections/keys")
def add() -> str | tuple[str, int]:
    """Make a key and show it on this page alone: what is shown on the next would have to be kept somewhere."""
    try:
        with transaction(engine()) as session:
            _, secret = api_keys.add(session, g.shop.shop_id, request.form.get("name", ""), request.form.getlist("for"))
    except api_keys.RefusedError:
        fault = gettext("A key needs a name of at most 100 characters, and something that it is for.")
        return page(fault=fault), 400
    return page(secret=secret)


@bp.post("/connections/keys/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """End the key whose name was typed."""
    with transaction(engine()) as session:
        key = api_keys.usable(session, g.shop.shop_id, key_id) or abort(404)
        if meant := named.typed(key.name):
            api_keys.revoke(session, g.shop.shop_id, key_id)
    return revoked(meant=meant)


@bp.post("/connections/keys/site")
def add_for_site() -> str | tuple[str, int]:
    """Make a key for the shop's own pages, and show its secret on this page alone."""
    try:
        with transaction(engine()) as session:
            key, secret = snippet.add(session, g.shop.shop_id, request.form.get("pages", ""))
    except snippet.RefusedError:
        fault = gettext("Write the address of one or more of the shop's sites: https://shop.example.com")
        return page(site_fault=fault), 400
    return page(site_secret=secret, tag=examples.tag(settings().public_url, key.site_key))


@bp.post("/connections/keys/site/<site_key>/revoke")
def revoke_for_site(site_key: str) -> Response:
    """End the key of which the first of its pages' addresses was typed: it has no name that anybody would know."""
    with transaction(engine()) as session:
        key = snippet.usable(session, g.shop.shop_id, site_key) or abort(404)
        if meant := named.typed(snippet.called(key)):
            snippet.revoke(session, g.shop.shop_id, site_key)
    return revoked(meant=meant)


def revoked(*, meant: bool) -> Response:
    if meant:
        flash(gettext("The key is revoked: nothing is taken from it any more."))
    else:
        flash(named.wrong(), "bad")
    return redirect(url_for("keys.listing"))


def page(**more: str) -> str:
    with reading(engine()) as session:
        found = api_keys.all_of(session, g.shop.shop_id)
        for_site = snippet.all_of(session, g.shop.shop_id)
    return render_template(
        "keys/list.html", keys=found, scopes=scopes(), site_keys=for_site, called=snippet.called, **more
    )


def scopes() -> dict[str, str]:
    """Return what keys can be for."""
    return {
        "events:write": gettext("sending events"),
        "attributes:write": gettext("sending attributes of customers"),
        "segments:read": gettext("reading segments and their members"),
        "customers:read": gettext("reading the segments and tags of a customer"),
    }
