"""Numbers for everything new: above 2^53, where JavaScript rounds them, and never given twice."""

from __future__ import annotations

import threading

from plugin.sandbox.state import State

BASES = {
    kind: 8_100_000_000_000_000_000 + place * 10_000_000_000_000_000
    for place, kind in enumerate(
        [
            "customer",
            "address",
            "product",
            "variant",
            "order",
            "line",
            "shipping",
            "refund",
            "refund_line",
            "transaction",
            "subscription",
            "profile",
            "bulk_operation",
            "metafield",
            "segment",
            "contact",
            "list",
            "folder",
            "webhook",
            "tagging",
        ]
    )
}
BLOCK = 1_000


class Ids:
    """Counts within blocks that are reserved in the state, so that several counters and restarts do no harm."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._next: dict[str, int] = {}
        self._lock = threading.Lock()

    def new(self, kind: str) -> int:
        with self._lock:
            number = self._next.get(kind, 0)
            if number % BLOCK == 0:
                number = self._reserve(kind) * BLOCK + 1  # the first of a block stays unused: it marks the end
            self._next[kind] = number + 1
            return BASES[kind] + number

    def _reserve(self, kind: str) -> int:
        with self._state.transaction():
            used = (self._state.get("ids", kind) or {"blocks": 0})["blocks"]
            self._state.set("ids", kind, {"blocks": used + 1})
        return int(used)
