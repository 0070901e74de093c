"""Every edit of a segment, and the button that makes it again what it was."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight import foreseen
from plugin.insight.foreseen import Foreseen
from plugin.segments.kept import keep, versions
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.expectations import BrokenTestsError, Tried
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import agreeing
from plugin.web.segments.overview import near, own

bp = Blueprint("edits", __name__)


PAGE = 20
Page = str | Response | tuple[str, int]


@bp.get("/segments/<segment_id>/edits")
def listing(segment_id: str) -> str:
    return edits_of(segment_id)


def edits_of(
    segment_id: str, wanted: int | None = None, broken: Sequence[Tried] = (), ahead: Sequence[Foreseen] = ()
) -> str:
    """Return the list; if the version that is `wanted` were restored, tests would be `broken`, and `ahead` written."""
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        found = versions.edits(session, g.shop.shop_id, segment_id)
    behind = request.args.get("before", 0, type=int)
    found = [one for one in found if one.version < behind] if behind else found
    terms = agreeing.terms(wanted, segment.version)
    asked = {"wanted": wanted, "broken": broken, "ahead": ahead, "terms": terms}
    more = found[PAGE - 1].version if len(found) > PAGE else None
    return render_template(
        "edits/list.html", segment=segment, glance=glance, edits_of_it=found[:PAGE], more=more, **asked
    )


@bp.post("/segments/<segment_id>/restore")
def restore(segment_id: str) -> Page:
    """Make a segment what it was in one of its versions, unless it was edited since the list was looked at."""
    version, since = request.form.get("version", type=int), request.form.get("since", type=int)
    agreed = agreeing.agreed(version, since)
    try:
        if not agreed and (ahead := writing(segment_id, version)):
            return edits_of(segment_id, version, ahead=ahead)
        with transaction(engine()) as session:
            own(session, segment_id)
            how = {"by": who(), "since": since, "despite_tests": "despite" in request.form, "agreed": agreed}
            keep.restore(session, g.shop, segment_id, version or abort(400), **how)
    except BrokenTestsError as fault:
        return edits_of(segment_id, version, fault.broken), 422
    except (SegmentErrors, RefusedError) as fault:
        flash(told(fault), "bad")
        return redirect(url_for("edits.listing", segment_id=segment_id))
    flash(gettext("It is again what it was in version %(version)d.", version=version))
    return redirect(url_for("segments.show", segment_id=segment_id))


def writing(segment_id: str, version: int | None) -> list[Foreseen]:
    """Return what restoring a version would write. SegmentErrors, RefusedError: it cannot be restored."""
    with reading(engine()) as session:
        segment = own(session, segment_id)
        definition = versions.definition(session, g.shop.shop_id, segment_id, version or abort(400))
    if definition is None:
        return []
    return agreeing.writing(foreseen.edit(engine(), g.shop, segment, **definition.as_content()))
