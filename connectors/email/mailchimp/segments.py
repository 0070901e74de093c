"""Tags as static segments: found or made, and members put into and taken out of one by one call.

The endpoint takes addresses and ignores those that are not in the audience, without a word. That is why it never makes
a contact, and why whoever is not named in an answer is missing. What it says of each was seen of the real one: an
address that is there already, or was not there, is named as an error; where no address of a side is in the audience,
the whole call is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from urllib.parse import quote

from connectors.email.mailchimp.api import Api, listed
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.text import presentable
from connectors.writers import Call, MadeTag, Outcome, Refused, TagChange

LONGEST_TAG = 100
MOST_PER_SIDE = 500
SIDES = {"members_to_add": "added", "members_to_remove": "removed"}
THERE_BEFORE = "already exist in the static segment"
DONE_BEFORE = (THERE_BEFORE, "do not exist in the static segment")
STRANGERS = "None of the emails"
EVERYBODY = {f"include_{status}": "true" for status in ("cleaned", "transactional", "unsubscribed")}
HIDDEN = ("pending", "archived")  # who may carry a tag, and is never shown among those who do
MOST_HIDDEN = 10_000

Places = list[tuple[str, str]]
"""Contacts with the addresses that they are written by."""


@dataclass
class Moves:
    """Who is put into a tag, and who is taken out of it."""

    tag: str
    add: Places = field(default_factory=list)
    remove: Places = field(default_factory=list)


def make(api: Api, name: str) -> MadeTag:
    """Mailchimp would make a second one of the same name."""
    if there := find(api, name):
        return MadeTag(there, made=False)
    made = api.post("/segments", {"name": name, "static_segment": []})
    return MadeTag(made.required("id", made.id), made=True)


def find(api: Api, name: str) -> str | None:
    """Of several of one name the first is taken, always the same."""
    there = api.all("/segments", "segments", "id,name", type="static")
    same = [one.required("id", one.id) for one in there if (one.text("name") or "").casefold() == name.casefold()]
    return min(same, key=int, default=None)


def called(api: Api, tag_id: str) -> str | None:
    """Return what a tag is called there by now; None where it is gone."""
    try:
        found = api.get(where(tag_id), fields="name")
    except PermanentError as error:
        if error.status == 404:
            return None
        raise
    return found.required("name", found.text)


def where(tag_id: str) -> str:
    return f"/segments/{quote(tag_id, safe='')}"


def drop(api: Api, tag_id: str) -> bool:
    """Delete a tag, unless any member carries it, whatever their status; return whether it is gone."""
    try:
        if carried(api, tag_id):
            return False
        api.call("DELETE", api.path + where(tag_id))
    except PermanentError as error:
        if error.status != 404:
            raise
    return True


def carried(api: Api, tag_id: str) -> bool:
    return shown(api, tag_id) or hidden(api, tag_id)


def shown(api: Api, tag_id: str) -> bool:
    """Whether anybody is shown among those who carry a tag."""
    on = api.get(f"{where(tag_id)}/members", **EVERYBODY, fields="members.id,total_items", count=1)
    return bool(listed(on, "members") or on.count("total_items"))


def hidden(api: Api, tag_id: str) -> bool:
    """Whether anybody else carries a tag. Where there are too many to ask, somebody may."""
    for status in HIDDEN:
        members = api.all("/members", "members", "id,tags", status=status)
        if any(at == MOST_HIDDEN or carries(one, tag_id) for at, one in enumerate(members)):
            return True
    return False


def carries(member: Payload, tag_id: str) -> bool:
    return any(tag.id("id") == tag_id for tag in member.objects("tags"))


def plan(changes: Iterable[TagChange], ids: Mapping[str, str]) -> list[Call]:
    """Let a call put as many into a tag as it may, and take as many out of it."""
    moves: dict[str, Moves] = {}
    for change in changes:
        place = (change.contact.key, change.contact.platform_id)
        for tag in change.add:
            moves.setdefault(ids[tag] or tag, Moves(tag)).add.append(place)
        for tag in change.remove:
            if tag not in change.add:
                moves.setdefault(ids[tag] or tag, Moves(tag)).remove.append(place)
    return [
        planned(ids[one.tag], one.tag, add or (), remove or ())
        for one in moves.values()
        for add, remove in zip_longest(groups(one.add), groups(one.remove))
    ]


def groups(places: Places) -> list[Places]:
    return [places[at : at + MOST_PER_SIDE] for at in range(0, len(places), MOST_PER_SIDE)]


def planned(tag_id: str, tag: str, add: Sequence[tuple[str, str]], remove: Sequence[tuple[str, str]]) -> Call:
    """A side with nobody is left out: Mailchimp might take it for one of strangers."""
    sides = {name: [address for _, address in each] for name, each in zip(SIDES, (add, remove), strict=True) if each}
    keys = tuple(key for key, _ in (*add, *remove))
    return Call("segments", {"segment": tag_id, "tag": tag, **sides}, keys, tags=dict.fromkeys(keys, (tag,)))


def halves(call: Call) -> Sequence[Call]:
    """Cut a call in two, for whatever Mailchimp may refuse it for."""
    add, remove = (call.body.get(name, []) for name in SIDES)
    places = list(zip(call.contacts, [*add, *remove], strict=True))
    middle, adds = len(places) // 2, len(add)
    first, last = places[:middle], places[middle:]
    cut = ((first[:adds], first[adds:]), (last[: max(0, adds - middle)], last[max(0, adds - middle) :]))
    return [planned(call.body["segment"], call.body["tag"], *sides) for sides in cut] if middle else ()


def send(api: Api, call: Call) -> Outcome:
    sides = {name: call.body[name] for name in SIDES if name in call.body}
    keys = {address.casefold(): key for address, key in zip(chain(*sides.values()), call.contacts, strict=True)}
    path = where(call.body["segment"])
    while sides:
        try:
            return told(api.post(path, sides), sides, keys)
        except PermanentError as error:
            if error.status == 404:
                return Outcome(lost=(call.body["tag"],))
            strangers = sides.keys() & of_strangers(error)
            if not strangers:
                raise
            sides = {name: addresses for name, addresses in sides.items() if name not in strangers}
    return Outcome(missing=call.contacts)


def of_strangers(error: PermanentError) -> set[str]:
    """Return the sides of a refused call of which no address is in the audience."""
    answer = Payload(error.answer if isinstance(error.answer, dict) else {}, "mailchimp")
    wrong = answer.objects("errors") if error.status == 400 else ()
    return {one.text("field") or "" for one in wrong if STRANGERS in (one.text("message") or "")}


def told(answer: Payload, sides: Mapping[str, Sequence[str]], keys: Mapping[str, str]) -> Outcome:
    """Return what an answer says of each contact. One that names nobody at all is not to be believed.

    (Mailchimp was seen to answer so of hundreds who were there; of strangers alone it says so.)
    """
    done: set[str] = set()
    for name, way in SIDES.items():
        named = {key for one in answer.objects(f"members_{way}") if (key := keys.get(folded(one)))}
        asked = {keys[address.casefold()] for address in sides.get(name, ())}
        total = answer.required(f"total_{way}", answer.count)
        done |= asked if asked and total == len(asked) else named
    refused: dict[str, Refused] = {}
    had: set[str] = set()
    for one in answer.objects("errors"):
        reason = one.text("error") or ""
        named = {key for address in one.texts("email_addresses") if (key := keys.get(address.casefold()))}
        if any(words in reason for words in DONE_BEFORE):
            done |= named
            had |= named if THERE_BEFORE in reason else set()
        else:
            refused |= {key: Refused(key, presentable(reason) or phrase("refused without a reason")) for key in named}
    rest = tuple(key for key in keys.values() if key not in done and key not in refused)
    accepted = tuple(key for key in keys.values() if key in done and key not in refused)
    if not accepted and not refused:
        return Outcome(again=rest)
    there = tuple(key for key in accepted if key in had)
    return Outcome(accepted, tuple(refused.values()), missing=rest, had=there)


def folded(member: Payload) -> str:
    return (member.text("email_address") or "").casefold()
