"""A shop that is connected with a platform which tells of e-mails, and the time that stands still."""

import pytest

import connectors
from connectors.base import Identity
from plugin import shops
from plugin.db import transaction
from tests.engagement.paper import Paper
from tests.web.conftest import time
from tests.web.site import Site

__all__ = ["time"]


@pytest.fixture
def platform(monkeypatch):
    monkeypatch.setitem(connectors.CONNECTORS, "paper", "tests.engagement.paper:Paper")
    connectors.registry.cache_clear()
    Paper.fresh()
    yield Paper
    connectors.registry.cache_clear()


@pytest.fixture
def site(engine, time, platform):
    return Site(engine)


@pytest.fixture
def mine(site):
    return site.shop("mine")


@pytest.fixture
def theirs(site):
    return site.shop("theirs")


@pytest.fixture
def paper(site, mine):
    """The id of the connection with it."""
    return connect(site, mine)


def connect(site, tenant):
    with transaction(site.engine) as session:
        shop = shops.shop(session, tenant.shop_id)
        identity = Identity(f"paper of {tenant.name}", "Paper")
        return shops.connect(session, shop, "paper", {"key": "k"}, identity).connection_id
