"""What people have decided about a segment beside its question, on one page: what it is for, by hand, on and off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight import delivery, foreseen
from plugin.insight.foreseen import Foreseen
from plugin.models.segments import Segment
from plugin.segments.kept import expectations, keep, learning, reviews
from plugin.segments.kept.definition import Definition, RefusedError, differences
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import ladders, pins
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import agreeing
from plugin.web.segments.overview import near, own

bp = Blueprint("segment_settings", __name__)

Page = str | Response | tuple[str, int]

TEXTS, LINES = ("objective", "offer", "say"), ("owner", "owner_email")


@bp.get("/segments/<segment_id>/settings")
def show(segment_id: str) -> str:
    return page(segment_id)


def page(
    segment_id: str,
    draft: Definition | None = None,
    *,
    since: int | None = None,
    ahead: Sequence[Foreseen] = (),
    fault: SegmentErrors | RefusedError | None = None,
) -> str:
    """Return the page; with a `draft` that is not kept yet, and why, or what it would write."""
    shop_id = g.shop.shop_id
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        shown = draft or Definition.of(segment)
        return render_template(
            "segments/settings.html",
            segment=segment,
            glance=glance,
            draft=shown,
            since=since or segment.version,
            ahead=ahead,
            terms=agreeing.terms(shown.tag),
            fault=told(fault) if fault else None,
            in_use=isinstance(fault, keep.TagInUseError),
            due=reviews.due(session, g.shop, [segment]).get(segment_id),
            coming=reviews.next_ones(session, shop_id).get(segment_id),
            reviewed=reviews.past(session, shop_id, segment_id),
            pinned=pins.count(session, g.shop, segment_id),
            tests=expectations.count(session, shop_id, segment_id),
            failing=failing(session, segment),
            standing=ladders.standing(session, shop_id, segment_id),
            origin=learning.origin(session, shop_id, segment_id),
            written=delivery.written(session, shop_id, segment),
        )


def failing(session: Session, segment: Segment) -> int | None:
    """Return how many of a segment's tests fail, None where its question cannot be asked."""
    try:
        return len(expectations.broken(session, g.shop, segment.segment_id, segment.query))
    except SegmentErrors:
        return None


@bp.post("/segments/<segment_id>/settings")
def change(segment_id: str) -> Page:
    """Keep what the form says; another tag only once it was seen what that writes."""
    with reading(engine()) as session:
        segment = own(session, segment_id)
    draft, since = sent(Definition.of(segment)), request.form.get("version", type=int)
    changes = {name: new for name, (_, new) in differences(Definition.of(segment), draft).items()}
    adopt = "adopt" in request.form
    try:
        if "tag" in changes and not agreeing.agreed(draft.tag) and (ahead := writing(segment, changes, adopt=adopt)):
            return page(segment_id, draft, since=since, ahead=ahead)
        with transaction(engine()) as session:
            own(session, segment_id)
            keep.edit(session, g.shop, segment_id, by=who(), since=since, adopt=adopt, **changes)
    except keep.ConflictError as fault:
        return page(segment_id, draft, since=since, fault=fault), 409
    except (SegmentErrors, RefusedError) as fault:
        return page(segment_id, draft, since=since, fault=fault), 422
    flash(gettext("Your changes are kept."))
    return redirect(url_for("segment_settings.show", segment_id=segment_id))


def writing(segment: Segment, changes: dict[str, Any], *, adopt: bool) -> list[Foreseen]:
    return agreeing.writing(foreseen.edit(engine(), g.shop, segment, adopt=adopt, **changes))


def sent(before: Definition) -> Definition:
    """Return what stands in the form; the question is not asked for, and stays as it was."""
    given = request.form
    texts: dict[str, Any] = {name: given.get(name, "").replace("\r\n", "\n") or None for name in TEXTS}
    lines = {name: given.get(name, "").strip() or None for name in LINES}
    every = given.get("review_count", "").strip()
    return replace(
        before,
        name=given.get("called", "").strip() or before.name,
        tag=given.get("tag", "").strip() or before.tag,
        rewards="rewards" in given,
        review=f"{every}{given.get('review_unit', 'm')}" if every else None,
        **(texts | lines),
    )
