"""Templates on the site: looked at, added as segments, their thresholds learned anew or frozen."""

import re

from plugin.models.keeping import SegmentOrigin
from plugin.models.segments import Segment
from tests.web.test_segments import shown


def test_each_template_tells_its_query_where_it_comes_from_and_what_to_do(visitor):
    text = shown(visitor.page("/segments/templates"))
    assert "VIP to begin with The tenth of the buyers who spend most" in text
    assert "amount_spent &gt;= 500" in visitor.page("/segments/templates")
    assert "too few orders yet to learn from" in text
    assert "A named contact" in text
    assert "Nothing tells the type of which most units are sold yet." in text


def test_a_template_is_added_in_rehearsal_with_what_it_is_for(site, visitor, mine):
    visitor.post("/segments/templates", template="vip")
    [segment] = [one for one in site.rows(Segment) if one.name == "VIP"]
    assert segment.query == "amount_spent >= 500"
    assert segment.objective.startswith("The tenth of the buyers")
    page = shown(visitor.page(f"/segments/{segment.segment_id}/settings"))
    assert "Where its thresholds come from" in page
    visitor.post(f"/segments/{segment.segment_id}/thresholds", action="freeze")
    assert [one.frozen for one in site.rows(SegmentOrigin)] == [True]
    assert "Frozen: they stay as they are." in shown(visitor.page(f"/segments/{segment.segment_id}/settings"))


def test_what_is_there_already_is_not_added_twice(site, visitor):
    visitor.post("/segments/templates", template="vip")
    visitor.post("/segments/templates", template="vip")
    assert len([one for one in site.rows(Segment) if one.name == "VIP"]) == 1
    assert re.search("VIP was not added. There is a segment called VIP already", shown(visitor.page("/segments")))


def test_an_unknown_template_is_refused(visitor):
    assert visitor.post("/segments/templates", template="none").status_code == 400
