"""How the practice shop's webhooks reach their subscribers: signed, tried again, and if asked repeated and shuffled."""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import itertools
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import requests

RETRIES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)  # seconds; the real ones spread as many over four hours
TIMEOUT = (1, 5)  # seconds to connect, and to answer
KEPT = 5_000


@dataclass(frozen=True)
class Delivery:
    """One webhook for one address. Its headers and body stay the same however often it is sent."""

    uri: str
    headers: Mapping[str, str]
    body: bytes
    subscription: str | None = None
    attempt: int = 0
    repeated: bool = False

    def told(self, name: str) -> str:
        """Return one of its own headers, whatever family they are of."""
        return next(value for header, value in self.headers.items() if header.removeprefix("X-") == f"Shopify-{name}")


@dataclass(frozen=True)
class Attempt:
    """One try to deliver: what the receiver answered, None when it did not."""

    topic: str
    webhook_id: str
    uri: str
    status: int | None


@dataclass(frozen=True)
class Signer:
    """Makes deliveries as Shopify does: over the raw body, with the app's secret."""

    shop_domain: str
    secret: str
    api_version: str
    chance: random.Random
    family: str = "X-Shopify-"  # how the names of its headers begin: those of the newer events have no X-

    def delivery(
        self, uri: str, topic: str, payload: Any, at: datetime, event_id: str, subscription: str | None = None
    ) -> Delivery:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return Delivery(uri, self.headers(topic, body, at, event_id), body, subscription)

    def headers(self, topic: str, body: bytes, at: datetime, event_id: str) -> dict[str, str]:
        told = {
            "Topic": topic,
            "Hmac-Sha256": signature(self.secret, body),
            "Shop-Domain": self.shop_domain,
            "API-Version": self.api_version,
            "Webhook-Id": self.new_id(),
            "Event-Id": event_id,
            "Triggered-At": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z",  # nanoseconds
        }
        plain = {"Content-Type": "application/json", "User-Agent": "Shopify-Captain-Hook"}
        return plain | {f"{self.family}{name}": value for name, value in told.items()}

    def new_id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


def signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Sender:
    """Delivers in a thread of its own, which starts with the first delivery.

    `repeat` is the chance that something delivered is delivered again, `shuffle` the seconds within which deliveries
    change places, `gave_up` is told of a delivery that failed to the end. `send` waits while `limit` are queued.
    """

    def __init__(
        self,
        *,
        retries: Sequence[float] = RETRIES,
        repeat: float = 0,
        shuffle: float = 0,
        limit: int = 10_000,
        chance: random.Random | None = None,
        gave_up: Callable[[Delivery], None] | None = None,
    ) -> None:
        self.retries, self.repeat, self.shuffle, self.limit = retries, repeat, shuffle, limit
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self._chance = chance or random.Random(0)
        self._gave_up = gave_up
        self._queue: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._busy = self._stopped = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between the practice shop and its subscribers

    def send(self, delivery: Delivery) -> None:
        with self._change:
            self._change.wait_for(lambda: len(self._queue) < self.limit or self._stopped)
            self._enqueue(delivery, self._chance.uniform(0, self.shuffle))
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
                self._thread.start()

    def flush(self, timeout: float = 10) -> bool:
        """Wait until everything is delivered or given up; False when that took too long."""
        with self._change:
            return self._change.wait_for(lambda: not self._queue and not self._busy, timeout)

    def stop(self) -> None:
        """Stop after the delivery under way; what is queued is lost."""
        with self._change:
            self._stopped = True
            self._queue.clear()
            self._change.notify_all()
        if self._thread:
            self._thread.join()
        self._session.close()

    def _enqueue(self, delivery: Delivery, delay: float) -> None:
        heapq.heappush(self._queue, (time.monotonic() + delay, next(self._numbers), delivery))
        self._change.notify_all()

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            status = self._post(delivery)
            lost = self._settle(delivery, delivered=status is not None and 200 <= status < 300)
            if lost and self._gave_up:
                self._gave_up(delivery)
            with self._change:
                self._busy = False
                self._change.notify_all()

    def _next(self) -> Delivery | None:
        with self._change:
            while not self._stopped:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._busy = True
                    return heapq.heappop(self._queue)[2]
                self._change.wait(wait)
        return None

    def _post(self, delivery: Delivery) -> int | None:
        try:
            answer = self._session.post(
                delivery.uri, data=delivery.body, headers=delivery.headers, timeout=TIMEOUT, allow_redirects=False
            )
            status: int | None = answer.status_code
        except requests.RequestException:
            status = None
        self.attempts.append(Attempt(delivery.told("Topic"), delivery.told("Webhook-Id"), delivery.uri, status))
        return status

    def _settle(self, delivery: Delivery, *, delivered: bool) -> bool:
        """Queue what is to be sent again; True when it will not be."""
        with self._change:
            if self._stopped:
                return False
            if delivered:
                if not delivery.repeated and self._chance.random() < self.repeat:
                    self._enqueue(replace(delivery, repeated=True), self._chance.uniform(0, self.shuffle))
                return False
            if delivery.attempt >= len(self.retries):
                return True
            self._enqueue(replace(delivery, attempt=delivery.attempt + 1), self.retries[delivery.attempt])
            return False
