"""How the file of definitions is read and written, and what taking one in comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml
from sqlmodel import Session

from connectors.phrases import phrase
from plugin.models.shops import Shop
from plugin.segments.kept.expectations import Tried

T = TypeVar("T")

HEADING = "# Segments of Tagsmith. `segments import FILE` takes this file in, and changes nothing the second time.\n"
LONGEST = 500_000
DEEPEST = 5  # of collections in each other: deeper ones take the parser longer than they are worth
OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
REFUSED = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken, yaml.DirectiveToken)


class FileError(ValueError):
    """This is no file of definitions; the text is for whoever wrote it."""


@dataclass
class Outcome:
    """What was, or would be, added, changed (with what), removed; what is in the shop alone; why nothing is kept.

    `ladders` are those that were changed. Names are of segments and ladders.

    `broken` are tests that would fail, by the segment's name. `kept`: all of it was done.
    """

    added: list[str] = field(default_factory=list)
    changed: list[tuple[str, dict[str, tuple[Any, Any]]]] = field(default_factory=list)
    ladders: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unchanged: int = 0
    broken: list[tuple[str, Tried]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    kept: bool = False


@dataclass(frozen=True)
class Importing:
    """One import at work, in a transaction."""

    session: Session
    shop: Shop
    by: str
    prune: bool
    outcome: Outcome


def until_done(waiting: Sequence[T], attempt: Callable[[T], str | None]) -> list[tuple[T, str]]:
    """Attempt all, and those that fail again after the others, as long as that helps; return what still fails, and why.

    What needs another thing of the file may stand before it.
    """
    left = [(one, fault) for one in waiting if (fault := attempt(one))]
    return until_done([one for one, _ in left], attempt) if 0 < len(left) < len(waiting) else left


class Block(str):
    """A text that is written as a block of lines, whatever is in it."""

    __slots__ = ()


class Writer(yaml.SafeDumper):
    """Lists are indented, and texts of several lines stand as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  PyYAML's own
        super().increase_indent(flow, False)


def as_lines(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if isinstance(text, Block) or "\n" in text else None
    return writer.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


Writer.add_representer(str, as_lines)
Writer.add_representer(Block, as_lines)


class Reader(yaml.BaseLoader):
    """All values are texts: nothing turns into a number, a date or a truth that was not meant as one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        if twice := {str(name) for name in names if names.count(name) > 1}:
            line = node.start_mark.line + 1
            raise FileError(
                phrase(
                    "%(twice)s stands twice in what begins on line %(line)s.", twice=", ".join(sorted(twice)), line=line
                )
            )
        return super().construct_mapping(node, deep)


def written(document: Mapping[str, Any]) -> str:
    """Return a document as text, its names in the order given."""
    return HEADING + yaml.dump(dict(document), Dumper=Writer, sort_keys=False, allow_unicode=True, width=100)


def read(text: str, form: str, keys: Sequence[str]) -> dict[str, list[Any]]:
    """Return the lists of a document by their keys. FileError."""
    if len(text) > LONGEST:
        raise FileError(phrase("The file has more than %(longest)s characters.", longest=LONGEST))
    try:
        look_through(text)
        document = yaml.load(text, Reader)  # noqa: S506  it makes texts, lists and mappings alone
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        told = phrase("This is not YAML on line %(line)s: %(problem)s.", line=line, problem=error.problem)
        raise FileError(told) from None
    except yaml.YAMLError as error:
        raise FileError(phrase("This is not YAML: %(fault)s.", fault=type(error).__name__)) from None
    if not isinstance(document, dict) or document.get("format") != form:
        raise FileError(phrase('The file must say "format: %(form)s".', form=form))
    if unknown := [str(name) for name in document if name not in ("format", *keys)]:
        raise FileError(
            phrase("Unknown: %(unknown)s. A file holds %(keys)s.", unknown=", ".join(unknown), keys=", ".join(keys))
        )
    lists = {key: [] if document.get(key, "") == "" else document[key] for key in keys}
    if wrong := [key for key, value in lists.items() if not isinstance(value, list)]:
        raise FileError(phrase("%(wrong)s must be a list.", wrong=", ".join(wrong)))
    return lists


def look_through(text: str) -> None:
    """Refuse what no file of ours holds, before it is built: FileError."""
    depth = 0
    for token in yaml.scan(text):
        depth += isinstance(token, OPENING) - isinstance(token, CLOSING)
        if isinstance(token, REFUSED) or depth > DEEPEST:
            line, refused = token.start_mark.line + 1, isinstance(token, REFUSED)
            told = (
                phrase("On line %(line)s the file holds anchors, aliases or tags, which are not read here.", line=line)
                if refused
                else phrase("On line %(line)s the file holds collections too deep in each other to be read.", line=line)
            )
            raise FileError(told)
