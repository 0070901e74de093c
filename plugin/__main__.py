"""The commands: `python -m plugin …`, also installed as `tagsmith`. Exit 0, 1 or 2: done, failed, wrong use."""

from __future__ import annotations

import argparse
import logging
import sys

from sqlalchemy.exc import OperationalError

from connectors.errors import ConnectorError
from plugin.commands import (
    api_keys,
    conflicts,
    deliveries,
    engagement,
    figures,
    history,
    ladders,
    people,
    run,
    segments,
    shops,
    site_keys,
    tags,
    webhooks,
)
from plugin.commands.base import FailedError, WrongUseError, hang_up
from plugin.config import MissingSecretError
from plugin.imports import UnreadableFileError
from plugin.seal import SealError
from plugin.shops import UnknownShopError

FAILURES = (ConnectorError, FailedError, MissingSecretError, OSError, PermissionError, SealError, UnreadableFileError)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="tagsmith", description="Segments of a store's customers, kept and tagged.")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        run,
        shops,
        people,
        history,
        engagement,
        segments,
        figures,
        ladders,
        conflicts,
        deliveries,
        tags,
        api_keys,
        site_keys,
        webhooks,
    ):
        module.add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a look that comes late is made up for by the next
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given) or 0)
    except (WrongUseError, UnknownShopError) as error:
        print(f"tagsmith: {error}", file=sys.stderr)
        return 2
    except FAILURES as error:
        print(f"tagsmith: {error}", file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"tagsmith: the database does not answer as it should: {type(error.orig).__name__}", file=sys.stderr)
        print("tagsmith: is it migrated? `python -m plugin migrate` brings it to the newest shape", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    finally:
        hang_up()


if __name__ == "__main__":
    sys.exit(main())
