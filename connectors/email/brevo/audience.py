"""Whom Brevo knows: a few contacts asked for by address, many found on the pages of all contacts.

There is no call that takes several addresses. So a look-up of many reads the audience page by page until fewer calls
are needed to ask for those who are left, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from connectors.batches import cut
from connectors.email.brevo.api import Api, listed
from connectors.errors import PermanentError, RetryableError
from connectors.payload import Payload
from connectors.writers import Call, Contact, Found

FEW = 20
PER_PAGE = 1_000
KEYS_PER_CALL = 10_000
NOBODY = (400, 404)  # 400: no address at all

Names = Mapping[str, str]
"""The tags by the ids of their lists."""


def lookups(keys: Sequence[str]) -> Iterator[Call]:
    if len(keys) <= FEW:
        yield from (one_by_one((key,)) for key in keys)
    else:
        yield from (Call("contacts", {"offset": 0}, some) for some in cut(keys, KEYS_PER_CALL))


def one_by_one(keys: tuple[str, ...]) -> Call:
    """Return the call for the first of the keys, and then for the others."""
    return Call("contacts", None, keys)


def look_up(api: Api, call: Call, names: Names) -> Found:
    return page(api, call, names) if call.body else one(api, call, names)


def one(api: Api, call: Call, names: Names) -> Found:
    key, *others = call.contacts
    more = one_by_one(tuple(others)) if others else None
    found = contact(api, key, "email_id")
    return Found(missing=(key,), more=more) if found is None else Found((known(found, key, names),), more=more)


def page(api: Api, call: Call, names: Names) -> Found:
    """Read one page of all contacts, oldest first: whoever comes meanwhile comes on the last.

    Where some have gone since the page before, others stand where those were: then it is read from before them.
    """
    offset = call.body["offset"]
    try:
        answer = api.get("/contacts", limit=str(PER_PAGE), offset=str(offset), sort="asc")
        count = answer.required("count", answer.count)
        shown = listed(answer, "contacts")
    except PermanentError as error:  # of nobody in particular: the same page would be asked for half of the keys again
        raise RetryableError(str(error)) from None
    wanted = set(call.contacts)
    addresses = ((each, (each.text("email") or "").casefold()) for each in shown)
    found = {key: known(each, key, names) for each, key in addresses if key in wanted}
    left = tuple(key for key in call.contacts if key not in found)
    gone = max(0, call.body.get("count", count) - count)
    return Found(tuple(found.values()), more=following(left, offset - gone if gone else offset + PER_PAGE, count))


def following(left: tuple[str, ...], offset: int, count: int) -> Call | None:
    pages = math.ceil((count - offset) / PER_PAGE)
    if not left or pages <= 0:
        return None
    return (
        one_by_one(left) if len(left) <= pages else Call("contacts", {"offset": max(0, offset), "count": count}, left)
    )


def contact(api: Api, identifier: str, kind: Literal["email_id", "contact_id"]) -> Payload | None:
    """Return a contact by address or by id; None where there is none."""
    path = f"/contacts/{quote(identifier, safe='')}"
    try:
        found = api.get(path, shown="/contacts/{identifier}", identifierType=kind)
    except PermanentError as error:
        if error.status in NOBODY:
            return None
        raise
    found.required("listIds", lambda key: found.value(key, list))
    return found


def known(found: Payload, key: str, names: Names) -> Contact:
    tags = tuple(names[list_id] for list_id in found.ids("listIds") if list_id in names)
    return Contact(key, found.required("id", found.id), tags)
