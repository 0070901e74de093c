"""One clause of a query as it is written, also in the older ways of asking (segment-language §1)."""

from connectors.phrases import phrase

from . import anniversaries, checks, phrases
from .checks import Words
from .errors import Code, excerpt
from .reader import RESERVED, Reader
from .schema import COMPARISONS, Function, Type
from .tokens import Kind, Token
from .tree import Clause

ANNIVERSARY = "anniversary"


def clause(reader: Reader) -> Clause | None:
    """The clause that begins with the current name. None where it makes no sense, which is reported."""
    if reader.sign("(", ahead=1):
        return _call(reader)
    return checks.clause(phrases.words(reader), reader.vocabulary, reader.faults)


def _call(reader: Reader) -> Clause | None:
    """A name with a parenthesis behind it: an anniversary, the older way of asking, or MATCHES forgotten."""
    start = reader.position
    name = reader.advance()
    if name.text == ANNIVERSARY:
        return _anniversary(reader, start)
    row = reader.vocabulary.look_up(name.text)
    if isinstance(row, Function):
        words = _older(reader, start, name, row) if _is_older(reader) else _forgotten(reader, start, name)
        return checks.clause(words, reader.vocabulary, reader.faults)
    reader.skip_group()
    if row is None:
        checks.unknown_name(name, reader.vocabulary, reader.faults)
    else:
        message = phrase("%(name)s is followed by a comparison, not by a parenthesis", name=name.text)
        reader.faults.add(Code.SYNTAX_ERROR, message, reader.since(start))
    if (reader.current.kind is Kind.SIGN and reader.current.text in COMPARISONS) or reader.keyword == "BETWEEN":
        phrases.compared(reader, start, name)  # the parenthesis belongs to the name
    return None


def _is_older(reader: Reader) -> bool:
    """Whether the parenthesis here belongs to the older way of asking: `(id: 7)`, or `() = true`."""
    compared = reader.sign("=", ahead=2) or reader.sign("!=", ahead=2)
    return reader.sign(":", ahead=2) or (reader.sign(")", ahead=1) and compared)


def _forgotten(reader: Reader, start: int, name: Token) -> Words:
    reader.fault(phrase("MATCHES is missing here"), "MATCHES (")
    place, parameters = reader.current.span, phrases.conditions(reader)
    return Words(name, "MATCHES", False, place, (), parameters, reader.since(start))


def _older(reader: Reader, start: int, name: Token, row: Function) -> Words:
    """`products_purchased(id: (7, 8)) = true` as what it is called today: MATCHES (id IN (7, 8))."""
    reader.advance()
    arguments: list[Words] = []
    if reader.sign(")"):
        reader.advance()
    else:
        arguments = phrases.separated(reader, lambda: _argument(reader, row))
    operator_start = reader.position
    if not (reader.sign("=") or reader.sign("!=")):
        reader.lose(phrase("= true or = false is missing here"))
    unlike = reader.advance().text == "!="
    answer = reader.current
    if answer.kind is not Kind.BOOLEAN:
        reader.lose(phrase("true or false is missing here"))
    reader.advance()
    negated = unlike == (answer.value == "true")
    return Words(name, "MATCHES", negated, reader.since(operator_start), (), tuple(arguments), reader.since(start))


def _argument(reader: Reader, row: Function) -> Words:
    """`id: 7`, or `id: (7, 8)`, which is a list, except where the parameter takes coordinates."""
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose(phrase("A parameter is missing here, such as date: -30d"))
    start = reader.position
    name = reader.advance()
    colon = reader.current
    if not reader.sign(":"):
        reader.lose(phrase("A colon is missing here"), ":")
    reader.advance()
    parameter = row.parameters.get(name.text)
    place = parameter is not None and parameter.type is Type.COORDINATES
    if reader.sign("(") and not place:
        return Words(name, "IN", False, colon.span, phrases.listed(reader), (), reader.since(start))
    return Words(name, "=", False, colon.span, (phrases.one_value(reader),), (), reader.since(start))


def _anniversary(reader: Reader, start: int) -> Clause | None:
    """`anniversary('metafields.facts.birth_date') = today`."""
    reader.advance()
    names = phrases.separated(reader, lambda: _date_name(reader))
    for another in names[1:]:
        reader.faults.add(
            Code.SYNTAX_ERROR, phrase("%(anniversary)s(…) takes one date", anniversary=ANNIVERSARY), another.span
        )
    name = names[0] if names else phrases.broken(reader.current)
    return anniversaries.check(phrases.compared(reader, start, name), reader.vocabulary, reader.faults)


def _date_name(reader: Reader) -> Token:
    """The name of a date as a text. Older queries name the parameter: `date: '…'`."""
    if reader.current.kind is Kind.NAME and reader.sign(":", ahead=1):
        if reader.current.text != "date":
            message = phrase(
                "%(anniversary)s knows no %(current)s. It knows date",
                anniversary=ANNIVERSARY,
                current=excerpt(reader.current.text),
            )
            reader.faults.add(Code.UNKNOWN_PARAMETER, message, reader.current.span, "date")
        reader.advance()
        reader.advance()
    if reader.sign(")"):
        reader.lose(
            phrase("The name of a date in single quotes is missing here, such as 'metafields.facts.birth_date'")
        )
    return phrases.one_value(reader)
