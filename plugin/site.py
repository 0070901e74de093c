"""What customers look at on the shop's own pages: told by a pixel in browsers, so that anybody can make it up.

Only events of customers whom we know are kept, under the browser's own id for each, dated by their arrival. The lane
`pixel` has the platform run our pixel, with the address and the key that its events come back with.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, update
from sqlmodel import Session

from connectors.errors import ConfigurationError, PermanentError
from connectors.records import Event
from connectors.writers import PixelHost
from plugin import clock, dates, ingest, lanes, shops, tokens
from plugin.config import settings
from plugin.db import reading, table, transaction, upsert
from plugin.ingest.named import known_among, named, people_in
from plugin.models.events import PIXEL
from plugin.models.shops import Connection
from plugin.models.site import Pixel

ROUTE = "pixel"  # the platform of a pixel's route: its address is the key
KINDS = ("product_viewed", "collection_viewed")
EVENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
NUMBER = re.compile(r"[0-9]{1,20}")

pixels = table(Pixel)


def read(told: object, at: datetime, user_agent: str | None = None) -> Event | None:
    """Return an event if what was told has exactly the shape of one. Ids are texts: browsers round large numbers."""
    if not isinstance(told, dict) or told.keys() != {"id", "name", "customer", "subject"}:
        return None
    if not all(isinstance(value, str) for value in told.values()):
        return None
    kind: Any = told["name"]
    numbers = all(NUMBER.fullmatch(told[name]) for name in ("customer", "subject"))
    if not (numbers and kind in KINDS and EVENT_ID.fullmatch(told["id"])):
        return None
    return Event(
        told["id"], kind, at, told["customer"], source=PIXEL, subject_id=told["subject"], user_agent=user_agent
    )


def keep(session: Session, shop_id: str, told_by: str, seen: Sequence[Event]) -> None:
    """Keep what browsers tell of customers whom we know. What is of anybody else is counted and dropped."""
    shop = shops.shop(session, shop_id)
    who = people_in(session, shop, seen)
    known = known_among(session, shop, set(who.values()))
    for one in seen:
        if who[named(one)] not in known:
            shops.count(session, shop_id, f"unknown:{told_by}:{one.kind}")
    ingest.store(session, shop, told_by, [one for one in seen if who[named(one)] in known])


def ask(session: Session, connection: Connection, base: str = "") -> str:
    """Have the platform run our pixel for this connection; return its key, the same at each call.

    `base`: where this installation is reached, if that is not what the settings say.
    """
    kept = session.get(Pixel, (connection.shop_id, connection.connection_id))
    key = kept.site_key if kept else secrets.token_urlsafe(12)
    route = {"platform": ROUTE, "address": key}
    ours = {"shop_id": connection.shop_id, "connection_id": connection.connection_id}
    upsert(session, shops.routes, [route | ours])
    address = f"{base or settings().public_url}/pixel/{key}"
    upsert(session, pixels, [ours | {"site_key": key, "address": address}], change=("address",))
    lanes.poke(session, connection.shop_id, f"pixel:{connection.connection_id}")
    return key


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Have the platform run the pixel; return None when it does, else the shop's next midnight, to try again."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        pixel = session.get(Pixel, (claim.shop_id, claim.subject))
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if pixel is None or opened is None or not isinstance(opened.connector, PixelHost):
        return None
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    try:
        placed = opened.connector.place_pixel({"address": pixel.address or ""})
    except (ConfigurationError, PermanentError) as error:  # a shop without a pixel is in order otherwise
        note(engine, claim, {"error": str(error)[:500]})
        return midnight
    note(engine, claim, {"platform_id": placed, "error": None})
    return None


def note(engine: Engine, claim: lanes.Claim, values: Mapping[str, Any]) -> None:
    with transaction(engine) as session:
        lanes.hold(session, claim)
        mine = (pixels.c.shop_id == claim.shop_id, pixels.c.connection_id == claim.subject)
        session.execute(update(pixels).where(*mine).values(values))


def owner(session: Session, key: str) -> Connection | None:
    """Return the connection whose pages hold this key, while it is connected."""
    found = shops.by_address(session, ROUTE, key)
    return found if found and found.state != "gone" else None
