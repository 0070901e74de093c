"""What commands have in common: the database, the shop that is named, and how they fail."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Engine

from plugin import clock, dates, db
from plugin.config import settings
from plugin.models.shops import Shop

Subparsers = Any


class FailedError(Exception):
    """The command could not do what it was asked for: exit 1."""


class WrongUseError(Exception):
    """The command was called wrongly: exit 2."""


@cache
def engine() -> Engine:
    """Return the database that this command works on."""
    return db.connect(settings().database_url)


def hang_up() -> None:
    """Close what a command has opened."""
    if engine.cache_info().currsize:
        engine().dispose()
        engine.cache_clear()


def command(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int | None], summary: str
) -> argparse.ArgumentParser:
    """Add a command whose `run` gets the parsed arguments."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    made.set_defaults(run=run)
    return made


def group(commands: Subparsers, name: str, summary: str) -> Subparsers:
    """Add a command that has commands of its own."""
    made = commands.add_parser(name, help=summary, description=summary)
    return made.add_subparsers(title="commands", metavar="COMMAND", required=True)


def shop_option(made: argparse.ArgumentParser) -> None:
    made.add_argument("--shop", required=True, help="the shop's id, domain or name")


def by() -> str:
    """Return who edits by a command: the user that it runs as."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in containers
        return "command:"


def moment_of(written: str | None, shop: Shop) -> datetime | None:
    """Return the moment gone by that --at names, on the shop's clocks unless it names a zone; None where none is."""
    if written is None:
        return None
    try:
        named = datetime.fromisoformat(written)
        moment = (named if named.tzinfo else dates.instant(named, shop.zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongUseError("--at is written 2011-12-10T12:00, in the shop's zone") from error
    if moment > clock.now():
        raise WrongUseError("--at lies in the future: what is asked as of a moment is asked of what has happened")
    return moment
