"""What is looked after by itself is said on the pages; the mark for rewards is kept, checked and shown."""

from plugin import clock
from plugin.db import table, transaction, upsert
from plugin.models.segments import Segment
from plugin.models.site import Pixel, RatingRun, Subscription

VIEW = "storefront.product_viewed IS NOT NULL"


def test_a_connection_tells_of_webhooks_scores_and_pixel(site, visitor, mine):
    key = {"shop_id": mine.shop_id, "connection_id": mine.store_id}
    with transaction(site.engine) as session:
        refused = ["customers/merge (lacks <b>a scope</b>)"]
        told = {"sealed": "", "checked_at": clock.now(), "put_back": 3, "ended": 0, "refused": refused}
        upsert(session, table(Subscription), [key | told])
        upsert(session, table(RatingRun), [key | {"ended_at": clock.now(), "rated": 1234}])
        upsert(session, table(Pixel), [key | {"site_key": "k", "platform_id": None, "error": "no extension"}])
    text = visitor.page("/connections")
    assert "3 subscriptions had vanished and were put back" in text
    assert "customers/merge (lacks &lt;b&gt;a scope&lt;/b&gt;)" in text
    assert "of 1,234 customers" in text
    assert "do not come in: no extension" in text


def test_the_mark_for_rewards_is_kept_shown_and_taken_off(site, visitor, mine):
    path = f"/segments/{mine.ids['segment_id']}"
    given = {"action": "save", "name": "Gifts", "tag": "seg:gifts", "query": f"{VIEW} AND number_of_orders >= 1"}
    assert "For rewards" in visitor.said(visitor.post(f"{path}/edit", **given, rewards="yes"))
    assert 'value="yes" checked' in visitor.page(f"{path}/edit")
    assert "For rewards" not in visitor.said(visitor.post(f"{path}/edit", **given))


def test_a_segment_for_rewards_that_rests_on_views_is_refused_at_its_place(site, visitor, mine):
    before = site.rows(Segment)
    answer = visitor.post("/segments/new", action="save", name="Gifts", query=VIEW, rewards="yes")
    assert answer.status_code == 422
    assert f"<mark>{VIEW}</mark>" in answer.text
    assert "can be made up by anybody" in answer.text
    assert 'value="yes" checked' in answer.text
    assert site.rows(Segment) == before


def test_the_check_while_typing_knows_the_mark(visitor):
    told = visitor.post("/segments/check", query=VIEW, rewards="yes").json
    assert [(error["code"], error["start"], error["end"]) for error in told["errors"]] == [("FORGEABLE", 0, len(VIEW))]
    assert visitor.post("/segments/check", query=VIEW).json["ok"]
