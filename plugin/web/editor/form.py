"""Writing a segment: the form, and what is said of a query while it is being typed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin import clock, dates
from plugin.db import reading, transaction
from plugin.insight import foreseen
from plugin.insight.backtest import Backtest, backtest
from plugin.insight.foreseen import Foreseen
from plugin.models.segments import Segment
from plugin.segments.kept import keep, learning, thresholds
from plugin.segments.kept.definition import DEFAULTS, Definition, RefusedError, differences
from plugin.segments.kept.expectations import BrokenTestsError, Tried
from plugin.segments.kept.templates import PROPOSED, TEMPLATES, Template
from plugin.segments.language import Checked
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.printing import laid_out
from plugin.segments.language.rows import rows_of, text_of
from plugin.segments.language.tokens import has_comment
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.editor import builder, builder_words, verdict
from plugin.web.page import agreeing
from plugin.web.segments.counts import SECONDS_OF_FORM, in_turn
from plugin.web.segments.over_time import TESTED_DAYS
from plugin.web.segments.overview import own
from plugin.web.segments.queries import shown

bp = Blueprint("editor", __name__)

Page = str | Response | tuple[str, int]

MOST_DIGITS = 9
LONGEST_NAME = 100
BEGIN_WITH = (*PROPOSED, "never_bought", "lapsed", "not_subscribed")  # templates that an empty form offers
SAVING = ("save", "despite")  # despite the segment's tests


@bp.get("/segments/new")
def new() -> str:
    """Show an empty form, or one with the query of the address, or filled in as a template has it."""
    if template := TEMPLATES.get(request.args.get("template", "")):
        return of_template(template)
    return form(replace(DEFAULTS, query=request.args.get("query", "")))


def of_template(template: Template) -> str:
    with reading(engine()) as session:
        learned = thresholds.learn(session, g.shop, template.thresholds)
    try:
        query = learning.written(template, learned)
    except RefusedError as fault:
        return form(replace(DEFAULTS, name=told(template.name)), refusal=str(fault))
    texts: dict[str, Any] = {
        "name": told(template.name),
        "objective": told(template.purpose),
        "offer": "\n".join(map(told, template.actions)),
    }
    return form(replace(DEFAULTS, query=laid(query), **texts), template=template)


@bp.post("/segments/new")
def add() -> Page:
    draft = sent(DEFAULTS)
    if request.form.get("action") not in SAVING:
        return form(mended(draft), look=True)
    try:
        with transaction(engine()) as session:
            adopt = "adopt" in request.form
            segment = keep.add(session, g.shop, by=who(), adopt=adopt, **draft.as_content())
            note_template(session, segment)
    except (SegmentErrors, RefusedError) as fault:
        return refused(draft, fault)
    flash(gettext("%(name)s is kept, and is being computed.", name=segment.name))
    return redirect(url_for("segments.show", segment_id=segment.segment_id))


def note_template(session: Session, segment: Segment) -> None:
    """Note of what a segment was made, if it was left as its template has it: its thresholds are then learned on."""
    template = TEMPLATES.get(request.form.get("template", ""))
    if template is None:
        return
    learned = thresholds.learn(session, g.shop, template.thresholds)
    with suppress(RefusedError):  # nothing tells a threshold any more
        if verdict.say(learning.written(template, learned), for_rewards=False).canonical == shown(segment.query):
            learning.note(session, segment, template, learned)


@bp.get("/segments/<segment_id>/edit")
def edit(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
    return form(replace(Definition.of(segment), query=laid(shown(segment.query))), segment)


def laid(query: str) -> str:
    """Return a query as it is best read: on several lines, where it is long."""
    tree = verdict.say(query, for_rewards=False).tree
    return laid_out(tree) if tree is not None else query


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
    """Say of a query, or of the rows of the builder, what there is to say at one step; and how both are drawn now.

    `builder` is missing where the text cannot be read: what it showed last is then not the segment any more.
    """
    rows = builder.from_form()
    query = text_of(rows) if rows else request.values.get("query", "")
    segment_id = request.values.get("segment") or None
    said = verdict.of_request(query, segment_id)
    tree = said.checked.tree
    if rows and tree is not None:
        query = laid_out(tree)
        said = verdict.of_request(query, segment_id)  # its places are those of the text that is shown
    shown_rows = rows or (rows_of(tree) if tree is not None or not query.strip() else None)
    return {
        "ok": said.checked.ok,
        "query": query,
        "commented": has_comment(query),
        "errors": [verdict.described(error) for error in said.checked.errors],
        "count": said.found.count if said.found.step != verdict.READ else None,
        "next": said.next,
        "verdict": render_template("editor/verdict.html", said=said) if query.strip() else "",
        "builder": builder.drawn(shown_rows) if shown_rows and said.found.step == verdict.READ else None,
        "name": said.words.sentence()[:LONGEST_NAME] if said.words else "",
    }


@bp.post("/segments/backtest")
def tested() -> Page:
    """Say what those who would have met a query some time ago have bought since."""
    query = request.form.get("query", "")
    checked = verdict.say(query, for_rewards=False)
    if not checked.ok:
        return "", 422
    return render_template("editor/backtest.html", tested=backtested(checked), since=tested_since())


def tested_since() -> date:
    return dates.today(clock.now(), g.shop.zone) - timedelta(days=TESTED_DAYS)


def backtested(checked: Checked) -> Backtest | None:
    """Return what a query would have brought since a while ago; None while others are counting."""
    at = dates.day_start(tested_since(), g.shop.zone)
    return in_turn(lambda session: backtest(session, g.shop, checked.canonical or "", at))


@bp.get("/segments/tag")
def tag() -> dict[str, str]:
    """Return the tag that a segment of a name gets if nobody names another."""
    return {"tag": keep.tag_from(g.shop, request.args.get("name", ""))}


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
    checked = verdict.say(draft.query, segment.segment_id, for_rewards=draft.rewards)
    changes |= {"query": draft.query} if checked.canonical != shown(segment.query) else {}
    if not segment.enabled or not changes:
        return []
    try:
        return agreeing.writing(foreseen.edit(engine(), g.shop, segment, adopt="adopt" in request.form, **changes))
    except (SegmentErrors, RefusedError):
        return []


def refused(
    draft: Definition, fault: SegmentErrors | RefusedError, segment: Segment | None = None, since: int | None = None
) -> Page:
    refusal = None if isinstance(fault, SegmentErrors) else str(fault)
    broken = fault.broken if isinstance(fault, BrokenTestsError) else []
    in_use = isinstance(fault, keep.TagInUseError)
    return form(draft, segment, look=True, refusal=refusal, since=since, broken=broken, in_use=in_use), 422


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
    template: Template | None = None,
) -> str:
    """Return the form; with `look` also what can be said of the query.

    `since` is the version that was looked at when the form was first shown. `theirs`: somebody else was quicker.
    `asked`: it was to be saved, and what that would write is to be seen before. `in_use`: others use the tag.
    """
    own_id = segment.segment_id if segment else None
    checked = verdict.say(draft.query, own_id, for_rewards=draft.rewards)
    said = None
    if look:
        said = verdict.at_once(draft.query, checked, verdict.asked_day(), own_id, seconds=SECONDS_OF_FORM)
    tested = backtested(checked) if request.form.get("action") == "backtest" and checked.ok else None
    families, lacking = builder.catalogue()
    return render_template(
        "editor/form.html",
        draft=draft,
        commented=has_comment(draft.query),
        segment=segment,
        version=since or (segment and segment.version),
        conflict=differences(theirs, draft) if theirs else None,
        said=said,
        tested=tested,
        since=tested_since(),
        days=TESTED_DAYS,
        builder=builder.drawn(rows_of(checked.tree)) if checked.ok or not draft.query.strip() else "",
        families=families,
        lacking=lacking,
        called=builder_words.called,
        template=template.key if template else request.form.get("template", ""),
        templates=[TEMPLATES[key] for key in BEGIN_WITH],
        on=said.on if said else None,
        today=dates.today(clock.now(), g.shop.zone),
        refusal=refusal,
        broken=broken,
        terms=agreeing.terms(draft.query, draft.tag),
        ahead=ahead(draft, segment) if segment and look and checked.ok else (),
        asked=asked,
        in_use=in_use,
        prefix=g.shop.tag_prefix,
    )
