"""Languages, numbers and times: texts pass through gettext, times are shown in the shop's zone.

A language is a catalog in `plugin/translations`; `pybabel extract --mapping babel.cfg` finds the texts that it needs.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from babel import negotiate_locale
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import (
    Babel,
    format_currency,
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_timedelta,
    get_locale,
    gettext,
)

from connectors.money import exponent
from plugin import clock
from plugin.web import wording

CATALOGS = Path(__file__).parents[1] / "translations"


def install(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGS)
    babel = Babel(app, locale_selector=locale, timezone_selector=zone)
    with app.app_context():
        app.extensions["languages"] = [str(one) for one in babel.list_translations()]
    app.jinja_env.filters |= {one.__name__: one for one in (number, share, money, moment, day, ago, duration, or_more)}
    app.jinja_env.globals |= {"get_locale": get_locale} | wording.everything()


def locale() -> str:
    """Return the language, of those that there is a catalog for, that the visitor likes best."""
    liked = [language for language, _ in request.accept_languages] if has_request_context() else []
    return negotiate_locale(liked, current_app.extensions["languages"], sep="-") or "en"


def zone() -> str:
    shop = g.get("shop")
    return shop.zone if shop else "UTC"


def number(value: int) -> str:
    return str(format_decimal(value))


def share(part: float) -> str:
    """Return a part of 1 in hundredths."""
    return str(format_percent(part, "#,##0.#%"))


def money(minor: float) -> str:
    """Return an amount in minor units of the shop's currency."""
    return str(format_currency(Decimal(minor).scaleb(-exponent(g.shop.currency)), g.shop.currency))


def moment(at: datetime | None) -> str:
    """Return a moment as the shop's clocks show it."""
    return str(format_datetime(at, "d MMM y, HH:mm")) if at else ""


def day(on: date) -> str:
    """Return a day of the shop's as it is written."""
    return str(format_date(on, "d MMM y", rebase=False))


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
