"""What becomes of the practice shop's e-mails: newsletters of the last months, and what is read from now on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from plugin.sandbox.model import text

Happened = tuple[str, str, str, Mapping[str, Any]]
"""Of which metric, to which profile, when, with which properties."""
Tell = Callable[[str, str, str, Mapping[str, Any]], object]

NEWSLETTERS = ("New in the shop", "A little something", "Back in stock", "For your kitchen", "Last chance", "Our story")
EVERY = timedelta(days=13)
RECEIVE, BOUNCE, OPEN, BY_PROGRAM, CLICK, LEAVE, COMPLAIN = 0.35, 0.02, 0.45, 0.3, 0.25, 0.02, 0.004
NOW_AND_THEN = 0.2


class Letters:
    """`readers` are the profiles that may be written to; `tell` is told what became of an e-mail."""

    def __init__(self, readers: Iterable[str], tell: Tell) -> None:
        self.readers, self.tell = list(readers), tell

    def send_past(self, seed: int, until: datetime) -> None:
        """Let all newsletters have been sent, one every few weeks."""
        chance = Random(f"letters {seed}")
        for number, subject in enumerate(NEWSLETTERS):
            at = until - EVERY * (len(NEWSLETTERS) - number) + timedelta(hours=2)
            about = {"$message": f"letter-{number + 1}", "Subject": subject, "Campaign Name": subject}
            for reader in self.readers:
                if chance.random() < RECEIVE:
                    for happened in letter(chance, reader, at, about):
                        self.tell(*happened)

    def happen(self, chance: Random, now: datetime) -> None:
        """Now and then let somebody open the latest newsletter, and perhaps follow a link."""
        if self.readers and chance.random() < NOW_AND_THEN:
            about = {"$message": f"letter-{len(NEWSLETTERS)}", "Subject": NEWSLETTERS[-1]}
            for happened in read(chance, chance.choice(self.readers), now, about):
                self.tell(*happened)


def letter(chance: Random, reader: str, at: datetime, about: Mapping[str, Any]) -> Iterator[Happened]:
    if chance.random() < BOUNCE:
        yield "Bounced Email", reader, text(at), {**about, "Bounce Type": "Soft"}
        return
    yield "Received Email", reader, text(at), about
    if chance.random() < OPEN:
        yield from read(chance, reader, at + timedelta(minutes=chance.randrange(1, 1_500)), about)


def read(chance: Random, reader: str, at: datetime, about: Mapping[str, Any]) -> Iterator[Happened]:
    by_program = chance.random() < BY_PROGRAM
    yield "Opened Email", reader, text(at), {**about, "machine_open": by_program}
    if by_program:
        return
    if chance.random() < CLICK:
        yield "Clicked Email", reader, text(at), {**about, "URL": "https://practice-shop.example.com/new"}
    if chance.random() < LEAVE:
        yield "Unsubscribed from Email Marketing", reader, text(at), about
    if chance.random() < COMPLAIN:
        yield "Marked Email as Spam", reader, text(at), about
