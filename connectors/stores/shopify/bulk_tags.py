"""Customers' changes by Shopify's bulk operations: thousands in a file, each line written as a mutation of its own.

An operation runs one mutation over many lines, so a call has an operation for each kind of writing in it: tags are
added before others are removed, one operation after the other, since two at once could pass each other on a customer.
All files are uploaded before the first operation begins. An operation's document is called by the job's name: so an
operation is found whose start was never answered, and none is begun twice.
https://shopify.dev/docs/api/usage/bulk-operations/imports
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from connectors import files
from connectors.batches import cut
from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.http import encode
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.stores.shopify import verdicts, writings
from connectors.stores.shopify.graphql import Admin, block, gravest, listed, part, trouble, why
from connectors.stores.shopify.verdicts import ACCEPTED, AGAIN, Verdict
from connectors.stores.shopify.writings import GID, KINDS, ON_FIELDS
from connectors.writers import Call, Outcome, Refused, TagChange

CONTACTS = 10_000
BYTES = 20_000_000  # of the 100 MB that are allowed: a worker holds it in memory, and uploads it within its lease
FILE = "tagsmith.jsonl"
MEDIA_TYPE = "text/jsonl"
OPERATION = re.compile(r"gid://shopify/BulkOperation/(\d{1,20})", re.ASCII)
RUNNING = ("CREATED", "RUNNING", "CANCELING")
BUSY = ("OPERATION_IN_PROGRESS", "LIMIT_REACHED", "INTERNAL_FILE_SERVER_ERROR")
BUSY_SECONDS = 30.0

RUN = """mutation Run($mutation: String!, $path: String!, $name: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path, clientIdentifier: $name) {
    bulkOperation { id }
    userErrors { field message code }
  }
}"""
STATUS = """query Operation($id: ID!) {
  bulkOperation(id: $id) { status errorCode url partialDataUrl }
}"""
BEGUN = """query Begun {
  bulkOperations(first: 50) { nodes { id query } }
}"""


class BusyError(RetryableError):
    """No operation can begin now: as many run as may run at once."""


class NoFileError(RetryableError):
    """The uploaded file is not there, or not any more."""


@dataclass(frozen=True)
class Job:
    """What `poll` has to know, as text: the call's layout, the name, the operations begun, the files still to be run.

    The layout says how many contacts one after the other have which kinds of writings, a bit for each: `3*40.1*60`.
    """

    layout: tuple[tuple[int, int], ...]
    name: str
    operations: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[str]:
        """The kinds of writings in it, each an operation, in their order."""
        return [kind for bit, kind in enumerate(KINDS) if any(mask >> bit & 1 for mask, _ in self.layout)]

    @property
    def size(self) -> int:
        return sum(count for _, count in self.layout)

    def places(self, kind: str) -> list[int]:
        """Return the places of the contacts that have a line in this kind's file, line by line."""
        bit, start = list(KINDS).index(kind), 0
        found: list[int] = []
        for mask, count in self.layout:
            if mask >> bit & 1:
                found += range(start, start + count)
            start += count
        return found

    def text(self) -> str:
        layout = ".".join(f"{mask}*{count}" for mask, count in self.layout)
        return ";".join([layout, self.name, ",".join(self.operations), json.dumps(self.paths)])


def job_of(text: str) -> Job:
    """Return a job from its text, which may end after the layout or after the name."""
    layout, name, operations, paths = (*text.split(";", 3), "", "", "")[:4]
    groups = [group.split("*") for group in layout.split(".")]
    return Job(
        tuple((int(mask), int(count)) for mask, count in groups),
        name or uuid4().hex,
        tuple(filter(None, operations.split(","))),
        tuple(json.loads(paths or "[]")),
    )


def plan(changes: Sequence[TagChange], reasons: Mapping[str, str]) -> Sequence[Call]:
    """Put as many changes into each call as a file may hold, those of the same kinds beside each other."""
    wanted = {
        change.contact.key: {} if change.contact.key in reasons else dict(variables(change)) for change in changes
    }
    ordered = sorted(wanted, key=lambda key: mask(wanted[key]))
    groups = cut(ordered, CONTACTS, BYTES - 100, lambda key: len(encode(wanted[key])) + len(wanted[key]))
    return [planned(group, wanted, reasons) for group in groups]


def variables(change: TagChange) -> Iterator[tuple[str, Any]]:
    """Yield each kind of a change's writings with the variables of its line."""
    for kind, wanted in writings.of(change).items():
        if kind in ON_FIELDS:
            yield kind, {"metafields": [wanted]}
        else:
            yield kind, {"id": GID + change.contact.platform_id, "tags": wanted}


