"""Whether anniversary('…') makes sense: which dates it may be asked of, and of which days (segment-language §3)."""

from connectors.phrases import phrase

from . import checks, dates
from .checks import Words
from .errors import Code, Faults, excerpt, nearest
from .fields import FIELDS
from .schema import Field, Function, Type
from .tokens import Kind, Token, quote
from .tree import AbsoluteDate, Anniversary, Day, Instant, RelativeDate
from .vocabulary import Vocabulary

BIRTH_DATE = FIELDS["birth_date"]
OPERATORS = frozenset({"=", "!=", "BETWEEN"})


def check(words: Words, vocabulary: Vocabulary, faults: Faults) -> Anniversary | None:
    """The node of anniversary('…'), of which `words.name` is the text inside: the name of a date of the merchant's."""
    row = _own_date(words.name, vocabulary, faults)
    if words.operator not in OPERATORS or (words.operator == "BETWEEN" and words.negated):
        shown = checks.shown_operator(words.operator, words.negated)
        message = phrase("anniversary(…) does not take %(shown)s. It takes =, != and BETWEEN", shown=shown)
        faults.add(Code.OPERATOR_NOT_SUPPORTED, message, words.place)
        return None
    days = [_anniversary_day(token, faults) for token in words.values]
    low, high = days[0], days[-1]
    if low is None or high is None or row is None:
        return None
    if len(days) > 1 and not _less_than_a_year(words, low, high, faults):
        return None
    return Anniversary(row, low, high, words.operator == "!=", words.span)


def _own_date(name: Token, vocabulary: Vocabulary, faults: Faults) -> Field | None:
    if name.kind is not Kind.STRING:
        if name.kind is not Kind.BROKEN:
            message = phrase(
                "anniversary(…) takes the name of a date in single quotes, such as 'metafields.facts.birth_date'"
            )
            faults.add(Code.WRONG_TYPE, message, name.span)
        return None
    written = str(name.value)
    row = vocabulary.look_up(written)
    dates_of_theirs = [one.name for one in vocabulary.own if one.type is Type.DATE]
    if row is None:
        meant = nearest(written, dates_of_theirs)
        message = phrase("There is no %(written)s to ask about", written=excerpt(written))
        faults.add(Code.UNKNOWN_NAME, message, name.span, quote(meant) if meant else None)
    elif isinstance(row, Field) and (row.type is Type.UNDEFINED or (row.needs and not vocabulary.has(row))):
        faults.add(Code.NOT_AVAILABLE, checks.not_available(row), name.span)
    elif isinstance(row, Field) and (row.name in dates_of_theirs or row.column == BIRTH_DATE.column):
        return row
    else:
        kind = phrase("a question about related records") if isinstance(row, Function) else phrase(row.type.value)
        message = phrase(
            "anniversary(…) takes a field of your own that holds a date; %(row)s is %(kind)s", row=row.name, kind=kind
        )
        faults.add(Code.WRONG_TYPE, message, name.span)
    return None


def _anniversary_day(token: Token, faults: Faults) -> AbsoluteDate | RelativeDate | None:
    if isinstance(token.value, AbsoluteDate | RelativeDate):
        return token.value
    if token.kind is not Kind.BROKEN:
        day = token.value.moment.date().isoformat() if isinstance(token.value, Instant) else None
        message = phrase(
            "anniversary(…) takes a day, such as today, +7d or 2020-05-30, not %(token)s", token=excerpt(token.text)
        )
        faults.add(Code.WRONG_TYPE, message, token.span, day)
    return None


def _less_than_a_year(words: Words, low: Day, high: Day, faults: Faults) -> bool:
    if dates.wrong_way_round(low, high):
        checks.swapped(words, faults)
        return False
    if not dates.a_year_or_more(low, high):
        return True
    first, second = words.values
    message = phrase(
        "From %(first)s to %(second)s is a year or more: every day would do", first=first.text, second=second.text
    )
    faults.add(Code.INVALID_RANGE, message, (first.span.start, second.span.end))
    return False
