"""A query in plain words, in the reader's language: a tree of short lines, made from the one table of names.

A new name is learned from its row: what it is called, its type and its values. `catalogue` names all such texts to
those who translate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from flask_babel import gettext

from plugin.segments.language.schema import Function
from plugin.segments.language.tree import (
    And,
    Anniversary,
    Between,
    Compare,
    Contains,
    In,
    InSegment,
    IsNull,
    Matches,
    Node,
    Not,
    Or,
    StartsWith,
)
from plugin.segments.plainly import clauses
from plugin.segments.plainly.naming import called
from plugin.segments.plainly.speech import Speech

__all__ = ["Speech", "Told", "told"]


@dataclass(frozen=True)
class Told:
    """A line, and those below it that it speaks of.

    `joint`: it only says that all or one of them are true, which in one sentence "and" or "or" between them says.
    """

    text: str
    parts: tuple[Told, ...] = ()
    joint: str = ""

    def sentence(self) -> str:
        """Return everything in one line."""
        if not self.parts:
            return self.text
        joined, *others = (one.within(self) for one in self.parts)
        for one in others:
            both = {"one": joined, "other": one}
            either, all_ = gettext("%(one)s or %(other)s", **both), gettext("%(one)s and %(other)s", **both)
            joined = str(either if self.joint == "or" else all_)
        return joined if self.joint else f"{self.text} ({joined})"

    def within(self, whole: Told) -> str:
        """Return it in a sentence of which it is a part: in parentheses where it would come apart."""
        return f"({self.sentence()})" if self.joint and whole.joint else self.sentence()


def told(node: Node, speech: Speech) -> Told:
    """Return what a query asks. Names of other segments are those that stand in it."""
    match node:
        case And(operands):
            return Told(gettext("All of these are true:"), lines(operands, speech), "and")
        case Or(operands):
            return Told(gettext("At least one of these is true:"), lines(operands, speech), "or")
        case Not(Or(operands)):
            return Told(gettext("None of these is true:"), lines(operands, speech))
        case Not(And(operands)):
            return Told(gettext("Not all of these are true:"), lines(operands, speech))
        case Not(InSegment(name=name)):
            return Told(gettext("Is not in the segment “%(name)s”", name=name))
        case Not(operand):
            return Told(gettext("This is not true:"), (told(operand, speech),))
        case _:
            return clause(node, speech)


def lines(nodes: tuple[Node, ...], speech: Speech) -> tuple[Told, ...]:
    return tuple(told(one, speech) for one in nodes)


def clause(node: Node, speech: Speech) -> Told:
    match node:
        case InSegment(name=name):
            return Told(gettext("Is in the segment “%(name)s”", name=name))
        case Matches():
            return matching(node, speech)
        case IsNull(field=Function() as function):
            return Told(about(called(function), gettext("at some time") if node.negated else gettext("never")))
        case Anniversary():
            return Told(
                about(gettext("%(what)s, each year", what=called(node.field)), clauses.anniversary(node, speech))
            )
        case Compare() | Between() | In() | Contains() | StartsWith() | IsNull():
            return Told(about(called(node.field), clauses.said(node, speech)))
        case And() | Or() | Not():
            raise AssertionError("told by `told`")
        case _:
            assert_never(node)


def matching(node: Matches, speech: Speech) -> Told:
    """Return a question about related rows, with what is asked of them below it."""
    what = called(node.function)
    if not node.conditions:
        return Told(gettext("Never: %(what)s", what=what) if node.negated else what)
    text = gettext("Never: %(what)s, where", what=what) if node.negated else gettext("%(what)s, where", what=what)
    return Told(text, tuple(clause(one, speech) for one in node.conditions))


def about(what: str, how: str) -> str:
    return str(gettext("%(what)s: %(how)s", what=what, how=how))
