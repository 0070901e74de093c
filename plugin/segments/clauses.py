"""One clause of a query as it is written: its name, its operator and what follows (segment-language §1)."""

from collections.abc import Callable
from typing import TypeVar

from . import checks
from .checks import Words
from .errors import Code, excerpt, nearest
from .reader import RESERVED, LostError, Reader
from .schema import COMPARISONS, Function
from .tokens import Kind, Token, quote
from .tree import Clause, Span

Item = TypeVar("Item")

VALUES = frozenset({Kind.STRING, Kind.NUMBER, Kind.DATE, Kind.BOOLEAN, Kind.BROKEN})
OPERATORS = ("CONTAINS", "IN", "STARTS WITH", "IS", "MATCHES", "NOT", "NOT_MATCHES", "BETWEEN")
MISTAKEN = {"==": "=", "===": "=", "<>": "!=", "≠": "!=", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", ":": "="}


def clause(reader: Reader) -> Clause | None:
    """The clause that begins with the current name. None where it makes no sense, which is reported."""
    if reader.sign("(", ahead=1):
        return _call(reader)
    return checks.clause(_words(reader), reader.vocabulary, reader.faults)


def _words(reader: Reader, inside: bool = False) -> Words:
    """A name with its comparison; `inside` MATCHES (…) there is no other MATCHES."""
    start = reader.position
    name = reader.advance()
    operator_start = reader.position
    operator, negated = _operator(reader)
    place = reader.since(operator_start)
    values: tuple[Token, ...] = ()
    parameters: tuple[Words, ...] = ()
    if operator == "MATCHES" and inside and reader.sign("("):
        reader.skip_group()
    elif operator == "MATCHES":
        parameters = _parameters(reader)
    elif operator == "IN":
        values = _list(reader)
    elif operator == "BETWEEN":
        values = _ends(reader)
    elif operator != "IS NULL":
        values = (_value(reader),)
    return Words(name, operator, negated, place, values, parameters, reader.since(start))


def _operator(reader: Reader) -> tuple[str, bool]:
    """The operator that stands here in its plain form, and whether it is negated."""
    _correct_operator(reader)
    if reader.current.text in COMPARISONS and reader.current.kind is Kind.SIGN:
        return reader.advance().text, False
    if reader.take("NOT_MATCHES"):
        return "MATCHES", True
    if reader.take("IS"):
        negated = reader.take("NOT")
        reader.expect("NULL")
        return "IS NULL", negated
    negated = reader.take("NOT")
    if negated:
        _correct_operator(reader)
    operator = reader.keyword
    if negated and operator == "BETWEEN":
        reader.fault("NOT stands before the name here: NOT … BETWEEN … AND …")
    elif operator not in {"CONTAINS", "IN", "STARTS", "MATCHES", "BETWEEN"}:
        expected = "CONTAINS, IN, STARTS WITH or MATCHES" if negated else "A comparison, such as = or BETWEEN,"
        reader.lose(f"{expected} is missing here")
    reader.advance()
    if operator == "STARTS":
        reader.expect("WITH")
        operator = "STARTS WITH"
    return str(operator), negated


def _correct_operator(reader: Reader) -> None:
    """Report an operator that is written wrong, and read on with the one that was meant."""
    word = reader.current
    if word.kind is Kind.SIGN and word.text in MISTAKEN:
        reader.correct(MISTAKEN[word.text], f"{word.text} is written {MISTAKEN[word.text]}")
    elif word.kind is Kind.NAME and word.keyword not in RESERVED and (meant := nearest(word.text, OPERATORS)):
        reader.correct(meant, f"There is no comparison {excerpt(word.text)}")


def _value(reader: Reader) -> Token:
    """One value, still a word: only its name says of which type it has to be."""
    if reader.current.kind in VALUES:
        return _whole_value(reader)
    if reader.sign("("):
        return _pair(reader)
    if reader.keyword == "NULL":
        reader.fault("No value is asked for with IS NULL")
        return _broken(reader.advance())
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose("A value is missing here")
    return _unquoted(reader)


def _ends(reader: Reader) -> tuple[Token, Token]:
    low = _value(reader)
    between = reader.current
    if (between.keyword in {"OR", "TO"} or reader.sign(",")) and reader.words[reader.position + 1].kind in VALUES:
        reader.correct("AND", "The two values of BETWEEN are joined with AND")
    reader.expect("AND")
    return low, _value(reader)


def _whole_value(reader: Reader) -> Token:
    """The value here; the pieces of a broken one (the 5 of $5) belong to it."""
    word = reader.advance()
    if word.kind is Kind.BROKEN:
        while reader.current.span.start == reader.words[reader.position - 1].span.end and reader.current.kind in VALUES:
            reader.advance()
    return word


def _pair(reader: Reader) -> Token:
    start = reader.position
    kinds = [word.kind for word in reader.words[start + 1 : start + 4 : 2]]
    if kinds == [Kind.NUMBER, Kind.NUMBER] and reader.sign(",", ahead=2) and reader.sign(")", ahead=4):
        reader.position += 5
        span = reader.since(start)
        return Token(Kind.PAIR, " ".join(word.text for word in reader.words[start : start + 5]), span)
    reader.fault("One value stands here, without parentheses")
    broken = _broken(reader.current)
    reader.skip_group()
    return broken


def _unquoted(reader: Reader) -> Token:
    """A text without its quotes: reported, with all its words."""
    first = last = reader.advance()
    text = first.text
    while (
        (word := reader.current).kind is Kind.NAME
        and word.keyword not in RESERVED
        and not reader.vocabulary.look_up(word.text)
    ):
        text += " " * (word.span.start - last.span.end) + word.text
        last = reader.advance()
    message = f"A text stands in single quotes: {quote(excerpt(text))}"
    reader.faults.add(Code.SYNTAX_ERROR, message, (first.span.start, last.span.end), quote(text))
    return _broken(first)


def _broken(word: Token) -> Token:
    return Token(Kind.BROKEN, word.text, word.span)


def _list(reader: Reader) -> tuple[Token, ...]:
    if not reader.sign("("):
        text = reader.current.text
        known = reader.current.kind in VALUES
        reader.fault("A list of values stands in parentheses", f"({text})" if known else None)
        return (_broken(_value(reader)),)
    reader.advance()
    return tuple(_separated(reader, lambda: _value(reader)))


def _parameters(reader: Reader) -> tuple[Words, ...]:
    if not reader.sign("("):
        reader.lose("MATCHES is followed by conditions in parentheses, such as (date >= -30d)")
    reader.advance()
    if reader.sign(")"):
        reader.advance()
        return ()
    return tuple(_separated(reader, lambda: _parameter(reader)))


def _parameter(reader: Reader) -> Words:
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose("A condition is missing here, such as date >= -30d")
    return _words(reader, inside=True)


def _separated(reader: Reader, item: Callable[[], Item]) -> list[Item]:
    """Items with commas between them, up to the closing parenthesis, which is taken."""
    items: list[Item] = []
    while True:
        try:
            items.append(item())
        except LostError:
            reader.skip_to(",", ")")
        if reader.sign(",") or reader.keyword in {"AND", "OR"}:
            if not reader.sign(","):
                message = "Inside these parentheses a comma means AND, and there is no OR"
                reader.fault(message, "," if reader.keyword == "AND" else None)
            reader.advance()
        elif reader.sign(")") or reader.at_end():
            reader.close()
            return items
        else:
            reader.fault("A comma is missing here")


def _call(reader: Reader) -> Clause | None:
    """A name with a parenthesis behind it: an anniversary, the older way of asking, or MATCHES forgotten."""
    start = reader.position
    name = reader.advance()
    row = reader.vocabulary.look_up(name.text)
    if isinstance(row, Function) and not (reader.sign(":", ahead=2) or reader.sign(")", ahead=1)):
        reader.fault("MATCHES is missing here", "MATCHES (")
        place, parameters = reader.current.span, _parameters(reader)
        words = Words(name, "MATCHES", False, place, (), parameters, reader.since(start))
        return checks.clause(words, reader.vocabulary, reader.faults)
    reader.skip_group()
    _refuse(reader, name, reader.since(start))
    if (reader.current.kind is Kind.SIGN and reader.current.text in COMPARISONS) or reader.keyword == "BETWEEN":
        reader.position -= 1  # the parenthesis takes the place of a name
        _words(reader)
    return None


def _refuse(reader: Reader, name: Token, place: Span) -> None:
    row = reader.vocabulary.look_up(name.text)
    if name.text == "anniversary":
        message = "anniversary(…) cannot be asked yet: it needs dates kept in metafields"
        reader.faults.add(Code.NOT_AVAILABLE, message, place)
    elif isinstance(row, Function) and reader.vocabulary.has(row):
        message = f"This older way of asking cannot be read yet. Write {name.text} MATCHES (…)"
        reader.faults.add(Code.NOT_AVAILABLE, message, place)
    elif isinstance(row, Function):
        reader.faults.add(Code.NOT_AVAILABLE, checks.not_available(row), name.span)
    elif row is None:
        checks.unknown_name(name, reader.vocabulary, reader.faults)
    else:
        reader.faults.add(Code.SYNTAX_ERROR, f"{name.text} is followed by a comparison, not by a parenthesis", place)
