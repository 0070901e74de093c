"""Whether a clause makes sense: name, operator, parameters and values against the table (segment-language §2, §5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from connectors.phrases import phrase
from plugin.segments.language.days_ago import as_date

from . import dates
from .errors import Code, Faults, excerpt, nearest
from .schema import COMPARISONS, IN_PARAMETERS, OPERATORS, Field, Function, Parameter, Type
from .tokens import Kind, Token, quote
from .tree import (
    AbsoluteDate,
    Between,
    Clause,
    Compare,
    Condition,
    Contains,
    In,
    InSegment,
    Instant,
    IsNull,
    Matches,
    Number,
    Operator,
    RelativeDate,
    Span,
    StartsWith,
    Text,
    Value,
)
from .values import value
from .vocabulary import Vocabulary

MOST_VALUES = 500
IN_ORDER = ("=", "!=", ">", ">=", "<", "<=", "BETWEEN", "IN", "STARTS WITH", "CONTAINS", "IS NULL", "MATCHES")
OF_FUNCTIONS = frozenset({"MATCHES", "IS NULL"})
# What was meant, where another operator says it.
MEANT: Mapping[tuple[Type, str], str] = {
    (Type.LIST, "="): "CONTAINS",
    (Type.LIST, "!="): "NOT CONTAINS",
    (Type.ID_LIST, "="): "CONTAINS",
    (Type.ID_LIST, "!="): "NOT CONTAINS",
    (Type.MEMBER, "CONTAINS"): "=",
    (Type.MEMBER, "NOT CONTAINS"): "!=",
}


@dataclass(frozen=True)
class Words:
    """One clause or parameter as the parser read it, before anything is known of its name."""

    name: Token
    operator: str  # one of IN_ORDER
    negated: bool
    place: Span  # of the operator's words
    values: tuple[Token, ...]
    parameters: tuple["Words", ...]
    span: Span  # of the whole


def clause(words: Words, vocabulary: Vocabulary, faults: Faults) -> Clause | None:
    """The node that `words` say. What is wrong with them is reported, and the node then of no use or None."""
    row = vocabulary.look_up(words.name.text)
    if row is None:
        unknown_name(words.name, vocabulary, faults)
        return None
    if not vocabulary.has(row):
        faults.add(Code.NOT_AVAILABLE, not_available(row), words.name.span)
    if not _allowed(row, words, OF_FUNCTIONS if isinstance(row, Function) else OPERATORS[row.type], faults):
        return None
    if isinstance(row, Function):
        return _of_function(row, words, vocabulary, faults)
    return _of_field(row, words, faults)


def segment(name: Token, span: Span, vocabulary: Vocabulary, faults: Faults) -> InSegment | None:
    """The node that asks for the members of a segment, by its name or id."""
    if name.kind is Kind.BROKEN:
        return None
    called = str(name.value)
    known = vocabulary.segment(called)
    if known is None:
        near = nearest(called, vocabulary.names_of_segments())
        message = phrase("There is no segment called %(called)s", called=excerpt(called))
        faults.add(Code.UNKNOWN_SEGMENT, message, name.span, near and quote(near))
        return None
    return InSegment(*known, span)


def not_available(row: Field | Function | Parameter) -> str:
    return phrase(
        "Nothing connected supplies %(name)s yet: it needs %(needed)s", name=row.name, needed=phrase(row.supplied_by)
    )


def unknown_name(name: Token, vocabulary: Vocabulary, faults: Faults) -> None:
    suggestion = nearest(name.text, tuple(vocabulary.names()))
    faults.add(
        Code.UNKNOWN_NAME, phrase("There is no %(name)s to ask about", name=excerpt(name.text)), name.span, suggestion
    )


def _allowed(row: Field | Function | Parameter, words: Words, allowed: Iterable[str], faults: Faults) -> bool:
    if words.operator in allowed:
        return True
    shown = shown_operator(words.operator, words.negated)
    listed = ", ".join(operator for operator in IN_ORDER if operator in allowed)
    kind = phrase("a question about related records") if isinstance(row, Function) else phrase(row.type.value)
    message = phrase(
        "%(row)s is %(kind)s and does not take %(shown)s. It takes %(listed)s",
        row=row.name,
        kind=kind,
        shown=shown,
        listed=listed,
    )
    suggestion = None if isinstance(row, Function) else MEANT.get((row.type, shown))
    faults.add(Code.OPERATOR_NOT_SUPPORTED, message, words.place, suggestion)
    return False


def shown_operator(operator: str, negated: bool) -> str:
    if not negated:
        return operator
    return "IS NOT NULL" if operator == "IS NULL" else f"NOT {operator}"


def _of_field(row: Field, words: Words, faults: Faults) -> Clause | None:
    if words.operator == "IS NULL":
        return as_date(IsNull(row, words.negated, words.span))
    if words.operator not in {"CONTAINS", "STARTS WITH"}:
        return as_date(_condition(row, words, faults))
    text = value(row, words.values[0], faults)
    if not isinstance(text, Text):
        return None
    node = Contains if words.operator == "CONTAINS" else StartsWith
    return node(row, text, words.negated, words.span)


def _of_function(row: Function, words: Words, vocabulary: Vocabulary, faults: Faults) -> Clause | None:
    if words.operator == "IS NULL":
        return IsNull(row, words.negated, words.span)
    seen: set[str] = set()
    conditions = [_parameter(row, one, seen, vocabulary, faults) for one in words.parameters]
    for either in row.asks:
        if seen.isdisjoint(either):
            faults.add(
                Code.SYNTAX_ERROR,
                phrase("%(row)s is to be told %(either)s as well", row=row.name, either=" or ".join(either)),
                words.span,
            )
    return Matches(row, tuple(one for one in conditions if one), words.negated, words.span)


def _parameter(
    function: Function, words: Words, seen: set[str], vocabulary: Vocabulary, faults: Faults
) -> Condition | None:
    name = words.name.text
    row = function.parameters.get(name)
    if name in seen:
        message = phrase(
            "%(function)s is asked about %(name)s twice: each may stand once",
            function=function.name,
            name=excerpt(name),
        )
        faults.add(Code.DUPLICATE_PARAMETER, message, words.name.span)
    seen.add(name)
    if row is None:
        if function.parameters:
            _unknown_parameter(function, words.name, faults)
        return None
    if vocabulary.has(function) and not vocabulary.has(row):
        faults.add(Code.NOT_AVAILABLE, not_available(row), words.name.span)
    return _condition(row, words, faults) if _allowed(row, words, OPERATORS[row.type] & IN_PARAMETERS, faults) else None


def _unknown_parameter(function: Function, name: Token, faults: Faults) -> None:
    known = [row.name for row in function.parameters.values() if row.available or not function.available]
    message = phrase(
        "%(function)s knows no %(name)s. It knows %(known)s",
        function=function.name,
        name=excerpt(name.text),
        known=", ".join(known),
    )
    suggestion = nearest(name.text, known) or nearest(name.text, function.parameters)
    faults.add(Code.UNKNOWN_PARAMETER, message, name.span, suggestion)


def _condition(row: Field | Parameter, words: Words, faults: Faults) -> Condition | None:
    """A comparison, BETWEEN or IN, of an attribute or of a parameter."""
    if words.operator == "IN" and len(words.values) > MOST_VALUES:
        place = Span(words.values[MOST_VALUES].span.start, words.values[-1].span.end)
        faults.add(
            Code.TOO_MANY_VALUES, phrase("A list holds at most %(most_values)s values", most_values=MOST_VALUES), place
        )
        return None
    values = [value(row, token, faults) for token in words.values]
    if None in values:
        return None
    if words.operator in COMPARISONS:
        return Compare(row, cast("Operator", words.operator), cast("Value", values[0]), words.span)
    if words.operator == "BETWEEN":
        return _between(row, words, values, faults)
    return In(row, tuple(one for one in values if isinstance(one, Text)), words.negated, words.span)


def _between(row: Field | Parameter, words: Words, values: list[Value | None], faults: Faults) -> Between | None:
    match values:
        case [Number() as low, Number() as high]:
            wrong = low.value > high.value
        case [AbsoluteDate() | Instant() | RelativeDate() as low, AbsoluteDate() | Instant() | RelativeDate() as high]:
            wrong = dates.wrong_way_round(low, high)
        case _:
            return None
    if wrong:
        swapped(words, faults)
        return None
    return Between(row, low, high, words.span)


def swapped(words: Words, faults: Faults) -> None:
    """Report the ends of BETWEEN, which are the wrong way round."""
    first, second = words.values
    message = phrase(
        "BETWEEN takes the smaller value first: %(second)s lies before %(first)s", second=second.text, first=first.text
    )
    place = Span(first.span.start, second.span.end)
    faults.add(Code.INVALID_RANGE, message, place, f"{second.text} AND {first.text}")
