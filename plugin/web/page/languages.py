"""Languages, numbers and times: texts pass through gettext, times are shown in the shop's zone.

A language is a catalog in `plugin/translations`; `make translations` finds the texts that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.support import NullTranslations
from flask import Blueprint, Flask, abort, flash, g, has_request_context, redirect, request, url_for
from flask.json.provider import DefaultJSONProvider
from flask_babel import (
    Babel,
    Domain,
    format_currency,
    format_decimal,
    format_percent,
    format_timedelta,
    get_locale,
    gettext,
    refresh,
)
from jinja2 import pass_context
from jinja2.runtime import Context
from werkzeug.wrappers import Response

from connectors.money import exponent
from connectors.phrases import Phrase
from plugin import clock, people, translating
from plugin.db import transaction
from plugin.models.shops import Account
from plugin.translating import told
from plugin.web import FOR_MACHINES, engine
from plugin.web.page import wording

bp = Blueprint("languages", __name__)


class Spoken(Domain):  # type: ignore[misc]  # flask-babel ships no types
    """The texts of the reader's language. Phrases in them are told in it as well."""

    def get_translations(self) -> NullTranslations:
        return translating.texts(translating.reader())

    def gettext(self, string: str, **parts: Any) -> str:
        return str(super().gettext(string, **retold(parts)))

    def ngettext(self, singular: str, plural: str, num: int, **parts: Any) -> str:
        return str(super().ngettext(singular, plural, num, **retold(parts)))


class Languages(Babel):  # type: ignore[misc]
    domain_instance = Spoken()


def install(app: Flask) -> None:
    Languages(app, locale_selector=locale, timezone_selector=zone)
    app.json = Answers(app)
    env = app.jinja_env
    env.finalize = shown
    env.globals |= {name: with_phrases(env.globals[name]) for name in ("gettext", "ngettext")}
    env.filters |= {one.__name__: one for one in (number, share, money, moment, day, ago, duration, or_more, told)}
    env.globals |= {"get_locale": get_locale} | wording.everything()


def shown(value: Any) -> Any:
    """Return what a page shows of a value: a phrase, or what an error was raised with, in the reader's language."""
    said = str(value) if isinstance(value, Exception) else value
    return told(said) if isinstance(said, Phrase) else value


def retold(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: shown(part) for name, part in parts.items()}


class Answers(DefaultJSONProvider):
    """What is sent to our own scripts: phrases in the reader's language. Machines are told them as they are."""

    def dumps(self, obj: Any, **options: Any) -> str:
        ours = has_request_context() and request.blueprint not in FOR_MACHINES
        return super().dumps(through(obj) if ours else obj, **options)


def through(value: Any) -> Any:
    """Return something to be sent with all of its phrases told."""
    match value:
        case dict():
            return {name: through(one) for name, one in value.items()}
        case list() | tuple():
            return [through(one) for one in value]
        case _:
            return shown(value)


def with_phrases(say: Any) -> Callable[..., Any]:
    """Return a template's gettext that tells the phrases among its parts."""

    @pass_context
    def retelling(context: Context, *texts: Any, **parts: Any) -> Any:
        return say(context, *texts, **retold(parts))

    return retelling


def locale() -> str:
    """Return the visitor's locale: as their account says, else as the platform's admin or the browser does.

    Machines are told everything in English, whatever asks for them.
    """
    if request.blueprint in FOR_MACHINES:
        return translating.ENGLISH
    return next(filter(None, map(translating.spoken, wanted())), translating.ENGLISH)


def wanted() -> list[str | None]:
    """Return the locales that a visitor would like, the best first."""
    account = g.get("account")
    kept = account.language if account else None
    admins = request.args.get("locale") if g.get("frame") else None
    return [kept, admins, *(liked for liked, _ in request.accept_languages)]


@bp.post("/language")
def choose() -> Response:
    """Keep in which language somebody reads; nothing: as their browser says."""
    account: Account = g.account or abort(404)
    language = request.form.get("language", "")
    if language and language not in translating.languages():
        abort(400)
    with transaction(engine()) as database:
        people.choose_language(database, account, language or None)
    account.language = language or None
    refresh()
    flash(gettext("The language is kept with your account."))
    return redirect(url_for("people.listing"))


def zone() -> str:
    shop = g.get("shop")
    return shop.zone if shop else "UTC"


def number(value: float) -> str:
    return str(format_decimal(value))


def share(part: float) -> str:
    """Return a part of 1 in hundredths, as the reader's locale writes them."""
    whole: str = (get_locale() or Locale(translating.ENGLISH)).percent_formats[None].pattern
    return str(format_percent(part, whole.replace("0", "0.#")))


def money(minor: float) -> str:
    """Return an amount in minor units of the shop's currency."""
    return str(format_currency(Decimal(minor).scaleb(-exponent(g.shop.currency)), g.shop.currency))


def moment(at: datetime | None) -> str:
    """Return a moment as the shop's clocks show it."""
    return translating.moment(at, ZoneInfo(zone()), translating.reader()) if at else ""


def day(on: date) -> str:
    """Return a day of the shop's as it is written."""
    return translating.day(on, translating.reader())


def ago(at: datetime | None) -> str:
    """Return how long ago a moment was."""
    if at is None:
        return str(gettext("not yet"))
    return str(format_timedelta(at - clock.now(), add_direction=True, threshold=1.5))


def or_more(count: int, *, more: bool) -> str:
    """Return a number, of which it is said where there may be more."""
    return str(gettext("%(count)s or more", count=number(count))) if more else number(count)


def duration(seconds: float) -> str:
    """Return how long something takes."""
    return str(format_timedelta(timedelta(seconds=math.ceil(seconds)), threshold=1.5))
