"""A shop connected with Shopify's stand-in over real HTTP, in both directions, and the lanes that work on it."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Identity
from plugin import sandbox, shops, worker
from plugin.app import create_app
from plugin.config import settings
from plugin.db import reading, table, transaction
from plugin.models.lanes import Lane
from plugin.sandbox.server import Server
from plugin.sandbox.state import State
from plugin.sandbox.webhooks import Sender
from plugin.seal import unseal

DOMAIN = sandbox.DOMAIN
TOKEN, SECRET = "a made-up token", "a made-up secret"


class World:
    """One shop. `stand_in` is its store, `requests` counts what that was asked, `app` receives its webhooks."""

    def __init__(self, engine, time, monkeypatch, schema=None):
        self.engine, self.time = engine, time
        sender = Sender(retries=[0.01] * 8, gave_up=self.drop)
        self.stand_in = sandbox.ShopifyStandIn(
            State(None), time, DOMAIN, TOKEN, SECRET, schema_path=schema, sender=sender
        )
        self.requests = 0
        self.stand_in.app.before_request(self.count)
        self.shopify = Server(self.stand_in.app).start()
        self.app = create_app(engine)
        self.site = Server(self.app).start()
        monkeypatch.setenv("PUBLIC_URL", self.site.origin)
        settings.cache_clear()
        self.shop_id, self.connection_id = self.connect()

    def drop(self, delivery):
        self.stand_in.drop(delivery)

    def count(self):
        self.requests += 1

    def connect(self, domain=DOMAIN):
        with transaction(self.engine) as session:
            shop, _ = shops.add_shop(
                session, name="Gifts", platform="shopify", domain=domain, zone="Europe/London", currency="GBP"
            )
            credentials = {"shop": domain, "access_token": TOKEN, "api_secret": SECRET}
            identity = Identity(domain, "Gifts")
            shops.history_complete(session, shop.shop_id, self.time())
            connection = shops.connect(session, shop, "shopify", credentials, identity, self.shopify.origin)
        return shop.shop_id, connection.connection_id

    @property
    def connection(self):
        with reading(self.engine) as session:
            return shops.connection(session, self.shop_id, self.connection_id)

    def shop(self):
        with reading(self.engine) as session:
            return shops.shop(session, self.shop_id)

    def work(self, *kinds):
        """Work the lanes of these kinds that are due; return how many were worked."""
        return worker.work_all(self.engine, lambda _, kind: kind.partition(":")[0] in kinds)

    def tell(self, topic, payload):
        """Send a webhook and work it into rows."""
        sent = self.stand_in.emit(topic, payload)
        assert self.stand_in.sender.flush()
        self.work("inbox")
        return sent

    def rows(self, model, *names):
        with reading(self.engine) as session:
            found = session.execute(table(model).select()).all()
        return [tuple(row._mapping[name] for name in names) for row in found] if names else found

    def lane(self, kind):
        with reading(self.engine) as session:
            return session.get(Lane, (self.shop_id, f"{kind}:{self.connection_id}"))

    def token_ends(self, **after):
        """Let the connection's access token be one that ends."""
        ends = {"refresh_token": "the next", "expires_at": (self.time() + timedelta(**after)).isoformat()}
        with transaction(self.engine) as session:
            found = shops.connection(session, self.shop_id, self.connection_id)
            shops.renew(session, found, unseal(self.shop_id, found.sealed) | ends)

    def stop(self):
        self.stand_in.stop()
        self.shopify.stop()
        self.site.stop()
