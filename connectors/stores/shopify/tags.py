"""Customers' tags by Shopify's Admin API: looked up, and changed as many in one request as its points allow.

Above 200 customers the changes go by bulk operations instead: see `bulk_tags`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import RetryableError
from connectors.payload import Payload
from connectors.phrases import joined, phrase
from connectors.stores.shopify import bulk_tags, verdicts, writings
from connectors.stores.shopify.graphql import CODES, Admin, Reply, block
from connectors.stores.shopify.verdicts import ACCEPTED, AGAIN, Verdict
from connectors.stores.shopify.writings import FIELD, GID, KINDS, ON_FIELDS, OWN_NAMESPACE
from connectors.writers import AtOnce, Bucket, Call, Capabilities, Contact, Found, Outcome, Refused, TagChange

BY_TAGS = "{ id tags }"
NUMBER = re.compile(r"\d{1,20}", re.ASCII)

MUTATION_POINTS = 10
# A request may ask for 1,000 points. Half of that leaves room for other work in the smallest bucket, and its fifty
# writes, made one after the other, are done long before the time-out.
REQUEST_POINTS = 500
REQUEST_CONTACTS = REQUEST_POINTS // MUTATION_POINTS
FIELDS_PER_MUTATION = 25
MOST_BY_REQUESTS = 200

# the Standard plan; each answer says what is really left
POINTS = Bucket(capacity=2000, restore=100)

CAPABILITIES = Capabilities(
    writes="difference",
    contact="customer",
    completion="either",
    contacts_per_call=bulk_tags.CONTACTS,
    lookups_per_call=250,  # the longest list that an argument may be
    tag_length=writings.LONGEST_TAG,
    tags_per_contact=writings.MOST_TAGS,
    rates={"graphql": POINTS, "bulk": AtOnce(5), "poll": POINTS, "audiences": POINTS, "tags": POINTS},
    bytes_per_call=bulk_tags.BYTES,
)


def lookups(keys: Sequence[str], *, field: bool = False) -> Sequence[Call]:
    """Group keys; with `field` the metafield in which segments are kept is asked for as well."""
    size = CAPABILITIES.lookups_per_call
    asked = f'{{ id tags metafield(namespace: "{OWN_NAMESPACE}", key: "{FIELD}") {{ value }} }}' if field else BY_TAGS
    return [lookup(tuple(keys[at : at + size]), asked, 1 + field) for at in range(0, len(keys), size)]


def lookup(keys: tuple[str, ...], asked: str = BY_TAGS, points: int = 1) -> Call:
    """Ask for customers by id in one field, and for guests by address in a field each, all in one request.

    Of each is `asked` what costs so many points.
    """
    ids = [GID + key for key in keys if NUMBER.fullmatch(key)]
    emails = {f"email{at}": key for at, key in enumerate(keys) if "@" in key}
    declared = ["$ids: [ID!]!"] * bool(ids) + [f"${name}: String!" for name in emails]
    fields = ["nodes(ids: $ids) { ... on Customer " + asked + " }"] * bool(ids)
    fields += [f"{name}: customerByIdentifier(identifier: {{emailAddress: ${name}}}) {asked}" for name in emails]
    if not fields:  # keys that can be nobody on Shopify
        return Call("graphql", None, keys, cost=0)
    document = f"query LookUp({', '.join(declared)}) {block(fields)}"
    variables: dict[str, Any] = {"ids": ids} if ids else {}
    return Call(
        "graphql", {"query": document, "variables": variables | emails}, keys, cost=points * (len(ids) + len(emails))
    )


ANSWERS = {"ids": "nodes"}  # the variable, and the field that it is asked in where that is not called the same


def look_up(admin: Admin, call: Call) -> Found:
    if call.body is None:
        return Found()
    reply = admin.ask(call.body["query"], call.body["variables"])
    for each in reply.troubles:
        if not each.is_missing:  # otherwise those who were not read would look like those who are not there
            raise RetryableError(str(each.error)) if each.code not in CODES else each.error
    if not reply.data.data.keys() >= {ANSWERS.get(name, name) for name in call.body["variables"]}:
        raise RetryableError(joined(": ", ("shopify", phrase("an answer to another question"))))
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
    if not NUMBER.fullmatch(number):
        return None
    return Contact(key or number, number, node.texts("tags"), held(node) if "metafield" in node.data else None)


def held(node: Payload) -> tuple[str, ...]:
    """Return what stands in the metafield in which segments are kept; nothing where it is none of ours."""
    field = node.object("metafield")
    try:
        found = json.loads((field and field.text("value")) or "[]")
    except ValueError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()


def plan(changes: Sequence[TagChange]) -> Sequence[Call]:
    """Plan few changes as requests, many as bulk operations, and those that need a tag off first always as requests."""
    reasons = {change.contact.key: why for change in changes if (why := writings.inexpressible(change))}
    if len(changes) <= MOST_BY_REQUESTS:
        return requests(changes, reasons)
    tight = [change for change in changes if change.contact.key not in reasons and writings.is_tight(change)]
    keys = {change.contact.key for change in tight}
    others = [change for change in changes if change.contact.key not in keys]
    return [*bulk_tags.plan(others, reasons), *requests(tight, reasons)]


def requests(changes: Sequence[TagChange], reasons: Mapping[str, str]) -> Sequence[Call]:
    """Fill each request with as many changes as it may cost: the dear ones first, so that no points are left over."""
    costs = {change.contact.key: 0 if change.contact.key in reasons else points(change) for change in changes}
    filled: list[list[TagChange]] = []
    left = -1
    for change in sorted(changes, key=lambda change: -costs[change.contact.key]):
        cost = costs[change.contact.key]
        if cost > left or len(filled[-1]) == REQUEST_CONTACTS:
            filled.append([])
            left = REQUEST_POINTS
        filled[-1].append(change)
        left -= cost
    return [request(each, reasons) for each in filled]


def points(change: TagChange) -> int:
    """Return what a change's tags cost; its metafield shares a mutation with 24 others."""
    return MUTATION_POINTS * (bool(change.add) + bool(change.remove))


