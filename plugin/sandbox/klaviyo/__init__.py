"""Klaviyo's stand-in: accounts, profiles and bulk imports of one account over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.sandbox.consent import ClientApp, Consent
from plugin.sandbox.desk import Desk
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.model import text
from plugin.sandbox.state import Document, State

from . import documents
from .entries import Entries
from .events import Events
from .filter import EVERYBODY, Filter, FilterError, parse
from .jobs import Jobs
from .paging import page
from .problems import Problem, RefusedError, errors
from .profiles import MOST_BYTES, ConflictError, Profile, Profiles, UnknownError, problems
from .rates import RATES, Rate, Windows
from .scopes import admit

__all__ = ["Check", "KlaviyoStandIn"]

KEY = "Klaviyo-API-Key"
MEDIA_TYPE = "application/vnd.api+json"
PROPERTY = "tagsmith_segments"
LIFE = timedelta(hours=1)
REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")

Check = Callable[[str, str, Any], list[str]]
Answer = tuple[Document, int]


class KlaviyoStandIn:
    """One account. `app` answers its API; `stop` lets go of hanging requests.

    A job ends once it has been asked for `job_polls` times and is `job_seconds` old. `rates` are the calls in a second
    and in a minute by endpoint. `check` is told method, path and body of each write and returns what is wrong with it.
    `scopes` are what the private key may do, None for all; `client` is an app that may be let in.
    """

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        api_key: str,
        *,
        job_polls: int = 1,
        job_seconds: float = 0,
        rates: Mapping[str, Rate] = RATES,
        check: Check | None = None,
        name: str = "Practice Shop",
        client: ClientApp | None = None,
        scopes: Collection[str] | None = None,
    ) -> None:
        self.state, self.now, self.api_key, self.name = state, now, api_key, name
        self.scopes = scopes
        self.consent = Consent(state, now, "Klaviyo", client, LIFE, secret_in_header=True, proof_key=True)
        self.check = check or (lambda *_: [])
        self.windows = Windows(rates, now)
        self.profiles = Profiles(state, lambda: text(now()))
        self.events = Events(state)
        self.entries = Entries(state, self.profiles)
        self.jobs = Jobs(state, self.profiles, now, polls=job_polls, seconds=job_seconds)
        self.faults = Faults()
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice klaviyo")
        install(app, self.faults, lambda status: errors([Problem(status)]))
        self.desk = Desk(app, self.people, self.add)
        app.register_error_handler(RefusedError, refused)
        app.register_error_handler(HTTPException, lambda error: refused(RefusedError(Problem(error.code or 500))))
        imports = "/api/profile-bulk-import-jobs"
        endpoints: tuple[tuple[str, str, str, Callable[..., Answer]], ...] = (
            ("GET", "/api/accounts", "accounts", self._accounts),
            ("GET", "/api/profiles", "profiles", self._profiles),
            ("GET", "/api/profiles/<id_>", "profile", self._profile),
            ("POST", "/api/profile-import", "profile-import", self._import_one),
            ("POST", imports, "bulk-import", self._import_many),
            ("GET", imports, "jobs", self._jobs),
            ("GET", f"{imports}/<id_>", "job", self._job),
            ("GET", f"{imports}/<id_>/import-errors", "import-errors", self._import_errors),
            ("GET", "/api/metrics", "metrics", self._metrics),
            ("GET", "/api/events", "events", self._events),
            ("POST", "/api/events", "event", self._take_event),
            ("POST", "/api/event-bulk-create-jobs", "bulk-events", self._take_events),
        )
        for method, path, endpoint, answer in endpoints:
            app.add_url_rule(path, endpoint, self._view(endpoint, answer), methods=[method])
        self.consent.serve(app, "/oauth/authorize", "/oauth/token")
        return app

    def _view(self, endpoint: str, answer: Callable[..., Answer]) -> Callable[..., Response]:
        def view(**parts: str) -> Response:
            admit(endpoint, self._admit())
            headers = self.windows.enter(endpoint)
            if request.method == "POST":
                self._inspect()
            self.jobs.settle()
            document, status = answer(**parts)
            return respond(document, status, headers)

        return view

    def _admit(self) -> Collection[str] | None:
        """Return what the caller may do; None: everything."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        held = self.consent.scopes(given) if kind == "Bearer" else self.scopes
        if (kind == "Bearer" and held is None) or (kind != "Bearer" and (kind, given) != (KEY, self.api_key)):
            raise RefusedError(Problem(401, "Missing or invalid private key."))
        if not REVISION.fullmatch(request.headers.get("revision", "")):
            raise RefusedError(Problem(400, "A valid revision header is required (format: YYYY-MM-DD)."))
        return held

    def _inspect(self) -> None:
        if request.mimetype not in (MEDIA_TYPE, "application/json"):
            raise RefusedError(Problem(415, f"Unsupported media type '{request.mimetype}' in request."))
        wrong = self.check(request.method, request.path, self._body())
        if wrong:
            raise RefusedError(*(Problem(400, message) for message in wrong))

    def _body(self) -> Any:
        body = request.get_json(force=True, silent=True)
        if body is None:
            raise RefusedError(Problem(400, "The body is not JSON."))
        return body

    def _accounts(self) -> Answer:
        return documents.collection([documents.account(self.name, origin())], {"self": request.url}), 200

    def _profiles(self) -> Answer:
        wanted = filtered(request.args.get("filter"))
        names = documents.fields(request.args.get("fields[profile]"))
        known = self.state.walk("profile") if wanted.addresses is None else self._with(wanted.addresses)
        found, links = page((one for one in known if wanted.passes(one)), request)
        shown = (documents.profile(cast("Profile", one), names, origin()) for one in found)
        return documents.collection(shown, links), 200

    def _with(self, addresses: Collection[str]) -> Iterator[Document]:
        return iter(self.state.found("profile", addresses))

    def _profile(self, id_: str) -> Answer:
        names = documents.fields(request.args.get("fields[profile]"))
        found = self.profiles.get(id_)
        if found is None:
            raise RefusedError(Problem(404, f"A profile with id {id_} does not exist."))
        return {"data": documents.profile(found, names, origin())}, 200

    def _import_one(self) -> Answer:
        body = self._body()
        resource = body.get("data") if isinstance(body, dict) else None
        if len(request.get_data()) > MOST_BYTES:
            raise RefusedError(Problem(413, f"The payload must not exceed {MOST_BYTES} bytes."))
        if wrong := problems(resource, "/data"):
            raise RefusedError(*wrong)
        try:
            profile, new = self.profiles.upsert(cast("Document", resource), clears=True)
        except UnknownError as error:
            raise RefusedError(Problem(404, str(error), "/data/id")) from error
        except ConflictError as error:
            meta = {"duplicate_profile_id": error.profile_id}
            raise RefusedError(Problem(409, str(error), "/data/attributes", meta=meta)) from error
        return {"data": documents.profile(profile, documents.PROFILE_FIELDS, origin())}, 201 if new else 200

    def _import_many(self) -> Answer:
        cancelled = g.fault is not None and g.fault.kind == "cancelled"
        job = self.jobs.submit(self._body(), len(request.get_data()), cancelled=cancelled)
        return {"data": documents.job(job, origin())}, 202

    def _jobs(self) -> Answer:
        shown, links = page(self.state.walk("job"), request)
        return documents.collection((documents.job(one, origin()) for one in shown), links), 200

    def _job(self, id_: str) -> Answer:
        job = self.jobs.poll(id_)
        if job is None:
            raise RefusedError(Problem(404, f"A job with id {id_} does not exist."))
        return {"data": documents.job(job, origin())}, 200

    def _import_errors(self, id_: str) -> Answer:
        found = self.jobs.errors(id_)
        if found is None:
            raise RefusedError(Problem(404, f"A job with id {id_} does not exist."))
        shown, links = page(iter(found), request)
        return documents.collection(map(documents.import_error, shown), links), 200

    def _metrics(self) -> Answer:
        return self.events.metrics(request, origin()), 200

    def _events(self) -> Answer:
        return self.events.page(request, origin()), 200

    def _take_event(self) -> Answer:
        self.entries.take_one(self._body())
        return {}, 202

    def _take_events(self) -> Answer:
        self.entries.take_many(self._body())
        return {}, 202

    def add(self, people: Iterable[Mapping[str, Any]]) -> list[str]:
        """Make profiles of these (each any fields of Profile); return their ids."""
        made = [self.profiles.new(**person) for person in people]
        self.profiles.keep(*made)
        return [profile["id"] for profile in made]

    def people(self) -> list[dict[str, Any]]:
        """Return every profile's id, address, properties and consent, after the imports that are due."""
        self.jobs.settle()
        shown = ("id", "email", "properties", "consent")
        return [{name: profile[name] for name in shown} for profile in self.state.walk("profile")]

    def subscribed(self) -> list[str]:
        """Return the ids of those who want to be written to."""
        return [one["id"] for one in self.state.walk("profile") if one["consent"] == "SUBSCRIBED"]

    @property
    def credentials(self) -> dict[str, str]:
        return {"api_key": self.api_key}

    def tags(self) -> dict[str, set[str]]:
        """Return by address what the property of segments holds: Klaviyo itself has no tags."""
        return {one["email"]: set(one["properties"].get(PROPERTY, ())) for one in self.people() if one["email"]}

    def put(self, email: str, tags: Collection[str]) -> None:
        found = self.state.find("profile", email) or {}
        held = found["properties"].get(PROPERTY, ())
        found["properties"][PROPERTY] = sorted({*held, *tags})
        self.profiles.keep(cast("Profile", found))

    def remove(self, email: str) -> None:
        self.state.drop("profile", email)

    def stop(self) -> None:
        self.faults.clear()


def origin() -> str:
    return request.host_url.rstrip("/")


def filtered(text: str | None) -> Filter:
    if not text:
        return EVERYBODY
    try:
        return parse(text)
    except FilterError as error:
        raise RefusedError(Problem(400, str(error), parameter="filter")) from error


def refused(error: RefusedError) -> Response:
    return respond(errors(error.problems), error.status, error.headers)


def respond(document: Document, status: int, headers: Mapping[str, str]) -> Response:
    response = jsonify(document)
    response.status_code = status
    response.content_type = MEDIA_TYPE
    response.headers.update(headers)
    return response
