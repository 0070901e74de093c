"""How often something may be sent, by whoever sends it: counted by the minute, in this process's memory alone."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import datetime, timedelta
from threading import Lock

from plugin import clock
from plugin.seal import keyed_digest

SPAN = timedelta(minutes=1)
MOST = 100_000  # names in one minute: more than that, and nobody new is let in until the next


class Rates:
    """Lets each name in `limit` times a minute. Names are kept as hashes that nobody can try out, for that minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.since: datetime | None = None
        self.key = ""
        self.counted: Counter[str] = Counter()
        self.guard = Lock()

    def admits(self, name: str) -> bool:
        """Count one more of `name`; return whether it is within the limit."""
        with self.guard:
            now = clock.now()
            if self.since is None or not self.since <= now < self.since + SPAN:
                self.since, self.key = now, secrets.token_hex(16)
                self.counted.clear()
            known = keyed_digest(self.key, name)
            if known not in self.counted and len(self.counted) >= MOST:
                return False
            self.counted[known] += 1
            return self.counted[known] <= self.limit
