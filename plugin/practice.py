"""The practice shop on this installation: made on the first start, kept alive while the app runs.

It is made in steps of which each is whole or not there, and each start takes the steps that are left: a first start may
be stopped or killed anywhere.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from sqlalchemy import Engine, select, update
from sqlmodel import Session, col

from connectors import registry
from connectors.installs import AppInstall
from connectors.sources import EventSource
from plugin import clock, imports, passwords, sandbox, shops, site, subscriptions
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Connection, Shop
from plugin.sandbox.consent import ClientApp
from plugin.sandbox.mailers import PLATFORMS, Mailers
from plugin.segments.kept import keep
from plugin.tagging import destinations
from plugin.worker import work_all

NAME = "Practice shop"
SHOP_PLATFORM = "shopify"
EVERY_SECONDS = 4

Step = Callable[[str], None]
"""Told what is begun, or "" in the middle of it; stops there by what it raises."""

# Name, query, and whether its tags are let out at once; the others wait in rehearsal for somebody to say go.
SEGMENTS = (
    ("Champions", "rfm_group = 'CHAMPIONS'", True),
    ("At risk", "rfm_group = 'AT_RISK' AND email_subscription_status = 'SUBSCRIBED'", True),
    ("First order this month", "number_of_orders = 1 AND first_order_date >= -30d", True),
    ("Left a cart this week", "abandoned_checkout_date >= -7d", True),
    ("Spent 500 and silent for 90 days", "amount_spent >= 500 AND last_order_date < -90d", False),
    ("Reads us and buys nothing", "email.opened MATCHES (date >= -60d) AND last_order_date < -60d", False),
    ("Bought with a discount twice", "orders_placed MATCHES (date >= -12m, discount_code != '', count >= 2)", False),
)


class Practice:
    """The running stand-ins, with the shop that is connected to them."""

    def __init__(
        self, shop_id: str | None, stand_ins: sandbox.Practice, mailers: Mailers, code: str | None, origin: str
    ) -> None:
        self.shop_id = shop_id
        self.stand_ins = stand_ins
        self.mailers = mailers
        self.code = code
        self.origin = origin
        self.closing = threading.Event()
        self.life = threading.Thread(target=self.live, name="practice", daemon=True)
        self.life.start()

    @classmethod
    def open(cls, engine: Engine, origin: str, step: Step, customers: int, *, bare: bool = False) -> Practice:
        """Start the practice shop for an app at `origin`; the first time make it, with its history and segments.

        `customers` is how many it then has. `bare`: only the platforms are made, and the merchant does the rest, from
        installing the app on. PermissionError in production.
        """
        if settings().production:
            raise PermissionError("the practice shop is refused in production")
        step("Starting the stand-ins; the first time they make up a shop's past …")
        folder = settings().instance_dir / "practice"
        stand_ins = sandbox.start(folder, clock.now, customers=customers, client=client("klaviyo"))
        mailers = Mailers(folder, clock.now, {one: client(one) for one in PLATFORMS})
        try:
            mailers.introduce(stand_ins.klaviyo.people())
            ready = lay_open if bare else prepare
            return cls(*ready(engine, stand_ins, mailers, origin, step), origin)
        except BaseException:
            mailers.stop()
            stand_ins.stop()
            raise

    @property
    def origins(self) -> dict[str, str]:
        """Where the platforms are on which consent is given."""
        return origins_of(self.stand_ins, self.mailers)

    def invitation(self) -> str:
        """Return where to begin: at the install, at the first password, or at the site."""
        if self.shop_id is None:
            return f"{self.origin}/install/{SHOP_PLATFORM}?shop={sandbox.DOMAIN}"
        return f"{self.origin}/setup?code={self.code}" if self.code else self.origin

    def told(self) -> str:
        """Return which platforms there are, and what each is there for."""
        store, *others = [registry()[one].label for one in self.origins]
        return f"Made up on this machine: {store} for the store; {', '.join(others)} for e-mails, a button each."

    def live(self) -> None:
        """Let something happen in the shop every few seconds, after what no export says has been told once."""
        chance = Random()  # noqa: S311  a made-up shop needs no secrets
        told = self.shop_id is None or self.stand_ins.introduced(self.shop_id)  # an install reads all of it
        if not told:
            self.stand_ins.introduce(self.closing.is_set)
        while not told and not self.closing.wait(1):
            told = self.stand_ins.arrived(self.shop_id or "")
        while not self.closing.wait(EVERY_SECONDS):
            self.stand_ins.happen(chance)

    def close(self) -> None:
        self.closing.set()
        self.life.join()
        self.mailers.stop()
        self.stand_ins.stop()


def let_apps_in(*, bare: bool) -> None:
    """Give this installation an app on each stand-in that has a page of consent, unless it has one of its own there.

    To be called before the settings are read. `bare`: the app that the made-up store knows is ours as well.
    """
    if bare:
        known = {"CLIENT_ID": sandbox.CLIENT_ID, "CLIENT_SECRET": sandbox.secret(sandbox.SEED, "api secret")}
        os.environ |= {f"{SHOP_PLATFORM.upper()}_{name}": value for name, value in known.items()}
    for platform in ("klaviyo", *PLATFORMS):
        names = [f"{platform.upper()}_{name}" for name in ("CLIENT_ID", "CLIENT_SECRET")]
        if not any(name in os.environ for name in names):
            os.environ |= {name: f"practice {name.lower()}" for name in names}


def client(platform: str) -> ClientApp:
    """Return our app as the platform's stand-in is to know it."""
    ours = settings().app(platform)
    connector = registry()[platform]
    assert issubclass(connector, AppInstall)
    back = f"{settings().public_url}/connect/{platform}/callback"
    scopes = (*connector.oauth.scopes, *connector.oauth.optional_scopes)
    return ClientApp(ours.get("client_id", ""), ours.get("api_secret", ""), [back], scopes)


