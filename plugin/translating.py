"""In which language something is said: catalogs as they are written; phrases with the reader's numbers and days.

A catalog is read from its `.po` the first time that somebody wants its language: there is no compiled file that could
be forgotten or differ.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages import mofile, pofile
from babel.support import NullTranslations, Translations
from flask_babel import get_locale

from connectors.phrases import Phrase

CATALOGS = Path(__file__).parent / "translations"
ENGLISH = "en"
NATIVE = {"en": "English", "de": "Deutsch"}  # what languages are called by those who read them


def languages() -> tuple[str, ...]:
    """Return the languages in which everything is told: that of the code, and those with a catalog."""
    return (ENGLISH, *sorted(one.parent.parent.name for one in CATALOGS.glob("*/LC_MESSAGES/messages.po")))


def spoken(wanted: str | None) -> str | None:
    """Return a wanted locale, such as `de-AT`, as it is written here; None if nothing is told in its language."""
    try:
        locale = Locale.parse((wanted or "").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None
    return str(locale) if locale.language in languages() else None


@cache
def catalog(name: str) -> NullTranslations:
    """Return the texts of a language."""
    place = CATALOGS / name / "LC_MESSAGES" / "messages.po"
    if not place.exists():
        return NullTranslations()
    compiled = BytesIO()
    with place.open("rb") as written:
        mofile.write_mo(compiled, pofile.read_po(written, locale=name))
    compiled.seek(0)
    return Translations(compiled)


def texts(locale: str) -> NullTranslations:
    return catalog(language(locale))


def language(locale: str) -> str:
    return locale.partition("_")[0]


def reader() -> str:
    """Return the locale of whoever is being answered; English where nobody is."""
    return str(get_locale() or ENGLISH)


def told(said: object, locale: str | None = None) -> str:
    """Return what was said in a reader's language: a phrase, an error raised with one, or a text of a table."""
    text = str(said) if said is not None else ""
    where = locale or reader()
    if not text:
        return ""
    if not isinstance(text, Phrase):
        return str(texts(where).ugettext(text))
    if text.plural is None:
        message = texts(where).ugettext(text.message)
    else:
        message = texts(where).ungettext(text.message, text.plural, text.parts["num"])
    return str(message % {name: shown(one, where) for name, one in text.parts.items()} if text.parts else message)


def shown(part: Any, locale: str) -> str:
    """Return a part of a phrase as the reader writes it. Texts that are no phrases are names, and stay."""
    match part:
        case Phrase():
            return told(part, locale)
        case bool() | str():
            return str(part)
        case int() | float() | Decimal():
            return str(numbers.format_decimal(part, locale=locale))
        case date():
            return day(part, locale)
        case _:
            return str(part)


def day(on: date, locale: str) -> str:
    """Return a day, the month by its name: nobody has to know whose order of numbers it is."""
    return str(dates.format_date(on, day_pattern(locale), locale=locale))


def moment(at: datetime, zone: tzinfo, locale: str) -> str:
    return str(dates.format_datetime(at, moment_pattern(locale), tzinfo=zone, locale=locale))


def day_pattern(locale: str) -> str:
    """Return how a locale writes day, month and year. English of no country has an order of its own."""
    return "d MMM y" if locale == ENGLISH else Locale.parse(locale).datetime_skeletons["yMMMd"].pattern


def moment_pattern(locale: str) -> str:
    clock = "HH:mm" if locale == ENGLISH else Locale.parse(locale).time_formats["short"].pattern
    return f"{day_pattern(locale)}, {clock}"
