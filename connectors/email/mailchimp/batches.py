"""Quiet changes: each member's tags by an operation of its own, which sets off no automation, many to a batch.

A batch runs on Mailchimp's side and leaves an archive of what came of each operation. Segments know no quiet, which is
why the start of a segment takes this way and everything after it does not. An operation names a tag by its name alone,
and one that nobody has is made: so the names that our tags have there now are read right before.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors import files
from connectors.batches import cut
from connectors.email.mailchimp import segments
from connectors.email.mailchimp.api import Api
from connectors.email.mailchimp.members import digest
from connectors.errors import PermanentError, RetryableError
from connectors.http import encode
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.text import presentable
from connectors.writers import Call, Outcome, Refused, TagChange

OPERATIONS = 1_000  # as many as Mailchimp's own guide puts into one
BYTES = 4_000_000
AROUND = 300  # bytes of an operation beside its tags, which are about as long as planned
RUNNING = ("pending", "preprocessing", "started", "finalizing")
ARCHIVE_BYTES = 50_000_000
BEFORE_ITS_TURN = (403, 408, 429)


def plan(changes: Sequence[TagChange], ids: Mapping[str, str]) -> list[Call]:
    members = {one.contact.key: member(one) for one in changes}
    groups = cut(members, OPERATIONS, BYTES, lambda key: len(encode(members[key])) + AROUND)
    return [planned([members[key] for key in group], ids, group) for group in groups]


def member(change: TagChange) -> dict[str, Any]:
    """Return whom a change is about, and each of its tags as it is to be."""
    tags = [*((tag, "active") for tag in change.add), *((tag, "inactive") for tag in change.remove)]
    return {"member": digest(change.contact.platform_id), "tags": tags}


def planned(members: Sequence[dict[str, Any]], ids: Mapping[str, str], keys: tuple[str, ...]) -> Call:
    tags = sorted({tag for one in members for tag, _ in one["tags"]})
    about = {key: tuple(tag for tag, _ in one["tags"]) for key, one in zip(keys, members, strict=True)}
    return Call("batches", {"members": list(members), "ids": {tag: ids[tag] for tag in tags}}, keys, tags=about)


def send(api: Api, call: Call) -> Outcome:
    names = {tag: segments.called(api, tag_id) for tag, tag_id in call.body["ids"].items()}
    there = {tag: name for tag, name in names.items() if name is not None}
    if lost := tuple(names.keys() - there.keys()):
        return Outcome(lost=lost)
    operations = [operation(api.path, at, one, there) for at, one in enumerate(call.body["members"])]
    batch = api.call("POST", "/batches", body={"operations": operations})
    return Outcome(job=f"{len(call.contacts)};{batch.required('id', batch.text)}")


def operation(path: str, at: int, one: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    body = {"tags": [{"name": names[tag], "status": status} for tag, status in one["tags"]], "is_syncing": True}
    member = f"{path}/members/{one['member']}/tags"
    return {"method": "POST", "path": member, "operation_id": str(at), "body": encode(body).decode()}


def poll(api: Api, job: str, contacts: Sequence[str]) -> Outcome | None:
    """Return what became of each member; None while the batch runs. One that nobody knows any more is sent again."""
    count, _, batch_id = job.partition(";")
    if len(contacts) != int(count):  # the places in the batch cannot be told: to write again does no harm
        return Outcome(again=tuple(contacts))
    try:
        batch = api.call("GET", f"/batches/{quote(batch_id, safe='')}")
    except PermanentError as error:
        if error.status == 404:
            return Outcome(again=tuple(contacts))
        raise
    status = batch.required("status", batch.text)
    if status in RUNNING:
        return None
    if status != "finished":
        raise RetryableError(phrase("mailchimp: a batch is in a state that is not documented"))
    if batch.count("errored_operations") == 0 and batch.count("finished_operations") == len(contacts):
        return Outcome(accepted=tuple(contacts))
    return outcome(results(api, batch.required("response_body_url", batch.text)), contacts)


def outcome(told: Iterator[Payload], contacts: Sequence[str]) -> Outcome:
    """Sort the contacts by what is told of their operations. Those of which nothing is told are sent again."""
    accepted, missing, refused, known = [], [], [], set()
    for one in told:
        at, status = one.text("operation_id") or "", one.count("status_code") or 0
        if not (at.isascii() and at.isdigit() and int(at) < len(contacts)) or status in BEFORE_ITS_TURN:
            continue
        key = contacts[int(at)]
        if 200 <= status < 300:
            accepted.append(key)
        elif status == 404:
            missing.append(key)
        elif 400 <= status < 500:
            refused.append(Refused(key, reason(one, status)))
        else:
            continue
        known.add(key)
    again = tuple(key for key in contacts if key not in known)
    return Outcome(tuple(accepted), tuple(refused), tuple(missing), again)


def reason(told: Payload, status: int) -> str:
    """Return what Mailchimp calls the fault. Its detail is left out: it quotes what it is about."""
    try:
        answer = json.loads(told.text("response") or "null")
    except (ValueError, RecursionError):
        answer = None
    title = answer.get("title") if isinstance(answer, dict) else None
    if isinstance(title, str) and title:
        return presentable(title)
    return phrase("answered %(status)s", status=status)


def results(api: Api, url: str) -> Iterator[Payload]:
    """Yield what a batch's archive tells: gzipped, files with a list of results each. It is read in memory alone."""
    with files.part(api.http, url) as chunks:
        packed = b"".join(within(chunks))
    try:
        # "r:": whatever was packed once more would be unpacked without a limit
        with tarfile.open(fileobj=io.BytesIO(unpacked(packed)), mode="r:") as archive:
            members = [one for one in archive if one.isfile()]
            if sum(one.size for one in members) > ARCHIVE_BYTES:  # a sparse file says to be larger than it is
                raise RetryableError(phrase("mailchimp: the archive of a batch is too large"))
            found = [json.loads(one.read()) for each in members if (one := archive.extractfile(each))]
    except (tarfile.TarError, zlib.error, EOFError, ValueError, RecursionError):
        raise RetryableError(phrase("mailchimp: the archive of a batch cannot be read")) from None
    for each in found:
        listing = Payload({"results": each}, "mailchimp")
        yield from listing.objects("results")


def within(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > ARCHIVE_BYTES:
            raise RetryableError(phrase("mailchimp: the archive of a batch is too large"))
        yield chunk


def unpacked(content: bytes) -> bytes:
    """Return what was gzipped, which could be made to be without end."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    whole = stream.decompress(content, ARCHIVE_BYTES)
    if not stream.eof:
        raise zlib.error("broken off, or too large")
    return whole