def origins_of(stand_ins: sandbox.Practice, mailers: Mailers) -> dict[str, str]:
    """Return where each platform is, the store first."""
    own = {SHOP_PLATFORM: stand_ins.shopify_server.origin, "klaviyo": stand_ins.klaviyo_server.origin}
    return own | mailers.origins


def lay_open(
    engine: Engine, stand_ins: sandbox.Practice, mailers: Mailers, origin: str, _step: Step
) -> tuple[str | None, sandbox.Practice, Mailers, str | None]:
    """Let our app be installed in the store, and go on with the shop that an install before has made.

    Webhooks are sent as `shopify.app.toml` has it, which is how a public app subscribes.
    """
    store, connector = stand_ins.shopify, registry()[SHOP_PLATFORM]
    assert issubclass(connector, EventSource)
    store.admin.app.redirect_urls.append(f"{settings().public_url}/install/{SHOP_PLATFORM}/callback")
    store.subscriptions.forget()  # the app may have been at another port, where nobody answers now
    for topic in sorted(connector.topics):
        store.subscribe(topic, f"{origin}/webhooks/{SHOP_PLATFORM}")
    with transaction(engine) as session:
        shop = session.scalar(select(Shop).where(col(Shop.domain) == sandbox.DOMAIN))
        if shop is None:
            return None, stand_ins, mailers, None
        reach(session, shop.shop_id, origins_of(stand_ins, mailers))
        code = None if passwords.of_shop(session, shop.shop_id) else shops.renew_code(session, shop.shop_id)
        return shop.shop_id, stand_ins, mailers, code


def prepare(
    engine: Engine, stand_ins: sandbox.Practice, mailers: Mailers, origin: str, step: Step
) -> tuple[str, sandbox.Practice, Mailers, str | None]:
    """Make what is missing of the shop, connected and filled; return its id and the code for its first password."""
    origins = origins_of(stand_ins, mailers)
    step("Connecting the practice shop with them …")
    with transaction(engine) as session:
        shop = session.scalar(select(Shop).where(col(Shop.domain) == sandbox.DOMAIN)) or make(session)
        reach(session, shop.shop_id, origins)
        code = shops.renew_code(session, shop.shop_id) if shop.setup_digest else None
    connect(engine, shop, stand_ins, origins, origin)
    if not stand_ins.introduced(shop.shop_id):
        fill(engine, shop, stand_ins, step)
    return shop.shop_id, stand_ins, mailers, code


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
    for platform, given in secrets.items():
        origin = origins[platform]
        connector = shops.build(platform, given, origin)
        identity = connector.check()
        with transaction(engine) as session:
            if identity.zone and identity.currency:
                place = {"zone": identity.zone, "currency": identity.currency}
                session.execute(update(Shop).where(col(Shop.shop_id) == shop.shop_id).values(**place))
            connection = shops.connect(session, shop, platform, given, identity, origin)
            if isinstance(connector, EventSource):
                subscriptions.send_here(session, connection, own=False, base=app)
                site.ask(session, connection, app)
            destinations.add_destinations(session, shop.shop_id)
        if isinstance(connector, EventSource):
            stand_ins.shopify.subscriptions.forget()  # the app may have been at another port, where nobody answers now
            connector.subscribe(f"{app}/webhooks/{platform}")


def fill(engine: Engine, shop: Shop, stand_ins: sandbox.Practice, step: Step) -> None:
    """Bring the shop's past in as a merchant would, then make its segments: whatever of that is not there yet."""
    with reading(engine) as session:
        known = shops.shop(session, shop.shop_id).history_at is not None
        begun = bool(keep.all_of(session, shop.shop_id))
    if not known:
        step("Bringing in the orders of eighteen months …")
        bring_orders(engine, shop, stand_ins, step)
    step("Working out scores …")
    work_all(engine, lambda shop_id, kind: shop_id == shop.shop_id and kind == "scores")
    step("Making segments, and seeing who belongs to them …")
    if not begun:
        with transaction(engine) as session:
            make_segments(session, shop.shop_id)
    work_all(engine, lambda shop_id, kind: shop_id == shop.shop_id and kind == "recompute")


def bring_orders(engine: Engine, shop: Shop, stand_ins: sandbox.Practice, step: Step) -> None:
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "orders_export.csv.gz"
        stand_ins.shop.write_export(export)
        imports.import_orders(engine, shop.shop_id, export, lambda _: step(""))


def make_segments(session: Session, shop_id: str) -> None:
    """Keep all segments, with those let out that are not to wait in rehearsal."""
    for name, query, released in SEGMENTS:
        segment = keep.add(session, shops.shop(session, shop_id), name, query)
        for connection in shops.connections(session, shop_id) if released else ():
            destinations.release(session, shop_id, segment.segment_id, connection.connection_id)
