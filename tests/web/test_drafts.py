"""The five proposed segments: drafts that stay until they are accepted or discarded, and can be had again."""

import re

import pytest

from plugin.__main__ import main
from plugin.config import settings
from plugin.models.segments import Segment
from plugin.segments.kept.templates import PROPOSED
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def drafts(visitor):
    page = visitor.page("/segments/proposed")
    return re.findall(r'aria-labelledby="(\w+)">\s*<div class="head"><h2 id="\1"', page)


def test_five_wait_beside_what_is_there_and_are_decided_one_by_one(site, visitor, mine, theirs):
    assert "5 drafts wait for you" in shown(visitor.page("/segments"))
    assert drafts(visitor) == list(PROPOSED)
    assert len(site.rows(Segment)) == 2  # a draft is no segment yet
    text = shown(visitor.said(visitor.post("/segments/proposed", template="vip", action="accept")))
    assert "1 segment is kept, in rehearsal" in text
    visitor.post("/segments/proposed", template="regulars", action="discard")
    assert drafts(visitor) == ["first_time", "at_risk", "cart_abandoners"]
    assert {one.name for one in site.rows(Segment) if one.shop_id == mine.shop_id} == {"mine regulars", "VIP"}
    visitor.post("/segments/proposed", template="regulars", action="again")
    assert drafts(visitor) == ["first_time", "regulars", "at_risk", "cart_abandoners"]
    assert visitor.post("/segments/proposed", template="vip", action="burn").status_code == 400
    assert visitor.post("/segments/proposed", template="win_back", action="accept").status_code == 400
    assert len(drafts(site.visitor(theirs))) == 5


def test_all_at_once_and_the_page_stays_within_reach(site, visitor, mine):
    keys = drafts(visitor)
    visitor.post("/segments/proposed", template=keys, action="accept")
    assert len(site.rows(Segment)) == 6
    assert drafts(visitor) == []
    for page in ("/segments", "/segments/templates"):
        assert 'href="/segments/proposed"' in visitor.page(page)
    [vip] = [one for one in site.rows(Segment) if one.name == "VIP"]
    assert f'href="/segments/{vip.segment_id}">There is a segment of this name.' in visitor.page("/segments/templates")
    visitor.post(f"/segments/{vip.segment_id}/remove", name="vip")
    assert drafts(visitor) == []  # whoever deletes what they accepted is not asked again
    assert 'value="vip" checked' in visitor.page("/segments/proposed")


def test_the_commands_list_and_discard(site, mine, database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    shop = ["--shop", "mine shop"]
    assert main(["segments", "discard", "vip", *shop]) == 0
    assert main(["segments", "proposed", *shop]) == 0
    assert "discarded\tvip\tVIP\n" in capsys.readouterr().out
    assert main(["segments", "discard", "vip", "--undo", *shop]) == 0
    assert main(["segments", "proposed", *shop]) == 0
    assert "draft\tvip\tVIP\n" in capsys.readouterr().out
