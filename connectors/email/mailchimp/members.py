"""Who is in an audience: few are asked for one by one, many are read by reading through the audience.

Whoever is archived counts as not there: Mailchimp tags nobody who is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import ceil

from connectors.email.mailchimp.api import PER_PAGE, Api, listed, told
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.text import clean
from connectors.writers import Call, Contact, Found

FEW = 20
FIELDS = "email_address,status,tags"


def lookups(keys: Sequence[str]) -> Sequence[Call]:
    """Ask for few by name. For many begin with the audience's first page, which tells how many there are."""
    if len(keys) <= FEW:
        return [one_by_one((key,)) for key in keys]
    return [Call("members", {"offset": 0}, tuple(keys))]


def one_by_one(keys: tuple[str, ...]) -> Call:
    """Return the call for the first of the keys, and then for the others."""
    return Call("members", None, keys)


def look_up(api: Api, call: Call, ids: Mapping[str, str]) -> Found:
    names = {tag_id: name for name, tag_id in ids.items()}
    return looked_up_page(api, call, names) if call.body else looked_up_next(api, call, names)


def looked_up_next(api: Api, call: Call, names: Mapping[str, str]) -> Found:
    key, *others = call.contacts
    more = one_by_one(tuple(others)) if others else None
    member = contact(found, names) if (found := get(api, key)) else None
    if member is None or member.key != key:
        return Found(missing=(key,), more=more)
    return Found((member,), more=more)


def get(api: Api, address: str) -> Payload | None:
    try:
        member = api.get(f"/members/{digest(address)}", shown="member", fields=FIELDS)
    except PermanentError as error:
        if error.status == 404:
            return None
        raise
    member.required("email_address", member.text)
    return member


def looked_up_page(api: Api, call: Call, names: Mapping[str, str]) -> Found:
    """Read a page of the audience, and go on in the way that needs fewer calls."""
    offset, wanted = call.body["offset"], set(call.contacts)
    page = api.get("/members", fields=told("members", FIELDS), count=PER_PAGE, offset=offset)
    everybody = page.required("total_items", page.count)
    read = [contact(one, names) for one in listed(page, "members")]
    found = tuple(one for one in read if one and one.key in wanted)
    left = tuple(key for key in call.contacts if key not in {one.key for one in found})
    pages = ceil((everybody - offset - PER_PAGE) / PER_PAGE)
    if not left or not read or pages <= 0:
        return Found(found)
    more = one_by_one(left) if len(left) < pages else Call("members", {"offset": offset + PER_PAGE}, left)
    return Found(found, more=more)


def contact(member: Payload, names: Mapping[str, str]) -> Contact | None:
    """Return a member as we know it, its tags by our names: the merchant may have given one another name."""
    address = member.text("email_address")
    if not address or member.text("status") == "archived":
        return None
    tags = (names.get(tag.id("id") or "") or tag.text("name") for tag in member.objects("tags"))
    return Contact(address.casefold(), address, tuple(clean(tag) for tag in tags if tag))


def digest(address: str) -> str:
    """Return what Mailchimp calls a member by."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()
