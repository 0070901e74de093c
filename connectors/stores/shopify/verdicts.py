"""What became of customers' changes: Shopify's answers, sorted into accepted, refused, missing and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.errors import ConfigurationError
from connectors.payload import Payload
from connectors.stores.shopify.graphql import Trouble, why
from connectors.writers import Call, Outcome, Refused

OF_THE_CUSTOMER = ("id", "ownerId")
OF_THE_CHANGE = ("tags", "value")  # nothing about these is otherwise tomorrow, unless the customer changes
FOR_A_MOMENT = ("INTERNAL_ERROR", "STALE_OBJECT")


@dataclass(frozen=True)
class Verdict:
    """What became of one writing, or of all of one customer's."""

    what: Literal["accepted", "refused", "missing", "again"]
    reason: str = ""
    final: bool = False


ACCEPTED, MISSING, AGAIN = Verdict("accepted"), Verdict("missing"), Verdict("again")


def of_answer(payload: Payload | None, trouble: Trouble | None) -> Verdict:
    """Return what a mutation's answer says, or the trouble that stands in its place. ConfigurationError: a scope."""
    if payload is None:
        if trouble and isinstance(trouble.error, ConfigurationError):
            raise trouble.error
        return MISSING if trouble and trouble.is_missing else AGAIN
    return worst(map(of_error, payload.objects("userErrors")))


def of_error(error: Payload) -> Verdict:
    about = error.texts("field")[-1:]
    # the only thing that can be wrong with an id that we looked up is that nobody has it any more
    if about and about[0] in OF_THE_CUSTOMER:
        return MISSING
    if error.text("code") in FOR_A_MOMENT:
        return AGAIN
    final = bool(about) and about[0] in OF_THE_CHANGE
    return Verdict("refused", why(error), final)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the one that counts: what has to be tried again hides all else, and else the first that went wrong."""
    wrong = [one for one in verdicts if one.what != "accepted"]
    return AGAIN if AGAIN in wrong else wrong[0] if wrong else ACCEPTED


def outcome(
    call: Call, verdicts: Mapping[int, Verdict], *, job: str | None = None, left: float | None = None
) -> Outcome:
    """Return a call's outcome from the verdicts on its contacts, by their places, beside those refused beforehand."""
    refused = {each.contact: each for each in call.refused}
    named = {key: one for at, key in enumerate(call.contacts) if (one := verdicts.get(at)) and key not in refused}
    refused |= {key: Refused(key, one.reason, one.final) for key, one in named.items() if one.what == "refused"}
    return Outcome(
        accepted=those(named, "accepted"),
        refused=tuple(refused.values()),
        missing=those(named, "missing"),
        again=those(named, "again"),
        job=job,
        available=left,
    )


def those(named: Mapping[str, Verdict], what: str) -> tuple[str, ...]:
    return tuple(key for key, one in named.items() if one.what == what)


def of_group(
    places: Sequence[int], payload: Payload | None, trouble: Trouble | None
) -> tuple[dict[int, Verdict], list[int]]:
    """Return the verdicts on customers written all together or not at all, and whom to write again without the others.

    A fault that is about none of them is everybody's.
    """
    if payload is None:
        return dict.fromkeys(places, of_answer(None, trouble)), []
    errors = payload.objects("userErrors")
    if not errors:
        return dict.fromkeys(places, ACCEPTED), []
    wrong: dict[int, Verdict] = {}
    for error in errors:
        at = place(error)
        if at is None or at >= len(places):
            return dict.fromkeys(places, of_error(error)), []
        wrong.setdefault(places[at], of_error(error))
    return wrong, [one for one in places if one not in wrong]


def place(error: Payload) -> int | None:
    """Return which entry of a list an error is about: `["metafields", "3", "ownerId"]`."""
    numbers = [part for part in error.texts("field") if part.isascii() and part.isdecimal() and len(part) < 4]
    return int(numbers[0]) if numbers else None
