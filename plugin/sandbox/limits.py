"""How often a platform lets groups of its endpoints be called, in fixed windows of so many seconds."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Rates = Mapping[str, Sequence[tuple[int, int]]]  # by group: seconds, and the calls that they hold


@dataclass(frozen=True)
class Left:
    """What is left of the window with the least room: its length and limit, its calls, the seconds until it ends."""

    seconds: int
    limit: int
    remaining: int
    reset: int
    over: bool = False


class Limits:
    """Counts calls by group. A group without a rate may be called without end."""

    def __init__(self, rates: Rates, now: Callable[[], datetime]) -> None:
        self.rates, self.now = rates, now
        self._used: dict[tuple[str, int], tuple[int, int]] = {}  # (group, seconds): which window, calls in it
        self._lock = threading.Lock()

    def enter(self, group: str) -> Left | None:
        """Count a call, unless a window is full; return what is left of the window that is or will be full first."""
        at = self.now().timestamp()
        with self._lock:
            windows = [
                (seconds, limit, self._calls(group, seconds, at)) for seconds, limit in self.rates.get(group, ())
            ]
            full = [(seconds, limit) for seconds, limit, used in windows if used >= limit]
            if full:
                seconds, limit = max(full)
                return Left(seconds, limit, 0, until_end(seconds, at), over=True)
            for seconds, _, used in windows:
                self._used[group, seconds] = (int(at // seconds), used + 1)
        room = [(limit - used - 1, seconds, limit) for seconds, limit, used in windows]
        if not room:
            return None
        remaining, seconds, limit = min(room)
        return Left(seconds, limit, remaining, until_end(seconds, at))

    def _calls(self, group: str, seconds: int, at: float) -> int:
        window, calls = self._used.get((group, seconds), (0, 0))
        return calls if window == int(at // seconds) else 0


def until_end(seconds: int, at: float) -> int:
    """Return the whole seconds until a window ends, at least one."""
    return max(1, math.ceil(seconds - at % seconds))
