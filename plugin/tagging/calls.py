"""A connection's calls to its platform: its lane held, its budgets drawn from, made outside any transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.errors import RetryableError
from connectors.writers import Rate
from plugin import clock, lanes, tokens
from plugin.db import transaction
from plugin.shops import Opened
from plugin.tagging import budgets

T = TypeVar("T")


class ExhaustedError(Exception):
    """A budget is used up, or the token is; nothing was called. Waiting is for the lane, not for a thread."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Calls:
    """A claimed lane, the connection that it is about, and the limits of the platform's endpoints."""

    engine: Engine
    claim: lanes.Claim
    opened: Opened
    rates: Mapping[str, Rate]

    @contextmanager
    def held(self) -> Iterator[Session]:
        """A transaction that counts only while the lane is ours, and renews its lease."""
        with transaction(self.engine) as session:
            lanes.hold(session, self.claim)
            yield session

    def call(
        self,
        endpoint: str,
        cost: float,
        make: Callable[[], T],
        first: Callable[[Session], None] = lambda _: None,
    ) -> T:
        """Draw the budget, do `first` in the same transaction, then make a call. ExhaustedError: nothing was done."""
        if tokens.over(self.opened.connector):
            raise ExhaustedError(0)  # begun again, the lane has it refreshed
        with self.held() as session:
            wait = self.draw(session, endpoint, cost) if cost else 0
            if not wait:
                first(session)
        if wait:
            raise ExhaustedError(wait)
        if clock.now() >= self.claim.leased_until:  # this process stood still: somebody else may be at work by now
            raise lanes.OvertakenError(f"{self.claim.kind} of {self.claim.shop_id}")
        try:
            return make()
        except RetryableError as error:
            if error.retry_after:
                with transaction(self.engine) as session:
                    budgets.close(session, self.opened, endpoint, error.retry_after, clock.now())
            raise

    def draw(self, session: Session, endpoint: str, cost: float) -> float:
        return budgets.draw(session, self.opened, endpoint, self.rates[endpoint], cost, clock.now())

    def left(self, session: Session, endpoint: str, available: float | None) -> None:
        """Believe what a call has told about its budget."""
        if available is not None:
            budgets.report(session, self.opened, endpoint, self.rates[endpoint], available, clock.now())
