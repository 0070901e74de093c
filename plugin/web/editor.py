"""Writing a segment: the form, and what is said of a query while it is being typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import clock, dates
from plugin.db import reading, transaction
from plugin.insight import budget as budgets
from plugin.insight import foreseen
from plugin.insight.foreseen import Foreseen
from plugin.models.segments import Segment
from plugin.segments import hints
from plugin.segments.asking.compiler import undated
from plugin.segments.asking.moments import Moment
from plugin.segments.asking.tally import Tally, lines
from plugin.segments.hints import Advice, advice
from plugin.segments.kept import keep
from plugin.segments.kept.allowed import check
from plugin.segments.kept.definition import DEFAULTS, Definition, RefusedError, differences
from plugin.segments.kept.expectations import BrokenTestsError, Tried
from plugin.segments.language import Checked, shopify, vocabulary
from plugin.segments.language.errors import SegmentError, SegmentErrors
from plugin.segments.membership import references
from plugin.web import agreeing, engine, languages
from plugin.web.accounts import who
from plugin.web.counts import SECONDS, SECONDS_OF_FORM, counted
from plugin.web.over_time import day
from plugin.web.queries import shown
from plugin.web.segments import own

bp = Blueprint("editor", __name__)

Page = str | Response | tuple[str, int]

MOST_DIGITS = 9
SAVING = ("save", "despite")  # despite the segment's tests


@dataclass(frozen=True)
class Part:
    """A piece of a query, and whether something is wrong with it."""

    text: str
    wrong: bool


@bp.get("/segments/new")
def new() -> str:
    return form(replace(DEFAULTS, query=request.args.get("query", "")))


@bp.post("/segments/new")
def add() -> Page:
    draft = sent(DEFAULTS)
    if request.form.get("action") not in SAVING:
        return form(mended(draft), look=True)
    try:
        with transaction(engine()) as session:
            adopt = "adopt" in request.form
            segment = keep.add(session, g.shop, by=who(), adopt=adopt, **draft.as_content())
    except (SegmentErrors, RefusedError) as fault:
        return refused(draft, fault)
    flash(gettext("%(name)s is kept, and is being computed.", name=segment.name))
    return redirect(url_for("segments.show", segment_id=segment.segment_id))


@bp.get("/segments/<segment_id>/edit")
def edit(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
    return form(replace(Definition.of(segment), query=shown(segment.query)), segment)


@bp.post("/segments/<segment_id>/edit")
def change(segment_id: str) -> Page:
    with reading(engine()) as session:
        segment = own(session, segment_id)
    draft = sent(Definition.of(segment))
    since = request.form.get("version", type=int)
    if request.form.get("action") not in SAVING:
        return form(mended(draft), segment, look=True, since=since)
    agreed = agreeing.agreed(draft.query, draft.tag)
    if not agreed and ahead(draft, segment):
        return form(draft, segment, look=True, since=since, asked=True)
    try:
        with transaction(engine()) as session:
            own(session, segment_id)
            despite = request.form.get("action") == "despite"
            content = draft.as_content()
            how: dict[str, Any] = {"despite_tests": despite, "agreed": agreed, "adopt": "adopt" in request.form}
            keep.edit(session, g.shop, segment_id, by=who(), since=since, **(how | content))
    except keep.ConflictError as fault:
        return form(draft, segment, theirs=replace(fault.kept, query=shown(fault.kept.query))), 409
    except (SegmentErrors, RefusedError) as fault:
        return refused(draft, fault, segment, since)
    flash(gettext("Your changes are kept."))
    return redirect(url_for("segments.show", segment_id=segment_id))


def sent(before: Definition) -> Definition:
    """Return what stands in the form; what it does not ask for stays as it was."""
    given = request.form
    texts = {name: given.get(name, "").replace("\r\n", "\n") or None for name in ("objective", "offer", "say")}
    lines = {name: given.get(name, "").strip() or None for name in ("owner", "owner_email")}
    every = given.get("review_count", "").strip()
    return Definition(
        name=given.get("name", ""),
        query=given.get("query", "").replace("\r\n", "\n"),  # as forms write line breaks
        tag=given.get("tag", "").strip() or before.tag,
        rewards="rewards" in given,
        enabled=before.enabled,
        review=f"{every}{given.get('review_unit', 'm')}" if every else None,
        **texts,
        **lines,
    )


@bp.route("/segments/check", methods=("GET", "POST"))
def check_query() -> dict[str, Any]:
    """Say of a query what is wrong and where; how many meet it, if `count` is asked for, and by its `clauses`; `on` a
    day, or now.

    None instead of counts: they were not asked for, others are being counted, or there is but one clause. Counts that
    have a `rest` are of some customers: another question, `after` that one, brings what is to be added to them.
    """
    query, after = request.values.get("query", ""), request.values.get("after", "")
    checked = say(query, request.values.get("segment"), for_rewards="rewards" in request.values)
    by_clause, on = "clauses" in request.values, asked_day()
    found = None
    if checked.ok and (by_clause or "count" in request.values):
        found = counted(checked, on, after, by_clause=by_clause, seconds=SECONDS)
    return {
        "ok": checked.ok,
        "canonical": checked.canonical,
        "errors": [described(error) for error in checked.errors],
        "shopify": shopify.described(shopify.export(checked.tree)) if checked.tree else None,
        "hints": hints.described(hinted(checked, request.values.get("segment"), whole="count" in request.values)),
        "count": found.count if found and "count" in request.values else None,
        "clauses": described_parts(found.tally) if found else None,
        "rest": asdict(found.rest) if found and found.rest else None,
        "then": told_of(checked, on),
    }


def asked_day() -> date | None:
    """Return the day gone by as of which is to be counted; None: now."""
    return day(request.values.get("on", ""), dates.today(clock.now(), g.shop.zone))


def told_of(checked: Checked, on: date | None) -> dict[str, Any] | None:
    """Return what a page says of a day that is asked about; `as_today` where a query asks what has no date."""
    if on is None:
        return None
    as_today = checked.tree is not None and undated(checked.tree)
    return {"day": languages.day(on), "as_today": as_today}


def described(error: SegmentError) -> dict[str, Any]:
    place = {"start": error.start, "end": error.end}
    return {"code": error.code, "message": error.message, "suggestion": error.suggestion, **place}


def hinted(checked: Checked, segment_id: str | None, *, whole: bool) -> list[Advice]:
    """Return the hints for a query: by itself while it is being typed, `whole` also beside what the shop has."""
    if checked.tree is None:
        return []
    if not whole:
        return hints.of_tree(checked.tree, Moment(clock.now(), g.shop.zone))
    with reading(engine()) as session:
        return advice.in_shop(session, g.shop, checked.tree, clock.now(), segment_id or None)


def described_parts(found: Tally | None) -> list[dict[str, Any]] | None:
    return [asdict(line) for line in lines(found.whole)] if found else None


def mended(draft: Definition) -> Definition:
    """Return the draft with the suggestion put in whose button was pressed: "start:end:text"."""
    start, _, rest = request.form.get("apply", "").partition(":")
    end, _, text = rest.partition(":")
    if not all(place.isdecimal() and len(place) <= MOST_DIGITS for place in (start, end)):
        return draft
    return replace(draft, query=draft.query[: int(start)] + text + draft.query[int(end) :])


def ahead(draft: Definition, segment: Segment) -> list[Foreseen]:
    """Return what a changed query or tag would write where tags are live; nothing where it cannot be kept."""
    changes: dict[str, Any] = {"tag": draft.tag} if draft.tag != segment.tag else {}
    changes |= {"query": draft.query} if draft.query.strip() != shown(segment.query).strip() else {}
    if not segment.enabled or not changes:
        return []
    try:
        return agreeing.writing(foreseen.edit(engine(), g.shop, segment, adopt="adopt" in request.form, **changes))
    except (SegmentErrors, RefusedError):
        return []


@bp.get("/segments/budget")
def budget() -> dict[str, list[str]]:
    """Say what a release to so many customers would cost on each connection at most."""
    with reading(engine()) as session:
        return {"lines": told_costs(budgets.costs(session, g.shop.shop_id, request.args.get("count", 0, type=int)))}


def told_costs(found: Sequence[budgets.Cost]) -> list[str]:
    return [told_cost(one) for one in found]


def told_cost(found: budgets.Cost) -> str:
    told = gettext(
        "%(where)s: at most %(contacts)s contacts. Look-ups: %(lookups)s. Calls: %(calls)s.",
        where=found.label,
        contacts=languages.number(found.contacts),
        lookups=languages.or_more(found.lookups, more=found.more),
        calls=languages.number(found.calls),
    )
    if found.seconds < 1:
        return f"{told} {gettext('Its limits make nothing wait.')}"
    return f"{told} {gettext('At its limits that takes %(time)s or more.', time=languages.duration(found.seconds))}"


def refused(
    draft: Definition, fault: SegmentErrors | RefusedError, segment: Segment | None = None, since: int | None = None
) -> Page:
    refusal = None if isinstance(fault, SegmentErrors) else str(fault)
    broken = fault.broken if isinstance(fault, BrokenTestsError) else []
    in_use = isinstance(fault, keep.TagInUseError)
    return form(draft, segment, look=True, refusal=refusal, since=since, broken=broken, in_use=in_use), 422


def say(query: str, segment_id: str | None = None, *, for_rewards: bool) -> Checked:
    """Say of a text whether this shop may keep it, or have it as the query of this segment."""
    with reading(engine()) as session:
        words = vocabulary.of(session, g.shop)
        known = references.library(session, g.shop, words)
    return check(query, g.shop, words, known, segment_id, for_rewards=for_rewards)


def form(
    draft: Definition,
    segment: Segment | None = None,
    *,
    look: bool = False,
    refusal: str | None = None,
    since: int | None = None,
    theirs: Definition | None = None,
    broken: Sequence[Tried] = (),
    asked: bool = False,
    in_use: bool = False,
) -> str:
    """Return the form; with `look` also what can be said of the query.

    `since` is the version that was looked at when the form was first shown. `theirs`: somebody else was quicker.
    `asked`: it was to be saved, and what that would write is to be seen before. `in_use`: others use the tag.
    """
    own_id = segment.segment_id if segment else None
    checked = say(draft.query, own_id, for_rewards=draft.rewards) if look else None
    errors = checked.errors if checked else ()
    on = asked_day() if look else None
    found = counted(checked, on, by_clause=True, seconds=SECONDS_OF_FORM) if checked and checked.ok else None
    costs: list[str] = []
    if found and not found.rest and on is None:
        with reading(engine()) as session:
            costs = told_costs(budgets.costs(session, g.shop.shop_id, found.count))
    return render_template(
        "editor/form.html",
        draft=draft,
        segment=segment,
        version=since or (segment and segment.version),
        conflict=differences(theirs, draft) if theirs else None,
        checked=checked,
        parts=parts(draft.query, errors),
        hints=hinted(checked, segment.segment_id if segment else None, whole=True) if checked else (),
        exported=shopify.export(checked.tree) if checked and checked.tree else None,
        counted=found,
        clauses=list(lines(found.tally.whole)) if found and found.tally else (),
        on=on,
        then=told_of(checked, on) if checked else None,
        today=dates.today(clock.now(), g.shop.zone),
        refusal=refusal,
        broken=broken,
        terms=agreeing.terms(draft.query, draft.tag),
        ahead=ahead(draft, segment) if segment and checked and checked.ok else (),
        asked=asked,
        in_use=in_use,
        costs=costs,
        prefix=g.shop.tag_prefix,
    )


def parts(query: str, errors: Sequence[SegmentError]) -> list[Part]:
    """Cut a query into what is right and what is wrong. What is missing at the end shows as a space."""
    result: list[Part] = []
    at = 0
    for error in errors:
        start, end = max(at, error.start), max(error.end, error.start + 1)
        if start >= end:
            continue
        result += [Part(query[at:start], False), Part(query[start:end] or " ", True)]
        at = end
    return [part for part in (*result, Part(query[at:], False)) if part.text]
