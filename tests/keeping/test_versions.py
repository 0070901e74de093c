"""Every edit of a segment is kept, can be undone, and is refused if somebody else was quicker."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from connectors.records import Customer, Order
from plugin import db, ingest, migrations, shops, terms
from plugin.db import reading, table, transaction
from plugin.models.keeping import SegmentVersion
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.tagging import OwnedTag
from plugin.segments.kept import keep, versions
from plugin.segments.kept.definition import Definition, RefusedError, rhythm, spoken
from plugin.segments.membership import recompute


def history(kept, segment):
    with reading(kept.engine) as session:
        return versions.edits(session, kept.shop_id, segment.segment_id)


def now(kept, segment):
    with reading(kept.engine) as session:
        return keep.get(session, kept.shop_id, segment.segment_id)


def causes(kept, segment):
    moved = select(table(MembershipChange)).where(table(MembershipChange).c.segment_id == segment.segment_id)
    with reading(kept.engine) as session:
        return sorted({(row.cause, row.entered) for row in session.execute(moved)})


def test_members_came_since_the_segment_was_new_though_it_was_edited_before_it_was_computed(kept):
    everybody = {f"c{number:04}": 2 for number in range(1_001)}  # more than are evaluated at once
    kept.buy(**everybody)
    segment = kept.add("Friends")
    kept.edit(segment, owner="Rosa")
    kept.work("recompute")
    assert causes(kept, segment) == [("added", True)]
    kept.edit(segment, query="number_of_orders >= 3")
    kept.work("recompute")
    assert causes(kept, segment) == [("added", True), ("edited", False)]


def test_a_change_tells_what_everybody_was_asked_anew_for_and_what_happened_meanwhile(kept):
    kept.buy(anna=2, bert=2)
    segment, other = (
        kept.add("That day's", "first_order_date = 2026-11-19"),
        kept.add("Friends", "number_of_orders > 2"),
    )
    kept.work("recompute")
    with transaction(kept.engine) as session:
        before = terms.of(shops.shop(session, kept.shop_id))
        terms.change(session, kept.shop_id, replace(before, zone="Pacific/Kiritimati"))  # where it was the day after
    kept.work("recompute")
    assert causes(kept, segment) == [("added", True), ("terms", False)]
    with transaction(kept.engine) as session:
        buyer = Customer("anna", kept.at, email="anna@example.com")
        orders = [Order(f"later-{n}", kept.at, kept.at, 1000, "GBP", customer=buyer) for n in range(2)]
        ingest.store(session, shops.shop(session, kept.shop_id), "store", orders)
    kept.edit(segment, query="number_of_orders = 2")  # before anybody was told of the orders
    kept.work("recompute")
    assert causes(kept, segment) == [("added", True), ("edited", True), ("terms", False)]
    assert causes(kept, other) == [("order", True)]


def test_no_member_is_left_of_a_segment_that_is_deleted_while_a_run_is_under_way(kept):
    kept.buy(anna=2)
    segment = kept.add("Friends")
    kept.work("recompute")
    with transaction(kept.engine) as session:
        buyer = Customer("bert", kept.at, email="bert@example.com")
        orders = [Order(f"bert-{n}", kept.at, kept.at, 1000, "GBP", customer=buyer) for n in range(2)]
        ingest.store(session, shops.shop(session, kept.shop_id), "store", orders)
    deleting = Thread(target=kept.do, args=(keep.remove, segment.segment_id))
    with transaction(kept.engine) as session:
        recompute.chunk(session, kept.shop_id, 1_000)
        deleting.start()
        deleting.join(1)  # it waits for this run
    deleting.join()
    with reading(kept.engine) as session:
        assert [session.execute(select(table(one))).all() for one in (Segment, Membership)] == [[], []]


def test_an_edit_and_a_run_at_the_same_time_wait_for_each_other_and_neither_is_lost(kept):
    kept.buy(anna=2, bert=3)
    segment = kept.add("Friends")
    kept.at += timedelta(minutes=1)
    with ThreadPoolExecutor() as pool:
        with transaction(kept.engine) as session:
            recompute.chunk(session, kept.shop_id, 1_000)
            edited = pool.submit(kept.edit, segment, query="number_of_orders >= 3")
            wait([edited], timeout=1)  # it waits for this run
        edited.result()
    kept.work("recompute")
    with reading(kept.engine) as session:
        assert session.scalars(select(table(Membership).c.customer_id)).all() == ["bert"]


def test_a_tag_is_spelt_without_the_apostrophes_of_a_name(kept):
    assert kept.add("Mother's Day", "number_of_orders = 1").tag == "seg:mothers-day"
    assert kept.add("L’été", "number_of_orders = 2").tag == "seg:lété"


def test_every_edit_is_kept_with_who_when_and_what_changed_and_any_can_be_undone(kept):
    segment = kept.add(objective="Keep them", review="every 3 months")
    first = Definition.of(segment)
    kept.edit(segment, query="number_of_orders>=3", name="Friends", by="account:1")
    kept.edit(segment, query="number_of_orders >= 3")  # nothing else than it was
    with transaction(kept.engine) as session:
        keep.switch(session, kept.shop_id, segment.segment_id, enabled=False, by="account:2")
    kept.edit(segment, say="Hello\r\nagain  \r\n", owner="  Rosa\tDiaz ", owner_email="rosa@example.com")
    kept.do(keep.restore, segment.segment_id, 1, by="account:3")

    found = history(kept, segment)
    assert [(one.version, one.editor, one.edit, one.restored) for one in found] == [
        (5, "account:3", "restored", 1),
        (4, "command:test", "edited", None),
        (3, "account:2", "edited", None),
        (2, "account:1", "edited", None),
        (1, "command:test", "added", None),
    ]
    assert {one.edited_at for one in found} == {kept.at}
    assert found[3].changed == {
        "name": ("Regulars", "Friends"),
        "query": ("number_of_orders >= 2", "number_of_orders >= 3"),
    }
    assert found[2].changed == {"enabled": (True, False)}
    assert found[1].changed == {
        "say": (None, "Hello\nagain"),
        "owner": (None, "Rosa Diaz"),
        "owner_email": (None, "rosa@example.com"),
    }
    assert found[4].changed["review"] == (None, "3m")
    assert found[0].changed.keys() == {"name", "query", "enabled", "say", "owner", "owner_email"}
    assert Definition.of(now(kept, segment)) == first
    assert now(kept, segment).whole == "due"
    with pytest.raises(RefusedError, match="version 9"):
        kept.do(keep.restore, segment.segment_id, 9)


def test_an_edit_that_comes_too_late_is_refused_with_what_is_kept(kept):
    segment = kept.add()
    kept.edit(segment, name="Theirs", since=1)
    with pytest.raises(keep.ConflictError) as refused:
        kept.edit(segment, name="Mine", since=1)
    assert refused.value.kept.name == "Theirs"
    with transaction(kept.engine) as session:
        seen = keep.get(session, kept.shop_id, segment.segment_id)
        raised = table(Segment).update().values(version=3)  # by a transaction that was quicker
        session.connection().execute(raised)
        with pytest.raises(keep.ConflictError):
            keep.write(session, seen, {"name": "Mine"})
    assert kept.names() == ["Theirs"]
    assert kept.edit(segment, name="Mine", since=3).version == 4


def test_what_cannot_be_kept_changes_nothing(kept):
    segment = kept.add()
    for wrong in (
        {"owner_email": "rosa"},
        {"owner_email": "rosa@example.com\nBcc: all@example.com"},
        {"review": "now and then"},
        {"review": "0d"},
        {"say": "x" * 2001},
        {"owner": "x" * 201},
        {"name": " "},
        {"tag": "vip"},
    ):
        with pytest.raises(RefusedError):
            kept.edit(segment, **wrong)
    assert len(history(kept, segment)) == 1
    assert now(kept, segment).version == 1


def test_a_segment_that_can_no_longer_be_read_can_still_be_switched_off_and_renamed(kept):
    segment = kept.add()
    with transaction(kept.engine) as session:
        session.execute(table(Segment).update().values(query="a_name_of_the_past = 1"))
    assert kept.edit(segment, enabled=False, name="Old").enabled is False


@pytest.mark.parametrize(
    ("written", "kept_as", "said"),
    [
        ("every 3 months", "3m", "every 3 months"),
        ("Every week", "1w", "every week"),
        ("10 days", "10d", "every 10 days"),
        ("2w", "2w", "every 2 weeks"),
        ("never", None, "never"),
        ("", None, "never"),
    ],
)
def test_a_rhythm_is_read_as_it_is_said(written, kept_as, said):
    assert rhythm(written) == kept_as
    assert spoken(kept_as) == said
    assert rhythm(said) == kept_as


def test_a_removed_segment_leaves_its_versions_and_a_successor_may_have_its_tag(kept):
    segment = kept.add()
    other = kept.add("Others", "number_of_orders = 0")
    kept.buy(anna=2, bert=0)
    kept.do(keep.remove, segment.segment_id, by="account:1")
    with reading(kept.engine) as session:
        assert session.scalar(select(func.count()).select_from(Membership)) == 1
        assert session.scalar(select(func.count()).select_from(OwnedTag)) == 2
    assert kept.names() == ["Others"]
    assert history(kept, segment)[0].edit == "removed"
    again = kept.add("Regulars once more", tag=segment.tag)
    assert again.segment_id == segment.segment_id
    assert (again.version, [one.version for one in history(kept, again)]) == (3, [3, 2, 1])
    with pytest.raises(RefusedError):
        kept.add("Another", tag=other.tag)


def test_segments_from_before_versions_were_kept_have_their_present_one(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = url
    steps = ScriptDirectory.from_config(config).walk_revisions()
    command.upgrade(
        config, next(one.down_revision for one in steps if "segment_versions" in Path(one.path).read_text())
    )
    engine = db.connect(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO shops (shop_id, name, platform, domain, zone, currency, created_at, cart_wait_minutes, "
                "paid_orders_only, tag_prefix, guard_percent, guard_contacts, scored_buyers, redaction_key) "
                "VALUES ('s', 'S', 'shopify', 's.example.com', 'UTC', 'EUR', 0, 60, 0, 'seg:', 20, 100, 0, 'k')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO segments (shop_id, segment_id, name, query, tag, enabled, version, created_at, updated_at)"
                " VALUES ('s', '1', 'Old', 'number_of_orders = 1', 'seg:old', 1, 4, 0, 0)"
            )
        )
    migrations.upgrade(url)
    with reading(engine) as session:
        [edit] = versions.edits(session, "s", "1")
        assert (edit.version, edit.definition) == (4, Definition("Old", "number_of_orders = 1", "seg:old"))
        segment = keep.get(session, "s", "1")
        assert Definition.of(segment) == edit.definition
        assert session.scalar(select(func.count()).select_from(SegmentVersion)) == 1
    engine.dispose()
