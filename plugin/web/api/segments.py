"""Segments for tools that pull: which there are, who is in one, and who has entered and left since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import g
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlalchemy import select
from sqlmodel import Session, col

from plugin.db import reading
from plugin.events.shapes import Strict
from plugin.insight import membership, overview
from plugin.insight.overview import State
from plugin.models.segments import Segment
from plugin.segments.membership import feed, runs
from plugin.web import engine
from plugin.web.api import places
from plugin.web.api.access import note_use
from plugin.web.api.operations import Operation, asked, told
from plugin.web.api.problems import ProblemError

MOST = 1000

Limit = Annotated[int, Field(ge=1, le=MOST, description="How many at most.")]
Where = Annotated[str, Field(min_length=1, max_length=places.LONGEST)]


class SegmentsQuery(Strict):
    limit: Limit = 100
    page: Annotated[Where | None, Field(description="The `next` of the page before.")] = None


class OneSegment(Strict):
    id: str
    name: str
    query: str
    tag: str
    size: Annotated[int, Field(ge=0, description="How many members there are now.")]
    state: Annotated[State, Field(description="Members of what is off or failing stay as they are.")]
    evaluated_at: Annotated[datetime | None, Field(description="Up to when the passing of time is taken into account.")]


class Segments(Strict):
    segments: list[OneSegment]
    next: Annotated[str | None, Field(description="Where the next page begins; null on the last.")]
    computed_at: Annotated[datetime | None, Field(description="When members were last brought up to date.")]
    waiting: Annotated[int, Field(ge=0, description="Customers who have changed since and are looked at soon.")]


class MembersQuery(Strict):
    limit: Limit = 500
    page: Annotated[Where | None, Field(description="The `next` of the page before.")] = None
    since: Annotated[Where | None, Field(description="The `since` of an answer: what has changed from there on.")] = (
        None
    )


class Member(Strict):
    customer_id: str
    entered_at: datetime


class Members(Strict):
    """Members by their ids. The last page names the place from which on their changes follow."""

    members: list[Member]
    next: Annotated[str | None, Field(description="Where the next page begins; null on the last.")]
    since: Annotated[str | None, Field(description="From where to ask for changes; null before the last page.")]


class Change(Strict):
    customer_id: str
    change: Literal["entered", "left"]
    at: datetime
    cause: Annotated[str, Field(description="What brought it about: `order`, `time`, `edited`, `merged`, …")]


class Changes(Strict):
    """Who has entered and left, in the order in which it came about."""

    changes: list[Change]
    since: Annotated[str, Field(description="From where to ask for changes next time.")]
    more: Annotated[bool, Field(description="Whether there are more of them already.")]


def listing() -> ResponseReturnValue:
    given = asked(SegmentsQuery)
    after = str(places.read(given.page, "segments", "", str)[0]) if given.page else ""
    with reading(engine()) as session:
        shop_id = g.key.shop_id
        found = select(Segment).where(col(Segment.shop_id) == shop_id, col(Segment.segment_id) > after)
        rows = session.scalars(found.order_by(col(Segment.segment_id)).limit(given.limit + 1)).all()
        page = rows[: given.limit]
        fresh = overview.freshness(session, shop_id)
        answer = Segments(
            segments=described(session, shop_id, page),
            next=places.written("segments", "", page[-1].segment_id) if len(rows) > len(page) else None,
            computed_at=fresh.computed_at,
            waiting=fresh.waiting,
        )
    note_use()
    return told(answer)


def described(session: Session, shop_id: str, segments: Sequence[Segment]) -> list[OneSegment]:
    sizes, ways = overview.sizes_of(session, shop_id, segments), overview.ways_of(session, shop_id)
    return [
        OneSegment(
            id=one.segment_id,
            name=one.name,
            query=one.query,
            tag=one.tag,
            size=sizes.get(one.segment_id, 0),
            state=overview.state(one, ways.get(one.segment_id, ())),
            evaluated_at=one.evaluated_at,
        )
        for one in segments
    ]


def members(segment_id: str) -> ResponseReturnValue:
    given = asked(MembersQuery)
    if given.page and given.since:
        raise ProblemError(400, "bad-query", "page goes on with members, since with changes: send one of them.")
    with reading(engine()) as session:
        if session.get(Segment, (g.key.shop_id, segment_id)) is None:
            raise ProblemError(404, "not-found", "The shop has no segment of this id.")
        answer: Members | Changes
        if given.since:
            answer = changes_since(session, segment_id, given.since, given.limit)
        else:
            answer = members_now(session, segment_id, given.page, given.limit)
    note_use()
    return told(answer)


def members_now(session: Session, segment_id: str, page: str | None, limit: int) -> Members:
    """Return a page of members. What changes from the first page on follows from the place that the last one names."""
    run: Any
    after: Any
    if page:
        run, after = places.read(page, "members", segment_id, int, str)
    else:
        run, after = runs.latest(session, g.key.shop_id), ""
    found = membership.members(session, g.key.shop_id, segment_id, after, limit)
    here = [Member(customer_id=one.customer_id, entered_at=one.entered_at) for one in found.rows]
    if found.more:
        following = places.written("members", segment_id, run, here[-1].customer_id)
        return Members(members=here, next=following, since=None)
    return Members(members=here, next=None, since=as_text(segment_id, feed.Place(run)))


def changes_since(session: Session, segment_id: str, since: str, limit: int) -> Changes:
    given: Any = places.read(since, "changes", segment_id, int, int, str)
    try:
        found = feed.since(session, g.key.shop_id, segment_id, feed.Place(*given), limit)
    except feed.GoneError:
        detail = "Not all changes since then are kept any more: read the members anew, and go on from there."
        raise ProblemError(410, "gone", detail) from None
    moved = [
        Change(customer_id=one.customer_id, change="entered" if one.entered else "left", at=one.at, cause=one.cause)
        for one in found.changes
    ]
    return Changes(changes=moved, since=as_text(segment_id, found.place), more=found.more)


def as_text(segment_id: str, place: feed.Place) -> str:
    return places.written("changes", segment_id, place.run, place.part, place.customer_id)


OPERATIONS = (
    Operation(
        "listSegments", "get", "/segments", "segments:read", "Segments", listing, (Segments,), query=SegmentsQuery
    ),
    Operation(
        "listMembers",
        "get",
        "/segments/<segment_id>/members",
        "segments:read",
        "Members of a segment, or who has entered and left since a place",
        members,
        (Members, Changes),
        query=MembersQuery,
        problems=((404, "not-found"), (410, "gone")),
    ),
)
