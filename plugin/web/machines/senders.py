"""Whose webhook it is: the connections behind webhooks' addresses, remembered for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from connectors.engagement import EngagementHooks
from connectors.errors import SignatureError
from connectors.sources import EventSource, Webhook
from plugin import shops, subscriptions
from plugin.db import reading
from plugin.shops import Opened

REMEMBERED_SECONDS = 5.0
MOST = 10_000


@dataclass(frozen=True)
class Known:
    """A connection behind an address. `secret`: what engagement is to be proved by, "" if none was asked for."""

    opened: Opened
    secret: str


@dataclass(frozen=True)
class Remembered:
    known: Known
    until: float


Prove = Callable[[Known, Webhook], None]
"""Raise SignatureError unless a webhook is from the connection's platform."""


class Senders:
    """One process's memory of connections. What it has forgotten, or what does not fit, is read again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.remembered: dict[tuple[str, str], Remembered] = {}

    def verified(self, platform: str, address: str, webhook: Webhook, prove: Prove) -> Opened:
        """Return the connection behind `address` if a webhook proves to be for it. SignatureError: it does not.

        A proof that does not fit is tried once more with what the database says now: the secret may be new.
        """
        known = self.recall(platform, address)
        if known:
            try:
                prove(known, webhook)
            except SignatureError:
                self.remembered.pop((platform, address), None)
            else:
                return known.opened
        known = self.look_up(platform, address)
        if known is None:
            raise SignatureError(f"{platform}: nobody is connected under the address of this delivery")
        prove(known, webhook)
        return known.opened

    def claimed(self, platform: str, address: str) -> Opened | None:
        """Return the connection that a webhook claims to be for. Nothing proves it."""
        known = self.recall(platform, address) or self.look_up(platform, address)
        return known.opened if known else None

    def recall(self, platform: str, address: str) -> Known | None:
        found = self.remembered.get((platform, address))
        return found.known if found and found.until > time.monotonic() else None

    def look_up(self, platform: str, address: str) -> Known | None:
        with reading(self.engine) as session:
            connection = shops.by_address(session, platform, address) if address else None
            if connection is None:
                return None
            opened = shops.opened(connection)
            hooks = isinstance(opened.connector, EngagementHooks)
            known = Known(opened, subscriptions.hook_secret(session, connection) if hooks else "")
        if len(self.remembered) >= MOST:
            self.remembered.clear()
        self.remembered[platform, address] = Remembered(known, time.monotonic() + REMEMBERED_SECONDS)
        return known


def signed(known: Known, webhook: Webhook) -> None:
    """Let a webhook pass that bears its store's signature. SignatureError."""
    if not isinstance(known.opened.connector, EventSource):
        raise SignatureError(f"{known.opened.platform}: this connection takes no webhooks")
    known.opened.connector.verify(webhook)


def hooked(known: Known, webhook: Webhook) -> None:
    """Let engagement pass that shows the secret it was asked for with. SignatureError."""
    if not known.secret or not isinstance(known.opened.connector, EngagementHooks):
        raise SignatureError(f"{known.opened.platform}: this connection was not asked for engagement")
    known.opened.connector.proved(webhook, known.secret)
