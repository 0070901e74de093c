"""Omnisend's stand-in: the contacts of one brand over HTTP, and their tags, which come some time after the call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.sandbox.consent import ClientApp, Consent
from plugin.sandbox.desk import Desk
from plugin.sandbox.email import Check
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.limits import Limits, Rates
from plugin.sandbox.model import text
from plugin.sandbox.state import Document, State

from .contacts import Contacts
from .paging import page, question
from .problems import RefusedError, problem
from .tagging import Tagging

__all__ = ["OmnisendStandIn"]

VERSION = "2026-03-15"
LIFE = timedelta(hours=2)
RATES: Rates = {"contacts": ((60, 400),), "brands": ((60, 400),), "POST tags": ((60, 60),), "DELETE tags": ((60, 60),)}

Answer = tuple[Document | None, int]


class OmnisendStandIn:
    """One brand. `app` answers its API; `stop` lets go of hanging requests.

    Tags are put on and taken off `tag_seconds` after they were asked for, in that order. `check` is told method, path
    and body of each write and returns what is wrong with it. `client` is an app that may be let in.
    """

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        api_key: str,
        *,
        tag_seconds: float = 0,
        rates: Rates = RATES,
        check: Check | None = None,
        website: str = "practice.example.com",
        client: ClientApp | None = None,
    ) -> None:
        self.state, self.now, self.api_key, self.website = state, now, api_key, website
        self.check = check or (lambda *_: [])
        self.limits = Limits(rates, now)
        self.contacts = Contacts(state, lambda: text(now()))
        self.tagging = Tagging(state, self.contacts, now, seconds=tag_seconds)
        self.consent = Consent(state, now, "Omnisend", client, LIFE)
        self.faults = Faults()
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice omnisend")
        install(app, self.faults, problem)
        self.desk = Desk(app, self.people, self.add)
        app.register_error_handler(RefusedError, refused)
        app.register_error_handler(HTTPException, lambda error: refused(RefusedError(error.code or 500)))
        endpoints: tuple[tuple[str, str, str, Callable[..., Answer]], ...] = (
            ("GET", "/api/brands/current", "brands", self._brand),
            ("GET", "/api/contacts", "contacts", self._list),
            ("POST", "/api/contacts", "contacts", self._upsert),
            ("PATCH", "/api/contacts", "contacts", self._change),
            ("GET", "/api/contacts/<id_>", "contacts", self._contact),
            ("POST", "/api/contacts/tags", "POST tags", self._tag),
            ("DELETE", "/api/contacts/tags", "DELETE tags", self._untag),
        )
        for method, path, group, answer in endpoints:
            app.add_url_rule(path, answer.__name__, self._view(group, answer), methods=[method])
        self.consent.serve(app, "/oauth2/authorize", "/oauth2/token")
        return app

    def _view(self, group: str, answer: Callable[..., Answer]) -> Callable[..., Response]:
        def view(**parts: str) -> Response:
            self._admit(group)
            left = self.limits.enter(group)
            if left and left.over:
                raise RefusedError(429, retry_after=left.reset)
            if request.method != "GET":
                self._inspect()
            with self.state.transaction():
                self.tagging.settle()
                document, status = answer(**parts)
            return respond(document, status)

        return view

    def _admit(self, group: str) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        held = self.consent.scopes(given) if kind == "Bearer" else None
        if held is None and (kind, given) != ("Omnisend-API-Key", self.api_key):
            raise RefusedError(401)
        thing = "brands" if group == "brands" else "contacts"
        if held is not None and f"{thing}.{'read' if request.method == 'GET' else 'write'}" not in held:
            raise RefusedError(403)
        version = request.headers.get("Omnisend-Version")
        if version != VERSION:
            raise RefusedError(410 if version else 400, "The header Omnisend-Version names no version that is served")

    def _inspect(self) -> None:
        wrong = self.check(request.method, request.path.removeprefix("/api"), self._body())
        if wrong:
            raise RefusedError(400, errors=[("", one) for one in wrong])

    def _body(self) -> Any:
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            raise RefusedError(400, "The body is not a JSON object")
        return body

    def _brand(self) -> Answer:
        return {"brandID": "60a6170920d91c215e949b5c", "website": self.website, "currency": "GBP"}, 200

    def _list(self) -> Answer:
        return page(self.contacts.matching(question(request)), request), 200

    def _contact(self, id_: str) -> Answer:
        return self.contacts.known(id_), 200

    def _upsert(self) -> Answer:
        contact, made = self.contacts.upsert(self._body())
        return contact, 201 if made else 200

    def _change(self) -> Answer:
        return self.contacts.change(request.args.get("email", ""), self._body()), 200

    def _tag(self) -> Answer:
        self.tagging.ask("add", self._body())
        return None, 202

    def _untag(self) -> Answer:
        self.tagging.ask("remove", self._body())
        return None, 202

    def add(self, people: Iterable[Mapping[str, Any]]) -> list[str]:
        """Let these be there ("email", perhaps "status", subscribed unless told otherwise); return their ids."""
        made = [self.contacts.new(one["email"], one.get("status", "subscribed"), one.get("tags", ())) for one in people]
        self.contacts.keep(*made)
        return [one["id"] for one in made]

    def people(self) -> list[dict[str, Any]]:
        """Return every contact's id, address, status and tags, once all that was asked for is done."""
        self.tagging.settle(whatever_the_time=True)
        return [{name: one[name] for name in ("id", "email", "status", "tags")} for one in self.contacts.all()]

    @property
    def credentials(self) -> dict[str, str]:
        return {"api_key": self.api_key}

    def tags(self) -> dict[str, set[str]]:
        return {one["email"]: set(one["tags"]) for one in self.people()}

    def put(self, email: str, tags: Collection[str]) -> None:
        self.contacts.tag(self.contacts.at(email), tags, ())

    def remove(self, email: str) -> None:
        self.state.drop("contact", email)

    def stop(self) -> None:
        self.faults.clear()


def refused(error: RefusedError) -> Response:
    response = respond(error.document, error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def respond(document: Any, status: int) -> Response:
    if document is None:
        return Response(status=status)
    response = jsonify(document)
    response.status_code = status
    return response
