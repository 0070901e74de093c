"""HubSpot's stand-in: the contacts, lists and e-mail events of one account over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.sandbox.consent import ClientApp, Consent
from plugin.sandbox.desk import Desk
from plugin.sandbox.email import Check
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.limits import Left, Limits, Rates
from plugin.sandbox.model import text
from plugin.sandbox.state import Document, Entry, State

from .records import CONTACT_TYPE, EDITABLE, Records, TakenError

__all__ = ["HubSpotStandIn"]

DAY = 86_400
RATES: Rates = {"api": ((10, 100), (DAY, 250_000))}
POLICIES = {10: "TEN_SECONDLY_ROLLING", DAY: "DAILY"}
MOST_KEYS = 100
MOST_LISTED = 250
LIFE = timedelta(minutes=30)
SCOPES = {"/crm/objects/": "crm.objects.contacts.read", "/crm/lists/": "crm.lists.write", "/email/": "content"}
PORTAL = 4_815_162
CATEGORIES: Mapping[int, str] = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMITS",
}
LISTS = "/crm/lists/2026-09"
CONTACTS = "/crm/objects/2026-09/contacts"
Answer = tuple[Any, int]


class RefusedError(Exception):
    """The request is refused, for this reason."""

    def __init__(self, status: int, message: str, left: Left | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.left = status, message, left


class HubSpotStandIn:
    """One account. `check` judges what is written to it; `client` is an app that can be let in, beside the token."""

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        access_token: str,
        *,
        rates: Rates = RATES,
        check: Check | None = None,
        client: ClientApp | None = None,
    ) -> None:
        self.state, self.now, self.access_token = state, now, access_token
        self.check = check or (lambda *_: [])
        self.limits = Limits(rates, now)
        self.records = Records(state, lambda: text(now()))
        self.consent = Consent(
            state, now, "HubSpot", client, LIFE, optional="optional_scope", error=no_tokens, told=told
        )
        self.faults = Faults()
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice hubspot")
        install(app, self.faults, lambda status: problem(status, "This is a drill."), None)
        self.desk = Desk(app, self.people, self.add)
        app.register_error_handler(RefusedError, refused)
        app.register_error_handler(TakenError, lambda error: refused(RefusedError(400, str(error))))
        app.register_error_handler(HTTPException, lambda error: refused(RefusedError(error.code or 500, error.name)))
        endpoints: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("GET", "/account-info/2026-03/details", self._account),
            ("GET", CONTACTS, self._contacts),
            ("POST", CONTACTS, self._create),
            ("POST", f"{CONTACTS}/batch/read", self._read),
            ("POST", f"{CONTACTS}/batch/upsert", self._upsert),
            ("POST", LISTS, self._make_list),
            ("POST", f"{LISTS}/search", self._search),
            ("GET", f"{LISTS}/object-type-id/<kind>/name/<path:name>", self._list_named),
            ("GET", f"{LISTS}/<list_id>", self._list),
            ("DELETE", f"{LISTS}/<list_id>", self._drop_list),
            ("GET", f"{LISTS}/<list_id>/memberships", self._listed),
            ("PUT", f"{LISTS}/<list_id>/memberships/add-and-remove", self._put),
            ("POST", f"{LISTS}/records/memberships/batch/read", self._memberships),
            ("GET", "/email/public/v1/events", self._events),
        )
        for method, path, answer in endpoints:
            app.add_url_rule(path, f"{method} {path}", self._view(answer), methods=[method])
        self.consent.serve(app, "/oauth/authorize", "/oauth/v3/token")
        return app

    def _view(self, answer: Callable[..., Answer]) -> Callable[..., Response]:
        def view(**parts: Any) -> Response:
            self._admit(request.headers.get("Authorization", "").removeprefix("Bearer "))
            left = self.limits.enter("api")
            if left and left.over:
                raise RefusedError(429, f"You have reached your {POLICIES[left.seconds].lower()} limit.", left)
            if request.method in ("POST", "PUT") and (wrong := self.check(request.method, request.path, body())):
                raise RefusedError(400, f"Invalid input JSON: {'; '.join(wrong)}")
            with self.state.transaction():
                return respond(*answer(**parts), left)

        return view

    def _admit(self, token: str) -> None:
        held = self.consent.scopes(token)
        if token != self.access_token and held is None:
            raise RefusedError(401, "Expired.")
        needed = next((scope for start, scope in SCOPES.items() if request.path.startswith(start)), "oauth")
        if token != self.access_token and needed not in (held or ()):
            raise RefusedError(403, "This app hasn't been granted what it needs.")

    def _account(self) -> Answer:
        about = {"portalId": PORTAL, "accountType": "STANDARD", "uiDomain": "app.hubspot.com"}
        return about | {"timeZone": "Europe/London", "companyCurrency": "GBP", "additionalCurrencies": []}, 200

    def _contacts(self) -> Answer:
        most = request.args.get("limit", 10, int)
        return {"results": [self.records.shown(one) for one in list(self.records.all())[:most]]}, 200

    def _create(self) -> Answer:
        email = body()["properties"]["email"]
        if self.records.by_email(email):
            raise RefusedError(409, "Contact already exists.")
        return self.records.shown(self.records.make(email)), 201

    def _upsert(self) -> Answer:
        given = [one["id"] for one in body()["inputs"]]
        return batch([self.records.shown(self.records.by_email(one) or self.records.make(one)) for one in given])

    def _read(self) -> Answer:
        inputs = [one["id"] for one in inputs_of(body())]
        find = self.records.by_email if body().get("idProperty") == "email" else self.records.by_id
        found = {one: find(one) for one in inputs}
        unknown = [one for one, contact in found.items() if contact is None]
        return batch([self.records.shown(contact) for contact in found.values() if contact], unknown)

    def _make_list(self) -> Answer:
        made = self.records.make_list(body()["name"], body()["processingType"], body()["objectTypeId"])
        return {"list": made}, 200

    def _search(self) -> Answer:
        query = body().get("query", "").casefold()
        found = [one for one in self.state.walk("list") if query in one["name"].casefold()]
        return {"lists": found, "hasMore": False, "offset": len(found), "total": len(found)}, 200

    def _list_named(self, kind: str, name: str) -> Answer:
        same = (one for one in self.state.walk("list") if (one["name"], one["objectTypeId"]) == (name, kind))
        return {"list": there(next(same, None), "List does not exist.")}, 200

    def _list(self, list_id: str) -> Answer:
        return {"list": there(self.state.get("list", list_id), "List does not exist.")}, 200

    def _drop_list(self, list_id: str) -> Answer:
        self.records.drop_list(there(self.state.get("list", list_id), "List does not exist."))
        return None, 204

    def _listed(self, list_id: str) -> Answer:
        """Return the first who are on a list. When each was put there is not kept."""
        there(self.state.get("list", list_id), "List does not exist.")
        most = request.args.get("limit", MOST_KEYS, int)
        if not 1 <= most <= MOST_LISTED:
            raise RefusedError(400, f"The limit is between 1 and {MOST_LISTED}.")
        on = [one for one in self.records.all() if list_id in one["lists"]]
        results = [{"recordId": one["id"], "membershipTimestamp": one["createdAt"]} for one in on[:most]]
        return {"results": results, "total": len(on)}, 200

    def _put(self, list_id: str) -> Answer:
        """Move contacts that exist; whoever is where they should be is not named."""
        found = there(self.state.get("list", list_id), "List does not exist.")
        if found["processingType"] not in EDITABLE:
            raise RefusedError(400, "Memberships of this list cannot be edited.")
        added, gone = self.records.put(list_id, body()["recordIdsToAdd"], on=True)
        removed, lost = self.records.put(list_id, body()["recordIdsToRemove"], on=False)
        return {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": [*gone, *lost]}, 200

    def _memberships(self) -> Answer:
        found = {one["recordId"]: self.records.by_id(one["recordId"]) for one in inputs_of(body())}
        return batch(
            [
                {
                    "objectTypeId": CONTACT_TYPE,
                    "recordId": record_id,
                    "recordListMemberships": [{"listId": one, "listVersion": 1} for one in contact["lists"]],
                }
                for record_id, contact in found.items()
                if contact
            ]
        )

    def _events(self) -> Answer:
        """Return a page of e-mail events, the newest first."""
        since, until, most, at = (
            request.args.get(name, default, int)
            for name, default in (("startTimestamp", 0), ("endTimestamp", 2**62), ("limit", 10), ("offset", 0))
        )
        found = [one for one in self.state.walk("email_event", reverse=True) if since <= one["created"] <= until]
        page = found[at : at + min(most, 1_000)]
        more = at + len(page) < len(found)
        return {"events": page, "hasMore": more, "offset": str(at + len(page))}, 200

    def tell(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Let e-mail events be in the log: each with "id", "type", "created" and "recipient"."""
        self.state.put("email_event", (Entry(f"{one['created']:020}{one['id']}", one) for one in events))

    def add(self, people: Iterable[Mapping[str, Any]]) -> list[str]:
        """Make contacts of these; return the ids of their records."""
        return [self.records.make(**person)["id"] for person in people]

    def people(self) -> list[dict[str, Any]]:
        return [{name: one[name] for name in ("id", "email", "lists", "marketable")} for one in self.records.all()]

    @property
    def credentials(self) -> dict[str, str]:
        return {"access_token": self.access_token}

    def tags(self) -> dict[str, set[str]]:
        """Return by address the names of the lists that each contact is on."""
        names = {one["listId"]: one["name"] for one in self.state.walk("list")}
        return {one["email"]: {names[list_id] for list_id in one["lists"]} for one in self.records.all()}

    def put(self, email: str, tags: Collection[str]) -> None:
        contact = self.records.by_email(email) or {}
        for tag in sorted(tags):
            found = next((one for one in self.state.walk("list") if one["name"] == tag), None)
            self.records.put((found or self.records.make_list(tag))["listId"], [contact["id"]], on=True)

    def remove(self, email: str) -> None:
        self.state.drop("contact", email)

    def stop(self) -> None:
        self.faults.clear()


