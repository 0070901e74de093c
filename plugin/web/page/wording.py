"""What the app's short words are called on the pages."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import gettext

from plugin import people
from plugin.db import reading
from plugin.segments.kept.definition import rhythm_told
from plugin.translating import told
from plugin.web import engine


def states() -> dict[str, tuple[str, str]]:
    """Return what the states of segments, destinations and connections are called, and how good they are."""
    return {
        "off": (gettext("off"), "quiet"),
        "failing": (gettext("failing"), "bad"),
        "computing": (gettext("being computed"), "quiet"),
        "held": (gettext("held"), "warning"),
        "live": (gettext("live"), "good"),
        "rehearsal": (gettext("in rehearsal"), "warning"),
        "unconnected": (gettext("goes nowhere yet"), "quiet"),
        "active": (gettext("active"), "good"),
        "paused": (gettext("paused"), "bad"),
        "gone": (gettext("removed"), "quiet"),
        "review": (gettext("to be reviewed"), "warning"),
        "failed": (gettext("failed"), "bad"),
        "delivered": (gettext("delivered"), "good"),
        "waiting": (gettext("waiting"), "quiet"),
        "refused": (gettext("refused, and set aside"), "bad"),
        "skipped": (gettext("skipped"), "quiet"),
        "empty": (gettext("nobody left to tell of"), "quiet"),
        "unreadable": (gettext("unreadable"), "warning"),
        "done": (gettext("worked"), "good"),
        "erased": (gettext("emptied"), "quiet"),
        "leaving": (gettext("being left"), "warning"),
    }


def causes() -> dict[str, str]:
    """Return what brought somebody into a segment or out of it."""
    return {
        "cart": gettext("a cart"),
        "consent": gettext("a change of consent"),
        "customer": gettext("a change of the profile"),
        "deleted": gettext("deleted in the store"),
        "event": gettext("something they did: a view, a call, an answer"),
        "added": gettext("the segment was new"),
        "again": gettext("everybody was asked again"),
        "edited": gettext("the segment was edited"),
        "agreed": gettext("the segment was edited, as rehearsed"),
        "ladder": gettext("a change of a ladder"),
        "merged": gettext("merged with another customer"),
        "order": gettext("an order"),
        "pin": gettext("pinned or let go by hand"),
        "product": gettext("a change of a product"),
        "refund": gettext("a refund"),
        "scores": gettext("new scores at midnight"),
        "tags": gettext("a change of tags"),
        "terms": gettext("a change of the shop's zone, currency or waiting time"),
        "attribute": gettext("a change of an attribute"),
        "time": gettext("time passed"),
        "view": gettext("something looked at on the shop's pages"),
    }


def write_causes() -> dict[str, str]:
    """Return what had a tag put on or taken off."""
    return causes() | {
        "released": gettext("the segment was let out there"),
        "removed": gettext("the segment was deleted"),
        "off": gettext("the segment was switched off"),
        "renamed": gettext("the tag was renamed"),
        "taken_back": gettext("what was written was taken back"),
        "leaving": gettext("all of ours is taken off there"),
        "kept_otherwise": gettext("segments are kept in another way there"),
        "nobody": gettext("the address is no customer's any more"),
        "other": gettext("another level of a ladder, or a conflict"),
        "unknown": gettext("not known any more"),
    }


def outcomes() -> dict[str, tuple[str, str]]:
    """Return what a platform said to a tag that was written, and how good that is."""
    return {
        "taken": (gettext("accepted"), "good"),
        "refused": (gettext("refused by the platform"), "bad"),
        "missing": (gettext("nobody there"), "quiet"),
        "again": (gettext("not taken yet, sent again"), "warning"),
    }


def template_families() -> dict[str, str]:
    """Return what templates are grouped by."""
    return {
        "basics": gettext("The basics"),
        "lifecycle": gettext("From first to last order"),
        "value": gettext("By value"),
        "taste": gettext("By what and how they buy"),
        "person": gettext("By who they are"),
        "season": gettext("By occasion"),
    }


def ways() -> dict[str, str]:
    """Return how a connection keeps segments."""
    return {
        "tags": gettext("as tags"),
        "metafield": gettext("in a metafield of this app"),
        "both": gettext("as tags and in a metafield of this app"),
    }


def audiences() -> dict[str, str]:
    """Return what has become of a segment in the platform's own pages."""
    return {
        "wanted": gettext("Its segment there is being made."),
        "making": gettext("Its segment there is being made."),
        "made": gettext("There is a segment of its own there."),
        "refused": gettext("Its segment there was refused:"),
        "gone": gettext("Its segment there was deleted there."),
        "unwanted": gettext("Its segment there is being deleted."),
    }


