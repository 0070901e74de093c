"""Segments as a file, their tests and their snapshots, on the pages."""

import io
import re
from html import unescape

import pytest

from plugin.models.keeping import SegmentTest, Snapshot
from plugin.models.segments import Segment
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}"


def upload(visitor, text, **more):
    file = (io.BytesIO(text.encode()), "segments.yaml")
    return visitor.post("/segments/file", file=file, **more)


def confirmed(visitor, answer, **more):
    """Press the button of a preview, as a browser sends it."""
    text = re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', answer.text, re.DOTALL)[1]
    seen = re.search(r'name="seen" value="(\w+)"', answer.text)[1]
    return visitor.post("/segments/file", action="do", text=unescape(text), seen=seen, **more)


def test_the_file_is_given_out_and_taken_in_after_a_look(site, visitor, mine):
    text = visitor.get("/segments/file/segments.yaml").text
    assert "name: mine regulars" in text
    assert "Look at it" in visitor.page("/segments/file")
    changed = text.replace("mine friends", "mine <friends>") + "  - name: Often\n    query: number_of_orders >= 3\n"
    answer = upload(visitor, changed)
    assert "Added Often Changed: mine regulars" in shown(answer.text)
    assert "mine &lt;friends&gt;" in answer.text
    assert [one.name for one in site.rows(Segment)] == ["mine regulars"]
    assert "The file is taken in." in visitor.said(confirmed(visitor, answer))
    assert {one.name: one.query for one in site.rows(Segment)} == {
        "mine regulars": "customer_tags CONTAINS 'mine <friends>'",
        "Often": "number_of_orders >= 3",
    }
    late = confirmed(visitor, answer)
    assert (late.status_code, "Somebody has edited segments since" in late.text) == (422, True)
    pruned = upload(visitor, text, prune="yes")
    assert "Removed, and their tags taken off Often" in shown(pruned.text)
    confirmed(visitor, pruned, prune="yes")
    assert [one.name for one in site.rows(Segment)] == ["mine regulars"]


@pytest.mark.parametrize("text", ["", "format: 1\nsegments: [", "format: 1\nsegments: [{name: a}]"])
def test_a_file_that_cannot_be_read_is_explained(site, visitor, text):
    answer = upload(visitor, text)
    assert "notice bad" in answer.text
    assert "Take it in" not in answer.text
    assert visitor.post("/segments/file", file=(io.BytesIO(b"\xff\xfe"), "x")).status_code == 422


def test_an_edit_that_breaks_a_test_is_kept_once_it_is_meant(site, visitor, mine, path):
    visitor.post(f"{path}/edit", action="save", name="mine regulars", query="number_of_orders = 0")
    assert visitor.post(f"{path}/tests", customer=" Anna@mine.example.com ", inside="yes").status_code == 302
    assert "no customer of this id" in visitor.post(f"{path}/tests", customer="anna@theirs.example.com").text
    assert "anna@mine.example.com in in passes Delete" in shown(visitor.page(f"{path}/tests"))
    assert "Tests 1 all pass" in shown(visitor.page(f"{path}/settings"))
    edit = {"name": "mine regulars", "query": "number_of_orders > 0", "version": "2"}
    answer = visitor.post(f"{path}/edit", action="save", **edit)
    assert answer.status_code == 422
    assert "anna@mine.example.com in out fails" in shown(answer.text)
    assert visitor.post(f"{path}/edit", action="despite", **edit).status_code == 302
    assert [one.query for one in site.rows(Segment)] == ["number_of_orders > 0"]
    assert "Tests 1 1 fails" in shown(visitor.page(f"{path}/settings"))
    refused = visitor.post(f"{path}/restore", version="1", since="3")
    assert "anna@mine.example.com in out fails" in shown(refused.text)
    assert "Restore it all the same" in refused.text
    assert visitor.post(f"{path}/restore", version="1", since="3", despite="yes").status_code == 302
    visitor.post(f"{path}/tests/drop", customer="1")
    assert site.rows(SegmentTest) == []


def test_a_snapshot_is_taken_given_out_and_deleted(site, visitor, mine, path):
    text = shown(visitor.said(visitor.post(f"{path}/snapshots", name="Spring")))
    assert "2 members are frozen." in text
    assert "Spring 22 Nov 2026, 12:00 the first owner 1 customer_tags CONTAINS" in text
    [copy] = [one for one in site.rows(Snapshot) if one.name == "Spring"]
    answer = visitor.get(f"/snapshots/{copy.snapshot_id}/members.csv")
    assert (answer.mimetype, answer.text.splitlines()[1]) == ("text/csv", "1,anna@mine.example.com,,")
    assert "needs a name" in visitor.said(visitor.post(f"{path}/snapshots", name=" "))
    assert "not its name" in visitor.said(visitor.post(f"/snapshots/{copy.snapshot_id}/delete", name=""))
    visitor.post(f"/snapshots/{copy.snapshot_id}/delete", name="spring")
    assert [one.name for one in site.rows(Snapshot)] == ["mine campaign"]
