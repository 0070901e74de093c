"""Definitions as a file: written for people and git, taken in wholly or not at all, and the same bytes afterwards."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.db import reading, transaction
from plugin.segments.files import definitions, filed, portable
from plugin.segments.kept import expectations, keep
from plugin.segments.kept.definition import Definition, RefusedError
from plugin.segments.language import canonical, parse, vocabulary
from tests.segments.strategies import queries

FILE = """\
# Segments of Tagsmith. `segments import FILE` takes this file in, and changes nothing the second time.
format: '1'
segments:
  - name: at risk
    query: |-
      number_of_orders >= 3
      AND (last_order_date < -90d OR customer_tags CONTAINS 'it''s: "quiet" # here')
    tag: seg:at-risk
    enabled: false
  - name: Friends
    query: |-
      number_of_orders >= 2
    tag: seg:friends
    rewards: true
    objective: Keep them
    owner: 'null'
    owner_email: rosa@example.com
    offer: 10 %
    say: |-
      Thank you.
        - Ähre: 2020-01-01 🌾
    review: every 3 months
""".replace("it''s", "it\\'s")


def export(kept):
    with reading(kept.engine) as session:
        return portable.export(session, kept.shop())


def take_in(kept, text, **how):
    return portable.take_in(kept.engine, kept.shop_id, text, by="command:test", **how)


def segment_of(kept, name):
    with reading(kept.engine) as session:
        return keep.by_name(session, kept.shop_id, name)


def versions(kept):
    with reading(kept.engine) as session:
        return {one.name: one.version for one in keep.all_of(session, kept.shop_id)}


def test_what_was_written_is_taken_in_and_written_again_byte_for_byte(kept):
    outcome = take_in(kept, FILE)
    assert (outcome.added, outcome.faults, outcome.kept) == (["at risk", "Friends"], [], True)
    assert export(kept) == FILE
    again = take_in(kept, FILE)
    assert (again.added, again.changed, again.removed, again.unchanged) == ([], [], [], 2)
    assert versions(kept) == {"at risk": 1, "Friends": 1}
    assert yaml.safe_load(FILE)["segments"][1]["owner"] == "null"


def test_a_dry_run_says_what_an_import_then_does(kept):
    take_in(kept, FILE)
    kept.add("Only here", "number_of_orders = 0")
    before = export(kept)
    changed = (
        FILE.replace("at risk", "At great risk")  # known by its tag
        .replace(">= 2", ">= 4")
        .replace("    rewards: true\n", "")
        + "  - name: New\n    query: amount_spent > 5\n"
    )
    told = take_in(kept, changed, dry_run=True, prune=True)
    assert export(kept) == before
    assert (told.added, told.removed, told.left, told.faults, told.kept) == (["New"], ["Only here"], [], [], False)
    assert told.changed == [
        ("at risk", {"name": ("at risk", "At great risk")}),
        ("Friends", {"query": ("number_of_orders >= 2", "number_of_orders >= 4"), "rewards": (True, False)}),
    ]
    assert take_in(kept, changed).left == ["Only here"]
    assert take_in(kept, changed, prune=True).removed == ["Only here"]
    assert kept.names() == ["At great risk", "Friends", "New"]
    assert "tag: seg:new" in export(kept)


FAULTS = {
    "Friends: ": ("number_of_orders >= 2", "number_of_order >= 2"),
    "Friends: The tag seg:at-risk belongs to another segment": ("seg:friends", "seg:at-risk"),
    "stands twice": ("name: Friends", "name: At  RISK"),
    "ofer is unknown": ("    offer:", "    ofer:"),
    "rewards is true or false": ("rewards: true", "rewards: perhaps"),
    "A review is written": ("every 3 months", "sometimes"),
    "Segment 2": ("offer: 10 %", "offer: [10]"),
    "e-mail address": ("rosa@example.com", "rosa"),
}


def test_with_one_fault_nothing_of_a_file_is_kept(kept):
    for said, change in FAULTS.items():
        outcome = take_in(kept, FILE.replace(*change))
        assert said in "\n".join(outcome.faults)
        assert (kept.names(), outcome.kept) == ([], False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "segments: []",
        "format: 2\nsegments: []",
        "format: 1\nsegments: {}",
        "format: 1\nladder: []",
        "format: 1\nsegments: [",
        "format: 1\nformat: 1",
        "format: 1\nsegments: &a [*a]",
        "format: 1\nsegments: !!python/object/apply:os.system [ls]",
        "[" * 200_000,
        "- " * 200_000,
        "format: 1\nsegments: [\x00]",
        "x" * 500_001,
    ],
)
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(filed.FileError):
        filed.read(text, "1", ["segments"])


def test_what_was_edited_since_a_preview_is_not_overwritten(kept):
    take_in(kept, FILE)
    with reading(kept.engine) as session:
        seen = portable.digest(session, kept.shop())
    kept.add("Another", "number_of_orders = 0")
    assert take_in(kept, FILE, seen=seen).faults == ["Somebody has edited segments since this was shown."]


REFERRING = r"""
format: 1
segments:
  - name: A
    query: amount_spent > 5 AND IN SEGMENT 'B, the \'best\''
  - name: B, the 'best'
    query: IN SEGMENT 'C' OR number_of_orders >= 9
  - name: C
    query: number_of_orders >= 3
