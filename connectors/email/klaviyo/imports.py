"""Profiles' tags by Klaviyo's bulk import: what goes into a job, and what became of each profile in it.

A job creates whomever it does not know. So profiles are written by Klaviyo's own id, never by address or telephone
number, and nothing but our own property is ever in a body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.batches import cut
from connectors.email.klaviyo.api import Api
from connectors.errors import PermanentError, RetryableError
from connectors.http import encode
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.text import presentable
from connectors.writers import Call, Outcome, Refused, TagChange

PROPERTY = "tagsmith_segments"
JOBS = "/api/profile-bulk-import-jobs"

PROFILES_PER_JOB = 10_000
BYTES_PER_JOB = 4_600_000  # of the 5 MB that are documented
BYTES_PER_PROFILE = 100_000

POINTER = re.compile(r"/profiles/data/(\d{1,5})(?:/|$)", re.ASCII)
RUNNING = ("queued", "processing")


def plan(changes: Sequence[TagChange]) -> Sequence[Call]:
    """Put as many profiles into each job as it may hold. A profile larger than Klaviyo takes is refused."""
    profiles = {change.contact.key: profile(change) for change in changes}
    sizes = {key: len(encode(one)) + 1 for key, one in profiles.items()}
    too_large = {key for key, size in sizes.items() if size > BYTES_PER_PROFILE}
    room = BYTES_PER_JOB - len(encode(job([])))
    groups = cut(profiles, PROFILES_PER_JOB, room, lambda key: 0 if key in too_large else sizes[key])
    return [planned(group, profiles, too_large) for group in groups]


def planned(keys: tuple[str, ...], profiles: Mapping[str, Any], too_large: set[str]) -> Call:
    sent = [profiles[key] for key in keys if key not in too_large]
    refused = tuple(
        Refused(key, phrase("more than %(num)s bytes of tags", num=BYTES_PER_PROFILE))
        for key in keys
        if key in too_large
    )
    return Call("import", job(sent) if sent else None, keys, cost=1 if sent else 0, refused=refused)


def profile(change: TagChange) -> Mapping[str, Any]:
    """Return the whole list: setting it again does no harm, and an empty one clears it, which null would not."""
    properties = {PROPERTY: sorted(change.tags)}
    return {"type": "profile", "id": change.contact.platform_id, "attributes": {"properties": properties}}


def job(profiles: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    attributes = {"profiles": {"data": list(profiles)}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}


def send(api: Api, call: Call) -> Outcome:
    """Submit a job. One bad profile fails all of it, so those that Klaviyo points at are left out, once."""
    refused = {each.contact: each for each in call.refused}
    if call.body is None:
        return Outcome(refused=call.refused)
    waiting = [key for key in call.contacts if key not in refused]
    body, rejected = call.body, {}
    for last in (False, True):
        try:
            return submitted(api, body, call.contacts, refused)
        except PermanentError as error:
            rejected = pointed_at(error, waiting)
            if not rejected:
                raise
        refused |= rejected
        body = without(body, waiting, rejected)
        waiting = [key for key in waiting if key not in rejected]
        if last or not waiting:
            break
    return Outcome(refused=tuple(refused.values()), again=tuple(waiting))


def submitted(api: Api, body: Any, contacts: Sequence[str], refused: Mapping[str, Refused]) -> Outcome:
    data = api.post(JOBS, body)
    created = data.required("data", data.object)
    settled = [at for at, key in enumerate(contacts) if key in refused]
    return Outcome(
        refused=tuple(refused.values()), job=job_text(created.required("id", created.text), len(contacts), settled)
    )


def without(body: Any, keys: Sequence[str], rejected: Mapping[str, Refused]) -> Mapping[str, Any]:
    profiles = body["data"]["attributes"]["profiles"]["data"]
    return job(one for key, one in zip(keys, profiles, strict=True) if key not in rejected)


def pointed_at(error: PermanentError, keys: Sequence[str]) -> dict[str, Refused]:
    """Return the contacts that a 400 points at, by their places in the job."""
    answer = Payload(error.answer if isinstance(error.answer, dict) else {}, "klaviyo")
    found = {}
    for each in answer.objects("errors") if error.status == 400 else ():
        at = place(each)
        if at is not None and at < len(keys):
            found[keys[at]] = Refused(keys[at], reason(each))
    return found


def place(error: Payload) -> int | None:
    source = error.object("source")
    match = POINTER.search((source.text("pointer") if source else None) or "")
    return int(match[1]) if match else None


def reason(error: Payload) -> str:
    """Return what Klaviyo calls the fault. Its details are left out: they quote what they are about."""
    return presentable(": ".join(filter(None, (error.text("code"), error.text("title")))) or "refused")


def job_text(job_id: str, contacts: int, settled: Sequence[int]) -> str:
    """Return all that `poll` needs: how many contacts the call had, the places that were left out, Klaviyo's id."""
    return f"{contacts};{','.join(map(str, settled))};{job_id}"


def poll(api: Api, text: str, contacts: Sequence[str]) -> Outcome | None:
    """Return what became of each profile; None while the job runs. A job that nobody knows any more is sent again."""
    count, places, job_id = text.split(";", 2)
    settled = {int(at) for at in places.split(",") if at}
    waiting = tuple(key for at, key in enumerate(contacts) if at not in settled)
    if len(contacts) != int(count):  # the places in the job cannot be told: to write again does no harm
        return Outcome(again=waiting)
    path = f"{JOBS}/{quote(job_id, safe='')}"
    try:
        data = api.get(path, {})
    except PermanentError as error:
        if error.status == 404:
            return Outcome(again=waiting)
        raise
    answered = data.required("data", data.object)
    about = answered.required("attributes", answered.object)
    status = about.required("status", about.text)
    if status in RUNNING:
        return None
    if status == "cancelled":
        return Outcome(again=waiting)
    if status != "complete":
        raise RetryableError(phrase("klaviyo: an import job is in a state that is not documented"))
    failed = about.count("failed_count")
    return Outcome(accepted=waiting) if failed == 0 else with_errors(api, path, waiting, failed)


def with_errors(api: Api, path: str, waiting: Sequence[str], failed: int | None) -> Outcome:
    """Read a job's errors. Where they do not account for every failure, all that are not named are sent again."""
    named: dict[int, Payload] = {}  # by place: contacts that were forgotten meanwhile are no longer told apart
    accounted = True
    try:
        for each in api.all(f"{path}/import-errors", {"page[size]": "100"}):
            about = each.required("attributes", each.object)
            at = place(about)
            if at is not None and at < len(waiting):
                named[at] = about
            else:
                accounted = False
    except RetryableError:
        if not named:
            raise
        accounted = False  # so many pages that they meet the rate limit: what is known is kept
    gone = {at for at, about in named.items() if (about.text("code") or "").endswith("not_found")}
    missing = tuple(waiting[at] for at in named if at in gone)
    refused = tuple(Refused(waiting[at], reason(about)) for at, about in named.items() if at not in gone)
    others = tuple(key for at, key in enumerate(waiting) if at not in named)
    if accounted and len(named) >= (failed or 0):
        return Outcome(accepted=others, refused=refused, missing=missing)
    return Outcome(again=others, refused=refused, missing=missing)
