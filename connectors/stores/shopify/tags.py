"""Customers' tags by Shopify's Admin API: looked up and changed as many in one request as its points allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Bucket, Call, Capabilities, Contact, Found, Outcome, Refused, TagChange
from connectors.errors import ConfigurationError, RetryableError
from connectors.payload import Payload
from connectors.stores.shopify.graphql import CODES, Admin, Reply, Trouble, block
from connectors.text import presentable

GID = "gid://shopify/Customer/"
NUMBER = re.compile(r"\d{1,20}", re.ASCII)

MUTATION_POINTS = 10
# A request may ask for 1,000 points. Half of that leaves room for other work in the smallest bucket, and its fifty
# writes, made one after the other, are done long before the time-out.
REQUEST_POINTS = 500

CAPABILITIES = Capabilities(
    writes="difference",
    contact="customer",
    completion="now",
    contacts_per_call=REQUEST_POINTS // MUTATION_POINTS,
    lookups_per_call=250,  # the longest list that an argument may be
    tag_length=255,
    tags_per_contact=250,
    # the Standard plan; each answer says what is really left
    rates={"graphql": Bucket(capacity=2000, restore=100)},
)


def lookups(keys: Sequence[str]) -> Sequence[Call]:
    size = CAPABILITIES.lookups_per_call
    return [lookup(tuple(keys[at : at + size])) for at in range(0, len(keys), size)]


def lookup(keys: tuple[str, ...]) -> Call:
    """Ask for customers by id in one field, and for guests by address in a field each, all in one request."""
    ids = [GID + key for key in keys if NUMBER.fullmatch(key)]
    emails = {f"email{at}": key for at, key in enumerate(keys) if "@" in key}
    declared = ["$ids: [ID!]!"] * bool(ids) + [f"${name}: String!" for name in emails]
    fields = ["nodes(ids: $ids) { ... on Customer { id tags } }"] * bool(ids)
    fields += [f"{name}: customerByIdentifier(identifier: {{emailAddress: ${name}}}) {{ id tags }}" for name in emails]
    if not fields:  # keys that can be nobody on Shopify
        return Call("graphql", None, keys, cost=0)
    document = f"query LookUp({', '.join(declared)}) {block(fields)}"
    variables: dict[str, Any] = {"ids": ids} if ids else {}
    return Call("graphql", {"query": document, "variables": variables | emails}, keys, cost=len(ids) + len(emails))


ANSWERS = {"ids": "nodes"}  # the variable, and the field that it is asked in where that is not called the same


def look_up(admin: Admin, call: Call) -> Found:
    if call.body is None:
        return Found()
    reply = admin.ask(call.body["query"], call.body["variables"])
    for each in reply.troubles:
        if not each.is_missing:  # otherwise those who were not read would look like those who are not there
            raise RetryableError(str(each.error)) if each.code not in CODES else each.error
    if not reply.data.data.keys() >= {ANSWERS.get(name, name) for name in call.body["variables"]}:
        raise RetryableError("shopify: an answer to another question")
    found = [contact(node) for node in nodes(reply.data)]
    found += [contact(node, key) for at, key in enumerate(call.contacts) if (node := reply.data.object(f"email{at}"))]
    return Found(tuple(filter(None, found)), reply.available)


def nodes(data: Payload) -> Iterator[Payload]:
    """Yield those that exist of the ids asked for: in the place of the others stands null."""
    each = data.items("nodes")
    yield from filter(None, map(each.object, each.data))


def contact(node: Payload, key: str | None = None) -> Contact | None:
    """Return a customer that was found, under the key that asked for it: its id where none is given."""
    number = (node.text("id") or "").removeprefix(GID)
    return Contact(key or number, number, node.texts("tags")) if NUMBER.fullmatch(number) else None


def plan(changes: Sequence[TagChange]) -> Sequence[Call]:
    """Fill each request with as many changes as it may cost: the dear ones first, so that no points are left over."""
    reasons = {change.contact.key: reason for change in changes if (reason := inexpressible(change))}
    costs = {change.contact.key: 0 if change.contact.key in reasons else points(change) for change in changes}
    filled: list[list[TagChange]] = []
    left = -1
    for change in sorted(changes, key=lambda change: -costs[change.contact.key]):
        cost = costs[change.contact.key]
        if cost > left or len(filled[-1]) == CAPABILITIES.contacts_per_call:
            filled.append([])
            left = REQUEST_POINTS
        filled[-1].append(change)
        left -= cost
    return [request(each, reasons) for each in filled]


def points(change: TagChange) -> int:
    return MUTATION_POINTS * (bool(change.add) + bool(change.remove))


def inexpressible(change: TagChange) -> str | None:
    """Return why Shopify cannot hold these tags: it would cut a text at its commas, or refuse it."""
    for tag in (*change.add, *change.remove):
        if "," in tag:
            return "a tag holds a comma"
        if not tag.strip() or len(tag) > CAPABILITIES.tag_length:
            return f"a tag is empty or longer than {CAPABILITIES.tag_length} characters"
    return None


def request(changes: Sequence[TagChange], reasons: Mapping[str, str]) -> Call:
    """Make one request: an alias and variables for each writing, numbered by the contact's place in the call."""
    contacts = tuple(change.contact.key for change in changes)
    refused = tuple(Refused(key, reasons[key]) for key in contacts if key in reasons)
    declared: list[str] = []
    fields: list[str] = []
    variables: dict[str, Any] = {}
    for at, change in enumerate(changes):
        for field, tags in writings(change) if change.contact.key not in reasons else ():
            declared.append(f"${field}{at}: [String!]!")
            fields.append(f"{field}{at}: {MUTATIONS[field]}(id: $id{at}, tags: ${field}{at}) {{ {ERRORS} }}")
            variables[f"{field}{at}"] = list(tags)
            variables[f"id{at}"] = GID + change.contact.platform_id
    if not fields:
        return Call("graphql", None, contacts, cost=0, refused=refused)
    declared += [f"${name}: ID!" for name in variables if name.startswith("id")]
    document = f"mutation Tags({', '.join(declared)}) {block(fields)}"
    cost = MUTATION_POINTS * len(fields)
    return Call("graphql", {"query": document, "variables": variables}, contacts, cost, refused)


