import pytest
import responses

from plugin import clock, shops
from plugin.config import settings
from tests.outgoing.receiver import add
from tests.segments.small import Small


@pytest.fixture
def small(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    settings.cache_clear()
    before = clock.use(clock.real)
    made = Small(engine)
    with made.change() as (session, shop):
        shops.history_complete(session, made.shop_id, made.now)
        shop.guard_contacts = 1_000_000
    made.segment("recent", "last_order_date > -3d")
    yield made
    clock.use(before)
    settings.cache_clear()


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as made:
        yield made


@pytest.fixture
def told(small, http):
    """An endpoint of the shop's one segment, with its receiver."""
    return add(small, http)
