"""Templates on the site: looked at, added as segments, their thresholds learned anew or frozen."""

import re

from plugin.models.keeping import SegmentOrigin
from plugin.models.segments import Segment
from tests.web.test_segments import shown


def test_each_template_tells_what_it_is_for_what_it_asks_and_what_to_do(visitor):
    text = shown(visitor.page("/segments/templates"))
    assert "VIP to begin with The tenth of the buyers who spend most" in text
    assert "It asks about: Amount spent What to do with them Early access" in text
    assert "Nothing connected supplies companies yet: it needs a Shopify store" in text
    assert 'href="/segments/new?template=vip"' in visitor.page("/segments/templates")


def test_what_the_shops_past_makes_of_a_template_is_asked_for_by_itself(visitor):
    assert 'hx-get="/segments/templates/one?template=vip"' in visitor.page("/segments/templates")
    part = visitor.get("/segments/templates/one?template=vip", headers={"HX-Request-Type": "partial"}).text
    assert "<h1>" not in part
    assert "amount_spent &gt;= 500" in part
    assert "0 customers would be in it now." in part
    assert "too few orders yet to learn from" in part
    assert "<h1>VIP</h1>" in visitor.page("/segments/templates/one?template=vip")
    assert "Nothing tells the type of which most units are sold yet." in visitor.page(
        "/segments/templates/one?template=type_loyalists"
    )
    assert visitor.get("/segments/templates/one?template=nobody").status_code == 404


def test_templates_are_found_by_words_and_by_family(visitor):
    def found(**asked):
        return re.findall(
            r'<article[^>]*labelledby="template-(\w+)"', visitor.get("/segments/templates", query_string=asked).text
        )

    assert found(q="birthday") == ["birthday"]
    assert found(family="season") == ["fathers_day", "mothers_day", "black_friday", "christmas"]
    assert found(q="vip", family="season") == []
    assert len(found()) == 45


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