def roles() -> dict[str, str]:
    return {"store": gettext("store"), "email": gettext("e-mail")}


def credentials() -> dict[str, str]:
    """Return what the keys are called by which a platform is connected."""
    return {
        "shop": gettext("The store's permanent address"),
        "access_token": gettext("Access token"),
        "api_secret": gettext("The app's client secret"),
        "api_key": gettext("API key"),
        "audience": gettext("Id of the audience"),
    }


def kinds() -> dict[str, str]:
    """Return what the parts of a store's past are called."""
    return {
        "products": gettext("Products"),
        "customers": gettext("Customers"),
        "orders": gettext("Orders"),
        "checkouts": gettext("Abandoned checkouts"),
        "gone:customers": gettext("Deleted customers"),
        "gone:orders": gettext("Deleted orders"),
    }


def contacts() -> dict[str, str]:
    """Return what the contacts of a rehearsal are called, by what is known of them."""
    return {
        "known": gettext("on the platform"),
        "new": gettext("not looked up yet"),
        "missing": gettext("not on the platform"),
    }


def drifts() -> dict[str, str]:
    """Return how contacts differ from the ledger."""
    return {
        "lost": gettext("was put on by us, and is not there"),
        "back": gettext("was taken off by us, and is there again"),
        "gone": gettext("is not on the platform any more"),
    }


def fields() -> dict[str, str]:
    """Return what the fields of a segment's definition are called."""
    return {
        "name": gettext("Name"),
        "query": gettext("Who belongs to it"),
        "tag": gettext("Tag"),
        "rewards": gettext("For rewards"),
        "enabled": gettext("Switched on"),
        "objective": gettext("What it is for"),
        "owner": gettext("Owner"),
        "owner_email": gettext("Owner's e-mail address"),
        "offer": gettext("Offer"),
        "say": gettext("What to say"),
        "review": gettext("Looked at again"),
    }


def field_value(name: str, value: Any) -> str:
    """Return how a field of a definition is shown."""
    if name == "review":
        return rhythm(value)
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    return str(gettext("nothing") if value is None else value)


def rhythm(kept: str | None) -> str:
    """Return how often a segment is looked at, `3m` in words."""
    return told(rhythm_told(kept))


def edits() -> dict[str, str]:
    """Return what was done to a segment."""
    return {
        "added": gettext("added"),
        "edited": gettext("edited"),
        "imported": gettext("edited by a file"),
        "removed": gettext("removed"),
        "restored": gettext("restored"),
        "learned": gettext("thresholds learned anew"),
    }


def editor(who: str) -> str:
    """Return who made an edit, from what `segments.versions` keeps."""
    kind, _, name = who.partition(":")
    match kind:
        case "":
            return str(gettext("Tagsmith itself"))
        case "account":
            return of_account(name)
        case "command":
            return str(gettext("the command line (%(name)s)", name=name or "?"))
        case _:
            return str(gettext("the admin of %(platform)s (user %(name)s)", platform=kind.title(), name=name))


def of_account(account_id: str) -> str:
    """Return whose an account is or was, as far as that is known."""
    if "account_names" not in g:
        with reading(engine()) as session:
            g.account_names = people.names(session, g.shop.shop_id)
    email = g.account_names.get(account_id)
    if email is None:
        return str(gettext("somebody who is not here any more"))
    return str(email or gettext("the first owner"))


def everything() -> dict[str, object]:
    return {
        "fields": fields,
        "field_value": field_value,
        "rhythm": rhythm,
        "edits": edits,
        "editor": editor,
        "states": states,
        "causes": causes,
        "write_causes": write_causes,
        "write_outcomes": outcomes,
        "roles": roles,
        "kinds": kinds,
        "credentials": credentials,
        "contacts": contacts,
        "ways": ways,
        "template_families": template_families,
        "audiences": audiences,
        "drifts": drifts,
    }
