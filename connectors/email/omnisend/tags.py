"""Tags put on and taken off: contacts with the same tags to gain, or the same to lose, share a call.

The endpoint makes nobody and subscribes nobody, and takes whoever it does not know for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.batches import cut
from connectors.email.omnisend.api import Api
from connectors.errors import PermanentError
from connectors.phrases import phrase
from connectors.writers import Call, Outcome, Refused, TagChange

CONTACTS = 250
TAGS_PER_CALL = 100
MOST_TAGS = 100
LONGEST_TAG = 255
METHODS = {"add": "POST", "remove": "DELETE"}
PATH = "/contacts/tags"
NOBODY = {"contactIDs": ["0" * 24], "tags": ["tagsmith"]}

Group = list[TagChange]


def plan(changes: Sequence[TagChange]) -> list[Call]:
    """Let a call reach as many contacts as it may, with all of the tags that they share."""
    long = {one.contact.key for one in changes if any(len(tag) > LONGEST_TAG for tag in (*one.add, *one.remove))}
    ways: dict[tuple[str, tuple[str, ...]], Group] = {}
    idle: Group = []
    for change in changes:
        if change.contact.key in long or not (change.add or change.remove):
            idle.append(change)
            continue
        for way, tags in (("add", change.add), ("remove", change.remove)):
            for some in cut(sorted(tags), TAGS_PER_CALL):
                ways.setdefault((way, some), []).append(change)
    calls = [unmade(group, long) for group in cut(idle, CONTACTS)]
    return calls + [made(way, tags, some) for (way, tags), group in ways.items() for some in cut(group, CONTACTS)]


def made(way: str, tags: Sequence[str], group: Sequence[TagChange]) -> Call:
    body = {"contactIDs": [one.contact.platform_id for one in group], "tags": list(tags)}
    keys = tuple(one.contact.key for one in group)
    return Call(way, body, keys, tags=dict.fromkeys(keys, tuple(tags)))


def unmade(group: Sequence[TagChange], long: set[str]) -> Call:
    """A call that is not made: its contacts need nothing, or what they need cannot be expressed."""
    keys = tuple(one.contact.key for one in group)
    reason = phrase("a tag is longer than %(num)s characters", num=LONGEST_TAG)
    return Call("add", None, keys, cost=0, refused=tuple(Refused(key, reason) for key in keys if key in long))


def send(api: Api, call: Call) -> Outcome:
    """Omnisend takes a call as a whole, and says nothing of anybody in it."""
    refused = {each.contact for each in call.refused}
    if call.body is not None:
        try:
            api.ask(METHODS[call.endpoint], PATH, call.body)
        except PermanentError as error:
            if error.status != 404 or len(call.contacts) > 1:
                raise
            return Outcome(missing=call.contacts)
    return Outcome(tuple(key for key in call.contacts if key not in refused), call.refused)


def halves(call: Call) -> Sequence[Call]:
    """Cut a call in two. Omnisend does not say whom it refuses one for, nor what it makes of ids that are gone."""
    middle = len(call.contacts) // 2
    if not middle or call.body is None:
        return ()
    ids = call.body["contactIDs"]
    return [
        replace(call, body={**call.body, "contactIDs": ids[half]}, contacts=call.contacts[half])
        for half in (slice(middle), slice(middle, None))
    ]


def prove(api: Api) -> None:
    """Raise ConfigurationError unless contacts may be tagged. What it answers for nobody's id is all the same."""
    try:
        api.ask("DELETE", PATH, NOBODY)
    except PermanentError as error:
        if error.status not in (400, 404, 422):
            raise
