"""A shop's segments as one YAML file that people and git can read, and such a file taken in: all of it or nothing.

What else belongs into the file joins by one more `Section`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import shops
from plugin.db import transaction
from plugin.models.shops import Shop
from plugin.segments.files import conflict_entries, definitions, filed, ladder_entries

FORMAT = "1"


@dataclass(frozen=True)
class Section:
    """One kind of thing in the file, under its key: how it is written, and how it is taken in."""

    key: str
    export: Callable[[Session, Shop], Sequence[Mapping[str, Any]]]
    take_in: Callable[[filed.Importing, Sequence[Any]], None]


SECTIONS = (
    Section("segments", definitions.export, definitions.take_in),
    Section("ladders", ladder_entries.export, ladder_entries.take_in),
    Section("conflicts", conflict_entries.export, conflict_entries.take_in),
)


class UndoneError(Exception):
    """Takes back what an import has written."""


def export(session: Session, shop: Shop) -> str:
    """Return a shop's definitions as a file: in a stable order, and the same bytes after it was taken in."""
    held = {one.key: list(one.export(session, shop)) for one in SECTIONS}
    return filed.written({"format": FORMAT} | {key: found for key, found in held.items() if found})


def digest(session: Session, shop: Shop) -> str:
    """Return what tells whether definitions were edited since a preview."""
    return sha256(export(session, shop).encode()).hexdigest()


def take_in(
    engine: Engine,
    shop_id: str,
    text: str,
    *,
    by: str,
    prune: bool = False,
    despite_tests: bool = False,
    dry_run: bool = False,
    seen: str | None = None,
) -> filed.Outcome:
    """Take a file in, or say what would happen. With any fault nothing is kept; taken in twice it changes nothing.

    A dry run does everything and takes it back, so that what it says is what happens. `prune` removes what is not in
    the file. `seen` is the `digest` at the preview: it is refused what was edited since. FileError: it cannot be read.
    """
    document = filed.read(text, FORMAT, [one.key for one in SECTIONS])
    outcome = filed.Outcome()
    try:
        with transaction(engine) as session:
            shop = shops.shop(session, shop_id)
            if seen is not None and digest(session, shop) != seen:
                outcome.faults.append(phrase("Somebody has edited segments since this was shown."))
            work = filed.Importing(session, shop, by, prune, outcome)
            for one in SECTIONS:
                one.take_in(work, document[one.key])
            if dry_run or outcome.faults or (outcome.broken and not despite_tests):
                raise UndoneError
            outcome.kept = True
    except UndoneError:
        pass
    return outcome
