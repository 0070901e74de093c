"""Where a query names a place and its field has the place's code: what was meant, so that it can be put right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from plugin.segments.asking.compiler import leaves
from plugin.segments.hints.places import code_of
from plugin.segments.language.tree import Compare, Contains, In, Matches, Node, Text


class Misnamed(NamedTuple):
    """A clause as it is written and as it is meant, with the name in it and the code that stands for it."""

    written: Contains | Compare | In
    meant: Contains | Compare | In
    name: str
    code: str


def misnamed(tree: Node) -> Iterator[Misnamed]:
    for leaf in leaves(tree):
        for clause in leaf.conditions if isinstance(leaf, Matches) else (leaf,):
            if isinstance(clause, Contains | Compare | In) and clause.field.codes:
                yield from of_clause(clause)


def of_clause(clause: Contains | Compare | In) -> Iterator[Misnamed]:
    texts = clause.values if isinstance(clause, In) else (clause.value,)
    codes = [code_of(clause.field.codes, one.value) if isinstance(one, Text) else None for one in texts]
    found = [(one.value, code) for one, code in zip(texts, codes, strict=True) if isinstance(one, Text) and code]
    if found:
        meant = tuple(Text(code) if code else one for one, code in zip(texts, codes, strict=True))
        changed = {"values": meant} if isinstance(clause, In) else {"value": meant[0]}
        yield Misnamed(clause, replace(clause, **changed), *found[0])
