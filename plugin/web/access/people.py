"""The people of a shop: invited by links, given roles, signed out and removed; and one's own password."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from connectors.errors import ConnectorError
from connectors.phrases import phrase, phrases
from plugin import mail, passwords, people
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Account
from plugin.seal import digest
from plugin.translating import NATIVE, languages, told
from plugin.web import engine
from plugin.web.access.accounts import objection, who

log = logging.getLogger(__name__)

bp = Blueprint("people", __name__)

HISTORY = 20

Page = str | Response | tuple[str, int]


@dataclass(frozen=True)
class Link:
    """A link to be passed on. `mailed`: whether it was sent to whom it is for; None where no mail can be sent."""

    email: str
    address: str
    mailed: bool | None


@bp.get("/people")
def listing() -> str:
    return page()


@bp.post("/people")
def invite() -> Page:
    """Invite somebody and show their link on this page alone."""
    try:
        with transaction(engine()) as database:
            account, code = people.invite(
                database, g.shop.shop_id, request.form.get("email", ""), request.form.get("role", ""), by=who()
            )
    except people.RefusedError:
        return page(fault=gettext("That is no e-mail address.")), 400
    except people.KnownError:
        return page(fault=gettext("Somebody of this address is there already. Give them a new link.")), 400
    return page(link=sent(account.email, code))


@bp.post("/people/<account_id>/link")
def link(account_id: str) -> str:
    """Give somebody a new link, who has forgotten the password or lost the link before."""
    with transaction(engine()) as database:
        account = own(database, account_id)
        code = people.renew_link(database, account, by=who())
    return page(link=sent(account.email, code))


@bp.post("/people/<account_id>/role")
def change_role(account_id: str) -> Page:
    try:
        with transaction(engine()) as database:
            people.change_role(database, own(database, account_id), request.form.get("role", ""), by=who())
    except people.RefusedError:
        abort(400)
    except people.LastOwnerError:
        return page(fault=alone()), 409
    flash(gettext("The role counts from now on."))
    return redirect(url_for("people.listing"))


@bp.get("/people/<account_id>/remove")
def ask_to_remove(account_id: str) -> str:
    """Say what follows from removing somebody."""
    with reading(engine()) as database:
        account = own(database, account_id)
        looked_after = people.looked_after(database, account)
    return render_template("people/remove.html", one=account, looked_after=looked_after, ranks=ranks())


@bp.post("/people/<account_id>/remove")
def remove(account_id: str) -> Page:
    try:
        with transaction(engine()) as database:
            people.remove(database, own(database, account_id), by=who())
    except people.LastOwnerError:
        return page(fault=alone()), 409
    flash(gettext("They are removed and signed out. Below you can invite them again."))
    return redirect(url_for("people.listing"))


@bp.post("/people/<account_id>/end")
def end_sessions(account_id: str) -> Response:
    """Sign somebody out everywhere; oneself everywhere but here."""
    with transaction(engine()) as database:
        key = people.end_sessions(database, own(database, account_id), by=who())
    if g.account and g.account.account_id == account_id:
        keep_in(key)
        flash(gettext("Your other sessions are ended."))
    else:
        flash(gettext("They are signed out everywhere."))
    return redirect(url_for("people.listing"))


@bp.post("/people/sessions")
def end_others() -> Response:
    """End one's own sessions, but for this one."""
    return end_sessions((g.account or abort(404)).account_id)


@bp.post("/people/password")
def change_password() -> Page:
    """Change one's own password, which ends all of one's other sessions. Wrong ones count as in signing in."""
    account: Account = g.account or abort(404)
    opened = passwords.opens(account, request.form.get("now", ""))
    fault = None if opened else gettext("That is not your password. After several wrong ones we wait a few minutes.")
    fault = fault or objection(request.form.get("password", ""), request.form.get("again", ""))
    password_hash = "" if fault else passwords.hashed(request.form["password"])
    with transaction(engine()) as database:
        if not opened:
            passwords.note_failure(database, account)
        elif not fault:
            changed = passwords.set_anew(own(database, account.account_id), password_hash)
            keep_in(changed.session_key)
    if fault:
        return page(own_fault=fault), 400
    flash(gettext("Your password is changed, and your other sessions are ended."))
    return redirect(url_for("people.listing"))


def keep_in(session_key: str) -> None:
    """Let this session be one of those that begin now."""
    g.account.session_key = session["session_key"] = session_key
    session["mark"] = passwords.mark(g.account)


def sent(email: str, code: str) -> Link:
    """Return a link, sent by mail where that can be."""
    address = f"{settings().public_url}/setup?code={code}"
    if not email or not mail.configured():
        return Link(email, address, None)
    subject = phrase("Your way in to %(shop)s on Tagsmith", shop=g.shop.name)
    text = phrases(
        "By this link you set your password. It is good for %(num)s day and for once:",
        "By this link you set your password. It is good for %(num)s days and for once:",
        people.LINK_DAYS,
    )
    with reading(engine()) as database:
        language = people.language_of(database, g.shop, email)
    try:
        mail.send(email, told(subject, language), f"{told(text, language)}\n\n{address}\n", f"link-{digest(code)[:32]}")
    except ConnectorError as error:
        log.warning("a link could not be mailed: %s", error)
        return Link(email, address, mailed=False)
    return Link(email, address, mailed=True)


def alone() -> str:
    return str(gettext("That is the last owner. Make somebody else an owner first."))


def own(database: Session, account_id: str) -> Account:
    return database.get(Account, (g.shop.shop_id, account_id)) or abort(404)


def page(**more: object) -> str:
    with reading(engine()) as database:
        found = people.all_of(database, g.shop.shop_id)
        before = people.history(database, g.shop.shop_id, earlier_than(), HISTORY + 1)
    gone = {one.email for one in before if one.change == "removed"} - {one.email for one in found}
    more |= {"history": before[:HISTORY], "older": before[HISTORY - 1].changed_at if len(before) > HISTORY else None}
    return render_template(
        "people/list.html",
        people=found,
        ranks=ranks(),
        gone=gone,
        done=done(),
        spoken_here=languages(),
        native=NATIVE,
        **more,
    )


def earlier_than() -> datetime | None:
    """Return before which moment the history is asked for."""
    try:
        return datetime.fromisoformat(request.args.get("before", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def done() -> dict[str, str]:
    """Return what can be done about somebody."""
    return {
        "invited": gettext("was invited as %(role)s"),
        "linked": gettext("was given a new link"),
        "joined": gettext("set a password by a link"),
        "role": gettext("became %(role)s"),
        "ended": gettext("was signed out everywhere"),
        "removed": gettext("was removed, having been %(role)s"),
    }


def ranks() -> dict[str, tuple[str, str]]:
    """Return what roles are called, and what they may do."""
    return {
        "viewer": (gettext("viewer"), gettext("sees every page and changes nothing")),
        "editor": (gettext("editor"), gettext("also makes and edits segments, rehearses and releases them")),
        "owner": (gettext("owner"), gettext("also connects platforms, and has keys, webhooks, people, settings")),
    }