def mask(lines: Mapping[str, Any]) -> int:
    return sum(1 << bit for bit, kind in enumerate(KINDS) if kind in lines)


def planned(keys: tuple[str, ...], wanted: Mapping[str, Mapping[str, Any]], reasons: Mapping[str, str]) -> Call:
    refused = tuple(Refused(key, reasons[key], final=True) for key in keys if key in reasons)
    body = {kind: lines for kind in KINDS if (lines := [wanted[key][kind] for key in keys if kind in wanted[key]])}
    if not body:
        return Call("bulk", None, keys, cost=0, refused=refused)
    layout: list[tuple[int, int]] = []
    for one in (mask(wanted[key]) for key in keys):
        same = layout and layout[-1][0] == one
        layout[-1:] = [(one, layout[-1][1] + 1)] if same else [*layout[-1:], (one, 1)]
    return Call("bulk", body, keys, refused=refused, job=".".join(f"{one}*{count}" for one, count in layout))


def send(admin: Admin, call: Call) -> Outcome:
    """Upload the files and begin the first operation. Those who need no line are accepted at once."""
    if call.body is None:
        return verdicts.outcome(call, dict.fromkeys(range(len(call.contacts)), ACCEPTED))
    job = job_of(call.job or "")
    first, *paths = stage(admin, [call.body[kind] for kind in job.kinds])
    begun = run(admin, job, job.kinds[0], first)
    job = replace(job, operations=(begun,), paths=tuple(paths))
    idle = {at for at, _ in enumerate(call.contacts)}.difference(*map(job.places, job.kinds))
    return verdicts.outcome(call, dict.fromkeys(idle, ACCEPTED), job=job.text())


def stage(admin: Admin, contents: Sequence[Sequence[Any]]) -> list[str]:
    """Upload the lines of each file; return the paths by which operations find them."""
    payload = admin.ask(staging(len(contents)), {}).data.object("stagedUploadsCreate")
    if payload is None or len(targets := payload.objects("stagedTargets")) != len(contents):
        raise RetryableError(phrase("shopify: an answer without places for uploads"))
    paths = []
    for target, lines in zip(targets, contents, strict=True):
        given = target.objects("parameters")
        # taken as they are: they are signed, and a text that was tidied up would be another
        fields = {each.required("name", each.text): str(each.data.get("value") or "") for each in given}
        content = b"".join(encode(line) + b"\n" for line in lines)
        files.leave(admin.http, target.required("url", target.text), fields, FILE, content, MEDIA_TYPE)
        paths.append(fields.get("key", ""))
    return paths


def staging(count: int) -> str:
    entry = f'{{resource: BULK_MUTATION_VARIABLES, filename: "{FILE}", mimeType: "{MEDIA_TYPE}", httpMethod: POST}}'
    field = f"stagedUploadsCreate(input: [{', '.join([entry] * count)}])"
    return f"mutation Stage {block([f'{field} {{ stagedTargets {{ url parameters {{ name value }} }} }}'])}"


def document(name: str, kind: str) -> str:
    """Return the mutation that an operation runs for each line, called by the job's name."""
    one = KINDS[kind]
    declared = ", ".join(f"${argument}: {of}" for argument, of in one.arguments.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in one.arguments)
    return f"mutation {called(name, kind)}({declared}) {block([f'{one.mutation}({given}) {{ {one.errors} }}'])}"


def called(name: str, kind: str) -> str:
    return f"Tagsmith_{name}_{kind}"


def run(admin: Admin, job: Job, kind: str, path: str) -> str:
    """Begin an operation; return its number. BusyError, NoFileError."""
    wanted = {"mutation": document(job.name, kind), "path": path, "name": called(job.name, kind)}
    payload = admin.ask(RUN, wanted).data.object("bulkOperationRunMutation")
    if payload is None:
        raise RetryableError(phrase("shopify: an answer without an operation"))
    for error in payload.objects("userErrors"):
        code = error.text("code") or "refused"
        if code in BUSY:
            raise BusyError(f"shopify: no bulk operation can begin now: {code}", BUSY_SECONDS)
        if code == "NO_SUCH_FILE":
            raise NoFileError(f"shopify: no bulk operation: {code}")
        raise PermanentError(
            phrase(
                "shopify: no bulk operation: %(code)s: %(message)s",
                code=code,
                message=why(error),
            )
        )
    return number(payload.required("bulkOperation", payload.object))


