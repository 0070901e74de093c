"""What each part of a segment's query asks of how many: counted after the page stands, a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, g, request

from plugin.db import reading
from plugin.insight import ratings
from plugin.models.segments import Segment
from plugin.segments import plainly
from plugin.segments.asking import tally
from plugin.segments.asking.tally import Line, Tally
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told as said
from plugin.web import engine
from plugin.web.page import fragments
from plugin.web.segments.counts import SECONDS, SECONDS_OF_FORM, at_once, gone_through
from plugin.web.segments.overview import near, speech

bp = Blueprint("clauses", __name__)


@dataclass(frozen=True)
class Counting:
    """What has been counted of a query so far; `after` whom to go on, None at the end. `busy`: others are counted."""

    numbers: tuple[int, ...] = ()
    after: str | None = ""
    seen: int = 0
    of: int = 0
    busy: bool = False


@bp.route("/segments/<segment_id>/clauses", methods=("GET", "POST"))
def show(segment_id: str) -> str:
    """Count on from where the form that is sent says, or from the beginning. Numbers and a place are all it carries."""
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
    fault, found, lines, differing = None, Counting(), [], None
    try:
        found = counted(segment, before())
        lines = told(segment, found)
    except SegmentErrors as errors:
        fault = said(errors)
    if found.after is None and "rfm_group" in segment.query:
        with reading(engine()) as session:
            differing = ratings.differing(session, g.shop)
    values = {"found": found, "lines": lines, "fault": fault, "differing": differing}
    return fragments.render(
        "segments/clauses.html", "segments/clauses_part.html", segment=segment, glance=glance, **values
    )


def before() -> Counting:
    """Return what was counted before, as the form says; nothing of what is no number."""
    given = request.form
    try:
        numbers = tuple(int(one) for one in given.get("numbers", "").split() if one)
        return Counting(numbers, given.get("after", ""), given.get("seen", 0, type=int))
    except ValueError:
        return Counting()


def counted(segment: Segment, known: Counting) -> Counting:
    """Count on for as long as a page may take. SegmentErrors: it cannot be asked at present."""
    if not at_once.acquire(blocking=False):
        return Counting(known.numbers, known.after, known.seen, busy=True)
    try:
        with reading(engine()) as session:
            sheet = tally.sheet(session, g.shop, segment.query)
            seconds = SECONDS if fragments.wanted() else SECONDS_OF_FORM
            numbers, rest = gone_through(session, sheet.parts(session, known.after or ""), seconds)
    finally:
        at_once.release()
    if known.numbers and len(known.numbers) == len(numbers):
        numbers = tuple(one + other for one, other in zip(known.numbers, numbers, strict=True))
    if rest is None:
        return Counting(numbers, None)
    return Counting(numbers, rest.after, known.seen + rest.seen, rest.of)


@dataclass(frozen=True)
class Bar:
    """A part of a query in words, and how many meet it: alone, and together with those before it."""

    line: Line
    words: str
    alone: float
    so_far: float


def told(segment: Segment, found: Counting) -> list[Bar]:
    """Return the parts in the order of the query, each as a share of all who were looked at."""
    if not found.numbers:
        return []
    with reading(engine()) as session:
        words = vocabulary.of(session, g.shop)
        read = tally.sheet(session, g.shop, segment.query).read(found.numbers)
    return [bar(one, read, words) for one in tally.lines(read.whole)] or [bar(whole(read), read, words)]


def whole(read: Tally) -> Line:
    return Line(0, "and", read.whole.text, read.whole.alone, read.whole.so_far)


def bar(line: Line, read: Tally, words: vocabulary.Vocabulary) -> Bar:
    everybody = max(read.everybody, 1)
    said = plainly.told(parse(line.text, words), speech()).sentence()
    return Bar(line, said, line.alone / everybody, line.so_far / everybody)
