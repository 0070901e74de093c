"""Klaviyo's profiles: how one is found, made and changed. A profile for an unknown address is made, as Klaviyo does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, cast

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Entry, State, fold

from .problems import Problem

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
PHONE = re.compile(r"\+[1-9]\d{6,14}")
TEXTS = ("email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image")
WRITABLE = {*TEXTS, "location", "properties", "_kx"}
IDENTIFIERS = ("email", "phone_number", "external_id", "_kx")
MOST_BYTES = 100_000
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Attributes = Mapping[str, Any]


class Profile(TypedDict):
    """`consent` is Klaviyo's own business: no import changes it."""

    id: str
    email: str | None
    phone_number: str | None
    external_id: str | None
    first_name: str | None
    last_name: str | None
    organization: str | None
    locale: str | None
    title: str | None
    image: str | None
    location: dict[str, Any]
    properties: dict[str, Any]
    created: str
    updated: str
    consent: str


class ConflictError(Exception):
    """Two profiles are meant: the one named by id or address, and the one that holds the other."""

    def __init__(self, profile_id: str) -> None:
        super().__init__("A profile already exists with one of these identifiers.")
        self.profile_id = profile_id


class UnknownError(Exception):
    """No profile has this id."""


class Profiles:
    def __init__(self, state: State, at: Callable[[], str]) -> None:
        self.state, self.at, self.ids = state, at, Ids(state)

    def get(self, id_: str) -> Profile | None:
        return cast("Profile | None", self.state.get("profile", id_))

    def by_email(self, email: str) -> Profile | None:
        return cast("Profile | None", self.state.find("profile", email))

    def keep(self, *profiles: Profile) -> None:
        self.state.put("profile", (Entry(one["id"], one, one["email"], one["updated"]) for one in profiles))

    def new(self, **fields: Any) -> Profile:
        at = self.at()
        made = {"id": self.new_id(), "created": at, "updated": at, "consent": "NEVER_SUBSCRIBED"}
        blank: dict[str, Any] = {**dict.fromkeys(TEXTS), **made, "location": {}, "properties": {}}
        if unknown := fields.keys() - blank.keys():
            raise ValueError(f"a profile has no {', '.join(sorted(unknown))}")
        return cast("Profile", {**blank, **fields})

    def new_id(self) -> str:
        digest = hashlib.sha256(str(self.ids.new("profile")).encode()).digest()
        return "01" + "".join(CROCKFORD[byte % 32] for byte in digest[:24])

    def upsert(self, resource: Mapping[str, Any], *, clears: bool) -> tuple[Profile, bool]:
        """Change the profile that the resource means, or make one; return it and whether it is new.

        Null clears a field if `clears`, else it is ignored. Raises UnknownError and ConflictError.
        """
        attributes = resource["attributes"]
        found = self._meant(resource.get("id"), attributes.get("email"))
        profile = found or self.new()
        spelt = profile["email"]
        for name in TEXTS:
            if name in attributes and (clears or attributes[name] is not None):
                profile[name] = attributes[name]  # type: ignore[literal-required]
        if fold(spelt) == fold(profile["email"]):
            profile["email"] = spelt
        merge(profile["location"], attributes.get("location"), clears=clears)
        merge(profile["properties"], attributes.get("properties"), clears=clears)
        patch(profile["properties"], (resource.get("meta") or {}).get("patch_properties") or {})
        profile["updated"] = self.at()
        self.keep(profile)
        return profile, found is None

    def _meant(self, id_: str | None, email: str | None) -> Profile | None:
        holder = self.by_email(email) if email else None
        if not id_:
            return holder
        found = self.get(id_)
        if found is None:
            raise UnknownError(f"A profile with id {id_} does not exist.")
        if holder and holder["id"] != found["id"]:
            raise ConflictError(holder["id"])
        return found


def merge(held: dict[str, Any], given: Mapping[str, Any] | None, *, clears: bool) -> None:
    for name, value in (given or {}).items():
        if value is not None:
            held[name] = value
        elif clears:
            held.pop(name, None)


def patch(held: dict[str, Any], wanted: Mapping[str, Any]) -> None:
    """Append to, take out of and unset properties.

    Klaviyo does not say whether a value that is there already is appended again: here it is, so that nobody relies on
    the kinder answer.
    """
    for name, value in (wanted.get("append") or {}).items():
        held[name] = [*listed(held.get(name)), *listed(value)]
    for name, value in (wanted.get("unappend") or {}).items():
        held[name] = [item for item in listed(held.get(name)) if item not in listed(value)]
    for name in listed(wanted.get("unset")):
        held.pop(name, None)


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def problems(resource: Any, pointer: str) -> list[Problem]:
    """Return what is wrong with a profile that is to be written, before anything is done."""
    if not isinstance(resource, dict) or resource.get("type") != "profile":
        return [Problem(400, "The resource's type must be 'profile'.", f"{pointer}/type")]
    attributes = resource.get("attributes")
    if not isinstance(attributes, dict):
        return [Problem(400, "'attributes' is required.", f"{pointer}/attributes")]
    found = [
        Problem(400, f"'{name}' is not a valid field for the resource 'profile'.", f"{pointer}/attributes/{name}")
        for name in attributes.keys() - WRITABLE
    ]
    found += [
        Problem(400, f"'{name}' must be a string.", f"{pointer}/attributes/{name}")
        for name in TEXTS
        if not isinstance(attributes.get(name), str | None)
    ]
    found += [
        Problem(400, f"'{name}' must be an object.", f"{pointer}/attributes/{name}")
        for name in ("location", "properties")
        if not isinstance(attributes.get(name), dict | None)
    ]
    return found or unusable(resource, attributes, pointer)


def unusable(resource: Mapping[str, Any], attributes: Attributes, pointer: str) -> list[Problem]:
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if email is not None and not EMAIL.fullmatch(email):
        return [Problem(400, "Invalid email address", f"{pointer}/attributes/email")]
    if phone is not None and not PHONE.fullmatch(phone):
        detail = "Invalid phone number format (Example of a valid format: +12345678901)"
        return [Problem(400, detail, f"{pointer}/attributes/phone_number")]
    if not resource.get("id") and not any(attributes.get(name) for name in IDENTIFIERS):
        return [Problem(400, "One of email, phone_number, external_id or id is required.", f"{pointer}/attributes")]
    return []
