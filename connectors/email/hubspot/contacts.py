"""Whom HubSpot knows: records found by address, and on which of our lists each of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.batches import cut
from connectors.email.hubspot.api import CONTACT_TYPE, CONTACTS, LISTS, Api
from connectors.payload import Payload
from connectors.writers import Call, Contact, Found

KEYS_PER_CALL = 100


def lookups(keys: Sequence[str]) -> Iterator[Call]:
    """Each look-up is two calls, and both are paid for with the first: of the records, then of their lists."""
    for some in cut(keys, KEYS_PER_CALL):
        inputs = [{"id": key} for key in some]
        body = {"idProperty": "email", "inputs": inputs, "properties": ["email"], "propertiesWithHistory": []}
        yield Call("api", body, some, cost=2)


def look_up(api: Api, call: Call, names: Mapping[str, str]) -> Found:
    """Look up records, or their lists. `names` are the tags by the ids of their lists."""
    return memberships(api, call, names) if "records" in call.body else records(api, call)


def records(api: Api, call: Call) -> Found:
    """Find records by their first address. (One found by another would be two contacts' at once.)"""
    found = listed(api.post(f"{CONTACTS}/batch/read", call.body))
    wanted = set(call.contacts)
    ids = {}
    for each in found:
        about = each.required("properties", each.object)
        key = (about.text("email") or "").casefold()
        if key in wanted:
            ids[each.required("id", each.id)] = key
    return Found(more=Call("api", {"records": ids}, call.contacts, cost=0)) if ids else Found()


def memberships(api: Api, call: Call, names: Mapping[str, str]) -> Found:
    ids = call.body["records"]
    inputs = [{"objectTypeId": CONTACT_TYPE, "recordId": record_id} for record_id in ids]
    on: dict[str, list[str]] = {}
    for each in listed(api.post(f"{LISTS}/records/memberships/batch/read", {"inputs": inputs})):
        on[each.required("recordId", each.id)] = [
            one.required("listId", one.id) for one in each.objects("recordListMemberships")
        ]
    return Found(
        tuple(
            Contact(key, record_id, tuple(names[one] for one in on.get(record_id, ()) if one in names))
            for record_id, key in ids.items()
        )
    )


def listed(answer: Payload) -> tuple[Payload, ...]:
    """Return the results of a batch, be it 200 or 207. An answer without a list is not one without results."""
    answer.required("results", lambda key: answer.value(key, list))
    return answer.objects("results")
