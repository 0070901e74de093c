"""`make translations`: brings each catalog up to date with the texts of the site, and says what is still to be told.

What is written depends on the texts alone: no dates, places or guesses, so that a change shows what has changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog

from plugin.translating import CATALOGS
from plugin.translations import texts


def update(place: Path, wanted: Catalog) -> list[str]:
    """Write a catalog anew: its head as it is, then all texts that are wanted. Return those that it does not tell."""
    head, _, _ = place.read_text(encoding="utf-8").partition("\n\n")
    with place.open("rb") as file:
        there = pofile.read_po(file)
    made = Catalog(locale=there.locale, fuzzy=False)
    for one in wanted:
        if one.id:
            known = there.get(one.id)
            made.add(one.id, known.string if known and known.id == one.id else None)
    body = BytesIO()
    pofile.write_po(body, made, width=120, omit_header=True, ignore_obsolete=True)
    place.write_text(f"{head}\n\n{body.getvalue().decode().strip()}\n", encoding="utf-8")
    return [one.id if isinstance(one.id, str) else one.id[0] for one in made if one.id and not told(one.string)]


def told(string: str | Sequence[str] | None) -> bool:
    """Whether a text has its translation, in the singular and the plural."""
    return bool(string) and all([string] if isinstance(string, str) else string or ())


def main() -> int:
    wanted, lacking = texts.wanted(), 0
    for place in sorted(CATALOGS.glob("*/LC_MESSAGES/messages.po")):
        missing = update(place, wanted)
        lacking += len(missing)
        sys.stdout.writelines(f"{place.parts[-3]}: {text!r}\n" for text in missing)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
