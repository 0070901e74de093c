"""Bulk operations: started, watched and cancelled; their lines written to a file that anyone with its address may have.

What an operation does is its runner's business, by type: QUERY reads the store's documents, MUTATION writes them.
https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import moment, text
from plugin.sandbox.payloads import gid
from plugin.sandbox.state import Document, State

AT_ONCE = 5  # of each type
KEPT = timedelta(days=7)
TYPES = {"QUERY": "query", "MUTATION": "mutation"}
ENDED = ("COMPLETED", "FAILED", "CANCELED")
LOOK_EVERY_SECONDS = 0.02
PATIENCE_SECONDS = 2  # how long whoever asks waits for an operation whose time has come

Line = tuple[Mapping[str, Any], bool]
"""What becomes one line of a file, and whether it is an object at the root."""
Runner = Callable[[Document], Iterator[Line]]
"""Do an operation, told by its document; yield the lines of its file. Begun again after a restart of the stand-in."""
Errors = list[dict[str, Any]]


@dataclass
class Progress:
    """An operation at work in a thread of its own."""

    objects: int = 0
    roots: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Bulk:
    """`runners` has what each type does; `seconds` is how long an operation takes by the clock, at the least.

    `ended` is told of an operation's document once it has come to its end.
    """

    def __init__(self, state: State, ids: Ids, now: Callable[[], datetime], ended: Callable[[Document], None]) -> None:
        self.state, self.ids, self.now, self.ended = state, ids, now, ended
        self.runners: dict[str, Runner] = {}
        self.seconds = 2.0
        self.ranges = True  # are parts of a file given to those who ask for them
        self._folder: Path | None = None
        self._at_work: dict[int, Progress] = {}
        self._stopped = threading.Event()
        self._lock = threading.RLock()

    def start(
        self, kind: str, query: str, *, fault: str | None = None, slow: float = 0, **more: Any
    ) -> tuple[Document | None, Errors]:
        """Start an operation of type `kind`; `more` is kept in its document for its runner. Return it, or why not."""
        running = [one for one in self.operations() if one["type"] == kind and one["status"] not in ENDED]
        if len(running) >= AT_ONCE or fault == "busy":
            names = ", ".join(gid("BulkOperation", one["id"]) for one in running)
            message = f"A bulk {TYPES[kind]} operation for this app and shop is already in progress: {names}."
            return None, [{"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}]
        now = self.now()
        operation: Document = {
            "id": self.ids.new("bulk_operation"),
            "type": kind,
            "query": query,
            "at": text(now),
            "due_at": text(now + timedelta(seconds=self.seconds + slow)),
            "completed_at": None,
            "status": "RUNNING",
            "error": None,
            "objects": 0,
            "roots": 0,
            "size": None,
            "token": secrets.token_urlsafe(24),
            "fault": fault,
            **more,
        }
        self._keep(operation)
        self._begin(operation)
        return operation, []

    def operations(self) -> Iterator[Document]:
        """Yield all operations, oldest first."""
        return self.state.walk("bulk_operation")

    def get(self, id_: int) -> Document | None:
        """Return an operation as it now is."""
        held = self.state.get("bulk_operation", str(id_))
        if held is None or held["status"] in ENDED:
            return held
        progress = self._begin(held)
        if self.now() >= moment(held["due_at"]):
            progress.ended.wait(PATIENCE_SECONDS)
        now = self.state.get("bulk_operation", str(id_)) or held
        return now if now["status"] in ENDED else now | {"objects": progress.objects, "roots": progress.roots}

    def cancel(self, id_: int) -> Document | None:
        """Have an operation end early; it says CANCELING until it has."""
        held = self.get(id_)
        if held and held["status"] not in ENDED:
            held |= {"status": "CANCELING"}
            with self._lock:
                self._keep(held)
                self._begin(held).cancelled.set()
        return held

    def shown(self, operation: Document, origin: str) -> Document:
        """Return an operation as a GraphQL object; its file is had from `origin`."""
        ended = operation["completed_at"] is not None
        expired = ended and self.now() >= moment(operation["completed_at"]) + KEPT
        address = f"{origin.rstrip('/')}/bulk/{operation['token']}.jsonl" if operation["size"] and not expired else None
        complete = operation["status"] == "COMPLETED"
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", operation["id"]),
            "type": operation["type"],
            "status": "EXPIRED" if expired and complete else operation["status"],
            "errorCode": operation["error"],
            "query": operation["query"],
            "createdAt": operation["at"],
            "completedAt": operation["completed_at"] if complete else None,
            "objectCount": str(operation["objects"]),
            "rootObjectCount": str(operation["roots"]),
            "fileSize": str(operation["size"]) if operation["size"] and complete else None,
            "url": address if complete else None,
            "partialDataUrl": None if complete else address,
        }

    def file(self, token: str) -> Path | None:
        """Return the file behind an address; None where there is none, or none any more."""
        for one in self.operations():
            if secrets.compare_digest(one["token"], token):
                ended = one["completed_at"] is not None and one["size"]
                gone = one["fault"] == "expired" or not ended or self.now() >= moment(one["completed_at"]) + KEPT
                return None if gone else self._path(one)
        return None

    def stop(self) -> None:
        """Stop all work; an operation that has not ended goes on with whoever next has this state."""
        self._stopped.set()
        for progress in list(self._at_work.values()):
            if progress.thread:
                progress.thread.join()
        if self._folder and not self.state.path:
            shutil.rmtree(self._folder)
            self._folder = None

    def _begin(self, operation: Document) -> Progress:
        """See to it that an operation is at work."""
        with self._lock:
            if operation["id"] not in self._at_work:
                progress = Progress()
                self._at_work[operation["id"]] = progress
                name = f"bulk operation {operation['id']}"
                progress.thread = threading.Thread(
                    target=self._work, args=(operation, progress), name=name, daemon=True
                )
                progress.thread.start()
            return self._at_work[operation["id"]]

    def _work(self, operation: Document, progress: Progress) -> None:
        try:
            self._write(operation, progress)
            while self.now() < moment(operation["due_at"]) and not progress.cancelled.is_set():
                if self._stopped.wait(LOOK_EVERY_SECONDS):
                    return
            if not self._stopped.is_set():
                ended = self._end(operation, progress)
                progress.ended.set()
                self.ended(ended)
        finally:
            progress.ended.set()

    def _write(self, operation: Document, progress: Progress) -> None:
        if operation["fault"] == "denied":
            return
        with self._path(operation).open("w", encoding="utf-8") as file:
            for line, root in self.runners[operation["type"]](operation):
                if self._stopped.is_set() or progress.cancelled.is_set():
                    return
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
                progress.objects += 1
                progress.roots += root

    def _end(self, operation: Document, progress: Progress) -> Document:
        path, fault = self._path(operation), operation["fault"]
        size = path.stat().st_size if path.exists() else 0
        status, error = "COMPLETED", None
        if progress.cancelled.is_set():
            status = "CANCELED"
        elif fault in ("failed", "denied"):
            status, error = "FAILED", {"failed": "INTERNAL_SERVER_ERROR", "denied": "ACCESS_DENIED"}[fault]
        if fault in ("failed", "cut"):
            shorten(path, at_a_line=fault == "failed")
        ended = operation | {
            "status": status,
            "error": error,
            "objects": progress.objects,
            "roots": progress.roots,
            "size": size,
            "completed_at": text(self.now()),
        }
        with self._lock:
            self._keep(ended)
        return ended

    def _path(self, operation: Document) -> Path:
        """Return where an operation's file is: beside the state, or for as long as the stand-in lives."""
        with self._lock:
            if self._folder is None:
                kept = self.state.path
                self._folder = kept.with_suffix(".bulk") if kept else Path(tempfile.mkdtemp(prefix="practice-"))
                self._folder.mkdir(exist_ok=True)
        return self._folder / f"{operation['token']}.jsonl"

    def _keep(self, operation: Document) -> None:
        self.state.set("bulk_operation", str(operation["id"]), operation)


def shorten(path: Path, *, at_a_line: bool) -> None:
    """Leave about half of a file: up to the end of a line, or up to somewhere within one."""
    content = path.read_bytes()
    end = content.rfind(b"\n", 0, len(content) // 2 + 1) + 1
    path.write_bytes(content[:end] if at_a_line else content[: end + max(1, (len(content) - end) // 4)])


def parts(path: Path, start: int) -> Iterator[bytes]:
    """Yield a file from a byte on."""
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(65_536):
            yield chunk


def finished(operation: Document) -> Document:
    """Payload of bulk_operations/finish."""
    return {
        "admin_graphql_api_id": gid("BulkOperation", operation["id"]),
        "completed_at": operation["completed_at"],
        "created_at": operation["at"],
        "error_code": operation["error"] and operation["error"].lower(),
        "status": operation["status"].lower(),
        "type": TYPES[operation["type"]],
    }
