"""The practice shop on this installation: made on the first start, kept alive while the app runs."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from random import Random

from sqlalchemy import Engine, select, update
from sqlmodel import Session, col

from connectors.sources import EventSource
from plugin import clock, imports, sandbox, shops, site, subscriptions
from plugin.config import settings
from plugin.db import transaction
from plugin.models.shops import Connection, Shop
from plugin.segments.kept import keep
from plugin.tagging import destinations
from plugin.worker import work_all

NAME = "Practice shop"
EVERY_SECONDS = 4

# Name, query, and whether its tags are let out at once; the others wait in rehearsal for somebody to say go.
SEGMENTS = (
    ("Champions", "rfm_group = 'CHAMPIONS'", True),
    ("At risk", "rfm_group = 'AT_RISK' AND email_subscription_status = 'SUBSCRIBED'", True),
    ("First order this month", "number_of_orders = 1 AND first_order_date >= -30d", True),
    ("Left a cart this week", "abandoned_checkout_date >= -7d", True),
    ("Spent 500 and silent for 90 days", "amount_spent >= 500 AND last_order_date < -90d", False),
    ("Bought with a discount twice", "orders_placed MATCHES (date >= -12m, discount_code != '', count >= 2)", False),
)


class Practice:
    """The running stand-ins, with the shop that is connected to them."""

    def __init__(self, engine: Engine, stand_ins: sandbox.Practice, code: str | None, origin: str) -> None:
        self.engine = engine
        self.stand_ins = stand_ins
        self.code = code
        self.origin = origin
        self.closing = threading.Event()
        self.life = threading.Thread(target=self.live, name="practice", daemon=True)
        self.life.start()

    @classmethod
    def open(cls, engine: Engine, origin: str) -> Practice:
        """Start the practice shop for an app at `origin`; the first time make it, with its history and segments.

        PermissionError in production.
        """
        if settings().production:
            raise PermissionError("the practice shop is refused in production")
        stand_ins = sandbox.start(settings().instance_dir / "practice", clock.now)
        origins = {"shopify": stand_ins.shopify_server.origin, "klaviyo": stand_ins.klaviyo_server.origin}
        with transaction(engine) as session:
            shop = session.scalar(select(Shop).where(col(Shop.domain) == sandbox.DOMAIN))
            made = shop is None
            shop = shop or make(session)
            reach(session, shop.shop_id, origins)
            code = shops.renew_code(session, shop.shop_id) if shop.setup_digest else None
        connect(engine, shop, stand_ins, origins, origin)
        if made:
            fill(engine, shop, stand_ins)
        return cls(engine, stand_ins, code, origin)

    def invitation(self) -> str:
        """Return where to begin: at the first password, or at the site."""
        return f"{self.origin}/setup?code={self.code}" if self.code else self.origin

    def live(self) -> None:
        """Let something happen in the shop every few seconds."""
        chance = Random()  # noqa: S311  a made-up shop needs no secrets
        while not self.closing.wait(EVERY_SECONDS):
            self.stand_ins.happen(chance)

    def close(self) -> None:
        self.closing.set()
        self.life.join()
        self.stand_ins.stop()


def make(session: Session) -> Shop:
    """Make the shop, in the zone and currency that its store will name."""
    shop, _ = shops.add_shop(
        session, name=NAME, platform="shopify", domain=sandbox.DOMAIN, zone="Europe/London", currency="GBP"
    )
    return shop


def reach(session: Session, shop_id: str, origins: Mapping[str, str]) -> None:
    """Lead the practice connections to where the stand-ins are now."""
    for platform, origin in origins.items():
        session.execute(
            update(Connection)
            .where(col(Connection.shop_id) == shop_id, col(Connection.platform) == platform)
            .where(col(Connection.practice_origin).is_not(None))
            .values(practice_origin=origin)
        )


def connect(engine: Engine, shop: Shop, stand_ins: sandbox.Practice, origins: Mapping[str, str], app: str) -> None:
    """Connect the shop with both stand-ins, where it is not yet, and have webhooks sent to the app at `app`."""
    secrets = {
        "shopify": {
            "shop": sandbox.DOMAIN,
            "access_token": stand_ins.shopify.access_token,
            "api_secret": stand_ins.shopify.api_secret,
        },
        "klaviyo": {"api_key": stand_ins.klaviyo.api_key},
    }
    for platform, origin in origins.items():
        connector = shops.build(platform, secrets[platform], origin)
        identity = connector.check()
        with transaction(engine) as session:
            if identity.zone and identity.currency:
                place = {"zone": identity.zone, "currency": identity.currency}
                session.execute(update(Shop).where(col(Shop.shop_id) == shop.shop_id).values(**place))
            connection = shops.connect(session, shop, platform, secrets[platform], identity, origin)
            if isinstance(connector, EventSource):
                subscriptions.send_here(session, connection, own=False, base=app)
                site.ask(session, connection, app)
            destinations.add_destinations(session, shop.shop_id)
        if isinstance(connector, EventSource):
            connector.subscribe(f"{app}/webhooks/{platform}")


def fill(engine: Engine, shop: Shop, stand_ins: sandbox.Practice) -> None:
    """Bring the shop's past in as a merchant would, then make its segments."""
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "orders_export.csv.gz"
        stand_ins.shop.write_export(export)
        imports.import_orders(engine, shop.shop_id, export)
    work_all(engine, lambda shop_id, kind: shop_id == shop.shop_id and kind == "scores")
    with transaction(engine) as session:
        current = shops.shop(session, shop.shop_id)
        for name, query, _ in SEGMENTS:
            keep.add(session, current, name, query)
    work_all(engine, lambda shop_id, kind: shop_id == shop.shop_id and kind == "recompute")
    with transaction(engine) as session:
        for name, _, released in SEGMENTS:
            segment = keep.by_name(session, shop.shop_id, name)
            if segment is None or not released:
                continue
            for connection in shops.connections(session, shop.shop_id):
                destinations.release(session, shop.shop_id, segment.segment_id, connection.connection_id)
    stand_ins.tell(list(stand_ins.shop.opening_events()))
