"""What is worth knowing of a query, and never stops it from being kept: worked out from trees alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.phrases import phrase
from plugin.segments.asking.compiler import leaves
from plugin.segments.asking.moments import Moment
from plugin.segments.hints.codes import misnamed
from plugin.segments.hints.reasoning import Wanted, possible
from plugin.segments.language.errors import excerpt
from plugin.segments.language.printing import canonical
from plugin.segments.language.schema import Type
from plugin.segments.language.tree import And, Clause, InSegment, Matches, Node, Not, Or, Span


class Hint(StrEnum):
    ALWAYS_EMPTY = "ALWAYS_EMPTY"
    CONTAINS_EVERYBODY = "CONTAINS_EVERYBODY"
    CONTRADICTION = "CONTRADICTION"
    SUBSET_OF_SEGMENT = "SUBSET_OF_SEGMENT"
    SAME_AS_SEGMENT = "SAME_AS_SEGMENT"
    WITHOUT_CONSENT = "WITHOUT_CONSENT"
    MONEY_ACROSS_CURRENCIES = "MONEY_ACROSS_CURRENCIES"
    TAG_NOBODY_WRITES = "TAG_NOBODY_WRITES"
    NAME_FOR_CODE = "NAME_FOR_CODE"


@dataclass(frozen=True)
class Advice:
    """One hint. `places` are those of the text that the query was read from, as in an error; at least one.

    `suggestion`: what was meant in the first place's stead, where that is plain.
    """

    code: Hint
    message: str
    places: tuple[Span, ...]
    suggestion: str | None = None


@dataclass(frozen=True)
class Other:
    """Another segment of the shop."""

    segment_id: str
    name: str
    tree: Node


def of_tree(tree: Node, at: Moment) -> list[Advice]:
    """Return what can be said of a query as of a moment: relative dates stand for the days that they are then."""
    found = [*contradictions(tree, at), *mixed_balances(tree), *names_for_codes(tree)]
    if not possible(at, Wanted(tree)):
        message = phrase("As of today nobody can meet this, whatever the shop's customers do")
        return [Advice(Hint.ALWAYS_EMPTY, message, (place(tree),)), *found]
    if not possible(at, Wanted(tree, met=False)):
        found.insert(0, Advice(Hint.CONTAINS_EVERYBODY, phrase("Every customer meets this"), (place(tree),)))
    return found


def contradictions(tree: Node, at: Moment) -> Iterator[Advice]:
    """Yield each two conditions, joined by AND, that each can be met and never both."""
    for joined in conjunctions(Wanted(tree)):
        alone = [one for one in joined if possible(at, one)]
        for number, one in enumerate(alone):
            for other in alone[number + 1 :]:
                if names(one.node) & names(other.node) and not possible(at, one, other):
                    first, second = sorted((one, other), key=lambda wanted: place(wanted.node))
                    message = phrase(
                        "%(first)s and %(second)s exclude each other: as of today nobody meets both",
                        first=said(first),
                        second=said(second),
                    )
                    yield Advice(Hint.CONTRADICTION, message, (place(first.node), place(second.node)))


def conjunctions(wanted: Wanted) -> Iterator[list[Wanted]]:
    """Yield the conditions that have to hold together, for each AND of a query."""
    together = [wanted]
    joined: list[Wanted] = []
    apart: list[Wanted] = []
    while together:
        one = together.pop()
        match one.node:
            case Not(And() | Or() | Not() as operand):
                together.append(Wanted(operand, not one.met))
            case And(operands) | Or(operands):
                parts = [Wanted(part, one.met) for part in operands]
                if isinstance(one.node, And) == one.met:
                    together += parts
                else:
                    joined.append(one)
                    apart += parts
            case _:
                joined.append(one)
    if len(joined) > 1:
        yield joined
    for one in apart:
        yield from conjunctions(one)


def within(tree: Node, others: Iterable[Other], at: Moment) -> Iterator[Advice]:
    """Yield the segments that a query's members are all in, as far as the queries alone prove it.

    Those that the query itself says are not news.
    """
    if not possible(at, Wanted(tree)):
        return
    for other in others:
        said_already = not possible(at, Wanted(tree), Wanted(InSegment(other.segment_id, other.name), met=False))
        if said_already or possible(at, Wanted(tree), Wanted(other.tree, met=False)):
            continue
        if possible(at, Wanted(tree, met=False), Wanted(other.tree)):
            message = phrase("Whoever meets this is in %(other)s as well", other=other.name)
            yield Advice(Hint.SUBSET_OF_SEGMENT, message, (place(tree),))
        else:
            yield Advice(
                Hint.SAME_AS_SEGMENT, phrase("This has the members of %(other)s", other=other.name), (place(tree),)
            )


def mixed_balances(tree: Node) -> Iterator[Advice]:
    """Yield where amounts are compared that may be in several currencies, of which none is named."""
    for leaf in leaves(tree):
        if isinstance(leaf, Matches) and "currency" in leaf.function.parameters:
            named = any(one.field.name == "currency" for one in leaf.conditions)
            for one in leaf.conditions if not named else ():
                if one.field.type is Type.MONEY:
                    message = phrase(
                        "%(field)s may be in any currency: name one, such as currency = 'USD'", field=one.field.name
                    )
                    yield Advice(Hint.MONEY_ACROSS_CURRENCIES, message, (one.span,))


def names_for_codes(tree: Node) -> Iterator[Advice]:
    """Yield where a country or region is named and its code is wanted."""
    for written, meant, name, code in misnamed(tree):
        message = phrase(
            "%(field)s holds codes of ISO 3166, and %(name)s is %(code)s",
            field=written.field.name,
            name=excerpt(name),
            code=code,
        )
        yield Advice(Hint.NAME_FOR_CODE, message, (written.span,), canonical(meant))


def names(node: Node) -> set[str]:
    """Return what a query names, parameters aside: rows of the table, and other segments by id."""
    return {subject(leaf) for leaf in leaves(node)}


def subject(clause: Clause) -> str:
    match clause:
        case InSegment(segment_id):
            return segment_id
        case Matches():
            return clause.function.name
        case _:
            return clause.field.name


def said(wanted: Wanted) -> str:
    return excerpt(canonical(wanted.node if wanted.met else Not(wanted.node)))


def place(node: Node) -> Span:
    """Return where a part of a query stands, from its first word to its last."""
    match node:
        case And(operands) | Or(operands):
            return Span(place(operands[0]).start, place(operands[-1]).end)
        case Not(operand):
            return Span(node.span.start, place(operand).end)
        case _:
            return node.span


def described(found: Sequence[Advice]) -> list[dict[str, object]]:
    """Return hints as an answer to be sent: `start` and `end` are those of the first place."""
    return [
        {
            "code": one.code,
            "message": one.message,
            "suggestion": one.suggestion,
            "start": one.places[0].start,
            "end": one.places[0].end,
            "places": [{"start": each.start, "end": each.end} for each in one.places],
        }
        for one in found
    ]
