"""Quiet changes: each member's tags by an operation of its own, which sets off no automation, many to a batch.

A batch runs on Mailchimp's side and leaves an archive of what came of each operation. Segments know no quiet, which is
why the start of a segment takes this way and everything after it does not.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from connectors import files
from connectors.batches import cut
from connectors.email.mailchimp.api import Api
from connectors.email.mailchimp.members import digest
from connectors.errors import PermanentError, RetryableError
from connectors.http import encode
from connectors.payload import Payload
from connectors.text import presentable
from connectors.writers import Call, Outcome, Refused, TagChange

OPERATIONS = 1_000  # as many as Mailchimp's own guide puts into one
BYTES = 4_000_000
RUNNING = ("pending", "preprocessing", "started", "finalizing")
ARCHIVE_BYTES = 50_000_000
BEFORE_ITS_TURN = (403, 408, 429)


def plan(changes: Sequence[TagChange], audience: str) -> list[Call]:
    path = f"/lists/{quote(audience, safe='')}"
    operations = {one.contact.key: operation(path, one) for one in changes}
    groups = cut(operations, OPERATIONS, BYTES, lambda key: len(encode(operations[key])) + 1)
    return [
        Call(
            "batches",
            {"operations": [operations[key] | {"operation_id": str(at)} for at, key in enumerate(group)]},
            group,
        )
        for group in groups
    ]


def operation(path: str, change: TagChange) -> dict[str, Any]:
    wanted = [*((tag, "active") for tag in change.add), *((tag, "inactive") for tag in change.remove)]
    body = {"tags": [{"name": tag, "status": status} for tag, status in wanted], "is_syncing": True}
    member = f"{path}/members/{digest(change.contact.platform_id)}/tags"
    return {"method": "POST", "path": member, "operation_id": "", "body": encode(body).decode()}


def send(api: Api, call: Call) -> Outcome:
    batch = api.call("POST", "/batches", body=call.body)
    return Outcome(job=f"{len(call.contacts)};{batch.required('id', batch.text)}")


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
        raise RetryableError("mailchimp: a batch is in a state that is not documented")
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
    return presentable(title if isinstance(title, str) and title else f"answered {status}")


def results(api: Api, url: str) -> Iterator[Payload]:
    """Yield what a batch's archive tells: gzipped, files with a list of results each. It is read in memory alone."""
    with files.part(api.http, url) as chunks:
        packed = b"".join(within(chunks))
    try:
        # "r:": whatever was packed once more would be unpacked without a limit
        with tarfile.open(fileobj=io.BytesIO(unpacked(packed)), mode="r:") as archive:
            members = [one for one in archive if one.isfile()]
            if sum(one.size for one in members) > ARCHIVE_BYTES:  # a sparse file says to be larger than it is
                raise RetryableError("mailchimp: the archive of a batch is too large")
            found = [json.loads(one.read()) for each in members if (one := archive.extractfile(each))]
    except (tarfile.TarError, zlib.error, EOFError, ValueError, RecursionError):
        raise RetryableError("mailchimp: the archive of a batch cannot be read") from None
    for each in found:
        listing = Payload({"results": each}, "mailchimp")
        yield from listing.objects("results")


def within(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > ARCHIVE_BYTES:
            raise RetryableError("mailchimp: the archive of a batch is too large")
        yield chunk


def unpacked(content: bytes) -> bytes:
    """Return what was gzipped, which could be made to be without end."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    whole = stream.decompress(content, ARCHIVE_BYTES)
    if not stream.eof:
        raise zlib.error("broken off, or too large")
    return whole
