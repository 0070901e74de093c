"""Brevo's lists: those that stand for tags, in a folder of ours. Those in other folders are never touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.batches import cut
from connectors.email.brevo import audience
from connectors.email.brevo.api import Api
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.text import clean
from connectors.writers import Call, MadeTag, Outcome, TagChange

FOLDER = "Tagsmith segments"
CONTACTS_PER_CALL = 150
NOT_FOUND = 404
NONE_OF_THEM = (400, "invalid_parameter")  # each is on the list already (or off it), or does not exist


def make(api: Api, name: str) -> MadeTag:
    folder = folder_id(api)
    if there := find_in(api, folder, name):
        return MadeTag(there, made=False)
    if folder is None:
        made = api.post("/contacts/folders", {"name": FOLDER})
        folder = made.required("id", made.id)
    made = api.post("/contacts/lists", {"folderId": int(folder), "name": name})
    return MadeTag(made.required("id", made.id), made=True)


def find(api: Api, name: str) -> str | None:
    return find_in(api, folder_id(api), name)


def folder_id(api: Api) -> str | None:
    return first(api.all("/contacts/folders", "folders"), FOLDER)


def find_in(api: Api, folder: str | None, name: str) -> str | None:
    return first(api.all(f"/contacts/folders/{folder}/lists", "lists"), name) if folder else None


def first(found: Iterable[Payload], name: str) -> str | None:
    return next((each.required("id", each.id) for each in found if same(each, name)), None)


def same(found: Payload, name: str) -> bool:
    return (found.text("name") or "").casefold() == clean(name).casefold()


def drop(api: Api, list_id: str) -> bool:
    """Delete a list, unless anybody is on it, and our folder after the last one; return whether the list is gone."""
    try:
        if anybody_on(api, list_id):
            return False
        api.delete(f"/contacts/lists/{list_id}")
    except PermanentError as error:
        if error.status != NOT_FOUND:
            raise
    drop_folder(api)
    return True


def drop_folder(api: Api) -> None:
    """Delete our folder if nothing is in it: Brevo would delete whatever is there with it."""
    try:
        folder = folder_id(api)
        if folder and next(api.all(f"/contacts/folders/{folder}/lists", "lists"), None) is None:
            api.delete(f"/contacts/folders/{folder}")
    except PermanentError as error:
        if error.status != NOT_FOUND:
            raise


def untouched(api: Api, list_id: str, name: str) -> bool:
    found = api.get(f"/contacts/lists/{list_id}")
    return found.text("name") == clean(name) and not anybody_on(api, list_id)


def anybody_on(api: Api, list_id: str) -> bool:
    on = api.get(f"/contacts/lists/{list_id}/contacts", limit="1")
    return bool(on.required("count", on.count))


def plan(changes: Sequence[TagChange], ids: Mapping[str, str]) -> Iterator[Call]:
    """Put as many contacts into each call as it may hold: one list's, that are put on it or taken off it."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for change in changes:
        for put, tags in (("add", change.add), ("remove", change.remove)):
            for tag in tags:
                groups.setdefault((put, tag), {})[change.contact.key] = change.contact.platform_id
    for (put, tag), contacts in groups.items():
        for some in cut(contacts.items(), CONTACTS_PER_CALL):
            body = {"list": ids[tag], "tag": tag, "put": put, "ids": [contact_id for _, contact_id in some]}
            keys = tuple(key for key, _ in some)
            yield Call("contacts", body, keys, tags=dict.fromkeys(keys, (tag,)))


def send(api: Api, call: Call) -> Outcome:
    """Put contacts on a list or take them off. Only those who exist already: the call makes nobody.

    A contact that is where it should be fails just as one that does not exist, so after a call each that failed is
    looked at.
    """
    if "looked" in call.body:
        return seen(api, call)
    path = f"/contacts/lists/{call.body['list']}/contacts/{call.body['put']}"
    try:
        answer = api.post(path, {"ids": [int(contact_id) for contact_id in call.body["ids"]]})
    except PermanentError as error:
        if error.status == NOT_FOUND:
            return Outcome(lost=(call.body["tag"],))
        if (error.status, code(error)) != NONE_OF_THEM:
            raise
        done: set[str] = set()
    else:
        done = {*answer.required("contacts", answer.object).ids("success")}
    by_id = dict(zip(call.body["ids"], call.contacts, strict=True))
    accepted = tuple(key for contact_id, key in by_id.items() if contact_id in done)
    return Outcome(accepted, more=look(call, {one: key for one, key in by_id.items() if one not in done}))


def look(call: Call, contacts: Mapping[str, str]) -> Call | None:
    """Return the call that looks at the first of these contacts, and then at the others."""
    if not contacts:
        return None
    body = {**call.body, "ids": list(contacts), "looked": True}
    return replace(call, body=body, contacts=tuple(contacts.values()))


def seen(api: Api, call: Call) -> Outcome:
    """Look whether a contact is where it should be; one that is not is sent again."""
    contact_id, *others = call.body["ids"]
    key, *keys = call.contacts
    more = look(call, dict(zip(others, keys, strict=True)))
    found = audience.contact(api, contact_id, "contact_id")
    if found is None:
        return Outcome(missing=(key,), more=more)
    if (call.body["list"] in found.ids("listIds")) == (call.body["put"] == "add"):
        return Outcome((key,), more=more, had=(key,) if call.body["put"] == "add" else ())
    return Outcome(again=(key,), more=more)


def code(error: PermanentError) -> Any:
    return error.answer.get("code") if isinstance(error.answer, dict) else None