def no_tokens(code: str) -> Answer:
    kind = "BAD_CLIENT_SECRET" if code == "invalid_client" else "BAD_AUTH_CODE"
    return {"status": kind, "message": "missing or unknown"}, 400


def told(granted: Sequence[str]) -> Document:
    return {"scopes": list(granted), "hub_id": PORTAL}


def body() -> Any:
    found = request.get_json(force=True, silent=True)
    if not isinstance(found, dict):
        raise RefusedError(400, "Invalid input JSON")
    return found


def inputs_of(given: Mapping[str, Any]) -> list[Any]:
    found = given.get("inputs")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_KEYS:
        raise RefusedError(400, f"Between 1 and {MOST_KEYS} inputs are accepted.")
    return found


def there(found: Document | None, otherwise: str) -> Document:
    if found is None:
        raise RefusedError(404, otherwise)
    return found


def batch(results: list[Document], unknown: Collection[str] = ()) -> Answer:
    """Return the answer of a batch: 207 where some of it was not found."""
    answer: Document = {"status": "COMPLETE", "results": results}
    if not unknown:
        return answer, 200
    missing = {"category": "OBJECT_NOT_FOUND", "status": "error", "context": {"ids": list(unknown)}}
    return answer | {"numErrors": 1, "errors": [missing | {"message": "Could not get some CONTACT objects"}]}, 207


def problem(status: int, message: str) -> Document:
    category = CATEGORIES.get(status, "INTERNAL_ERROR")
    policy = {"policyName": "TEN_SECONDLY_ROLLING"} if status == 429 else {}
    return {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category} | policy


def refused(error: RefusedError) -> Response:
    told = problem(error.status, error.message)
    if error.left:
        told["policyName"] = POLICIES[error.left.seconds]
    return respond(told, error.status, error.left)


def respond(document: Any, status: int, left: Left | None) -> Response:
    response = Response(status=status) if document is None else jsonify(document)
    response.status_code = status
    if left:
        response.headers["X-HubSpot-RateLimit-Max"] = str(left.limit)
        response.headers["X-HubSpot-RateLimit-Remaining"] = str(left.remaining)
        response.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = str(left.seconds * 1_000)
    return response
