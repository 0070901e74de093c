"""Tokens that expire are refreshed in time, kept before they are used, and never lost between two processes."""

import threading
from datetime import timedelta

import pytest

from connectors.errors import ConfigurationError, RetryableError
from plugin import clock, install, lanes, shops, tokens
from plugin.db import reading, table, transaction
from plugin.models.lanes import Lane
from plugin.sandbox.shopify.oauth import RefusedError
from plugin.worker import work_all, work_lane
from tests.install.store import CLIENT_ID, DOMAIN, OLD_SECRET, SECRET, command, connection_of, credentials_of

HOUR = timedelta(hours=1)


@pytest.fixture
def connection(engine, store):
    """The store, connected by an expiring token."""
    app = install.app_for("shopify", DOMAIN, {}, store.origin)
    grant = app.exchange_visit(store.token(), clock.now())
    install.complete(engine, "shopify", DOMAIN, grant, practice_origin=store.origin)
    return connection_of(engine)


@pytest.fixture
def opened(engine, connection):
    """Open the connection for work, as of now."""
    return lambda: tokens.opened(engine, connection.shop_id, connection.connection_id)


def lane_of(engine, connection):
    with reading(engine) as session:
        return session.get(Lane, (connection.shop_id, tokens.lane(connection.connection_id)))


def refreshes(store):
    return [one["refresh_token"] for one in store.asked() if one.get("grant_type") == "refresh_token"]


def work(engine, connection):
    return work_lane(engine, connection.shop_id, tokens.lane(connection.connection_id))


def test_credentials_are_kept_sealed_and_the_apps_own_are_not_among_them(engine, connection):
    kept = credentials_of(engine)
    assert kept.keys() == {"shop", "access_token", "refresh_token", "expires_at", "scope"}
    for secret in (kept["access_token"], kept["refresh_token"], SECRET, CLIENT_ID):
        assert secret not in connection.sealed
        assert secret not in repr(connection)


def test_a_token_with_time_left_is_used_as_it_is(opened, store, time):
    time.move(HOUR - timedelta(minutes=5, seconds=1))
    assert opened().connector.check().account == DOMAIN
    assert refreshes(store) == []


def test_one_that_ends_within_five_minutes_is_refreshed_before_use(engine, opened, store, time, connection):
    before = credentials_of(engine)
    time.move(HOUR - timedelta(minutes=5))
    ready = opened()
    after = credentials_of(engine)
    assert refreshes(store) == [before["refresh_token"]]
    assert after["access_token"] != before["access_token"]
    assert ready.connector.credentials["access_token"] == after["access_token"]
    assert ready.connector.check().account == DOMAIN
    assert opened().connector.credentials["access_token"] == after["access_token"]
    assert len(refreshes(store)) == 1
    assert connection_of(engine).version == connection.version + 1


def test_it_is_refreshed_daily_also_when_nobody_works_and_lives_for_years(engine, store, time, connection):
    for _ in range(200):
        time.move(timedelta(days=1, seconds=1))
        assert work_all(engine, lambda _, kind: kind.startswith("tokens:")) == 1
    assert len(refreshes(store)) == 200
    assert lane_of(engine, connection).due_at == time.at + tokens.EVERY
    assert connection_of(engine).state == "active"
    ready = tokens.opened(engine, connection.shop_id, connection.connection_id)
    assert ready.connector.check().account == DOMAIN


def test_a_process_that_dies_before_it_stored_loses_nothing(engine, opened, store, time):
    time.move(2 * HOUR)
    found = connection_of(engine)
    shops.opened(found).connector.refresh(clock.now())  # and there it died
    assert credentials_of(engine)["refresh_token"] == refreshes(store)[0]
    assert opened().connector.check().account == DOMAIN
    assert len(set(refreshes(store))) == 1


def test_an_answer_that_was_lost_on_its_way_loses_nothing(engine, opened, store, time):
    time.move(2 * HOUR)
    store.stand_in.faults.add("lost", path="access_token")
    with pytest.raises(RetryableError):
        opened()
    time.move(timedelta(minutes=2))
    assert opened().connector.check().account == DOMAIN
    assert len(refreshes(store)) == 2


