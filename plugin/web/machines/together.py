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
    """Calls `work` for all that is asked for while it waits its turn or does what was asked before.

    `work` is given a function that takes all who wait, to be called as late as may be. It returns one result an item,
    or raises and has done nothing. An error of the kinds in `spoilt` may be one item's doing: each is then worked
    alone. Whoever comes to an idle one leads: works for all, and then wakes one of those who came meanwhile.
    """

    def __init__(
        self,
        work: Callable[[Callable[[], Sequence[Item]]], Sequence[Result]],
        spoilt: tuple[type[Exception], ...],
    ) -> None:
        self.work = work
        self.spoilt = spoilt
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
        """Work for all who wait, then let those who came later be led by one of them."""
        group: list[Asked[Item, Result]] = []
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

    def settle(self, group: list[Asked[Item, Result]]) -> None:
        def take() -> list[Item]:
            with self.guard:
                group.extend(self.waiting)
                self.waiting.clear()
            return [asked.item for asked in group]

        try:
            for asked, result in zip(group, self.work(take), strict=True):
                asked.settled, asked.result = True, result
        except self.spoilt:
            for asked in group:
                self.settle_alone(asked)
        except BaseException as error:  # noqa: BLE001  it is raised in the threads that asked
            take()
            for asked in group:
                asked.settled, asked.error = True, error

    def settle_alone(self, asked: Asked[Item, Result]) -> None:
        try:
            [asked.result] = self.work(lambda: [asked.item])
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that asked
            asked.error = error
        asked.settled = True