"""


def test_segments_that_refer_to_others_are_written_with_their_names_and_taken_in_in_any_order(kept):
    assert take_in(kept, REFERRING).faults == []
    text = export(kept)
    assert r"AND IN SEGMENT 'B, the \'best\''" in text
    assert take_in(kept, text).unchanged == 3
    kept.do(keep.remove, segment_of(kept, "A").segment_id)
    renamed = text.replace("'C'", "'D'").replace("name: C", "name: D")
    outcome = take_in(kept, renamed)
    assert (outcome.added, outcome.changed) == (["A"], [("C", {"name": ("C", "D")})])
    assert export(kept) == renamed
    without = renamed[: renamed.index("  - name: D")].replace("    IN SEGMENT 'D'\n      OR ", "    ")
    assert take_in(kept, without, prune=True).removed == ["D"]
    told = take_in(kept, without[: without.index("  - name: B")], prune=True)  # A still refers to B
    assert not told.kept
    assert any("B, the 'best': " in fault for fault in told.faults)
    assert not take_in(kept, REFERRING.replace("number_of_orders >= 3", "IN SEGMENT 'A'")).kept


LADDERS = """\
ladders:
  - name: Rings
    levels:
      - at risk
      - Friends
    grace_days: 30
"""


def test_ladders_stand_in_the_file_with_the_names_of_their_segments(kept):
    on = FILE.replace("    enabled: false\n", "")
    assert take_in(kept, on + LADDERS).added == ["at risk", "Friends", "Rings"]
    assert export(kept) == on + LADDERS
    assert take_in(kept, on + LADDERS).unchanged == 3
    turned = LADDERS.replace("      - at risk\n", "").replace("Friends\n", "Friends\n      - at risk\n")
    assert take_in(kept, on + turned).ladders == ["Rings"]
    assert export(kept) == on + turned
    for wrong in (
        LADDERS.replace("at risk", "nobody"),
        LADDERS.replace("30", "long"),
        LADDERS.replace("30", repr("9" * 5000)),
        LADDERS.replace("30", "9" * 5000),
        "ladders:\n  - name: Rings\n",
    ):
        assert take_in(kept, on + wrong).faults
    assert take_in(kept, on).left == ["Rings"]
    assert take_in(kept, on, prune=True).removed == ["Rings"]
    assert export(kept) == on
    everything = take_in(kept, REFERRING)
    assert everything.kept
    assert take_in(kept, on, prune=True).removed == ["A", "B, the 'best'", "C"]


@settings(max_examples=60)
@given(query=queries())
def test_a_query_by_lines_is_the_same_query(query):
    assert parse(definitions.by_lines(canonical(query), vocabulary.WHOLE_TABLE)) == query


@settings(max_examples=60)
@given(say=st.text(max_size=60), owner=st.text(max_size=20))
def test_texts_come_back_from_a_file_as_they_were_kept(say, owner):
    kept = Definition("n", "q", "t", say=say, owner=owner).tidied()
    text = filed.written({"format": "1", "segments": [definitions.entry(kept, vocabulary.WHOLE_TABLE)]})
    [found] = filed.read(text, "1", ["segments"])["segments"]
    assert (found.get("say"), found.get("owner")) == (kept.say, kept.owner)


def test_an_edit_that_breaks_a_test_has_to_be_meant(kept):
    kept.buy(anna=3, bert=2, carl=0)
    segment = kept.add("Friends", "number_of_orders >= 2")
    for who, inside in (("Anna@Example.com", True), ("bert", True), ("carl", False)):
        kept.do(expectations.expect, segment, who, inside=inside, by="command:test")
    with pytest.raises(RefusedError):
        kept.do(expectations.expect, segment, "nobody@example.com", inside=True, by="command:test")
    with reading(kept.engine) as session:
        found = expectations.tried(session, kept.shop(), segment.segment_id, segment.query)
    assert [(one.customer_id, one.inside, one.passed) for one in found] == [
        ("anna", True, True),
        ("bert", True, True),
        ("carl", False, True),
    ]
    kept.edit(segment, query="number_of_orders > 1", name="Good friends")  # nobody moves
    with pytest.raises(expectations.BrokenTestsError) as broken:
        kept.edit(segment, query="number_of_orders >= 3")
    assert [(one.customer_id, one.email) for one in broken.value.broken] == [("bert", "bert@example.com")]
    with pytest.raises(expectations.BrokenTestsError):
        kept.edit(segment, query="number_of_orders >= 0")
    wanted = export(kept).replace("> 1", ">= 3")
    outcome = take_in(kept, wanted)
    assert [(name, one.customer_id) for name, one in outcome.broken] == [("Good friends", "bert")]
    assert "> 1" in export(kept)
    assert take_in(kept, wanted, despite_tests=True).kept
    kept.do(expectations.expect, segment, "bert", inside=False, by="command:test")  # he need not be in any more
    with pytest.raises(expectations.BrokenTestsError):
        kept.do(keep.restore, segment.segment_id, 2)
    with transaction(kept.engine) as session:
        assert expectations.drop(session, segment, "bert")
        assert not expectations.drop(session, segment, "bert")