def request(changes: Sequence[TagChange], reasons: Mapping[str, str]) -> Call:
    """Make one request: an alias and variables for each writing, numbered by the contact's place in the call."""
    contacts = tuple(change.contact.key for change in changes)
    refused = tuple(Refused(key, reasons[key], final=True) for key in contacts if key in reasons)
    variables: dict[str, Any] = {}
    fields: dict[str, Sequence[int]] = {}
    entries: dict[str, list[tuple[int, Any]]] = {kind: [] for kind in ON_FIELDS}
    for at, change in enumerate(changes):
        wanted = writings.of(change) if change.contact.key not in reasons else {}
        for kind in ("remove", "add", *ON_FIELDS) if writings.is_tight(change) else KINDS:
            if kind in wanted and kind in entries:
                entries[kind].append((at, wanted[kind]))
            elif kind in wanted:
                fields[f"{kind}{at}"] = [at]
                variables |= {f"{kind}{at}": wanted[kind], f"id{at}": GID + change.contact.platform_id}
    for kind, each in entries.items():
        for number, start in enumerate(range(0, len(each), FIELDS_PER_MUTATION)):
            group = each[start : start + FIELDS_PER_MUTATION]
            fields[f"{kind}{number}"] = [at for at, _ in group]
            variables[f"{kind}{number}"] = [entry for _, entry in group]
    if not fields:
        return Call("graphql", None, contacts, cost=0, refused=refused)
    body = {"query": document(fields), "variables": variables, "places": fields}
    return Call("graphql", body, contacts, MUTATION_POINTS * len(fields), refused)


def document(fields: Mapping[str, Sequence[int]]) -> str:
    """Return the mutation with these aliases; each is called as its variable."""
    declared = [f"${alias}: {KINDS[kind_of(alias)].arguments[argument(alias)]}" for alias in fields]
    tagged = {at: None for alias, places in fields.items() if kind_of(alias) not in ON_FIELDS for at in places}
    declared += [f"$id{at}: ID!" for at in tagged]
    return f"mutation Tags({', '.join(declared)}) {block(map(aliased, fields))}"


def aliased(alias: str) -> str:
    kind = KINDS[kind_of(alias)]
    own = "" if kind_of(alias) in ON_FIELDS else f"id: $id{alias.removeprefix(kind_of(alias))}, "
    return f"{alias}: {kind.mutation}({own}{argument(alias)}: ${alias}) {{ {kind.errors} }}"


def kind_of(alias: str) -> str:
    return alias.rstrip("0123456789")


def argument(alias: str) -> str:
    return "metafields" if kind_of(alias) in ON_FIELDS else "tags"


def send(admin: Admin, call: Call) -> Outcome:
    """Make the request and say for each contact what became of its writings.

    Metafields are written 25 together or not at all: one that cannot be is left out, and the others written once more.
    """
    if call.body is None:
        return verdicts.outcome(call, dict.fromkeys(range(len(call.contacts)), ACCEPTED))
    reply = admin.ask(call.body["query"], call.body["variables"])
    found, left_over = read(reply, call.body["places"])
    if left_over:
        variables, places = without(call.body, left_over)
        reply = admin.ask(document(places), variables)
        second, still = read(reply, places)
        for at in (*second, *(at for each in still.values() for at in each)):
            found.setdefault(at, []).extend(second.get(at, [AGAIN]))
    became = {at: verdicts.worst(found.get(at, ())) for at in range(len(call.contacts))}
    return verdicts.outcome(call, became, left=reply.available)


def read(reply: Reply, places: Mapping[str, Sequence[int]]) -> tuple[dict[int, list[Verdict]], dict[str, list[int]]]:
    """Return the verdicts by place, and for each alias whom to write again because of somebody else."""
    troubles = {each.alias: each for each in reply.troubles}
    found: dict[int, list[Verdict]] = {}
    left_over: dict[str, list[int]] = {}
    for alias, each in places.items():
        answered, trouble = reply.data.object(alias), troubles.get(alias)
        if kind_of(alias) in ON_FIELDS:
            known, rest = verdicts.of_group(each, answered, trouble)
            left_over |= {alias: rest} if rest else {}
        else:
            known = {at: verdicts.of_answer(answered, trouble) for at in each}
        for at, verdict in known.items():
            found.setdefault(at, []).append(verdict)
    return found, left_over


def without(body: Any, left_over: Mapping[str, Sequence[int]]) -> tuple[dict[str, Any], dict[str, Sequence[int]]]:
    """Return the variables and places of those alone who are to be written again."""
    variables = {}
    for alias, wanted in left_over.items():
        entries = dict(zip(body["places"][alias], body["variables"][alias], strict=True))
        variables[alias] = [entries[at] for at in wanted]
    return variables, dict(left_over)
