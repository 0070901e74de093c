"""What the store says of its customers when it is asked: subscriptions, companies, store credit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.records import UNSET, CreditMove, Record, Standing, StoreCredit
from tests.story.teller import TICK, Account, Story

SUBSCRIPTIONS = ("SUBSCRIBED", "PAUSED", "CANCELED", "EXPIRED", "FAILED")
COMPANIES = ((), ("7",), ("7", "8"), ("8",))
LASTING = (None, None, timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))


@dataclass
class Lot:
    """Credit as it was granted, and what is left of it."""

    move: CreditMove
    left: int

    def ends_by(self, at: datetime) -> bool:
        return self.move.expires_at is not None and self.move.expires_at <= at


@dataclass
class Held:
    """An account of store credit as the store keeps it."""

    account_id: str
    currency: str
    lots: list[Lot] = field(default_factory=list)
    moves: list[CreditMove] = field(default_factory=list)
    balance: int = 0

    def move(self, at: datetime, minor: int, expires_at: datetime | None = None) -> None:
        self.balance += minor
        self.moves.append(CreditMove(at, minor, self.balance, minor > 0, expires_at, max(minor, 0)))
        if minor > 0:
            self.lots.append(Lot(self.moves[-1], minor))

    def expire(self, until: datetime) -> None:
        """Let what has expired go, each at its own moment."""
        ended = [lot for lot in self.lots if lot.ends_by(until) and lot.left]
        for lot in sorted(ended, key=lambda lot: str(lot.move.expires_at)):
            gone, lot.left = lot.left, 0
            assert lot.move.expires_at
            self.move(lot.move.expires_at, -gone)

    def spend(self, at: datetime, minor: int) -> None:
        self.move(at, -minor)
        for lot in sorted(self.lots, key=lambda lot: (lot.move.expires_at is None, str(lot.move.expires_at))):
            taken = min(lot.left, minor)
            lot.left, minor = lot.left - taken, minor - taken

    def told(self, account: Account, at: datetime) -> StoreCredit:
        left = {id(lot.move): lot.left for lot in self.lots}
        moves = tuple(
            CreditMove(*known(one), remaining_minor=left[id(one)]) if one.granted else one for one in self.moves
        )
        return StoreCredit(self.account_id, account.profile.customer_id, at, self.currency, self.balance, moves)


def known(move: CreditMove) -> tuple[datetime, int, int, bool, datetime | None]:
    return move.moved_at, move.amount_minor, move.balance_minor, move.granted, move.expires_at


def stood(story: Story) -> list[Record]:
    """The store is asked how somebody stands, who never comes back to how they stood before."""
    account = story.account(lambda one: one.standings < len(SUBSCRIPTIONS))
    if account is None or (f"standing {account.profile.customer_id}", story.now) in story.taken:
        return []
    story.taken.add((f"standing {account.profile.customer_id}", story.now))
    account.standings += 1
    subscription = SUBSCRIPTIONS[account.standings - 1]
    companies = COMPANIES[account.standings - 1] if account.standings <= len(COMPANIES) else UNSET
    return [Standing(account.profile.customer_id, story.now, subscription, companies)]


def credited(story: Story) -> list[Record]:
    """Store credit is granted or spent, and told when the store is asked."""
    account = story.account()
    if account is None or (f"credit {account.profile.customer_id}", story.now) in story.taken:
        return []
    story.taken.add((f"credit {account.profile.customer_id}", story.now))
    held = story.credit.setdefault(
        account.profile.customer_id, Held(f"credit-{account.profile.customer_id}", story.settings.currency)
    )
    at = story.when()
    if at > story.now or (held.moves and at <= held.moves[-1].moved_at):
        at = story.now
    if held.moves and at <= held.moves[-1].moved_at:
        return []
    held.expire(at - TICK)
    lasts = story.one(LASTING)
    if held.balance and story.chance(40):
        held.spend(at, story.one((1, held.balance)))
    else:
        held.move(at, story.one((1, 333, 5000)), at + lasts if lasts else None)
    held.expire(story.now)
    return [held.told(account, story.now)]