MUTATIONS = {"add": "tagsAdd", "remove": "tagsRemove"}
ERRORS = "userErrors { field message }"


def writings(change: TagChange) -> Iterator[tuple[str, Sequence[str]]]:
    if change.add:
        yield "add", change.add
    if change.remove:
        yield "remove", change.remove


def send(admin: Admin, call: Call) -> Outcome:
    """Make the request and say for each contact what became of its writings."""
    sent = call.body["variables"] if call.body else {}
    reply = admin.ask(call.body["query"], sent) if call.body else Reply(Payload({}, "shopify"))
    refused = {each.contact: each for each in call.refused}
    others: dict[str, list[str]] = {ACCEPTED: [], MISSING: [], AGAIN: []}
    for at, key in enumerate(call.contacts):
        if key in refused:
            continue
        became = verdict(reply, [f"{field}{at}" for field in MUTATIONS if f"{field}{at}" in sent])
        if became in others:
            others[became].append(key)
        else:
            refused[key] = Refused(key, became)
    return Outcome(
        accepted=tuple(others[ACCEPTED]),
        refused=tuple(refused.values()),
        missing=tuple(others[MISSING]),
        again=tuple(others[AGAIN]),
        available=reply.available,
    )


ACCEPTED, MISSING, AGAIN = "accepted", "missing", "again"


def verdict(reply: Reply, aliases: Sequence[str]) -> str:
    """Return what became of one contact's writings: accepted, missing, again, or the reason of a refusal."""
    troubles = {each.alias: each for each in reply.troubles}
    verdicts = [of_one(reply.data.object(alias), troubles.get(alias)) for alias in aliases]
    if AGAIN in verdicts:
        return AGAIN
    return next((each for each in verdicts if each != ACCEPTED), ACCEPTED)


def of_one(payload: Payload | None, trouble: Trouble | None) -> str:
    if payload is None:
        if trouble and isinstance(trouble.error, ConfigurationError):
            raise trouble.error
        return MISSING if trouble and trouble.is_missing else AGAIN
    for error in payload.objects("userErrors"):
        # the only thing that can be wrong with an id that we looked up is that nobody has it any more
        if error.texts("field")[-1:] == ("id",):
            return MISSING
        return presentable(error.text("message") or "refused without a reason")
    return ACCEPTED
