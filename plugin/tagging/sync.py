"""One connection at work: its lane held, its budgets drawn from, its calls made outside any transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.errors import RetryableError
from connectors.records import Record
from connectors.writers import Rate, TagWriter
from plugin import clock, lanes, shops, tokens
from plugin.db import reading, transaction
from plugin.models.history import catching_up
from plugin.models.shops import Shop
from plugin.shops import Opened
from plugin.tagging import budgets

T = TypeVar("T")

Store = Callable[[Session, Shop, str, Sequence[Record]], None]
"""Write records that a connection told of into rows."""


class ExhaustedError(Exception):
    """A budget is used up, or the token is; nothing was called. Waiting is for the lane, not for a thread."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Sync:
    """A claimed lane, and the connection that it is about. `store` takes what look-ups tell about customers."""

    engine: Engine
    claim: lanes.Claim
    opened: Opened
    writer: TagWriter
    zone: str
    store: Store

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
        rate = self.rate(endpoint)
        with self.held() as session:
            wait = budgets.draw(session, self.opened, endpoint, rate, cost, clock.now()) if cost else 0
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

    def rate(self, endpoint: str) -> Rate:
        return self.writer.capabilities.rates[endpoint]

    def left(self, session: Session, endpoint: str, available: float | None) -> None:
        """Believe what a call has told about its budget."""
        if available is not None:
            budgets.report(session, self.opened, endpoint, self.rate(endpoint), available, clock.now())


def begin(engine: Engine, claim: lanes.Claim, store: Store) -> Sync | None:
    """Return the work to be done on a claimed lane; None where nothing may be written now, or never can."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        connection = shops.connection(session, claim.shop_id, claim.subject)
        if shop.history_at is None or connection is None or connection.state != "active":
            return None
        if catching_up(session, claim.shop_id):
            return None  # whoever ends it pokes this lane
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None:
        return None
    writer = opened.connector
    return Sync(engine, claim, opened, writer, shop.zone, store) if isinstance(writer, TagWriter) else None
