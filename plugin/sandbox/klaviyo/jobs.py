"""Klaviyo's bulk imports: jobs that run on their own, one after the other, and tell afterwards who was refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from plugin.sandbox.model import moment, text
from plugin.sandbox.state import Document, State

from .problems import Problem, RefusedError
from .profiles import MOST_BYTES, ConflictError, Profiles, UnknownError, problems

MOST_PROFILES = 10_000
MOST_BYTES_IN_ALL = 5_000_000
DATA = "/data/attributes/profiles/data"


class Jobs:
    """A job is complete once it is `seconds` old and has been asked for `polls` times; what it does, it does then."""

    def __init__(
        self, state: State, profiles: Profiles, now: Callable[[], datetime], *, polls: int, seconds: float
    ) -> None:
        self.state, self.profiles, self.now = state, profiles, now
        self.polls, self.seconds = polls, seconds

    def submit(self, body: Any, size: int, *, cancelled: bool) -> Document:
        """Take an import, or refuse it as a whole for what is wrong with any profile in it."""
        wanted = profiles_in(body)
        if size > MOST_BYTES_IN_ALL:
            raise RefusedError(Problem(413, f"The payload must not exceed {MOST_BYTES_IN_ALL} bytes."))
        if not 1 <= len(wanted) <= MOST_PROFILES:
            raise RefusedError(Problem(400, f"Between 1 and {MOST_PROFILES} profiles are accepted.", DATA))
        if found := [problem for at, profile in enumerate(wanted) for problem in checked(profile, f"{DATA}/{at}")]:
            raise RefusedError(*found)
        number = f"{self.state.count('job'):012}"
        job: Document = {
            "id": str(uuid.uuid4()),
            "number": number,
            "status": "queued",
            "created_at": text(self.now()),
            "started_at": None,
            "completed_at": None,
            "polls": 0,
            "cancelled": cancelled,
            "total": len(wanted),
            "errors": [],
        }
        with self.state.transaction():
            self._keep(job)
            self.state.set("import", number, {"job": job["id"], "profiles": wanted})
        return job

    def poll(self, id_: str) -> Document | None:
        """Return a job after counting that it was asked for; None if there is none."""
        with self.state.transaction():
            job = self.state.get("job", id_)
            if job is None:
                return None
            job["polls"] += 1
            if job["completed_at"] is None:
                job["status"] = "queued" if job["polls"] <= 1 else "processing"
                job["started_at"] = text(self.now()) if job["polls"] > 1 else None
            self._keep(job)
            self.settle()
            return self.state.get("job", id_)

    def errors(self, id_: str) -> list[Document] | None:
        job = self.state.get("job", id_)
        return None if job is None else job["errors"]

    def settle(self) -> None:
        """Let every job that is due take effect, and before it those that came earlier."""
        with self.state.transaction():
            waiting = [(order, self.state.get("job", order["job"]) or {}) for order in self.state.walk("import")]
            due = [place for place, (_, job) in enumerate(waiting, 1) if self._is_due(job)]
            for order, job in waiting[: max(due, default=0)]:
                self._run(job, order["profiles"])

    def _is_due(self, job: Document) -> bool:
        age = (self.now() - moment(job["created_at"])).total_seconds()
        return bool(job["polls"] >= self.polls and age >= self.seconds)

    def _run(self, job: Document, wanted: list[Mapping[str, Any]]) -> None:
        if not job["cancelled"]:
            job["errors"] = list(self._import(wanted))
        at = text(self.now())
        job |= {"status": "cancelled" if job["cancelled"] else "complete", "completed_at": at}
        self._keep(job | {"started_at": job["started_at"] or at})
        self.state.delete("import", job["number"])

    def _import(self, wanted: list[Mapping[str, Any]]) -> Iterator[Document]:
        for place, profile in enumerate(wanted):
            try:
                self.profiles.upsert(profile, clears=False)
            except UnknownError as error:
                yield import_error(place, profile, "not_found", "Profile not found.", str(error))
            except ConflictError as error:
                yield import_error(place, profile, "duplicate_profile", "ConflictError.", str(error))

    def _keep(self, job: Document) -> None:
        self.state.set("job", job["id"], job)


def profiles_in(body: Any) -> list[Any]:
    try:
        data = body["data"]
        kind, wanted = data["type"], data["attributes"]["profiles"]["data"]
    except (KeyError, TypeError):
        kind, wanted = None, None
    if kind != "profile-bulk-import-job" or not isinstance(wanted, list):
        raise RefusedError(Problem(400, "A profile-bulk-import-job with a list of profiles is required.", "/data"))
    return wanted


def checked(profile: Any, pointer: str) -> list[Problem]:
    if len(json.dumps(profile)) > MOST_BYTES:
        return [Problem(400, f"A profile must not exceed {MOST_BYTES} bytes.", pointer)]
    return problems(profile, pointer)


def import_error(place: int, profile: Mapping[str, Any], code: str, title: str, detail: str) -> Document:
    return {
        "id": str(uuid.uuid4()),
        "code": code,
        "title": title,
        "detail": detail,
        "source": {"pointer": f"{DATA}/{place}"},
        "original_payload": dict(profile),
    }
