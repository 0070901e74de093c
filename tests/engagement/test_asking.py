"""What became of e-mails, asked for: from a cursor, each event once, whatever happens to whoever asks."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.records import Customer, Event
from plugin import clock, engagement, ingest, lanes, shops
from plugin.db import reading, table, transaction
from plugin.models.events import Engagement
from plugin.models.events import Event as EventRow
from plugin.models.lanes import Lane
from plugin.models.segments import Stale
from plugin.models.shops import Connection
from plugin.segments.asking import ask
from plugin.segments.language import check, vocabulary
from plugin.worker import work_lane
from tests.web.site import Site

DAY = timedelta(days=1)
ADDRESS = "anna@mine.example.com"


def told(number, kind="email.opened", *, email=ADDRESS, ago=DAY, **more):
    return Event(f"e{number}", kind, clock.now() - ago, email=email, subject_id="spring", **more)


@pytest.fixture
def work(site, mine, paper):
    """Work the lane if it is due; return whether it was."""
    return lambda: work_lane(site.engine, mine.shop_id, engagement.lane(paper))


def lane_of(site, connection_id):
    return next(row for row in site.rows(Lane) if row.kind == engagement.lane(connection_id))


def kept(site):
    return sorted(row.event_id for row in site.rows(EventRow))


def tell(site: Site, tenant, *records):
    with transaction(site.engine) as session:
        ingest.store(session, shops.shop(session, tenant.shop_id), tenant.store_id, records)


def members(site, tenant, query):
    with reading(site.engine) as session:
        shop = shops.shop(session, tenant.shop_id)
        return {one.customer_id for one in ask.members(session, shop, query)}


def test_it_is_asked_from_the_days_before_and_every_few_minutes_from_then_on(site, time, platform, paper, work):
    platform.past += [told(0, ago=91 * DAY), *(told(number) for number in range(1, 4))]
    began = time()
    assert work()
    assert not work()
    assert kept(site) == ["e1", "e2", "e3"]
    assert platform.asked == [(None, began - 90 * DAY), ({"at": 2}, began - 90 * DAY)]
    [row] = site.rows(Engagement)
    assert (row.asked_at, row.error) == (began, None)
    assert lane_of(site, paper).due_at == began + timedelta(seconds=300)
    time.move(3 * DAY)  # nobody was at work for three days
    platform.past += [told(4, ago=2 * DAY), told(5)]
    assert work()
    assert kept(site) == ["e1", "e2", "e3", "e4", "e5"]
    assert platform.asked[2] == ({"at": 2}, began - 90 * DAY)


def test_an_event_that_is_told_again_is_the_same_and_moves_nobody(site, mine, time, platform, work):
    platform.past += [told(1), told(2)]
    work()
    with transaction(site.engine) as session:
        session.execute(table(Stale).delete())
    time.move(DAY)
    work()
    assert kept(site) == ["e1", "e2"]
    assert site.rows(Stale) == []
    assert "2 events were told" in site.visitor(mine).get("/connections").text


def test_a_worker_killed_between_the_answer_and_its_commit_leaves_nothing_out_and_nothing_twice(
    site, time, platform, paper, mine, work
):
    platform.past += [told(number) for number in range(5)]
    claim = lanes.claim(site.engine, mine.shop_id, engagement.lane(paper))
    time.move(timedelta(minutes=5))  # it stood still, and its lease has run out
    later = lanes.claim(site.engine, mine.shop_id, engagement.lane(paper))
    assert claim
    assert later
    with pytest.raises(lanes.OvertakenError):
        engagement.work(site.engine, claim)
    assert kept(site) == []
    lanes.attempt(site.engine, later, engagement.work)
    time.move(timedelta(hours=1))
    work()
    assert kept(site) == [f"e{number}" for number in range(5)]


def test_its_limit_holds_and_is_waited_for_without_a_call(site, time, platform, paper, work):
    platform.past += [told(number) for number in range(12)]
    work()
    assert len(platform.asked) == 4
    assert not work()
    waiting = lane_of(site, paper).due_at - time()
    assert timedelta(0) < waiting <= timedelta(seconds=66)
    time.move(waiting)
    work()
    assert len(kept(site)) == 12


def test_a_platform_that_wants_to_be_left_alone_is(site, time, platform, paper, work):
    platform.past.append(told(1))
    platform.fails.append(RetryableError("paper answered 429", 120))
    work()
    assert lane_of(site, paper).due_at == time() + timedelta(seconds=120)
    time.move(timedelta(seconds=120))
    work()
    assert kept(site) == ["e1"]


def test_what_is_not_told_is_shown_and_stops_no_tags(site, time, platform, paper, work, mine):
    platform.fails.append(ConfigurationError("paper: the scope events is missing"))
    platform.refuses.append(PermanentError("paper: no more than 40 webhooks"))
    work()
    assert {row.state for row in site.rows(Connection)} == {"active"}
    assert lane_of(site, paper).due_at == time() + DAY
    page = site.visitor(mine).get("/connections").text
    assert "the scope events is missing" in page
    assert "no more than 40 webhooks" in page
    platform.past.append(told(1))
    time.move(DAY)
    work()
    page = site.visitor(mine).get("/connections").text
    assert "the scope events is missing" not in page
    assert "no more than 40 webhooks" not in page
    assert "1 event was told" in page


def test_one_event_that_cannot_be_kept_does_not_keep_the_others_out(site, platform, work):
    platform.past += [told(1), told(2, email="nul\x00@example.com", subject="\udcff"), told(3), told(4)]
    work()
    assert {"e1", "e3", "e4"} <= set(kept(site))


def test_they_are_those_of_whoever_has_the_address_now_or_will_have_it(site, mine, platform, work):
    platform.past += [
        told(1, email="ANNA@mine.example.com"),
        told(2, "email.clicked", email="late@example.com"),
        told(3, "email.bounced", email="never@example.com"),
    ]
    now = clock.now()
    tell(site, mine, Customer("a1", now - 9 * DAY, now - 9 * DAY, email=ADDRESS))
    work()
    assert members(site, mine, "email.opened MATCHES (activity_id = 'spring')") == {"a1"}
    assert members(site, mine, "email.clicked MATCHES ()") == set()
    tell(site, mine, Customer("b2", now, now, email="Late@example.com"))
    assert members(site, mine, "email.clicked MATCHES (date >= -7d)") == {"b2"}
    assert members(site, mine, "email.bounced MATCHES ()") == set()


def test_what_a_program_opened_is_kept_and_counts_as_no_opening(site, mine, platform, work):
    platform.past += [
        told(1, machine=True),
        told(2, "email.clicked", machine=True),
        told(3, email="bert@mine.example.com"),
        told(4, email="bert@mine.example.com", machine=True),
    ]
    now = clock.now()
    tell(
        site,
        mine,
        Customer("a1", now - 9 * DAY, now - 9 * DAY, email=ADDRESS),
        Customer("b2", now - 9 * DAY, now - 9 * DAY, email="bert@mine.example.com"),
    )
    work()
    assert len(kept(site)) == 4
    assert members(site, mine, "email.opened MATCHES ()") == {"b2"}
    assert members(site, mine, "email.opened MATCHES (count = 1)") == {"b2"}
    assert members(site, mine, "email.clicked IS NOT NULL") == set()


def test_an_unsubscription_told_there_leaves_the_consent_of_the_store_alone(site, mine, platform, work):
    platform.past.append(told(1, "email.unsubscribed"))
    now = clock.now()
    tell(site, mine, Customer("a1", now - 9 * DAY, now - 9 * DAY, email=ADDRESS))
    before = members(site, mine, "email_subscription_status = 'UNSUBSCRIBED'")
    work()
    assert members(site, mine, "email.unsubscribed MATCHES ()") == {"a1"}
    assert members(site, mine, "email_subscription_status = 'UNSUBSCRIBED'") == before == set()


def test_a_shop_may_ask_for_it_once_it_has_a_connection_that_tells(site, mine, theirs, paper):
    with reading(site.engine) as session:
        words = {
            one.name: vocabulary.of(session, shops.shop(session, one.shop_id)).supplied or () for one in (mine, theirs)
        }
        mine_asks = check("email.opened MATCHES ()", vocabulary.of(session, shops.shop(session, mine.shop_id)))
    assert mine_asks.ok
    assert "email.opened" in words["mine"]


def test_it_can_be_asked_anew_and_nothing_is_counted_twice(site, mine, time, platform, paper, work):
    platform.past += [told(number) for number in range(3)]
    work()
    with transaction(site.engine) as session:
        assert engagement.again(session, mine.shop_id, paper, 7)
        assert not engagement.again(session, mine.shop_id, "another", 7)
    asked = len(platform.asked)
    work()
    assert platform.asked[asked] == (None, time() - 7 * DAY)
    assert kept(site) == ["e0", "e1", "e2"]
    with reading(site.engine) as session:
        counted = session.scalars(select(table(EventRow).c.event_id)).all()
    assert len(counted) == 3
