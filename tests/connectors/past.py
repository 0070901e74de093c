"""A store of the practice shop with a past, and a connector that reads it; its time is set."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from connectors.http import Http
from connectors.stores.shopify import Shopify
from plugin.sandbox import Server, Shop, ShopifyStandIn, State
from plugin.sandbox.webhooks import Sender
from tests.conftest import SHARED

DOMAIN = "practice-shop.myshopify.com"
SCHEMA = SHARED / "specs/shopify/admin_2026-10.introspection.json.gz"
CREDENTIALS = {"shop": DOMAIN, "access_token": "a-token", "api_secret": "a-secret"}


class Past:
    """`stand_in` with its `shop`; `source` makes a new connector each time, as another process would."""

    def __init__(self, stand_in, server, shop, at):
        self.stand_in, self.server, self.shop, self.at = stand_in, server, shop, at

    @property
    def source(self):
        return Shopify(CREDENTIALS, Http("shopify", self.server.origin))

    def wait(self, seconds):
        self.at += timedelta(seconds=seconds or 0)

    def pages(self, kind, cursor=None, since=None, most=500):
        """Yield the pages of a kind from a cursor on, each asked for by another connector, waiting as long as told."""
        for _ in range(most):
            page = self.source.page(kind, cursor, since)
            yield page
            if page.done:
                return
            cursor = page.cursor
            self.wait(page.wait_seconds)
        raise AssertionError(f"{kind} comes to no end")

    def records(self, kind, cursor=None, since=None):
        return [record for page in self.pages(kind, cursor, since) for record in page.records]


@contextmanager
def past(customers=25, **options):
    state, made = State(None), []
    beginning = datetime(2026, 11, 22, 12, tzinfo=UTC)
    options.setdefault("schema_path", SCHEMA if SCHEMA.exists() else None)
    options.setdefault("sender", Sender(retries=()))
    stand_in = ShopifyStandIn(
        state, lambda: made[0].at if made else beginning, DOMAIN, "a-token", "a-secret", **options
    )
    with Server(stand_in.app) as server:
        shop = Shop(state, stand_in.store, seed=5, until=beginning, customers=customers)
        made.append(Past(stand_in, server, shop, beginning))
        yield made[0]
        stand_in.stop()
        state.close()
