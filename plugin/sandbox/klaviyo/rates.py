"""How often Klaviyo lets each of its endpoints be called: fixed windows of one second and of one minute."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from .problems import Problem, RefusedError

Rate = tuple[int, int]  # calls in a second, calls in a minute

MEDIUM: Rate = (10, 150)
LARGE: Rate = (75, 700)
EXTRA_LARGE: Rate = (350, 3_500)
RATES: Mapping[str, Rate] = {
    "accounts": (1, 15),
    "profiles": LARGE,
    "profile": LARGE,
    "profile-import": LARGE,
    "bulk-import": MEDIUM,
    "jobs": MEDIUM,
    "job": MEDIUM,
    "import-errors": MEDIUM,
    "metrics": MEDIUM,
    "events": EXTRA_LARGE,
    "event": EXTRA_LARGE,
    "bulk-events": MEDIUM,
}
BURST, STEADY = 1, 60


class Windows:
    """Counts calls by endpoint. An endpoint without a rate may be called without end."""

    def __init__(self, rates: Mapping[str, Rate], now: Callable[[], datetime]) -> None:
        self.rates, self.now = rates, now
        self._used: dict[tuple[str, int], tuple[int, int]] = {}  # (endpoint, seconds): which window, calls in it
        self._lock = threading.Lock()

    def enter(self, endpoint: str) -> dict[str, str]:
        """Count a call and return the headers of its answer; RefusedError with 429 when a window is full."""
        if endpoint not in self.rates:
            return {}
        at = self.now().timestamp()
        with self._lock:
            used = {seconds: self._calls(endpoint, seconds, at) for seconds in (BURST, STEADY)}
            limits = dict(zip((BURST, STEADY), self.rates[endpoint], strict=True))
            full = [seconds for seconds in limits if used[seconds] >= limits[seconds]]
            if full:
                raise throttled(max(left(seconds, at) for seconds in full))
            for seconds in limits:
                self._used[endpoint, seconds] = (int(at // seconds), used[seconds] + 1)
        return {
            "RateLimit-Limit": str(limits[STEADY]),
            "RateLimit-Remaining": str(limits[STEADY] - used[STEADY] - 1),
            "RateLimit-Reset": str(left(STEADY, at)),
        }

    def _calls(self, endpoint: str, seconds: int, at: float) -> int:
        window, calls = self._used.get((endpoint, seconds), (0, 0))
        return calls if window == int(at // seconds) else 0


def left(seconds: int, at: float) -> int:
    """Return the whole seconds until a window ends, at least one."""
    return max(1, math.ceil(seconds - at % seconds))


def throttled(seconds: int) -> RefusedError:
    detail = f"Request was throttled. Expected available in {seconds} second{'s' if seconds > 1 else ''}."
    return RefusedError(Problem(429, detail), headers={"Retry-After": str(seconds)})
