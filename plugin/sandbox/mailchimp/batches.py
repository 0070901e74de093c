"""Mailchimp's batches: operations that are done later, and an archive of what came of each."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from plugin.sandbox.state import Document, State

from .members import INVALID
from .problems import RefusedError

MOST = 1_000
MOST_WAITING = 500
STEPS = ("pending", "preprocessing", "started", "finalizing")

Operate = Callable[[str, str, Any], tuple[int, Any]]
"""Does the operation of a method, a path and a body, and returns its status and answer."""


class Batches:
    """A batch is done once it has been asked for `polls` times."""

    def __init__(self, state: State, operate: Operate, at: Callable[[], str], *, polls: int) -> None:
        self.state, self.operate, self.at, self.polls = state, operate, at, polls

    def start(self, given: Mapping[str, Any]) -> Document:
        operations = given.get("operations")
        if not isinstance(operations, list) or not 1 <= len(operations) <= MOST:
            raise RefusedError(400, INVALID, [("operations", f"Between 1 and {MOST} operations are accepted.")])
        if sum(1 for one in self.state.walk("batch") if one["completed_at"] is None) >= MOST_WAITING:
            raise RefusedError(429, f"You have more than {MOST_WAITING} pending batches.")
        batch = {
            "id": uuid.uuid4().hex[:10],
            "operations": operations,
            "polls": 0,
            "results": [],
            "submitted_at": self.at(),
            "completed_at": None,
        }
        self.keep(batch)
        return shown(batch, "")

    def poll(self, batch_id: str, origin: str) -> Document:
        batch = self.state.get("batch", batch_id)
        if batch is None:
            raise RefusedError(404, "The requested resource could not be found.")
        self.keep(batch | {"polls": batch["polls"] + 1})
        self.settle()
        return shown(self.state.get("batch", batch_id) or batch, origin)

    def settle(self) -> None:
        """Do what is due of every batch."""
        for batch in list(self.state.walk("batch")):
            if batch["completed_at"] is None and batch["polls"] >= self.polls:
                self.keep(batch | {"results": list(map(self.done, batch["operations"])), "completed_at": self.at()})

    def done(self, operation: Mapping[str, Any]) -> Document:
        body = operation.get("body")
        status, answer = self.operate(operation["method"], operation["path"], json.loads(body) if body else None)
        response = json.dumps(answer) if answer else ""
        return {"status_code": status, "operation_id": operation.get("operation_id"), "response": response}

    def archive(self, batch_id: str) -> bytes | None:
        """Return the archive of a batch that is done: gzipped, with its results in several files."""
        batch = self.state.get("batch", batch_id)
        if batch is None or batch["completed_at"] is None:
            return None
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for start in range(0, len(batch["results"]), 100):
                content = json.dumps(batch["results"][start : start + 100]).encode()
                about = tarfile.TarInfo(f"{batch_id}/{start}.json")
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))
        return packed.getvalue()

    def keep(self, batch: Document) -> None:
        self.state.set("batch", batch["id"], batch)


def shown(batch: Document, origin: str) -> Document:
    results, done = batch["results"], batch["completed_at"] is not None
    return {
        "id": batch["id"],
        "status": "finished" if done else STEPS[min(batch["polls"], len(STEPS) - 1)],
        "total_operations": len(batch["operations"]),
        "finished_operations": len(results),
        "errored_operations": sum(one["status_code"] >= 400 for one in results),
        "submitted_at": batch["submitted_at"],
        "completed_at": batch["completed_at"] or "",
        "response_body_url": f"{origin}/results/{batch['id']}.tar.gz" if done else "",
    }
