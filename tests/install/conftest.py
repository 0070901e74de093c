"""A site with our app's credentials, and a store to install it in."""

import pytest

from plugin.config import settings
from tests.install import store as stores
from tests.web.conftest import time
from tests.web.site import Site

__all__ = ["time"]


@pytest.fixture
def app_settings(time, monkeypatch):
    monkeypatch.setenv("SHOPIFY_CLIENT_ID", stores.CLIENT_ID)
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", stores.SECRET)
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET_OLD", stores.OLD_SECRET)
    settings.cache_clear()


@pytest.fixture
def store(app_settings):
    with stores.running() as running:
        yield running


@pytest.fixture
def site(engine, store):
    made = Site(engine)
    made.app.extensions["practice_origins"]["shopify"] = store.origin
    return made
