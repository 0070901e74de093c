"""Segments in the file of definitions: each by its name, with its query in canonical words, one clause a line.

Tests are left out: they name customers, and nobody's data belongs into a file for git.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from connectors.phrases import phrase
from plugin.db import fold
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.files.filed import Block, Importing, until_done
from plugin.segments.kept import expectations, keep
from plugin.segments.kept.definition import DEFAULTS, FIELDS, Definition, RefusedError, differences, spoken
from plugin.segments.language import canonical, parse, shown, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.tree import And, Or

ALWAYS = ("name", "query", "tag")
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def export(session: Session, shop: Shop) -> Sequence[Mapping[str, Any]]:
    """Return a shop's segments, by name, without what is as it would be anyway."""
    words = vocabulary.of(session, shop)
    found = sorted(keep.all_of(session, shop.shop_id), key=lambda one: (fold(one.name), one.name))
    return [entry(Definition.of(one), words) for one in found]


def entry(definition: Definition, words: vocabulary.Vocabulary) -> dict[str, Any]:
    told = definition.as_content() | {"query": Block(by_lines(definition.query, words))}
    if definition.review:
        told["review"] = spoken(definition.review)
    return {name: told[name] for name in FIELDS if name in ALWAYS or told[name] != getattr(DEFAULTS, name)}


def by_lines(query: str, words: vocabulary.Vocabulary) -> str:
    """Return a query with each part of its outermost AND or OR on a line; on one line where it cannot be read."""
    try:
        tree = parse(query, words)
    except SegmentErrors:
        return shown(query, words)
    if not isinstance(tree, And | Or):
        return canonical(tree)
    word = "AND" if isinstance(tree, And) else "OR"
    parts = (canonical(one) for one in tree.operands)
    apart = (f"({text})" if isinstance(one, Or) else text for one, text in zip(tree.operands, parts, strict=True))
    return f"\n{word} ".join(apart)


def take_in(work: Importing, entries: Sequence[Any]) -> None:
    """Add and change segments as the file says; with `prune`, remove the others.

    A segment whose query cannot be read yet may name one further down: it is tried again after the others.
    """
    wanted = [one for number, given in enumerate(entries, 1) if (one := read(work, number, given))]
    names = [fold(one.name) for one in wanted]
    work.outcome.faults += [
        phrase("%(name)s: stands twice.", name=one.name) for one in wanted if names.count(fold(one.name)) > 1
    ]
    before = keep.all_of(work.session, work.shop.shop_id)
    matched = {one.name: match(before, one, names) for one in wanted}
    left = until_done(wanted, lambda one: put(work, one, matched[one.name]))
    work.outcome.faults += [phrase("%(name)s: %(fault)s", name=one.name, fault=fault) for one, fault in left]
    matched_ids = {one.segment_id for one in matched.values() if one}
    leave(work, [one for one in before if one.segment_id not in matched_ids])


def read(work: Importing, number: int, given: Any) -> Definition | None:
    """Return an entry of the file as a definition, its tag empty where it names none; None where it is faulty."""
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in (*given, *given.values())):
        work.outcome.faults.append(phrase("Segment %(number)s: must be names with one text each.", number=number))
        return None
    called = given.get("name") or phrase("Segment %(number)s", number=number)
    wrong = [
        phrase("%(called)s: %(name)s is unknown.", called=called, name=name) for name in given if name not in FIELDS
    ]
    wrong += [
        phrase("%(called)s: has no %(name)s.", called=called, name=name)
        for name in ("name", "query")
        if not given.get(name, "").strip()
    ]
    truths = {name: given[name].lower() for name in ("rewards", "enabled") if name in given}
    wrong += [
        phrase("%(called)s: %(name)s is true or false.", called=called, name=name)
        for name, said in truths.items()
        if said not in TRUTHS
    ]
    if wrong:
        work.outcome.faults += wrong
        return None
    told: dict[str, Any] = {"tag": ""} | given | {name: TRUTHS[said] for name, said in truths.items()}
    return Definition(**told | {"name": " ".join(given["name"].split())})


def match(before: Sequence[Segment], wanted: Definition, names: Sequence[str]) -> Segment | None:
    """Return the segment that an entry is about: that of its name, else the one of its tag, which is then renamed."""
    by_name = (one for one in before if fold(one.name) == fold(wanted.name))
    by_tag = (one for one in before if fold(one.tag) == fold(wanted.tag) and fold(one.name) not in names)
    return next(by_name, None) or next(by_tag, None)


def put(work: Importing, wanted: Definition, kept: Segment | None) -> str | None:
    """Add or change one segment; return why that cannot be done."""
    try:
        with work.session.begin_nested():
            if kept:
                change(work, wanted, kept)
            else:
                add(work, wanted)
    except (SegmentErrors, RefusedError) as fault:
        return str(fault)
    return None


def add(work: Importing, wanted: Definition) -> None:
    keep.add(work.session, work.shop, by=work.by, edit="imported", **wanted.as_content())
    work.outcome.added.append(wanted.name)


def change(work: Importing, wanted: Definition, kept: Segment) -> None:
    before = Definition.of(kept)
    wanted = wanted if wanted.tag else replace(wanted, tag=before.tag)
    how: dict[str, Any] = {"by": work.by, "edit": "imported", "despite_tests": True}
    keep.edit(work.session, work.shop, kept.segment_id, **how, **wanted.as_content())
    changed = differences(before, Definition.of(kept))
    if not changed:
        work.outcome.unchanged += 1
        return
    work.outcome.changed.append((before.name, changed))
    if "query" in changed:
        words = vocabulary.of(work.session, work.shop)
        changed["query"] = (shown(before.query, words), shown(kept.query, words))
        broken = expectations.broken(work.session, work.shop, kept.segment_id, kept.query)
        work.outcome.broken += [(kept.name, one) for one in broken]


def leave(work: Importing, others: Sequence[Segment]) -> None:
    """Remove what is not in the file if that is wanted, else only say that it is there."""
    (work.outcome.removed if work.prune else work.outcome.left).extend(one.name for one in others)
    left = until_done(others, lambda one: remove(work, one)) if work.prune else []
    work.outcome.faults += [phrase("%(name)s: %(fault)s", name=one.name, fault=fault) for one, fault in left]


def remove(work: Importing, one: Segment) -> str | None:
    """Remove one segment; return why that cannot be done."""
    try:
        keep.remove(work.session, work.shop, one.segment_id, by=work.by)
    except RefusedError as fault:
        return str(fault)
    return None
