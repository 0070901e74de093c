"""What stands behind a name, still in words: operator and values or conditions, read on after a fault (language §1)."""

from collections.abc import Callable
from typing import TypeVar

from connectors.phrases import phrase

from .checks import Words
from .errors import Code, excerpt, nearest
from .reader import RESERVED, LostError, Reader
from .schema import COMPARISONS
from .tokens import Kind, Token, quote

Item = TypeVar("Item")

VALUES = frozenset({Kind.STRING, Kind.NUMBER, Kind.DATE, Kind.BOOLEAN, Kind.BROKEN})
OPERATORS = ("CONTAINS", "IN", "STARTS WITH", "IS", "MATCHES", "NOT", "NOT_MATCHES", "BETWEEN")
MISTAKEN = {"==": "=", "===": "=", "<>": "!=", "≠": "!=", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", ":": "="}


def words(reader: Reader, inside: bool = False) -> Words:
    """A name with its comparison; `inside` MATCHES (…) there is no other MATCHES."""
    start = reader.position
    return compared(reader, start, reader.advance(), inside)


def compared(reader: Reader, start: int, name: Token, inside: bool = False) -> Words:
    """What stands behind a name; all of it began at the word numbered `start`."""
    operator_start = reader.position
    operator, negated = _operator(reader)
    place = reader.since(operator_start)
    values: tuple[Token, ...] = ()
    parameters: tuple[Words, ...] = ()
    if operator == "MATCHES" and inside and reader.sign("("):
        reader.skip_group()
    elif operator == "MATCHES":
        parameters = conditions(reader)
    elif operator == "IN":
        values = listed(reader)
    elif operator == "BETWEEN":
        values = _ends(reader)
    elif operator != "IS NULL":
        values = (one_value(reader),)
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
        reader.fault(phrase("NOT stands before the name here: NOT … BETWEEN … AND …"))
    elif operator not in {"CONTAINS", "IN", "STARTS", "MATCHES", "BETWEEN"}:
        if negated:
            reader.lose(phrase("CONTAINS, IN, STARTS WITH or MATCHES is missing here"))
        reader.lose(phrase("A comparison, such as = or BETWEEN, is missing here"))
    reader.advance()
    if operator == "STARTS":
        reader.expect("WITH")
        operator = "STARTS WITH"
    return str(operator), negated


def _correct_operator(reader: Reader) -> None:
    """Report an operator that is written wrong, and read on with the one that was meant."""
    word = reader.current
    if word.kind is Kind.SIGN and word.text in MISTAKEN:
        reader.correct(
            MISTAKEN[word.text],
            phrase("%(word)s is written %(mistaken)s", word=word.text, mistaken=MISTAKEN[word.text]),
        )
    elif word.kind is Kind.NAME and word.keyword not in RESERVED and (meant := nearest(word.text, OPERATORS)):
        reader.correct(meant, phrase("There is no comparison %(word)s", word=excerpt(word.text)))


def one_value(reader: Reader) -> Token:
    """One value, still a word: only its name says of which type it has to be."""
    if reader.current.kind in VALUES:
        return _whole_value(reader)
    if reader.sign("("):
        return _pair(reader)
    if reader.keyword == "NULL":
        reader.fault(phrase("No value is asked for with IS NULL"))
        return broken(reader.advance())
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose(phrase("A value is missing here"))
    return _unquoted(reader)


def _ends(reader: Reader) -> tuple[Token, Token]:
    low = one_value(reader)
    between = reader.current
    if (between.keyword in {"OR", "TO"} or reader.sign(",")) and reader.words[reader.position + 1].kind in VALUES:
        reader.correct("AND", phrase("The two values of BETWEEN are joined with AND"))
    reader.expect("AND")
    return low, one_value(reader)


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
        north, east = (word.text for word in reader.words[start + 1 : start + 4 : 2])
        return Token(Kind.PAIR, f"({north}, {east})", reader.since(start), f"{north} {east}")
    reader.fault(phrase("One value stands here, without parentheses"))
    left = broken(reader.current)
    reader.skip_group()
    return left


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
    message = phrase("A text stands in single quotes: %(text)s", text=quote(excerpt(text)))
    reader.faults.add(Code.SYNTAX_ERROR, message, (first.span.start, last.span.end), quote(text))
    return broken(first)


def broken(word: Token) -> Token:
    return Token(Kind.BROKEN, word.text, word.span)


def listed(reader: Reader) -> tuple[Token, ...]:
    if not reader.sign("("):
        text = reader.current.text
        known = reader.current.kind in VALUES
        reader.fault(phrase("A list of values stands in parentheses"), f"({text})" if known else None)
        return (broken(one_value(reader)),)
    reader.advance()
    return tuple(separated(reader, lambda: one_value(reader)))


def conditions(reader: Reader) -> tuple[Words, ...]:
    if not reader.sign("("):
        reader.lose(phrase("MATCHES is followed by conditions in parentheses, such as (date >= -30d)"))
    reader.advance()
    if reader.sign(")"):
        reader.advance()
        return ()
    return tuple(separated(reader, lambda: _parameter(reader)))


def _parameter(reader: Reader) -> Words:
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose(phrase("A condition is missing here, such as date >= -30d"))
    return words(reader, inside=True)


def separated(reader: Reader, item: Callable[[], Item]) -> list[Item]:
    """Items with commas between them, up to the closing parenthesis, which is taken."""
    items: list[Item] = []
    while True:
        try:
            items.append(item())
        except LostError:
            reader.skip_to(",", ")")
        if reader.sign(",") or reader.keyword in {"AND", "OR"}:
            if not reader.sign(","):
                message = phrase("Inside these parentheses a comma means AND, and there is no OR")
                reader.fault(message, "," if reader.keyword == "AND" else None)
            reader.advance()
        elif reader.sign(")") or reader.at_end():
            reader.close()
            return items
        else:
            reader.fault(phrase("A comma is missing here"))