def test_what_is_stored_is_what_the_platform_gave_last(engine, connection, store, time):
    """Whoever was overtaken throws away what it was given: only the last that the platform gave is good."""
    time.move(2 * HOUR)
    slow = lanes.claim(engine, connection.shop_id, tokens.lane(connection.connection_id), lanes.nobodys)
    found = connection_of(engine)
    grant = shops.opened(found).connector.refresh(clock.now())
    time.move(timedelta(minutes=2))  # the lease is over, and somebody else refreshes
    ready = tokens.opened(engine, connection.shop_id, connection.connection_id)
    with pytest.raises(lanes.OvertakenError):
        tokens.store(engine, slow, found, grant)
    assert credentials_of(engine)["refresh_token"] == ready.connector.credentials["refresh_token"]
    time.move(2 * HOUR)
    assert tokens.opened(engine, connection.shop_id, connection.connection_id).connector.check()


def test_a_grant_that_follows_older_credentials_is_not_kept(engine, connection):
    found = connection_of(engine)
    with transaction(engine) as session:
        assert shops.renew(session, found, {"shop": DOMAIN, "access_token": "first"})
    with transaction(engine) as session:
        assert not shops.renew(session, found, {"shop": DOMAIN, "access_token": "second"})
    assert credentials_of(engine)["access_token"] == "first"


