"""What should not meet: pairs named on the site, by command and in the file, and on whom they meet now."""

import re
from datetime import timedelta

import pytest

from plugin import clock, shops
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import table, transaction, upsert
from plugin.models.commerce import TagChange
from plugin.models.segments import Membership
from plugin.models.structures import Conflict
from plugin.models.tagging import LedgerEntry
from plugin.segments.files import portable
from plugin.segments.kept import keep
from plugin.segments.membership import ladders
from tests.web.test_compared import count
from tests.web.test_segments import shown

PAGE = "/segments/overlap"


@pytest.fixture
def lapsed(site, mine):
    """A second segment, of which the first of the shop's two customers is a member as well."""
    with transaction(site.engine) as session:
        made = keep.add(session, shops.shop(session, mine.shop_id), "Lapsed", "number_of_orders = 0").segment_id
        row = {"shop_id": mine.shop_id, "segment_id": made, "customer_id": str(mine.first), "cause": "order"}
        upsert(session, table(Membership), [row | {"entered_at": clock.now()}])
    return made


def labelled(site, mine, customer, tag, *, added=True, later=0):
    row = {"shop_id": mine.shop_id, "customer_id": str(customer), "folded": tag, "tag": tag, "added": added}
    with transaction(site.engine) as session:
        upsert(session, table(TagChange), [row | {"changed_at": clock.now() + timedelta(seconds=later)}])


def carried(site, mine, connection_id, contact, **states):
    row = {"shop_id": mine.shop_id, "connection_id": connection_id, "contact": contact, "changed_at": clock.now()}
    tags = {"regulars": "seg:mine-regulars", "lapsed": "seg:lapsed"}
    named = [{"folded": tags[name], "tag": tags[name], "state": state} for name, state in states.items()]
    with transaction(site.engine) as session:
        upsert(session, table(LedgerEntry), [row | one for one in named])


def test_a_pair_tells_on_whom_it_meets_and_who_carries_both_tags(site, visitor, mine, lapsed):
    regulars = mine.ids["segment_id"]
    carried(site, mine, mine.store_id, "1", regulars="confirmed", lapsed="foreign")
    carried(site, mine, mine.store_id, "2", regulars="confirmed", lapsed="removed")
    carried(site, mine, mine.ids["connection_id"], "a@example.com", regulars="intended", lapsed="removing")
    page = visitor.said(visitor.post("/segments/conflicts", one=regulars, other=lapsed))
    assert "being counted being counted" in shown(page)
    count(site, mine)
    page = visitor.page(PAGE)
    assert "Lapsed · mine regulars 1 2 They may meet" in shown(page).replace(
        "mine regulars · Lapsed", "Lapsed · mine regulars"
    )
    link = re.search(r'href="(/segments/conflicts\?[^"]+)"', page)[1].replace("&amp;", "&")
    people = visitor.page(link)
    assert "anna@mine.example.com" in people
    assert "bert@mine.example.com" not in people
    [pair] = site.rows(Conflict)
    assert "They may meet again." in visitor.said(
        visitor.post("/segments/conflicts/remove", one=pair.one, other=pair.other)
    )
    assert site.rows(Conflict) == []


def test_a_tag_of_the_stores_own_may_be_a_side(site, visitor, mine):
    for number in (mine.first, mine.first + 1):
        labelled(site, mine, number, "wholesale")
    labelled(site, mine, mine.first + 1, "wholesale", added=False, later=1)
    how = {"one": mine.ids["segment_id"], "other_tag": "Wholesale"}
    assert "being counted not told They may meet" in shown(visitor.said(visitor.post("/segments/conflicts", **how)))
    count(site, mine)
    assert "1 not told They may meet" in shown(visitor.page(PAGE))
    people = visitor.page(f"/segments/conflicts?one=tag:wholesale&other={mine.ids['segment_id']}")
    assert ("anna@mine" in people, "bert@mine" in people) == (True, False)


def test_levels_of_a_ladder_are_pairs_by_themselves(site, visitor, mine, lapsed):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        ladders.add(session, shop, ladders.Plan("Loyalty", (lapsed, mine.ids["segment_id"])))
    count(site, mine)
    text = shown(visitor.page(PAGE))
    assert "ladder Loyalty 1 0" in text
    assert "They may meet" not in text


def test_what_is_no_pair_is_refused_and_nothing_of_another_shop_is_told(site, visitor, mine, theirs):
    own, other = mine.ids["segment_id"], theirs.ids["segment_id"]
    for pair, said in (
        ({"one": own, "other": own}, "A conflict is between two."),
        ({"one": own, "other": other}, "There is no segment called"),
        ({"one": own, "other": ""}, "There is no segment called"),
    ):
        assert said in visitor.said(visitor.post("/segments/conflicts", **pair))
    assert visitor.get(f"/segments/conflicts?one={own}&other={other}").status_code == 404
    assert site.rows(Conflict) == []


def test_a_pair_is_kept_in_the_file_and_goes_with_its_segment(site, mine, lapsed, database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    shop = ["--shop", "mine shop"]
    assert main(["conflicts", "add", "lapsed", "seg:mine-regulars", *shop]) == 0
    assert main(["conflicts", "add", "lapsed", "tag:vip", *shop]) == 0
    assert main(["conflicts", "add", "lapsed", "nothing", *shop]) == 1
    capsys.readouterr()
    assert main(["conflicts", "list", *shop]) == 0
    assert sorted(map(sorted, (line.split("\t")[:3] for line in capsys.readouterr().out.splitlines()))) == [
        ["0", "Lapsed", "tag:vip"],
        ["1", "Lapsed", "mine regulars"],
    ]
    with transaction(site.engine) as session:
        text = portable.export(session, shops.shop(session, mine.shop_id))
    assert "conflicts:\n  - one: Lapsed\n    other: mine regulars\n  - one: Lapsed\n    other: tag:vip\n" in text
    assert main(["conflicts", "remove", "tag:vip", "Lapsed", *shop]) == 0
    assert main(["conflicts", "remove", "tag:vip", "Lapsed", *shop]) == 1
    assert portable.take_in(site.engine, mine.shop_id, text, by="command:test").added == ["Lapsed · tag:vip"]
    pruned = text[: text.index("  - one: Lapsed\n    other: tag:vip")]
    assert portable.take_in(site.engine, mine.shop_id, pruned, by="command:test", prune=True).kept
    assert len(site.rows(Conflict)) == 1
    with transaction(site.engine) as session:
        keep.remove(session, shops.shop(session, mine.shop_id), lapsed)
    assert site.rows(Conflict) == []
