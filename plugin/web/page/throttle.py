"""How often somebody may try: counted by client address, in this process's memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from threading import Lock

from plugin import clock

TRIES = 20
SPAN = timedelta(minutes=10)
MOST = 10_000


class Throttle:
    """Remembers failures of the last minutes; of the addresses only those that failed last."""

    def __init__(self) -> None:
        self.failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self.guard = Lock()

    def closed(self, address: str) -> bool:
        """Whether an address has failed so often that it has to wait."""
        with self.guard:
            failed = self.failures.get(address, deque[datetime]())
            while failed and failed[0] <= clock.now() - SPAN:
                failed.popleft()
            return len(failed) >= TRIES

    def fail(self, address: str) -> None:
        with self.guard:
            self.failures.setdefault(address, deque(maxlen=TRIES)).append(clock.now())
            self.failures.move_to_end(address)
            if len(self.failures) > MOST:
                self.failures.popitem(last=False)