def test_many_who_need_it_at_once_refresh_it_once(engine, opened, store, time):
    time.move(2 * HOUR)
    start, found, waited = threading.Barrier(4), [], []

    def need():
        start.wait()
        try:
            found.append(opened().connector.credentials["access_token"])
        except RetryableError as error:
            waited.append(error.retry_after)

    threads = [threading.Thread(target=need) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(refreshes(store)) == 1
    assert set(found) == {credentials_of(engine)["access_token"]}
    assert set(waited) <= {tokens.SOMEBODY_ELSE_SECONDS}
    assert opened().connector.check().account == DOMAIN


def test_while_somebody_else_refreshes_a_token_that_still_serves_is_used(engine, opened, connection, store, time):
    assert lanes.claim(engine, connection.shop_id, tokens.lane(connection.connection_id), lanes.nobodys)
    time.move(HOUR - timedelta(minutes=3))
    with transaction(engine) as session:  # which renews its lease
        lane = table(Lane)
        session.execute(lane.update().values(leased_until=time.at + HOUR).where(lane.c.leased_until.is_not(None)))
    assert opened().connector.check().account == DOMAIN
    time.move(timedelta(minutes=2, seconds=30))
    with pytest.raises(RetryableError):
        opened()


def test_a_refresh_token_that_is_refused_pauses_the_connection_and_says_so(engine, opened, store, time):
    time.move(timedelta(days=91))
    with pytest.raises(ConfigurationError):
        opened()
    found = connection_of(engine)
    assert found.state == "paused"
    assert "reconnect needed" in found.reason
    assert lane_of(engine, found).due_at is None


def test_the_lane_pauses_it_as_well(engine, connection, store, time):
    time.move(timedelta(days=91))
    assert work(engine, connection)
    assert connection_of(engine).state == "paused"


def test_a_platform_that_is_down_pauses_nothing(engine, connection, store, time):
    time.move(timedelta(days=2))
    store.stand_in.faults.add("error", path="access_token")
    assert work(engine, connection)
    assert connection_of(engine).state == "active"
    lane = lane_of(engine, connection)
    assert (lane.failures, lane.due_at) == (1, time.at + timedelta(minutes=1))
    time.move(timedelta(minutes=1))
    assert work(engine, connection)
    assert lane_of(engine, connection).failures == 0


def test_installing_again_resumes_what_was_paused(engine, connection, opened, store, time):
    time.move(timedelta(days=91))
    work(engine, connection)
    app = install.app_for("shopify", DOMAIN, {}, store.origin)
    install.complete(
        engine, "shopify", DOMAIN, app.exchange_visit(store.token(), clock.now()), practice_origin=store.origin
    )
    found = connection_of(engine)
    assert (found.state, found.reason, found.connection_id) == ("active", None, connection.connection_id)
    assert lane_of(engine, found).due_at == time.at + tokens.EVERY
    assert opened().connector.check().account == DOMAIN


def test_an_install_in_the_midst_of_a_refresh_stays(engine, connection, store, time):
    """The refresh read the credentials before the install, and comes to its end after it, granted or refused."""
    time.move(timedelta(days=2))
    claim = lanes.claim(engine, connection.shop_id, tokens.lane(connection.connection_id), lanes.nobodys)
    found = connection_of(engine)
    grant = shops.opened(found).connector.refresh(clock.now())
    app = install.app_for("shopify", DOMAIN, {}, store.origin)
    install.complete(
        engine, "shopify", DOMAIN, app.exchange_visit(store.token(), clock.now()), practice_origin=store.origin
    )
    kept = credentials_of(engine)
    tokens.store(engine, claim, found, grant)
    assert credentials_of(engine) == kept
    assert tokens.changed(engine, found)


def test_a_refusal_that_came_after_an_install_pauses_nothing(engine, connection, store, time):
    time.move(timedelta(days=2))

    def refuse(_token):
        with transaction(engine) as session:  # the merchant is quicker than the answer
            assert shops.renew(session, connection_of(engine), {"shop": DOMAIN, "access_token": "newer"})
        raise RefusedError("invalid_grant", "The refresh token is invalid or has expired")

    store.admin.tokens.refreshed = refuse
    assert work(engine, connection)
    assert connection_of(engine).state == "active"
    assert lane_of(engine, connection).error is None


def test_after_an_uninstall_nothing_is_refreshed_and_nothing_comes_back(engine, connection, store, time):
    found = connection_of(engine)
    claim = lanes.claim(engine, connection.shop_id, tokens.lane(connection.connection_id), lanes.nobodys)
    grant = shops.opened(found).connector.refresh(clock.now())
    with transaction(engine) as session:
        shops.uninstall(session, connection.shop_id, connection.connection_id)
    tokens.store(engine, claim, found, grant)
    assert credentials_of(engine) == {"shop": DOMAIN, "access_token": ""}
    assert connection_of(engine).state == "gone"
    time.move(timedelta(days=2))
    before = len(refreshes(store))
    work(engine, connection)
    assert len(refreshes(store)) == before


def test_a_token_that_never_ends_has_nothing_to_refresh(engine, connection, store, time):
    own = {"shop": DOMAIN, "access_token": "a merchant's own token", "api_secret": "its secret"}
    with transaction(engine) as session:
        shop = shops.shop(session, connection.shop_id)
        identity = shops.build("shopify", own, store.origin).check()
        shops.connect(session, shop, "shopify", own, identity, store.origin)
    time.move(timedelta(days=400))
    work(engine, connection)
    ready = tokens.opened(engine, connection.shop_id, connection.connection_id)
    assert ready.connector.check().account == DOMAIN
    assert refreshes(store) == []
    assert lane_of(engine, connection).due_at is None


def test_a_merchants_own_secret_is_not_ours_and_ours_signs_nothing_for_it(app_settings):
    own = shops.build("shopify", {"shop": DOMAIN, "access_token": "t", "api_secret": "its secret"})
    assert own.secrets == ["its secret"]
    ours = shops.build("shopify", {"shop": DOMAIN, "access_token": "t"})
    assert ours.secrets == [SECRET, OLD_SECRET]


def test_keys_that_rotate_leave_the_tokens_as_they_are(engine, database_url, connection, opened, time):
    assert "1 connections sealed anew" in command(database_url, "rotate-keys")
    assert connection_of(engine).sealed != connection.sealed
    time.move(2 * HOUR)
    assert opened().connector.check().account == DOMAIN
