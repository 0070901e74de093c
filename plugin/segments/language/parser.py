"""How conditions are joined: AND, OR, NOT and parentheses, read on after a fault so that one look shows them all."""

from collections.abc import Callable

from connectors.phrases import phrase

from . import checks, clauses
from .errors import Code, Enough, excerpt, nearest
from .reader import RESERVED, LostError, Reader
from .schema import COMPARISONS
from .tokens import Kind
from .tree import And, Node, Not, Or, Span

MOST_CLAUSES = 100
MOST_NESTING = 20
JUNCTIONS = {"&": "AND", "&&": "AND", ",": "AND", "|": "OR", "||": "OR"}


def query(reader: Reader) -> Node | None:
    """The tree of all the words. None where something is wrong, which is reported."""
    node = _joined(reader)
    while not reader.at_end():  # only a parenthesis that closes nothing stops before the end
        reader.fault(phrase("This parenthesis closes nothing"))
        reader.advance()
        if reader.keyword in {"AND", "OR"}:
            reader.advance()
        if not (reader.at_end() or reader.sign(")")):
            _joined(reader)
    return node


def _joined(reader: Reader) -> Node | None:
    return _operands(reader, "OR", Or, lambda: _operands(reader, "AND", And, lambda: _negation(reader)))


def _operands(reader: Reader, word: str, node: type[And | Or], operand: Callable[[], Node | None]) -> Node | None:
    read = [operand()]
    while reader.take(word):
        read.append(operand())
    present = tuple(one for one in read if one is not None)
    if len(present) < len(read):
        return None
    return node(present) if len(present) > 1 else present[0]


def _negation(reader: Reader) -> Node | None:
    """One condition with its NOT. Afterwards the next word is AND, OR, a closing parenthesis or the end."""
    start = reader.current.span
    negated = reader.take("NOT")
    if negated and reader.keyword == "NOT":
        reader.fault(phrase("NOT stands once before a condition; twice it is written NOT (NOT …)"))
        while reader.take("NOT"):
            pass
    try:
        operand = _atom(reader)
        _to_junction(reader)
    except LostError:
        operand = None
        reader.skip_to("AND", "OR", ")")
    return Not(operand, start) if negated and operand is not None else operand


def _atom(reader: Reader) -> Node | None:
    if reader.sign("("):
        return _group(reader)
    reader.clauses += 1
    if reader.clauses > MOST_CLAUSES:
        place = Span(reader.current.span.start, reader.words[-1].span.end)
        reader.faults.add(
            Code.TOO_COMPLEX,
            phrase("A query holds at most %(most_clauses)s conditions", most_clauses=MOST_CLAUSES),
            place,
        )
        raise Enough
    if reader.keyword == "IN":
        return _segment(reader)
    if reader.current.kind is not Kind.NAME or reader.keyword in RESERVED:
        reader.lose(phrase("A condition is missing here, such as number_of_orders >= 3"))
    return clauses.clause(reader)


def _group(reader: Reader) -> Node | None:
    if reader.depth == MOST_NESTING:
        message = phrase("Parentheses go at most %(most_nesting)s deep", most_nesting=MOST_NESTING)
        reader.faults.add(Code.TOO_COMPLEX, message, reader.current.span)
        reader.skip_group()
        return None
    reader.advance()
    reader.depth += 1
    node = _joined(reader)
    reader.depth -= 1
    reader.close()
    return node


def _segment(reader: Reader) -> Node | None:
    """IN SEGMENT 'name'."""
    start = reader.position
    reader.advance()
    reader.expect("SEGMENT")
    if reader.current.kind not in {Kind.STRING, Kind.BROKEN}:
        reader.lose(phrase("The name of a segment in single quotes is missing here"))
    name = reader.advance()
    return checks.segment(name, reader.since(start), reader.vocabulary, reader.faults)


def _to_junction(reader: Reader) -> None:
    """See that the condition just read is followed by AND, OR, a closing parenthesis or the end."""
    word = reader.current
    if reader.at_end() or reader.sign(")") or reader.keyword in {"AND", "OR"}:
        return
    meant = JUNCTIONS.get(word.text) if word.kind is Kind.SIGN else None
    if word.kind is Kind.NAME and not reader.vocabulary.look_up(word.text):
        meant = nearest(word.text, ("AND", "OR"), cutoff=0.6)
    if meant:
        reader.correct(
            meant, phrase("Conditions are joined with AND or OR, not with %(word)s", word=excerpt(word.text))
        )
    elif _begins_condition(reader):
        reader.fault(phrase("AND or OR is missing here"))
        reader.insert("AND")
    else:
        reader.lose(phrase("AND or OR is missing here, before %(word)s", word=excerpt(word.text)))


def _begins_condition(reader: Reader) -> bool:
    following = reader.words[reader.position + 1]
    compared = following.keyword in RESERVED - {"AND", "OR"} or following.text in {*COMPARISONS, "("}
    return reader.sign("(") or reader.keyword == "NOT" or (reader.current.kind is Kind.NAME and compared)