def number(operation: Payload) -> str:
    found = OPERATION.fullmatch(operation.required("id", operation.text))
    if found is None:
        raise operation.wrong("id", phrase("is not an operation's"))
    return found[1]


def begun(admin: Admin, job: Job, kind: str) -> str | None:
    """Return the operation that was begun for this kind, whether or not its start was answered."""
    answered = admin.ask(BEGUN, {}).data
    listed = answered.required("bulkOperations", answered.object)
    name = called(job.name, kind)
    return next((number(one) for one in listed.objects("nodes") if name in (one.text("query") or "")), None)


def poll(admin: Admin, text: str, contacts: Sequence[str]) -> Outcome | None:
    """Return what became of each contact once the last operation has ended; until then begin those that follow.

    Who has a line in an operation that was never begun simply waits again. Results are kept for seven days; whoever has
    none is written again.
    """
    job = job_of(text)
    if job.size != len(contacts):  # the places in the job cannot be told: to write again does no harm
        return Outcome(again=tuple(contacts))
    if not job.operations:
        found = begun(admin, job, job.kinds[0])
        return Outcome() if found is None else Outcome(job=replace(job, operations=(found,)).text())
    ended = operation(admin, job.operations[-1])
    if ended.text("status") in RUNNING:
        return None
    completed = ended.text("status") == "COMPLETED"
    if completed and job.paths:
        try:
            return Outcome(job=go_on(admin, job).text())
        except BusyError:
            return None
        except NoFileError:
            pass
    return verdicts.outcome(Call("bulk", None, tuple(contacts)), judged(admin, job, completed=completed))


def go_on(admin: Admin, job: Job) -> Job:
    """Begin the operation of the next kind, unless it has been begun already."""
    kind, path = job.kinds[len(job.operations)], job.paths[0]
    following = begun(admin, job, kind) or run(admin, job, kind, path)
    return replace(job, operations=(*job.operations, following), paths=job.paths[1:])


def operation(admin: Admin, number: str) -> Payload:
    """Return how an operation stands. ConfigurationError: it ended since we lack a scope. One long gone is expired."""
    found = admin.ask(STATUS, {"id": f"gid://shopify/BulkOperation/{number}"}).data
    if "bulkOperation" not in found.data:
        raise RetryableError(phrase("shopify: an answer without an operation"))
    payload = found.object("bulkOperation") or Payload({"status": "EXPIRED"}, "shopify")
    if payload.text("errorCode") == "ACCESS_DENIED":
        raise ConfigurationError(phrase("shopify: ACCESS_DENIED to a bulk operation"))
    payload.required("status", payload.text)
    return payload


def judged(admin: Admin, job: Job, *, completed: bool) -> dict[int, Verdict]:
    """Return the verdicts by place, from the results of all operations.

    Where an operation failed, those before whom others were still to begin have failed with it.
    """
    found: dict[int, list[Verdict]] = {}
    for number, kind in zip(job.operations, job.kinds, strict=False):
        results = dict(result(admin, operation(admin, number), kind))
        for line, at in enumerate(job.places(kind)):
            found.setdefault(at, []).append(results.get(line, AGAIN))
    untried = {at for kind in job.kinds[len(job.operations) :] for at in job.places(kind)}
    if not completed:
        return {at: AGAIN if at in untried else verdicts.worst(each) for at, each in found.items()}
    return {at: verdicts.worst(each) for at, each in found.items() if at not in untried}


def result(admin: Admin, ended: Payload, kind: str) -> Iterator[tuple[int, Verdict]]:
    """Yield the verdict on each line of an operation's result, as far as there is any."""
    url = ended.text("url") or ended.text("partialDataUrl")
    if url is None:
        return
    try:
        for line in files.lines(admin.http, url):
            if line.strip():
                yield from read(line, kind)
    except files.ExpiredError:
        return


def read(line: bytes, kind: str) -> Iterator[tuple[int, Verdict]]:
    """Yield one line's verdict; nothing for a line that was cut off."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict) or not isinstance(found.get("__lineNumber"), int):
        return
    troubles = [trouble(each) for each in listed(found.get("errors"))]
    answered = Payload(part(found, "data"), "shopify").object(KINDS[kind].mutation)
    if answered is None and isinstance(grave := gravest(troubles, nothing=False), ConfigurationError):
        raise grave
    yield found["__lineNumber"], verdicts.of_answer(answered, troubles[0] if troubles else None)
