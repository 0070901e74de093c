"""The history of a segment's edits on the pages, undoing one, and two who edit at once."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete

from plugin import clock
from plugin.db import table, transaction, upsert
from plugin.models.keeping import SegmentVersion
from plugin.models.segments import Membership, Segment
from plugin.models.tagging import Destination
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}"


FORM = {"action": "save", "name": "mine regulars", "tag": "", "query": "customer_tags CONTAINS 'mine friends'"}
TOLD = {
    "objective": "Keep them\r\nfor long",
    "owner": "Rosa",
    "owner_email": "rosa@example.com",
    "offer": "<b>10 %</b>",
    "say": "Thank you",
    "review_count": "2",
    "review_unit": "w",
}


def test_what_people_should_know_of_a_segment_is_kept_shown_and_edited(site, visitor, path):
    visitor.post(f"{path}/edit", **FORM, **TOLD)
    text = visitor.page(f"{path}/settings")
    for told in ("Keep them\nfor long", "Rosa", "rosa@example.com", "&lt;b&gt;10 %&lt;/b&gt;", "Thank you"):
        assert told in text
    [kept] = site.rows(Segment)
    assert (kept.objective, kept.review, kept.version) == ("Keep them\nfor long", "2w", 2)
    form = visitor.page(f"{path}/edit")
    assert 'value="rosa@example.com"' in form
    assert '<option value="w" selected>' in form
    assert "is not one that mail can be sent to" in visitor.post(f"{path}/edit", **FORM, owner_email="rosa").text


def test_a_review_that_is_due_is_shown_and_can_be_said_to_be_done(site, time, visitor, path):
    visitor.post(f"{path}/edit", **FORM, **TOLD)
    assert "Due on 6 Dec 2026." in shown(visitor.page(f"{path}/settings"))
    assert "to be reviewed" not in visitor.page("/segments")
    time.move(timedelta(days=14))
    assert "mine regulars to be reviewed" in shown(visitor.page("/segments"))
    assert "Review to be reviewed It is looked at again every 2 weeks." in shown(visitor.page(f"{path}/settings"))
    text = shown(visitor.said(visitor.post(f"{path}/review", note="<i>fine</i>")))
    assert "Due on 20 Dec 2026." in text
    assert "the first owner: &lt;i&gt;fine&lt;/i&gt;" in text
    assert "to be reviewed" not in visitor.page("/segments")
    visitor.post(f"{path}/edit", **FORM)
    assert "has no rhythm" in visitor.said(visitor.post(f"{path}/review"))


def test_the_history_of_edits_tells_who_changed_what_and_any_version_can_be_restored(site, visitor, mine, path):
    visitor.post(f"{path}/edit", **FORM | {"name": "mine friends"}, **TOLD)
    text = shown(visitor.page(f"{path}/edits"))
    assert "Version 2 as it is now edited, 22 Nov 2026, 12:00 , the first owner" in text
    assert "Name mine regulars mine friends" in text
    assert "Looked at again never every 2 weeks" in text
    said = visitor.said(visitor.post(f"{path}/restore", version="1", since="2"))
    assert "It is again what it was in version 1." in said
    assert [(one.name, one.objective, one.version) for one in site.rows(Segment)] == [("mine regulars", None, 3)]
    late = shown(visitor.said(visitor.post(f"{path}/restore", version="2", since="2")))
    assert "Somebody else has edited this segment meanwhile." in late
    assert [one.version for one in site.rows(SegmentVersion)] == [1, 2, 3]


def test_two_who_edit_at_once_do_not_overwrite_each_other(site, visitor, mine, path):
    assert '<input type="hidden" name="version" value="1">' in visitor.page(f"{path}/edit")
    visitor.post(f"{path}/edit", **FORM | {"name": "mine, theirs"}, version="1")
    answer = visitor.post(f"{path}/edit", **FORM | {"name": "mine, ours"}, version="1")
    assert answer.status_code == 409
    assert "Name mine, theirs mine, ours" in shown(answer.text)
    assert [one.name for one in site.rows(Segment)] == ["mine, theirs"]
    assert '<input type="hidden" name="version" value="2">' in answer.text
    assert visitor.post(f"{path}/edit", **FORM | {"name": "mine, ours"}, version="2").status_code == 302
    assert [one.name for one in site.rows(Segment)] == ["mine, ours"]


def test_what_restoring_a_version_would_write_is_seen_before(site, visitor, mine, path):
    way = {"shop_id": mine.shop_id, "segment_id": mine.ids["segment_id"], "connection_id": mine.ids["connection_id"]}
    live = {"state": "live", "released_at": clock.now()}
    for query in ("number_of_orders >= 0", "number_of_orders > 5"):
        visitor.post(f"{path}/edit", **FORM | {"query": query})
    with transaction(site.engine) as session:
        upsert(session, table(Destination), [way | live])
        session.execute(delete(table(Membership)))
    page = visitor.post(f"{path}/restore", version="2", since="3").text
    assert "Version 2 would write what is told above." in page
    assert re.search(r'<td[^>]*>mine regulars</td>.*data-label="If they are there">2<', page, re.DOTALL)
    assert site.rows(Segment)[0].version == 3
    agreed = re.search('name="agreed" value="([^"]+)"', page)[1]
    assert "It is again" in visitor.said(visitor.post(f"{path}/restore", version="2", since="3", agreed=agreed))
