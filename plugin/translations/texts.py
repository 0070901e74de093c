"""All texts that people are shown: those that code and templates mark, and those that stand in tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from plugin.config import ROOT
from plugin.segments.kept.templates import TEMPLATES
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.schema import Field, Function, Parameter, Type
from plugin.segments.plainly import catalogue

KEYWORDS: Mapping[str, Any] = {**DEFAULT_KEYWORDS, "phrase": None, "phrases": (1, 2)}
PLACES = {"connectors": [("**.py", "python")], "plugin": [("**.py", "python")], "templates": [("**.html", "jinja2")]}
OTHERS = "sandbox"  # the practice shop speaks as the platforms do


def wanted() -> Catalog:
    """Return the texts that a catalog must have, in the order of their letters, without where they stand."""
    found = Catalog(fuzzy=False)
    for text in sorted({*marked(), *((text,) for text in tables() if text)}):
        found.add(text if len(text) > 1 else text[0])
    return found


def marked() -> Iterator[tuple[str, ...]]:
    """Yield the texts that are marked, each with its plural where it has one."""
    for folder, methods in PLACES.items():
        for path, _, text, _, _ in extract_from_dir(ROOT / folder, methods, keywords=KEYWORDS):
            if not path.startswith(OTHERS):
                yield text if isinstance(text, tuple) else (text,)


def tables() -> Iterator[str]:
    """Yield the texts of the language's names, of its types and of the templates."""
    parameters = (one for row in FUNCTIONS.values() for one in row.parameters.values())
    rows: Iterable[Field | Function | Parameter] = (*FIELDS.values(), *FUNCTIONS.values(), *parameters)
    for row in rows:
        yield from (row.sentence, row.supplied_by)
    for one in TEMPLATES.values():
        yield from (one.name, one.purpose, *one.actions)
    yield from (one.value for one in Type)
    yield from catalogue.texts()
