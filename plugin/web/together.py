"""Doing what several threads ask for at once: a commit costs the same for one as for twenty."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Asked(Generic[Item, Result]):
    """What one thread asks for, and what became of it. `woken` is released when it is settled or is to lead."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.settled = False
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.woken = Lock()
        self.woken.acquire()


class Together(Generic[Item, Result]):
    """Calls `work` with all that was asked for while the call before was running.

    Whoever comes to an idle one leads: works for all who wait, and then wakes one of those who came meanwhile to lead
    the next. `work` returns one result an item, or raises and has done nothing; then each item is worked alone, so
    that one cannot spoil another.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self.work = work
        self.waiting: deque[Asked[Item, Result]] = deque()
        self.busy = False
        self.guard = Lock()

    def __call__(self, item: Item) -> Result:
        asked = Asked[Item, Result](item)
        with self.guard:
            self.waiting.append(asked)
            leads, self.busy = not self.busy, True
        if not leads:
            asked.woken.acquire()
        if not asked.settled:
            self.lead()
        if asked.error:
            raise asked.error
        return asked.result  # type: ignore[return-value]

    def lead(self) -> None:
        with self.guard:
            group = list(self.waiting)
            self.waiting.clear()
        try:
            self.settle(group)
        finally:
            with self.guard:
                self.busy = bool(self.waiting)
                following = self.waiting[0] if self.waiting else None
            if following:
                following.woken.release()
            for asked in group:
                asked.woken.release()

    def settle(self, group: Sequence[Asked[Item, Result]]) -> None:
        try:
            results = self.work([asked.item for asked in group])
            for asked, result in zip(group, results, strict=True):
                asked.settled, asked.result = True, result
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that asked
            if len(group) == 1:
                group[0].settled, group[0].error = True, error
                return
            for asked in group:
                self.settle([asked])
