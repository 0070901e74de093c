"""An installation as its owner runs it: real processes, a real database, and stand-ins that outlive them."""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet
from sqlalchemy import Engine, exists, or_, select, true

from connectors.base import Identity
from plugin import clock, db, sandbox, shops
from plugin.config import settings
from plugin.db import reading, table, transaction
from plugin.models.inbox import Delivery
from plugin.models.lanes import Lane
from plugin.models.segments import Membership, Stale
from plugin.models.tagging import Job, Push
from plugin.sandbox.server import Server
from plugin.sandbox.state import State
from plugin.segments.kept import keep
from plugin.tagging import destinations

DOMAIN = "practice-shop.myshopify.com"
TOKEN, SECRET, API_KEY = "a made-up token", "a made-up secret", "pk_made_up"
ROOT = Path(__file__).parents[2]


class Installation:
    """One shop on one database, with stand-ins for its store and its e-mail platform."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        monkeypatch: Any,
        *,
        offset_seconds: float = 0,
        recompute_after: float = 0.2,
    ) -> None:
        self.settings = {
            "DATABASE_URL": database_url,
            "INSTANCE_DIR": str(folder),
            "SECRET_KEY": "made up for a test",
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "CLOCK_OFFSET_SECONDS": str(offset_seconds),
            "RECOMPUTE_AFTER_SECONDS": str(recompute_after),
            "LEASE_SECONDS": "3",
            "WEB_CONCURRENCY": "1",
        }
        for name, value in self.settings.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        self.folder = folder
        self.engine: Engine = db.connect(database_url)
        self.port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.shopify = sandbox.ShopifyStandIn(State(None), clock.now, DOMAIN, TOKEN, SECRET, plan="enterprise")
        self.klaviyo = sandbox.KlaviyoStandIn(State(None), clock.now, API_KEY)
        self.servers = [Server(self.shopify.app).start(), Server(self.klaviyo.app).start()]
        self.shop_id = self.make_shop()

    def make_shop(self) -> str:
        secrets = {
            "shopify": {"shop": DOMAIN, "access_token": TOKEN, "api_secret": SECRET},
            "klaviyo": {"api_key": API_KEY},
        }
        with transaction(self.engine) as session:
            shop, _ = shops.add_shop(
                session, name="Gifts", platform="shopify", domain=DOMAIN, zone="Europe/London", currency="GBP"
            )
            shop.guard_contacts = 1_000_000  # a year comes in at once
            shops.history_complete(session, shop.shop_id, clock.now())
            for (platform, credentials), server in zip(secrets.items(), self.servers, strict=True):
                identity = Identity(account=DOMAIN if platform == "shopify" else "practice", name=platform)
                shops.connect(session, shop, platform, credentials, identity, server.origin)
        return shop.shop_id

    def add_segments(self, queries: dict[str, str]) -> None:
        """Keep segments whose tags go out at once."""
        with transaction(self.engine) as session:
            shop = shops.shop(session, self.shop_id)
            for name, query in queries.items():
                keep.add(session, shop, name, query)
            for segment in keep.all_of(session, self.shop_id):
                for connection in shops.connections(session, self.shop_id):
                    destinations.release(session, self.shop_id, segment.segment_id, connection.connection_id)

    def start(self, name: str) -> None:
        """Start `web` or `worker` as a process group of its own."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "plugin", name],
                cwd=ROOT,
                env=os.environ | self.settings | {"PORT": str(self.port)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, number)
        process.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()[-4000:]

    def answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def deliver(self, topic: str, payload: dict[str, Any], webhook_id: str = "") -> int | None:
        """Send one signed webhook, as Shopify would; return the status, None if nobody answered."""
        body = json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-Webhook-Id": webhook_id or str(uuid.uuid4()),
            "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
            "X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode(),
        }
        try:
            url = f"http://127.0.0.1:{self.port}/webhooks/shopify"
            return requests.post(url, data=body, headers=headers, timeout=5).status_code
        except requests.RequestException:
            return None

    def settled(self) -> bool:
        """Whether nothing is left to be done: no delivery, no stale customer, no tag, no lane at work."""
        left = {
            Delivery: table(Delivery).c.state.in_(("waiting", "failed", "unreadable")),
            Stale: true(),
            Push: table(Push).c.state.in_(("waiting", "sent")),
            Job: true(),
            Lane: table(Lane).c.leased_until.is_not(None),
        }
        any_left = [exists().select_from(table(model)).where(condition) for model, condition in left.items()]
        with reading(self.engine) as session:
            return not session.scalar(select(or_(*any_left)))  # at one moment: work goes from one table to another

    def wait_until_settled(self, seconds: float = 90) -> None:
        wait(self.settled, seconds, lambda: self.log("worker"))

    def memberships(self) -> dict[str, set[str]]:
        """Return the customers' ids in each segment, by its tag."""
        with reading(self.engine) as session:
            tags = {one.segment_id: one.tag for one in keep.all_of(session, self.shop_id)}
            found: dict[str, set[str]] = {tag: set() for tag in tags.values()}
            rows = select(table(Membership).c.segment_id, table(Membership).c.customer_id)
            for segment_id, customer_id in session.execute(rows.where(table(Membership).c.shop_id == self.shop_id)):
                found[tags[segment_id]].add(customer_id)
        return found

    def tags_in_shopify(self) -> dict[str, set[str]]:
        """Return the customers' ids that carry each of our tags in the store."""
        found: dict[str, set[str]] = {}
        for person in self.shopify.people():
            for tag in person["tags"]:
                found.setdefault(tag, set()).add(person["id"].rpartition("/")[2])
        return found

    def tags_in_klaviyo(self) -> dict[str, set[str]]:
        """Return the addresses that carry each of our tags in the e-mail platform."""
        found: dict[str, set[str]] = {}
        for person in self.klaviyo.people():
            for tag in person["properties"].get("tagsmith_segments", ()):
                found.setdefault(tag, set()).add(person["email"].casefold())
        return found

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        for stand_in in (self.shopify, self.klaviyo):
            stand_in.stop()
        for server in self.servers:
            server.stop()
        self.engine.dispose()
        settings.cache_clear()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(condition: Callable[[], bool], seconds: float, tell: Callable[[], str] = str) -> None:
    """Wait for a condition, looking often; say what is known if it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} seconds; {tell()}")
        time.sleep(0.05)  # between two looks at another process, which cannot tell us
