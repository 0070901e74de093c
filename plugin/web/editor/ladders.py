"""Ladders: the list of them, the form that makes and changes one, and what it comes to when one is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight import foreseen, overview
from plugin.insight.foreseen import Foreseen
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.structures import Ladder
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import ladders
from plugin.segments.membership.ladders import MOST_DAYS, MOST_LEVELS, Plan
from plugin.segments.membership.levels import levels_of
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.editor.verdict import say
from plugin.web.page import agreeing, named
from plugin.web.segments.counts import at_a_glance

bp = Blueprint("ladders", __name__)

Page = str | Response | tuple[str, int]

FIRST_RUNGS = 3
MOST_DIGITS = 9  # Python reads no number of thousands of them


@dataclass(frozen=True)
class Rung:
    """One level in the form. `tag` is that of the segment `shown`: of another, it says nothing."""

    segment_id: str = ""
    tag: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Draft:
    """A ladder as it stands in the form: the lowest level first, days as they were typed.

    `since`: when it had last been changed as it was looked at.
    """

    name: str = ""
    rungs: tuple[Rung, ...] = (Rung(),) * FIRST_RUNGS
    grace: str = ""
    stay: str = ""
    since: str = ""

    def plan(self) -> Plan:
        """Return what is wanted, without the rungs that name nothing. RefusedError: a number of days is none."""
        chosen = tuple(one.segment_id for one in self.rungs if one.segment_id)
        return Plan(self.name, chosen, days(self.grace), days(self.stay))

    def lifted(self, place: int) -> Draft:
        """Return it with the rung at a place one level higher."""
        rungs = list(self.rungs)
        if 0 <= place < len(rungs) - 1:
            rungs[place], rungs[place + 1] = rungs[place + 1], rungs[place]
        return replace(self, rungs=tuple(rungs))


def days(typed: str) -> int:
    if typed and not (typed.isdecimal() and len(typed) <= MOST_DIGITS):
        raise RefusedError(f"Grace and stay are 0 to {MOST_DAYS} days.")
    return int(typed or 0)


@bp.get("/ladders")
def listing() -> str:
    with reading(engine()) as session:
        found = ladders.all_of(session, g.shop.shop_id)
        on_any = [segment for _, levels in found for segment in levels]
        glances = {one.segment.segment_id: one for one in overview.glances(session, g.shop, on_any)}
    return render_template("ladders/list.html", ladders=found, glances=glances)


@bp.get("/ladders/new")
def new() -> str:
    return form(Draft())


@bp.post("/ladders/new")
def add() -> Page:
    draft = sent()
    if request.form.get("action") != "save":
        return form(moved(draft))
    try:
        if ahead := unseen(draft):
            return form(draft, ahead=ahead)
        with transaction(engine()) as session:
            made = save(session, g.shop, draft, agreed=True)
    except (RefusedError, SegmentErrors) as fault:
        return form(draft, refusal=str(fault)), 422
    flash(gettext("%(name)s is kept, and everybody's place on it is being worked out.", name=made.name))
    return redirect(url_for("ladders.listing"))


@bp.get("/ladders/<ladder_id>")
def edit(ladder_id: str) -> str:
    with reading(engine()) as session:
        ladder = own(session, ladder_id)
        levels = levels_of(session, g.shop.shop_id, ladder_id)
    rungs = tuple(Rung(one.segment_id, one.tag, one.segment_id) for one in levels)
    patience = (str(ladder.grace_days), str(ladder.stay_days))
    return form(Draft(ladder.name, rungs, *patience, since=ladder.updated_at.isoformat()), ladder)


@bp.post("/ladders/<ladder_id>")
def change(ladder_id: str) -> Page:
    with reading(engine()) as session:
        ladder = own(session, ladder_id)
    draft = sent()
    if request.form.get("action") != "save":
        return form(moved(draft), ladder)
    try:
        if ahead := unseen(draft, ladder):
            return form(draft, ladder, ahead=ahead)
        with transaction(engine()) as session:
            if own(session, ladder_id).updated_at.isoformat() != draft.since:
                raise RefusedError(gettext("Somebody else has changed this ladder since you opened it. Open it again."))
            save(session, g.shop, draft, ladder, agreed=True)
    except (RefusedError, SegmentErrors) as fault:
        return form(draft, ladder, refusal=str(fault)), 422
    flash(gettext("Your changes are kept."))
    return redirect(url_for("ladders.listing"))


@bp.get("/ladders/<ladder_id>/remove")
def ask(ladder_id: str, fault: str | None = None) -> str:
    """Say how many are in each level, and how many meet its query once it is by itself."""
    with reading(engine()) as session:
        ladder = own(session, ladder_id)
        levels = levels_of(session, g.shop.shop_id, ladder_id)
        sizes = overview.sizes_of(session, g.shop.shop_id, levels)
    asked = {one.segment_id: say(one.query, one.segment_id, for_rewards=False) for one in levels if one.enabled}
    alone = {segment_id: at_a_glance(checked) for segment_id, checked in asked.items()}
    change = partial(ladders.remove, ladder_id=ladder_id)
    ahead = agreeing.writing(foreseen.standing(engine(), g.shop, change, [one.segment_id for one in levels]))
    shown = {"ladder": ladder, "levels": levels, "sizes": sizes, "alone": alone, "ahead": ahead, "fault": fault}
    return render_template("ladders/remove.html", **shown)


@bp.post("/ladders/<ladder_id>/remove")
def remove(ladder_id: str) -> Page:
    """Remove the ladder whose name was typed."""
    with transaction(engine()) as session:
        name = own(session, ladder_id).name
        if meant := named.typed(name):
            ladders.remove(session, g.shop, ladder_id, agreed="agreed" in request.form)
    if not meant:
        return ask(ladder_id, named.wrong()), 422
    flash(gettext("%(name)s is removed: its segments are by themselves again.", name=name))
    return redirect(url_for("ladders.listing"))


def sent() -> Draft:
    """Return what stands in the form."""
    columns = [request.form.getlist(name)[:MOST_LEVELS] for name in ("level", "tag", "shown")]
    if len({len(one) for one in columns}) > 1:
        abort(400)
    rungs = tuple(Rung(segment_id, tag.strip(), shown) for segment_id, tag, shown in zip(*columns, strict=True))
    grace, stay = (request.form.get(name, "").strip() for name in ("grace", "stay"))
    return Draft(request.form.get("name", ""), rungs, grace, stay, request.form.get("since", ""))


def moved(draft: Draft) -> Draft:
    """Return the draft with what another button than that for keeping it asks for."""
    what, _, place = request.form.get("action", "").partition(":")
    if what == "higher" and place.isdecimal() and len(place) <= MOST_DIGITS:
        return draft.lifted(int(place))
    return replace(draft, rungs=(*draft.rungs, Rung())[:MOST_LEVELS])


def save(session: Session, shop: Shop, draft: Draft, ladder: Ladder | None = None, *, agreed: bool = False) -> Ladder:
    """Keep a draft, and give levels the tags that were typed for them: the old ones are taken off."""
    wanted = draft.plan()
    if ladder is None:
        kept = ladders.add(session, shop, wanted, agreed=agreed)
    else:
        kept = ladders.edit(session, shop, ladder.ladder_id, wanted, agreed=agreed)
    for one in draft.rungs:
        if one.tag and one.segment_id and one.segment_id == one.shown:
            keep.edit(session, shop, one.segment_id, by=who(), tag=one.tag)
    return kept


def unseen(draft: Draft, ladder: Ladder | None = None) -> list[Foreseen]:
    """Return what keeping a draft would write, unless that was seen and agreed to. As `save`, it may be refused."""
    if agreeing.agreed(draft.plan(), draft.rungs):
        return []
    change = partial(save, draft=draft, ladder=ladder)
    levels = {*draft.plan().levels, *(levels_on(ladder) if ladder else ())}
    return agreeing.writing(foreseen.standing(engine(), g.shop, change, levels))


def levels_on(ladder: Ladder) -> list[str]:
    with reading(engine()) as session:
        return [one.segment_id for one in levels_of(session, g.shop.shop_id, ladder.ladder_id)]


def form(
    draft: Draft, ladder: Ladder | None = None, *, refusal: str | None = None, ahead: Sequence[Foreseen] = ()
) -> str:
    with reading(engine()) as session:
        free = choices(session, ladder)
    seen = replace(draft, rungs=tuple(tagged(one, free) for one in draft.rungs))
    return render_template(
        "ladders/form.html",
        draft=seen,
        ladder=ladder,
        ahead=ahead,
        terms=agreeing.terms(seen.plan(), seen.rungs) if ahead else None,
        segments=free,
        refusal=refusal,
        most=MOST_LEVELS,
        longest=MOST_DAYS,
    )


def tagged(rung: Rung, segments: Sequence[Segment]) -> Rung:
    """Return a rung with the tag of its segment, unless another was typed for it."""
    tags = {one.segment_id: one.tag for one in segments}
    if rung.segment_id not in tags:
        return Rung()
    return rung if rung.segment_id == rung.shown else Rung(rung.segment_id, tags[rung.segment_id], rung.segment_id)


def choices(session: Session, ladder: Ladder | None) -> Sequence[Segment]:
    """Return the segments that are on no other ladder."""
    found = ladders.all_of(session, g.shop.shop_id)
    others = [levels for one, levels in found if not ladder or one.ladder_id != ladder.ladder_id]
    taken = {segment.segment_id for levels in others for segment in levels}
    return [one for one in keep.all_of(session, g.shop.shop_id) if one.segment_id not in taken]


def own(session: Session, ladder_id: str) -> Ladder:
    """Return the visitor's ladder of this id; 404 for anybody else's."""
    return ladders.get(session, g.shop.shop_id, ladder_id) or abort(404)
