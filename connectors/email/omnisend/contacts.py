"""Whom Omnisend knows: few are asked for by address, many are looked for in the pages of all contacts."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.email.omnisend.api import Api
from connectors.payload import Payload
from connectors.text import clean
from connectors.writers import Call, Contact, Found

PER_PAGE = 250
FEW = 20


def lookups(keys: Sequence[str]) -> Sequence[Call]:
    if len(keys) <= FEW:
        return [one_by_one((key,)) for key in keys]
    return [Call("contacts", {"after": None, "pages": 0}, tuple(keys))]


def one_by_one(keys: tuple[str, ...]) -> Call:
    """Return the call for the first of the keys, and then for the others."""
    return Call("contacts", None, keys)


def look_up(api: Api, call: Call) -> Found:
    return looked_up_page(api, call) if call.body else looked_up_next(api, call)


def looked_up_next(api: Api, call: Call) -> Found:
    key, *others = call.contacts
    more = one_by_one(tuple(others)) if others else None
    found = tuple(one for one in listed(api.get("/contacts", email=key, limit=1)) if one.key == key)
    return Found(found, missing=() if found else (key,), more=more)


def looked_up_page(api: Api, call: Call) -> Found:
    """Read the next page. Nobody says how many there are: after as many as there are contacts left, ask by address."""
    after = {"after": call.body["after"]} if call.body["after"] else {"sort": "createdAt", "direction": "asc"}
    page = api.get("/contacts", limit=PER_PAGE, **after)
    wanted = set(call.contacts)
    found = tuple(one for one in listed(page) if one.key in wanted)
    there = {one.key for one in found}
    left = tuple(key for key in call.contacts if key not in there)
    pages, following = call.body["pages"] + 1, cursor_of(page)
    if not left or following is None:
        return Found(found)
    more = one_by_one(left) if pages >= len(left) else Call("contacts", {"after": following, "pages": pages}, left)
    return Found(found, more=more)


def listed(page: Payload) -> list[Contact]:
    """Return the contacts of a page. An answer without a list is not one without contacts."""
    page.required("contacts", lambda key: page.value(key, list))
    return [known for one in page.objects("contacts") if (known := contact(one))]


def contact(one: Payload) -> Contact | None:
    """Return a contact under its address; None for one that has a telephone number alone."""
    address = one.text("email")
    if not address:
        return None
    return Contact(address.casefold(), one.required("id", one.text), tuple(map(clean, one.texts("tags"))))


def cursor_of(page: Payload) -> str | None:
    """Return where the next page begins; None on the last one."""
    paging = page.object("paging")
    cursors = paging.object("cursors") if paging and paging.flag("hasMore") else None
    return cursors.text("after") if cursors else None


def prove(api: Api) -> None:
    """Raise ConfigurationError unless contacts may be read."""
    listed(api.get("/contacts", limit=1))
