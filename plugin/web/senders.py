"""Whose webhook it is: the connections behind webhooks' addresses, remembered for a few seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Engine

from connectors.errors import SignatureError
from connectors.sources import EventSource, Webhook
from plugin import shops
from plugin.db import reading
from plugin.shops import Opened

REMEMBERED_SECONDS = 5.0
MOST = 10_000


@dataclass(frozen=True)
class Remembered:
    opened: Opened
    until: float


class Senders:
    """One process's memory of connections. What it has forgotten, or what does not fit, is read again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.remembered: dict[tuple[str, str], Remembered] = {}

    def verified(self, platform: str, address: str, webhook: Webhook) -> Opened:
        """Return the connection behind `address` if a webhook was signed for it. SignatureError: it was not.

        A signature that does not fit is tried once more with what the database says now: the secret may be new.
        """
        known = self.recall(platform, address)
        if known:
            try:
                return signed(known, webhook)
            except SignatureError:
                self.remembered.pop((platform, address), None)
        opened = self.look_up(platform, address)
        if opened is None:
            raise SignatureError(f"{platform}: nobody is connected under the address of this delivery")
        return signed(opened, webhook)

    def claimed(self, platform: str, address: str) -> Opened | None:
        """Return the connection that a webhook claims to be for. Nothing proves it."""
        return self.recall(platform, address) or self.look_up(platform, address)

    def recall(self, platform: str, address: str) -> Opened | None:
        known = self.remembered.get((platform, address))
        return known.opened if known and known.until > time.monotonic() else None

    def look_up(self, platform: str, address: str) -> Opened | None:
        with reading(self.engine) as session:
            connection = shops.by_address(session, platform, address) if address else None
            opened = shops.opened(connection) if connection else None
        if opened:
            if len(self.remembered) >= MOST:
                self.remembered.clear()
            self.remembered[platform, address] = Remembered(opened, time.monotonic() + REMEMBERED_SECONDS)
        return opened


def signed(opened: Opened, webhook: Webhook) -> Opened:
    """Return `opened` if the webhook bears its signature. SignatureError."""
    if not isinstance(opened.connector, EventSource):
        raise SignatureError(f"{opened.platform}: this connection takes no webhooks")
    opened.connector.verify(webhook)
    return opened
