"""What the rows of the one table are called in plain words: worked out from the row, unless the row itself says."""

from __future__ import annotations

import re

from flask_babel import gettext

from plugin.segments.language.schema import Field, Function, Parameter, Type
from plugin.segments.language.vocabulary import OWN

ACRONYMS = {"rfm": "RFM", "sms": "SMS", "nps": "NPS", "csat": "CSAT", "email": "E-mail", "id": "ID"}


def called(row: Field | Function | Parameter) -> str:
    """Return what a row is called in the reader's language; a field of the merchant's own, as they call it."""
    if isinstance(row, Field) and "." in row.name:
        return row.sentence if row.sentence != OWN else plain(row.name.rpartition(".")[2])
    return str(gettext(title(row)))  # those who translate find it by `catalogue`


def title(row: Field | Function | Parameter) -> str:
    """Return what a row is called in English."""
    if row.called:
        return row.called
    if isinstance(row, Field):
        return plain(row.name.removesuffix("_date") if row.type is Type.DATE else row.name)
    return re.split("[:;]", row.sentence)[0] or plain(row.name)


def word(value: str) -> str:
    """Return one of a few values in the reader's language: NOT_SUBSCRIBED as not subscribed."""
    return str(gettext(spelled(value)))


def spelled(value: str) -> str:
    return re.sub(r"_", " ", value).lower()


def plain(name: str) -> str:
    """Return a name as words: rfm_group as RFM group."""
    words = [ACRONYMS.get(one, one) for one in re.split(r"[_-]", name)]
    return f"{words[0][:1].upper()}{words[0][1:]}{''.join(f' {one}' for one in words[1:])}"
