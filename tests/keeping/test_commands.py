"""Commands that change something say what they did."""

import pytest

from plugin.__main__ import main
from plugin.config import settings
from plugin.segments.kept import learning, snapshots
from plugin.segments.kept.templates import TEMPLATES


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def tell(kept, database_url, monkeypatch, capsys):
    """Give a command of the shop's, and return what it said."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()

    def given(*words, code=0):
        assert main([*words, "--shop", kept.shop_id]) == code
        said = capsys.readouterr()
        return (said.out or said.err).strip().replace("\t", " ")

    yield given
    settings.cache_clear()


def test_what_was_done_is_said(kept, tell, tmp_path):
    kept.buy(anna=3, bert=1)
    low, high = kept.add("Low", "number_of_orders >= 1"), kept.add("High", "number_of_orders >= 3")
    vip = kept.do(learning.add, TEMPLATES["vip"], by="")
    ladder = tell("ladders", "add", "Levels", "low", "high")
    assert ladder.endswith("Levels grace 0 stay 0 Low, High")
    assert tell("ladders", "set", "levels", "--grace", "30") == ladder.replace("grace 0", "grace 30")
    assert tell("ladders", "list") == ladder.replace("grace 0", "grace 30")
    assert tell("ladders", "remove", "levels").endswith(" Levels removed")
    assert tell("segments", "pin", "High", "bert") == "bert in High"
    assert tell("segments", "unpin", "High", "bert") == "bert as its query says High"
    assert tell("segments", "freeze", "VIP") == f"frozen {vip.query}"
    assert tell("segments", "freeze", "VIP", "--off") == f"learned each month {vip.query}"
    assert "not made from a template" in tell("segments", "freeze", "Low", code=1)
    assert tell("segments", "test", "Low", "--in", "bert") == "passes bert must be in is in"
    assert tell("segments", "test", "Low", "--out", "bert", code=1).splitlines() == [
        "replaced bert had to be in",
        "FAILS bert must be out is in",
    ]
    assert tell("segments", "test", "Low", "--drop", "bert") == "dropped bert"
    assert tell("segments", "test", "Low", "--drop", "bert") == "no test bert"
    copy = kept.do(lambda session, _: snapshots.take(session, high, "May", by=""))
    assert tell("segments", "snapshots", "--delete", copy.snapshot_id) == f"{copy.snapshot_id} May deleted"
    assert tell("segments", "export", str(tmp_path / "s.yaml")) == f"written to {tmp_path / 's.yaml'}"
    assert tell("recompute") == "memberships are up to date"
    assert tell("recompute", "--full") == "everybody was evaluated anew"
    assert tell("push") == "the tags that were due are written"
    assert low.name == "Low"


def test_a_part_inside_a_negation_is_not_taken_for_its_opposite(kept, tell):
    kept.buy(anna=3, bert=1)
    said = tell("segments", "count", "--clauses", "--query", "NOT (number_of_orders > 2 AND amount_spent > 1)")
    assert said.splitlines() == [
        "1",
        "everybody 2",
        "1 1 AND NOT (number_of_orders > 2 AND amount_spent > 1)",
        "1 1   INSIDE NOT number_of_orders > 2 AND amount_spent > 1",
        "1 1     AND number_of_orders > 2",
        "2 1     AND amount_spent > 1",
    ]


@pytest.mark.parametrize("at", ["2026-11-21T12:00", "9999-12-31T23:59", "2026-11-20T13:00+00:00", "noon"])
def test_only_a_moment_gone_by_can_be_asked_about(kept, tell, at):
    kept.buy(anna=3)
    for command in ("count", "members"):
        assert "--at" in tell("segments", command, "--query", "number_of_orders > 1", "--at", at, code=2)
    assert "--at" in tell("segments", "backtest", "number_of_orders > 1", "--at", at, code=2)
    assert tell("segments", "count", "--query", "number_of_orders > 1", "--at", "2026-11-20T12:00") == "1"


def test_edits_name_the_segments_to_which_a_query_refers(kept, tell):
    friends = kept.add("Friends")
    both = kept.add("Both", "IN SEGMENT 'Friends'")
    kept.edit(friends, name="Old friends")
    assert friends.segment_id not in tell("segments", "versions", both.segment_id)
    assert "IN SEGMENT 'Old friends'" in tell("segments", "versions", both.segment_id).replace("\\", "")
