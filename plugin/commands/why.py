"""The command `segments why`: why one customer is in a segment or not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, moment_of, shop_option
from plugin.db import reading
from plugin.insight import customers
from plugin.insight.telling import Voice
from plugin.models.segments import Segment
from plugin.segments.kept import keep
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.printing import canonical
from plugin.segments.why.ahead import Reason
from plugin.segments.why.explain import Explanation, Part, explain
from plugin.segments.why.seen import Chosen, UnknownCustomerError
from plugin.web.page import wording


def add(inside: Subparsers) -> None:
    made = command(inside, "why", why, "why a customer is in a segment or not, since when and until when")
    shop_option(made)
    made.add_argument("name", nargs="?", help="the segment's name or id")
    made.add_argument("--query", help="a query of the segment language, in place of a segment")
    made.add_argument("--customer", required=True, help="the customer's id or e-mail address")
    made.add_argument("--at", help="2011-12-10T12:00, in the shop's zone: nothing later is seen")
    made.add_argument("--json", action="store_true", help="for programs")


def why(given: argparse.Namespace) -> None:
    if (given.name is None) == (given.query is None):
        raise WrongUseError("name a segment, or give a --query")
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        asked = given.query if given.name is None else keep.by_name(session, shop.shop_id, given.name)
        if asked is None:
            raise FailedError(f"there is no segment {given.name}")
        customer = customers.named(session, shop.shop_id, given.customer)
        if customer is None:
            raise FailedError("there is no such customer")
        try:
            found = explain(session, shop, asked, customer.customer_id, moment_of(given.at, shop))
        except SegmentErrors as errors:
            raise WrongUseError(str(errors)) from errors
        except UnknownCustomerError as error:
            raise FailedError(str(error)) from error
    if given.json:
        print(json.dumps(described(found, Voice(shop)), ensure_ascii=False))
    else:
        print("\n".join(lines(found, asked.name if isinstance(asked, Segment) else found.query, Voice(shop))))


def lines(found: Explanation, what: str, voice: Voice) -> Iterator[str]:
    """Yield what is told of a segment, or of a query, line by line."""
    yield f"{found.customer_id}\t{'in' if found.decision.verdict else 'not in'}\t{what}"
    if found.standing and found.standing.since:
        standing = "member" if found.standing.member else "not a member"
        cause = wording.causes().get(str(found.standing.cause), found.standing.cause)
        yield f"{standing} since {voice.moment(found.standing.since)}: {cause}"
    if decided := voice.decided(found.decision):
        yield decided
    yield from tree(found.whole, voice)
    yield voice.next(found)


def tree(part: Part, voice: Voice, depth: int = 0) -> Iterator[str]:
    """Yield a line for each part: whether it holds (* where it decides), and what it saw."""
    mark = f"{'yes' if part.verdict else 'no'}{'*' if part.decides else ''}"
    told = f"{part.text}\t{voice.saw(part)}" if part.clause else part.kind.upper()
    yield f"{'  ' * depth}{mark}\t{told}"
    for one in part.parts:
        yield from tree(one, voice, depth + 1)


def described(found: Explanation, voice: Voice) -> dict[str, Any]:
    """Return an explanation for programs: moments in the shop's zone, amounts in minor units."""
    standing = found.standing
    change = found.next
    return {
        "customer": found.customer_id,
        "query": found.query,
        "at": plain(found.at, voice),
        "verdict": found.decision.verdict,
        "decided_by": found.decision.by,
        "member": standing.member if standing else None,
        "since": plain(standing.since, voice) if standing else None,
        "cause": standing.cause if standing else None,
        "whole": parted(found.whole, voice),
        "next": change
        and {
            "at": plain(change.at, voice),
            "verdict": change.verdict,
            "reasons": [reasoned(one, change.at, voice) for one in change.reasons],
        },
        "foreseen_until": plain(found.horizon, voice),
        "said": voice.next(found),
    }


def parted(part: Part, voice: Voice) -> dict[str, Any]:
    own = {"kind": part.kind, "text": part.text, "verdict": part.verdict, "decides": part.decides}
    if part.clause is None:
        return own | {"parts": [parted(one, voice) for one in part.parts]}
    return own | {"saw": plain(part.saw, voice), "said": voice.saw(part)}


def plain(value: Any, voice: Voice) -> Any:
    if isinstance(value, Chosen):
        totals = {one.parameter.name: one.value for one in value.totals}
        examples = [{"name": one.name, "at": plain(one.at, voice)} for one in value.examples]
        return {"count": value.count, "totals": totals, "examples": examples}
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(voice.shop.zone)).isoformat()
    return value if isinstance(value, str | int | None) else list(value)


def reasoned(reason: Reason, at: datetime, voice: Voice) -> dict[str, Any]:
    passing = reason.passing
    return {
        "clause": canonical(reason.clause) if reason.clause else None,
        "verdict": reason.verdict,
        "value": plain(passing.value, voice) if passing else None,
        "row": passing.row if passing else None,
        "news": reason.news,
        "said": voice.reason(reason, at),
    }
