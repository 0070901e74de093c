"""HubSpot's lists: manual ones of contacts, which stand for tags, and who is put on them and taken off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from connectors.batches import cut
from connectors.email.hubspot.api import CONTACT_TYPE, LISTS, Api
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.writers import Call, MadeTag, Outcome, TagChange

CONTACTS_PER_CALL = 10_000
MANUAL = "MANUAL"
BY_NAME = f"{LISTS}/object-type-id/{CONTACT_TYPE}/name"
ADD, REMOVE = "recordIdsToAdd", "recordIdsToRemove"
ADDED = ("recordsIdsAdded", "recordIdsAdded")  # the first in HubSpot's specification, the second in its examples


def make(api: Api, name: str) -> MadeTag:
    if there := find(api, name):
        return MadeTag(there, made=False)
    made = api.post(LISTS, {"name": name, "objectTypeId": CONTACT_TYPE, "processingType": MANUAL})
    return MadeTag(list_id(made.required("list", made.object)), made=True)


def find(api: Api, name: str) -> str | None:
    """Find a list by its name, which is one list's alone in an account."""
    there = named(api, name) or alike(api, name)
    if there and (there.text("processingType"), there.text("objectTypeId")) != (MANUAL, CONTACT_TYPE):
        raise PermanentError(phrase("HubSpot has another list of this name, and it is not a manual list of contacts"))
    return list_id(there) if there else None


def list_id(found: Payload) -> str:
    return found.required("listId", found.id)


def named(api: Api, name: str) -> Payload | None:
    try:
        found = api.get(f"{BY_NAME}/{quote(name, safe='')}", shown=f"{BY_NAME}/{{name}}")
    except PermanentError as error:
        if error.status == 404:
            return None
        raise
    return found.required("list", found.object)


def alike(api: Api, name: str) -> Payload | None:
    """Return a list whose name differs by the case of its letters at most, whatever it is a list of."""
    search = {
        "query": name,
        "offset": 0,
        "count": 500,
        "listIds": [],
        "processingTypes": [],
        "additionalProperties": [],
    }
    found = api.post(f"{LISTS}/search", search)
    found.required("lists", lambda key: found.value(key, list))
    return next((one for one in found.objects("lists") if (one.text("name") or "").casefold() == name.casefold()), None)


def drop(api: Api, tag_id: str) -> bool:
    """Delete a list, unless anybody is on it; return whether it is gone."""
    try:
        if anybody_on(api, tag_id):
            return False
        api.delete(where(tag_id))
    except PermanentError as error:
        if error.status != 404:
            raise
    return True


def untouched(api: Api, tag_id: str, name: str) -> bool:
    found = api.get(where(tag_id))
    return found.required("list", found.object).text("name") == name and not anybody_on(api, tag_id)


def anybody_on(api: Api, tag_id: str) -> bool:
    on = api.get(f"{where(tag_id)}/memberships", limit="1")
    return bool(on.required("results", lambda key: on.value(key, list)))


def where(tag_id: str) -> str:
    return f"{LISTS}/{quote(tag_id, safe='')}"


def plan(changes: Sequence[TagChange], ids: Mapping[str, str]) -> Iterator[Call]:
    """Put all that one list gains and loses into one call, as far as it goes."""
    groups: dict[str, dict[str, tuple[str, str]]] = {}
    for change in changes:
        for way, tags in ((REMOVE, change.remove), (ADD, change.add)):
            for tag in tags:
                groups.setdefault(tag, {})[change.contact.key] = (way, change.contact.platform_id)
    for tag, moves in groups.items():
        for some in cut(moves.items(), CONTACTS_PER_CALL):
            records = {way: {key: record_id for key, (each, record_id) in some if each == way} for way in (ADD, REMOVE)}
            body = {"list": ids[tag], "tag": tag, **{way: list(found.values()) for way, found in records.items()}}
            keys = (*records[ADD], *records[REMOVE])
            yield Call("api", body, keys, tags=dict.fromkeys(keys, (tag,)))


def send(api: Api, call: Call) -> Outcome:
    """Put contacts on a list and take others off. Whoever is where they should be is named nowhere in the answer."""
    body = {way: call.body[way] for way in (ADD, REMOVE)}
    try:
        answer = api.put(f"{LISTS}/{quote(call.body['list'], safe='')}/memberships/add-and-remove", body)
    except PermanentError as error:
        if error.status == 404:
            return Outcome(lost=(call.body["tag"],))
        raise
    told = next((key for key in ADDED if key in answer.data), None)
    if told is None:
        raise answer.wrong(ADDED[0], phrase("is missing"))
    unknown = set(answer.ids("recordIdsMissing"))
    records = dict(zip(call.contacts, (*body[ADD], *body[REMOVE]), strict=True))
    missing = tuple(key for key, record_id in records.items() if record_id in unknown)
    before = {*body[ADD]} - unknown - set(answer.ids(told))
    had = tuple(key for key, record_id in records.items() if record_id in before)
    accepted = tuple(key for key, record_id in records.items() if record_id not in unknown)
    return Outcome(accepted, missing=missing, had=had)
