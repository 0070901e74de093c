"""What may stand beside a name of each type: one word of a query into a value of that type (segment-language §2)."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from connectors.phrases import phrase

from . import dates
from .errors import Code, Faults, excerpt, nearest
from .schema import Field, Parameter, Type
from .tokens import NUMBER, Kind, Token, quote
from .tree import AbsoluteDate, Boolean, Coordinates, Day, Instant, Number, RelativeDate, Text, Value

INTEGERS = range(-(2**63), 2**63)
# No currency has more than four decimals: scaled to minor units, anything smaller than this fits 64 bits.
MOST = Decimal(2**63 // 10_000)
MOST_DECIMALS = 9  # with the digits before the point still exact in the decimal module's 28

READS: Mapping[Type, str] = {
    Type.DATE: phrase("a date, such as 2020-05-30, -7d or today"),
    Type.INTEGER: phrase("a whole number, such as 3"),
    Type.DECIMAL: phrase("a number, such as 2.5"),
    Type.MONEY: phrase("an amount as a number, such as 250.50"),
    Type.ID: phrase("an id: a whole number, or a text in quotes"),
    Type.ID_LIST: phrase("an id: a whole number, or a text in quotes"),
    Type.STRING: phrase("a text in single quotes"),
    Type.ENUM: phrase("one of its values in single quotes"),
    Type.LIST: phrase("a text in single quotes"),
    Type.MEMBER: phrase("a text in single quotes"),
    Type.BOOLEAN: phrase("true or false"),
    Type.COORDINATES: phrase("a pair of numbers, such as (45.5, -73.6)"),
}


def value(row: Field | Parameter, token: Token, faults: Faults) -> Value | None:
    """`token` as a value of the type of `row`; None when it is none, which is reported, or when the type is not known.

    A word that was reported already is not reported again.
    """
    if token.kind is Kind.BROKEN or row.type not in READERS:
        return None
    return READERS[row.type](row, token, faults)


def _wrong(row: Field | Parameter, token: Token, faults: Faults, suggestion: str | None = None) -> None:
    message = phrase(
        "%(row)s takes %(reads)s, not %(token)s", row=row.name, reads=READS[row.type], token=excerpt(token.text)
    )
    faults.add(Code.WRONG_TYPE, message, token.span, suggestion)


def _day(row: Field | Parameter, token: Token, faults: Faults) -> Day | None:
    match token.value:
        case AbsoluteDate() | Instant() | RelativeDate():
            return token.value
        case content:
            _wrong(row, token, faults, content if token.kind is Kind.STRING and content and _is_day(content) else None)
            return None


def _is_day(content: str) -> bool:
    try:
        return dates.read(content) is not None
    except dates.BadDateError:
        return False


def _number(row: Field | Parameter, token: Token, faults: Faults) -> Number | None:
    if token.kind is not Kind.NUMBER:
        content = str(token.value)
        _wrong(row, token, faults, content if token.kind is Kind.STRING and NUMBER.fullmatch(content) else None)
        return None
    return _integer(row, token, faults) if row.type is Type.INTEGER else _decimal(row, token, faults)


def _integer(row: Field | Parameter, token: Token, faults: Faults) -> Number | None:
    whole, _, decimals = token.text.partition(".")
    if decimals:
        _wrong(row, token, faults, None if decimals.strip("0") else whole)
        return None
    if len(whole.lstrip("-0")) > 19 or int(whole) not in INTEGERS:
        faults.add(
            Code.INVALID_VALUE,
            phrase("%(whole)s is too large a number for %(row)s", whole=excerpt(whole), row=row.name),
            token.span,
        )
        return None
    return Number(int(whole))


def _decimal(row: Field | Parameter, token: Token, faults: Faults) -> Number | None:
    number = Decimal(token.text)
    if not -MOST < number < MOST:
        faults.add(
            Code.INVALID_VALUE,
            phrase("%(token)s is too large a number for %(row)s", token=excerpt(token.text), row=row.name),
            token.span,
        )
        return None
    if len(token.text.partition(".")[2]) > MOST_DECIMALS:
        faults.add(
            Code.INVALID_VALUE,
            phrase("%(row)s takes at most %(most_decimals)s decimals", row=row.name, most_decimals=MOST_DECIMALS),
            token.span,
        )
        return None
    return Number(number or abs(number))  # -0 is 0


def _id(row: Field | Parameter, token: Token, faults: Faults) -> Text | None:
    if token.kind is Kind.STRING or (token.kind is Kind.NUMBER and token.text.isdecimal()):
        return Text(str(token.value))
    _wrong(row, token, faults)
    return None


def _text(row: Field | Parameter, token: Token, faults: Faults) -> Text | None:
    if token.kind is Kind.STRING:
        return Text(str(token.value))
    _wrong(row, token, faults, None if token.kind is Kind.PAIR else quote(token.text))
    return None


def _choice(row: Field | Parameter, token: Token, faults: Faults) -> Text | None:
    text = _text(row, token, faults)
    if text is None or text.value in row.values:
        return text
    found = nearest(text.value.strip(), row.values)
    message = phrase(
        "%(row)s has no value %(token)s. Its values are %(values)s",
        row=row.name,
        token=excerpt(token.text),
        values=", ".join(row.values),
    )
    faults.add(Code.INVALID_VALUE, message, token.span, quote(found) if found else None)
    return None


def _boolean(row: Field | Parameter, token: Token, faults: Faults) -> Boolean | None:
    if token.kind is Kind.BOOLEAN:
        return Boolean(token.value == "true")
    word = str(token.value).lower()
    _wrong(row, token, faults, word if word in {"true", "false"} else None)
    return None


def _coordinates(row: Field | Parameter, token: Token, faults: Faults) -> Coordinates | None:
    if token.kind is not Kind.PAIR:
        _wrong(row, token, faults)
        return None
    north, east = (Decimal(number) for number in str(token.value).split())
    if abs(north) > 90 or abs(east) > 180:
        faults.add(Code.INVALID_VALUE, phrase("A place lies at most 90 degrees north and 180 degrees east"), token.span)
        return None
    if any(len(number.partition(".")[2]) > MOST_DECIMALS for number in str(token.value).split()):
        faults.add(
            Code.INVALID_VALUE,
            phrase("%(row)s takes at most %(most_decimals)s decimals", row=row.name, most_decimals=MOST_DECIMALS),
            token.span,
        )
        return None
    return Coordinates(north or abs(north), east or abs(east))


READERS: Mapping[Type, Callable[[Field | Parameter, Token, Faults], Value | None]] = {
    Type.DATE: _day,
    Type.INTEGER: _number,
    Type.DECIMAL: _number,
    Type.MONEY: _number,
    Type.ID: _id,
    Type.ID_LIST: _id,
    Type.STRING: _text,
    Type.ENUM: _choice,
    Type.LIST: _text,
    Type.MEMBER: _text,
    Type.BOOLEAN: _boolean,
    Type.COORDINATES: _coordinates,
}
